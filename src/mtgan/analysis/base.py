"""What every analysis shares: how it is asked, what it answers, and where it looks for images.

An analysis is one file: a function on arrays or a run, a frozen dataclass that it returns, and
one registered adapter from (run, options) to that function.

Legend: N images, C channels, H x W pixels, D features, L label levels.
"""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.features import AUTO, FeatureRequest, build_extractor
from mtgan.lettering import save_figure
from mtgan.limits import LARGEST_COUNT, check_number, check_seed
from mtgan.registry import Registry
from mtgan.training import Run
from mtgan.training.run import Step

Images = np.ndarray
Progress = Callable[[str], None]
Cell = str | float | int | None


def silent(message: str) -> None:
    """The progress of functions that are called from Python."""


@dataclass(frozen=True)
class Options:
    """How an analysis of a run is asked; what an analysis does not take is refused.

    Attributes:
        n: Number of samples; None takes the analysis's own default.
        seed: Of every random draw.
        step: Checkpoint by its iteration, or "best"; None is the newest.
        features: Feature space by name, or "auto".
        data: Another data set than the run's own, where that is a question (`probe`).
        label: Labels as LEVEL=CLASS, NUMBER=VALUE or a class's name, where paths are between or at
            some (`interpolate`).
        dimension: One of the latent, counted from 0, where one alone is moved (`interpolate`).
        twin: Which one is asked, of a run with twins; None is the main one.
        progress: Called with a sentence before each part that takes a while.
    """

    n: int | None = None
    seed: int = 0
    step: Step = None
    features: str = AUTO
    data: str | None = None
    label: tuple[str, ...] = ()
    dimension: int | None = None
    twin: str | None = None
    progress: Progress = silent

    def count(self, default: int) -> int:
        return default if self.n is None else self.n

    def given(self) -> list[str]:
        """Names of the options that differ from their defaults."""
        return [
            option.name
            for option in fields(self)
            if option.name != "progress" and getattr(self, option.name) != option.default
        ]


@dataclass(frozen=True)
class Table:
    """A short table: numbers stay numbers until they are printed."""

    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


SHOWN_ONLY = {"shown_only": True}
"""Metadata of fields that are for the picture, and stay out of the JSON."""


class Result(ABC):
    """What an analysis found: plain values, a picture of them, and a verdict in words."""

    @property
    @abstractmethod
    def verdict(self) -> str:
        """What the numbers say, in one or a few plain sentences."""

    @abstractmethod
    def table(self) -> Table:
        """The headline numbers."""

    @abstractmethod
    def figure(self) -> Figure:
        """The picture."""

    def to_dict(self) -> dict[str, Any]:
        """The verdict and every field that is no picture, as plain values."""
        return {"verdict": self.verdict, **plain(self)}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    def picture(self, path: str | Path) -> Path:
        """Draw the picture; the suffix decides the format.

        Raises:
            UserError: A suffix that cannot be drawn, or a folder that cannot be written.
        """
        return save_figure(self.figure(), path)


def plain(value: Any) -> Any:
    """Dataclasses, arrays and mappings as what JSON knows; what is not finite becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        kept = [item for item in fields(value) if not item.metadata.get("shown_only")]
        return {item.name: plain(getattr(value, item.name)) for item in kept}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclass(frozen=True)
class Analysis:
    """A registered analysis.

    Attributes:
        ask: Answers it, from a run (of a run with twins, as of one of them) and its options.
        about: What it asks, in a line.
        takes: The names of the options that it obeys.
        least: The smallest `n` that it can be asked with.
    """

    ask: Callable[[Run, Options], Result]
    about: str
    takes: tuple[str, ...] = ()
    least: int = 2

    def check(self, name: str, options: Options) -> None:
        """UserError for an option that this analysis, called `name`, does not take, or out of
        range."""
        if odd := [option for option in options.given() if option not in self.takes]:
            taken = ", ".join(f"--{option}" for option in self.takes) or "none of its own"
            raise UserError(
                f"The analysis {name} takes no {' and no '.join(f'--{one}' for one in odd)}; the "
                f"options that it takes: {taken}."
            )
        if options.n is not None:
            check_number("--n", options.n, self.least, LARGEST_COUNT)
        check_seed(options.seed, "--seed")


ANALYSES: Registry[Analysis] = Registry("analysis", "mtgan.analysis")


def analysis(
    name: str, about: str, takes: tuple[str, ...] = (), least: int = 2
) -> Callable[[Callable[[Run, Options], Result]], Any]:
    """Decorator that registers `ask(run, options) -> Result` under a name; see Analysis."""
    return ANALYSES.register_as(name, lambda ask: Analysis(ask, about, takes, least))


# Where analyses look for images


def held_out_of(run: Run) -> Dataset:
    """Real images that the run did not train on: the test split, whole.

    Raises:
        UserError: The run trained on every split; or its data are no longer to be found.
    """
    spec = run.recipe.run["data"]
    if spec.get("split", "train") != "train":
        raise UserError(
            f"{run.path} was trained on the split {spec['split']!r}, so no real images were held "
            "out; train on the split 'train' to ask this."
        )
    return run.load_data("test")


def extractor_of(data: Dataset, features: str = AUTO, progress: Progress = silent) -> Any:
    """The feature space by name for these data; see evaluation.features."""
    return build_extractor(FeatureRequest(features, data, progress=progress))


def spread_rows(count: int, taken: int, seed: int) -> np.ndarray:
    """Sorted rows of at most `taken` out of `count`, without replacement."""
    return np.sort(np.random.default_rng(seed).permutation(count)[: min(taken, count)])


def joined(names: list[str], most: int = 6) -> str:
    """Names as a list for a sentence, cut after `most`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else "none"
