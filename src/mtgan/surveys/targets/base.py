"""What a target is: it writes a folder of files to hand out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import new_folder
from mtgan.registry import Registry
from mtgan.surveys.folder import Survey


@dataclass(frozen=True)
class Options:
    """Attributes:
    post: The address to which a finished page sends its answers; they are saved as a file where "".
    image_url: The address of the folder to which the images will be uploaded.
    """

    post: str = ""
    image_url: str = ""


Target = Callable[[Survey, Path, Options], str]
"""Writes into a folder that is there and empty, and says in a sentence how to go on."""

TARGETS: "Registry[Target]" = Registry("target", "mtgan.surveys.targets", has=("__call__",))


def export(survey: Survey, target: str, out: Path | None, options: Options) -> tuple[Path, str]:
    """Write a survey for a target into a new folder, OUT/TARGET in its own where None is named, and
    return that and how to go on.

    UserError for an unknown target, options that do not fit it, and a folder that is there.
    """
    write = TARGETS.get(target)
    folder = out or survey.path / target
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists already; name another by --out, or remove it first.")
    with new_folder(folder) as temporary:
        sentence = write(survey, temporary, options)
    return folder, sentence


def check_address(option: str, address: str) -> None:
    """UserError for what is no address of the web."""
    if not address.startswith(("http://", "https://")) or any(c in address for c in " \"'<>\\"):
        raise UserError(f"{option} should be an address like https://host/path; found {address!r}.")
