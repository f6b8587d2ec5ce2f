"""A folder that `mtgan.load` reads, and model hubs show: config.json, model.safetensors, README.md.

It holds the whole model: every twin's averaged generator, discriminators and classifiers.
"""

from pathlib import Path

from mtgan.errors import UserError
from mtgan.exporting.base import FORMATS, Export
from mtgan.exporting.folder import write_model
from mtgan.files import new_folder


class Folder:
    """The whole model, by `write_model`."""

    ending = ""

    def check(self, asked: Export) -> None:
        """UserError for a part of the model: a folder holds all of it."""
        if asked.part or asked.floats or asked.model.twin_name not in self._whole(asked):
            raise UserError(
                "A folder holds the whole model, every part and twin of it, and gives images as "
                "mtgan.load(folder).sample does; leave part, twin and floats out, or name a file."
            )

    def write(self, asked: Export, out: Path) -> None:
        with new_folder(out) as folder:
            write_model(asked, folder)

    @staticmethod
    def _whole(asked: Export) -> tuple[str | None, ...]:
        """Of which twin a model may be as of: none in particular, or the main one."""
        return (None, *asked.model.twins[:1])


FORMATS.register("folder")(Folder())
