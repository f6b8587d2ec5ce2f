"""How one goes on with a run's folder, and what it is where it is something else of ours."""

import os
from pathlib import Path
from typing import Any

from mtgan.errors import UserError
from mtgan.files import read_json
from mtgan.text import command


def resume_command(path: Path, steps: int | None = None) -> str:
    """Go on with the run in a folder; to more steps where they are given."""
    longer = () if steps is None else ("--steps", steps)
    return command("mtgan", "train", "--resume", path, *longer)


RECIPE, DATA, START = "recipe.yaml", "data.json", "start.json"
TRACKERS = "trackers"
"""The folder in which trackers keep what they keep in a run."""
DIVERGED = "diverged-"
"""How the name begins under which the state of a training is kept that was not finite."""


def has_diverged(path: Path) -> bool:
    """Whether a run in this folder was stopped by a value that is not finite."""
    return any((path / "checkpoints").glob(f"{DIVERGED}*"))


def is_run_folder(path: Path) -> bool:
    """Whether a folder is that of a run: it holds the recipe and the facts of the data."""
    return (path / RECIPE).is_file() and (path / DATA).is_file()


def is_classifier_folder(path: Path) -> bool:
    """Whether a folder is that of a classifier's run."""
    return is_run_folder(path) and "tasks" in _dataset_info(path)


def refuse_other_than_gan(path: Path) -> None:
    """UserError, which says what it is and what can be asked of it, where a folder is a study, a
    sweep, prepared data, or a classifier's run, and not the run of a GAN."""
    found = ""
    if (path / "study.yaml").is_file() and (path / "plan.json").is_file():
        found = (
            f"a study, and not the run of a GAN; {command('mtgan', 'report', path)} writes its "
            "page, and its folder runs holds its runs"
        )
    elif (path / "sweep.yaml").is_file():
        found = (
            "a sweep of classifiers of an earlier version, and not the run of a GAN; its table.md "
            "says what came of it, and its folder runs holds its runs"
        )
    elif (path / "mtgan-data.json").is_file():
        found = "a prepared data set, and not the run of a GAN; name it by --data"
    elif is_classifier_folder(path):
        found = (
            "the run of a classifier, and not of a GAN; "
            f"{command('mtgan', 'report', path)} writes its page, "
            f"{command('mtgan', 'classify', '--resume', path)} goes on with it, and "
            "mtgan.classification.load_features takes its features"
        )
    if found:
        raise UserError(f"{path} is {found}.")


def refuse_other_than_classifier(path: Path) -> None:
    """UserError, which says so, where a folder is the run of a GAN."""
    if "label_rows" in _dataset_info(path):
        raise UserError(
            f"{path} is the run of a GAN, and not of a classifier; "
            f"{command('mtgan', 'report', path)} writes its page."
        )


def _dataset_info(path: Path) -> dict[str, Any]:
    """What a run's data.json holds; nothing where there is none that can be read."""
    try:
        info = read_json(path / "data.json")
    except UserError:
        return {}
    return info if isinstance(info, dict) else {}


def address_of(text: str) -> tuple[str, str, str | None]:
    """Name, source and twin of SOURCE, SOURCE:TWIN, NAME=SOURCE or NAME=SOURCE:TWIN.

    A path that is there is taken as it stands. What has no name is called as its folder or file,
    with :TWIN.
    """
    name, source = "", text
    if not Path(text).exists() and "=" in text:
        name, _, source = text.partition("=")
    twin = None
    if not Path(source).exists() and ":" in source:
        source, _, twin = source.rpartition(":")
    called = Path(os.path.abspath(source)).name if Path(source).exists() else source
    return name.strip() or (called if twin is None else f"{called}:{twin}"), source, twin
