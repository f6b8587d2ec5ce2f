"""A run folder's beginning: made whole or not at all, and found again by the same command."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch

import mtgan
from mtgan import files
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.recipes import Recipe, dump_recipe
from mtgan.recipes.schema import DESCRIPTION
from mtgan.registry import plugin_versions
from mtgan.training.checkpoints import RESUME, list_checkpoints
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.folders import DATA, RECIPE, START, TRACKERS
from mtgan.training.run import Run

AnyRun = TypeVar("AnyRun")

# What a training writes before its first checkpoint, beside hidden files.
_WRITTEN = {RECIPE, DATA, START, TRACKERS, "metrics.jsonl", "tensorboard"}
_WRITTEN |= {"samples", "domains", "checkpoints"}


def find_run(
    path: Path, resume: bool, opened: Callable[[Path], AnyRun], result: str = ""
) -> AnyRun | None:
    """The run in a folder that a training goes on with, or None where it begins one.

    A run without a checkpoint has nothing to lose, and is gone on with even without `resume`; so
    is what a killed start left, by `begin_folder`. opened: opens a run of this kind. result: a file
    that is worth as much as a checkpoint. UserError where the folder holds anything else.
    """
    with files.writing(path):  # or not even be looked into
        if not path.exists() or (path.is_dir() and not _visible(path)):
            return None
    if not path.is_dir():
        raise UserError(f"{path} exists already and is no folder; name another with --out.")
    if list_checkpoints(path / "checkpoints") or (result and (path / result).exists()):
        if not resume:
            raise UserError(
                f"{path} exists already; go on with it by --resume, or name another folder with "
                "--out."
            )
        return opened(path)
    foreign = sorted(_visible(path) - _WRITTEN)
    if foreign:
        raise UserError(
            f"{path} exists already and is no run to go on with: it has no checkpoint, and holds "
            f"{foreign[0]!r}; name another folder with --out, or empty that one."
        )
    try:
        return opened(path)
    except UserError:
        return None  # cut off while it was begun


def _visible(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir() if not entry.name.startswith(".")}


def run_record(data: Dataset, seed: int) -> dict[str, Any]:
    """What a run keeps of its data set, seed and versions."""
    record = {
        "data": data.spec,
        "data_name": data.name,
        "data_fingerprint": data.fingerprint,
        "samples": len(data),
        "seed": seed,
        "versions": {"mtgan": mtgan.__version__, "torch": str(torch.__version__)},
    }
    if kept := plugin_versions():
        record["plugins"] = kept
    return record


def begin_run(
    path: Path,
    recipe: Recipe,
    data: Dataset,
    info: DatasetInfo,
    seed: int,
    start: Mapping[str, Any] | None = None,
    taken: Mapping[str, Any] | None = None,
) -> Run:
    """Make a run's folder; see begin_folder. start: the record of the model that it begins from;
    taken: what of it."""
    record = run_record(data, seed) | ({"start": dict(start)} if start else {})
    recorded = recipe.model_copy(update={"run": record})
    texts = {DATA: json.dumps(info.to_dict())}
    if taken is not None:
        texts[START] = json.dumps(taken, indent=1)
    begin_folder(path, {**texts, RECIPE: dump_recipe(recorded)})
    return Run(path, recorded, info)


def begin_folder(path: Path, texts: Mapping[str, str]) -> None:
    """Make a run folder of files with these texts, whole or not at all.

    What is left of a killed start of the same run is written anew. UserError where files are of
    another run, or cannot be written.
    """
    if path.exists():  # empty, perhaps mounted, or cut off: filled in place, the recipe last
        for name, text in texts.items():
            _refuse_other(path / name, text)
        for name, text in texts.items():
            files.write_text(path / name, text)
    else:
        with files.new_folder(path) as folder:
            for name, text in texts.items():
                (folder / name).write_text(text, encoding="utf-8")


def _refuse_other(file: Path, text: str) -> None:
    """UserError where the file holds anything but the beginning of `text`."""
    if file.exists() and not text.startswith(files.read_text(file)):
        raise UserError(
            f"{file.parent} was begun otherwise, or {file.name} was changed or cut off, and it has "
            "no checkpoint to go on from; remove that folder, or name another with --out."
        )


def refuse_other_run(run: Run, recipe: Recipe, data: Dataset, seed: int) -> None:
    """UserError where recipe, data or seed differ from what the run to resume recorded."""
    recorded = run.recipe.run
    if recorded["data_fingerprint"] != data.fingerprint:
        raise UserError(
            f"{run.path} was trained on {recorded['data_name']} with other samples or labels "
            f"(fingerprint {recorded['data_fingerprint'][:12]}, now {data.fingerprint[:12]}); "
            "resume with the same data, or train into another folder."
        )
    if recorded["seed"] != seed:
        raise UserError(
            f"{run.path} was trained with seed {recorded['seed']}, not {seed}; resume so."
        )
    aside = set(DESCRIPTION - {"name"})  # what a newer version tells of it
    was, now = run.recipe.model_dump(exclude=aside), recipe.model_dump(exclude=aside)
    was["training"]["steps"] = max(was["training"]["steps"], now["training"]["steps"])
    if was != now:
        key = first_difference(was, now)
        raise UserError(
            f"{run.path} was trained with another recipe: {key} differs; resume with the same "
            "recipe (only training.steps may grow), or train into another folder."
        )


def lengthen(run: Run, recipe: Recipe) -> Run:
    """The run with a recipe of more steps, which is kept in its folder."""
    if recipe.training.steps <= run.recipe.training.steps:
        return run
    longer = Run(run.path, recipe.model_copy(update={"run": run.recipe.run}), run.dataset_info)
    files.write_text(run.path / RECIPE, dump_recipe(longer.recipe), RESUME)
    return longer


def first_difference(was: Any, now: Any, path: str = "") -> str:
    """The first key whose value differs, with both values."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in {**was, **now}:
            if was.get(key) != now.get(key):
                return first_difference(was.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    return f"{path} ({was!r} then, {now!r} now)"
