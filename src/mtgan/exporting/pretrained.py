"""A model of which nothing is kept but what it takes to use it: a folder, here or on a hub."""

import json
from pathlib import Path
from typing import Any, Self

from mtgan.errors import UserError
from mtgan.evaluation.scorecard import AnyScorecard, read_card
from mtgan.exporting.base import Export
from mtgan.exporting.config import CONFIG, WEIGHTS, ModelRecord, read_config
from mtgan.exporting.folder import write_model
from mtgan.exporting.hub import fetch, push
from mtgan.exporting.weights import load_weights
from mtgan.files import new_folder
from mtgan.plugins import opening
from mtgan.recipes.load import recipe_of
from mtgan.text import html_summary, printable
from mtgan.training import Run
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.folders import is_run_folder
from mtgan.training.game import Game
from mtgan.training.model import Model, Step


class Pretrained(Model):
    """A model that was exported into a folder: sampled as a Run is, by `sample`.

    step: of the checkpoint that it was; license: as it was given; see Model. Tensors and JSON are
    all that is read: no code, no pickle, and no module that the folder names.
    """

    def __init__(self, path: Path, record: ModelRecord) -> None:
        where = str(path / CONFIG)
        with opening(path, foreign=True):
            recipe = recipe_of(record.recipe, f"of {where}")
            info = DatasetInfo.from_dict(record.data, f"{where}, under `data`,")
            super().__init__(path, recipe, info)
            self._game = Game(recipe, info)
        self.step, self.license = record.step, record.license
        self._scorecard = record.scorecard
        load_weights(self._game, path / WEIGHTS)

    @classmethod
    def from_pretrained(cls, name: str | Path, **options: Any) -> Self:
        """The model in a folder, or of a hub by its OWNER/NAME.

        options: of huggingface_hub, for a hub's: revision, token, cache_dir, local_files_only, ...
        UserError for what is no such folder, was changed since mtgan wrote it, comes from a newer
        version, or cannot be fetched.
        """
        folder = Path(name)
        if not folder.is_dir():
            folder = fetch(str(name), **options)
        elif options:
            raise UserError(
                f"{name} is a folder here, and {', '.join(options)} is of a hub; leave it out."
            )
        return cls(folder, read_config(folder))

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write the model into a folder that is new or empty, and return its path."""
        folder = Path(folder)
        with new_folder(folder) as written:
            write_model(Export(self, license=self.license), written)
        return folder

    def push_to_hub(self, name: str, **options: Any) -> str:
        """Upload the folder as the model OWNER/NAME of a hub, and return the address of the commit.

        options: of huggingface_hub's ModelHubMixin.push_to_hub: private, token, branch,
        commit_message, create_pr, ... UserError where that fails.
        """
        return push(self, name, **options)

    @property
    def card(self) -> AnyScorecard | None:
        """The scorecard that it was exported with, if there was one."""
        return None if self._scorecard is None else read_card(json.dumps(self._scorecard))

    def game(self, step: Step = None) -> Game:
        self.iteration(step)
        return self._game

    def weights(self, step: Step = None) -> Path:
        self.iteration(step)
        return self.path / WEIGHTS

    def iteration(self, step: Step = None) -> int:
        if step not in {None, self.step}:
            raise UserError(
                f"{self.path} holds one checkpoint, of iteration {self.step}, and not {step!r}; "
                "leave step out."
            )
        return self.step

    def __repr__(self) -> str:
        return f"Pretrained({printable(f'{str(self.path)!r}: {self._summary()}')})"

    def _repr_html_(self) -> str:
        """For notebooks: what was trained, and samples."""
        picture = self.path / "samples.png"
        shown = picture.read_bytes() if picture.is_file() else None
        return html_summary(str(self.path), {"model": self._summary()}, shown)

    def _summary(self) -> str:
        data = self.recipe.run.get("data_name", "?")
        twin = "" if self.twin_name is None else f", twin {self.twin_name!r}"
        return f"{self.recipe.name} on {data}, iteration {self.step:,}{twin}"


def load(source: str | Path, **options: Any) -> Model:
    """A trained model: the Run of a run folder, or a Pretrained of a folder that `mtgan export`
    wrote, or of a hub by its OWNER/NAME; options as of Pretrained.from_pretrained."""
    if is_run_folder(Path(source)) and not options:
        return Run.open(source)
    return Pretrained.from_pretrained(source, **options)
