"""Where the pictures of a survey come from: runs, sets of samples, real data, noise."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.errors import UserError
from mtgan.evaluation.inputs import as_dataset
from mtgan.runs import CARD, data_of_run, size_of
from mtgan.surveys.schema import NOISE, REAL
from mtgan.training import Run
from mtgan.training.folders import address_of, is_run_folder
from mtgan.training.run import Step


class Arm(ABC):
    """Something whose samples are judged.

    Attributes:
        name: What it is called.
        source: Where it comes from, in words.
        taxonomy: What its classes mean; without levels where it has none.
        shape: (C, H, W).
        card: The file of its scorecard, if there is one.
    """

    name: str
    source: str
    taxonomy: Taxonomy
    shape: tuple[int, int, int]
    card: Path | None = None

    @abstractmethod
    def draw(self, level: str, of_class: str, count: int, seed: int) -> np.ndarray:
        """uint8 [count, C, H, W] of a class (of any where it is ""), no sample twice; UserError
        where there are not so many."""


class ModelArm(Arm):
    """The averaged generator of a run."""

    def __init__(self, name: str, run: Run, step: Step = None) -> None:
        if run.dataset_info.domains:
            raise UserError(
                f"{run.path} makes samples of several domains, and a survey shows pictures; export "
                "one domain by mtgan sample --domain, and name that folder."
            )
        self.name, self.source = name, str(run.path)
        self._run, self._step = run, step
        whole = run.dataset_info.taxonomy
        told = [level for level in run.asking(step).taken if level in run.dataset_info.class_levels]
        self.levels = tuple(
            dict.fromkeys(o for level in told for o in (level, *whole.above(level)))
        )
        self.taxonomy = whole if told else Taxonomy((), {}, {})
        self.shape = run.dataset_info.shape
        card = run.folder / CARD
        self.card = card if card.is_file() else None

    def draw(self, level: str, of_class: str, count: int, seed: int) -> np.ndarray:
        labels = {level: of_class} if of_class else None
        return np.asarray(self._run.sample(count, labels, seed, self._step))


class DataArm(Arm):
    """A set of samples that is there already."""

    def __init__(self, name: str, data: Dataset, source: str) -> None:
        if data.domains:
            raise UserError(f"{source} holds several domains, and a survey shows pictures.")
        self.name, self.source, self._data = name, source, data
        self.taxonomy, self.shape = data.taxonomy, data.shape
        self.levels = data.taxonomy.levels

    def draw(self, level: str, of_class: str, count: int, seed: int) -> np.ndarray:
        places = np.arange(len(self._data))
        if of_class:
            index = self.taxonomy.class_index(level, of_class)
            places = np.flatnonzero(self._data.labels_of(level) == index)
        if len(places) < count:
            what = f" of the class {of_class!r}" if of_class else ""
            raise UserError(
                f"{self.source} has {len(places)} samples{what}, and the survey shows {count}: "
                "give more of them, or ask for fewer by --trials, --raters, or a larger --judged."
            )
        chosen = np.random.default_rng(seed).permutation(places)[:count]
        return np.asarray(self._data.samples[chosen])


class NoiseArm(Arm):
    """Uniform noise, which nobody should take for real."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.name, self.source, self.shape = NOISE, "uniform noise", shape
        self.taxonomy = Taxonomy((), {}, {})

    def draw(self, level: str, of_class: str, count: int, seed: int) -> np.ndarray:
        random = np.random.default_rng(seed)
        return random.integers(0, 256, (count, *self.shape), dtype=np.uint8)


def open_arms(sources: Sequence[str], step: Step = None) -> "dict[str, ModelArm | DataArm]":
    """Runs, or their twins, and sets of samples by their names, in order; sources: as of
    mtgan.training.folders.address_of.

    UserError where two have one name, a name means something else here, or sizes differ.
    """
    if not sources:
        raise UserError("A survey needs something to judge: name runs, or folders of samples.")
    found: dict[str, ModelArm | DataArm] = {}
    for text in sources:
        name, path, twin = address_of(text)
        name = name.removesuffix(".npz")
        if name in found:
            raise UserError(
                f"Two models are called {name!r}; name them: --from first=PATH --from second=PATH."
            )
        if name in {REAL, NOISE}:
            raise UserError(f"{name!r} means something else in a survey; write NAME={path}.")
        found[name] = _open(name, Path(path), twin, step)
    check_sizes(list(found.values()))
    return found


def _open(name: str, path: Path, twin: str | None, step: Step) -> "ModelArm | DataArm":
    if is_run_folder(path):
        return ModelArm(name, Run.open(path).twin(twin), step)
    if twin is not None or not path.exists():
        where = path if twin is None else f"{path}:{twin}"
        raise UserError(f"There is no run and no set of samples at {where}.")
    return DataArm(name, as_dataset(path, name), str(path))


def check_sizes(arms: Sequence[Arm]) -> None:
    """UserError where samples are of unlike sizes: people would tell them apart by that."""
    for arm in arms:
        if arm.shape != arms[0].shape:
            both = (" x ".join(map(str, one.shape)) for one in (arms[0], arm))
            raise UserError(
                f"{arms[0].source} has samples of {next(both)} and {arm.source} of {next(both)}; "
                "people would tell them apart by the size, so bring them to one."
            )


def real_arm(
    arms: "Sequence[ModelArm | DataArm]", data: str | None, root: Path | None = None
) -> DataArm:
    """Held-out real samples: of the data set named, else of what the first run was trained on."""
    run = next((arm._run for arm in arms if isinstance(arm, ModelArm)), None)
    if data is not None:
        size: dict[str, Any] = size_of(run) if run else _size(arms[0].shape)
        real = load_dataset(data, "test", root=root, **size)
        return DataArm(REAL, real, data)
    if run is None:
        raise UserError(
            "Sets of samples do not say what real ones look like; name the real data by --data."
        )
    real = data_of_run(run, "test")
    return DataArm(REAL, real, f"{real.name}, {real.split}")


def _size(shape: tuple[int, int, int]) -> dict[str, Any]:
    return {"size": shape[1:], "channels": shape[0]}
