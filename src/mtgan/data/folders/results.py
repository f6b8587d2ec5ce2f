"""Folders that mtgan itself wrote beside or among images, and that are no images of a data set."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import read_json, read_yaml
from mtgan.text import command

# By these files, all of them, such a folder is known.
_KNOWN_BY = {
    "run": {"recipe.yaml", "data.json"},
    "study": {"study.yaml", "plan.json"},
    "sweep": {"sweep.yaml"},
}
# What a run keeps in folders of its own; samples that were exported elsewhere into it are a set.
_OF_A_RUN = {"samples", "domains", "analysis", "checkpoints", "tensorboard", "trackers"}
_DEPTH = 3  # folders above, of which one may be a run's: RUN/domains/NAME


def kind_of(names: Iterable[str]) -> str:
    """run, study or sweep of a folder that holds files of these names; "" of any other."""
    names = set(names)
    return next((kind for kind, known in _KNOWN_BY.items() if known <= names), "")


def refuse_results(path: Path) -> None:
    """UserError where a path is the folder of a run, a study or a sweep, or one of a run's own
    folders: their pictures are grids of samples and charts. It says how to get at the samples."""
    if not path.is_dir():
        return
    whole = path.resolve()
    for folder in (whole, *whole.parents[:_DEPTH]):
        inside = whole.relative_to(folder).parts[:1]
        if inside and inside[0] not in _OF_A_RUN:
            continue
        known = [name for files in _KNOWN_BY.values() for name in files]
        kind = kind_of(name for name in known if (folder / name).is_file())
        if kind == "run":
            what = f"lies in the run {folder}" if inside else "is the folder of a run"
            raise UserError(f"{path} {what}, and no data set: {_about_run(folder, path, inside)}")
        if kind and not inside:
            raise UserError(
                f"{path} is the folder of a {kind}, and no data set: its pictures are charts and "
                "grids; name the images that its runs were trained on, or sample one of its runs."
            )


def _about_run(run: Path, path: Path, inside: Sequence[str]) -> str:
    try:
        recorded = read_yaml(run / "recipe.yaml")["run"]
        of_classifier = "tasks" in read_json(run / "data.json")
        data = recorded.get("data") or {}
        name = (data.get("name") if isinstance(data, dict) else "") or recorded.get("data_name")
    except (UserError, LookupError, TypeError, AttributeError):
        name, of_classifier = "", False
    trained = f"it was trained on {name}" if name else "name the images that it was trained on"
    if of_classifier:
        return f"it is one of a classifier; {trained}."
    shown = run if inside else path
    sample = command("mtgan", "sample", shown, "--n", 1000, "--out", "samples")
    return (
        f"its pictures are grids and charts; {trained}. For its samples: {sample}, and then name "
        "the folder samples."
    )
