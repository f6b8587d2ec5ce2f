"""What a metric is, and how one registers: a decorator on one function.

A file holds one metric: its function on arrays, and below that the line that hands it the arrays of
a comparison and says which numbers it gives, their range, direction, axis and source.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.pairwise.arrays import SmallSampleWarning
from mtgan.parts import METRICS
from mtgan.plugins import is_outside, remedy

FEATURES, PIXELS = "features", "pixels"
LISTED = 20  # names that a sentence holds at most


@dataclass(frozen=True)
class Output:
    """One number that a metric gives.

    Attributes:
        name: Its name; numbers of label levels are keyed `name/level`.
        better: "lower", "higher" or "like real".
        axis: The axis that it counts for; "" when it is only reported.
        scale: How it becomes a score (a name in `scoring.SCALES`); needed with an axis.
        axis_per_level: Whether each label level is an axis of its own, `axis/level`.
        range: The least and the largest value that it can have.
    """

    name: str
    better: str
    axis: str = ""
    scale: str = "linear"
    axis_per_level: bool = False
    range: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True)
class Outcome:
    """Numbers by output name (or `name/level`), and what is to be said of them.

    Attributes:
        values: The numbers.
        details: {key: {class: number}} of all classes that an average is over.
        notes: Sentences that name what was left out of a number, and why.
    """

    values: Mapping[str, float]
    details: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Metric:
    """A registered metric.

    Attributes:
        name: What `--metrics` calls it.
        outputs: The numbers it gives.
        compute: Comparison -> Outcome.
        slow: Left out unless asked for by name, or by "all".
        resampled: Whether half-samples give it an interval, and the known corruptions a value.
        needs: By what it needs, in a word or two, functions that take a comparison and return a
            sentence where that is missing, else "".
        space: FEATURES or PIXELS.
        about: The first line of its docstring.
        source: The paper that defines it.
        function: The same on plain arrays, or None.
    """

    name: str
    outputs: tuple[Output, ...]
    compute: Callable[[Any], Outcome]
    slow: bool = False
    resampled: bool = True
    needs: Mapping[str, Callable[[Any], str]] = field(default_factory=dict, hash=False)
    space: str = FEATURES
    about: str = ""
    source: str = ""
    function: Callable[..., Any] | None = None

    def apply(self, comparison: Any) -> Outcome:
        """Compute; the card speaks of small samples in its notes, so warnings are silenced."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SmallSampleWarning)
            return self.compute(comparison)

    def output(self, key: str) -> Output | None:
        """The output that a key `name` or `name/level` belongs to, or None."""
        name = key.partition("/")[0]
        return next((output for output in self.outputs if output.name == name), None)

    def missing(self, comparison: Any) -> str:
        """Why the metric cannot be computed; "" when it can."""
        reasons = (need(comparison) for need in self.needs.values())
        return next((reason for reason in reasons if reason), "")


def listed(names: Sequence[str]) -> str:
    """Names with commas between them; of more than twenty the first, and how many more."""
    more = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {more} more" if more > 0 else "")


ALIASES = {
    "fid": "frechet_distance",
    "kid": "kernel_distance",
    "is": "inception_score",
    "prc": "precision_recall",
}
"""What other tools call them."""

LABELS = {"labels": Comparison.without_labels}
NUMBERS = {"numbers": Comparison.without_numbers}
LOGITS = {"logits": Comparison.without_logits}
HELD_OUT = {"held-out data": Comparison.without_held_out}
"""What metrics need; see `Metric.needs`."""


def register_metric(
    name: str,
    *outputs: Output,
    slow: bool = False,
    resampled: bool = True,
    needs: Mapping[str, Callable[[Comparison], str]] | None = None,
    space: str = FEATURES,
    source: str = "",
    function: Callable[..., Any] | None = None,
) -> Callable[[Callable[[Comparison], Outcome]], Callable[[Comparison], Outcome]]:
    """Register a function `Comparison -> Outcome` as the metric of a name; see `Metric`."""

    def make(compute: Callable[[Comparison], Outcome]) -> Metric:
        return Metric(
            name,
            outputs,
            compute,
            slow,
            resampled and not slow,
            dict(needs or {}),
            space,
            (compute.__doc__ or "").partition("\n")[0],
            source,
            function,
        )

    return METRICS.register_as(name, make)


def chosen_metrics(names: str | Iterable[str]) -> list[Metric]:
    """Metrics by name, ours or that of other tools (`ALIASES`); in one string, commas part them.

    "all" means every one, "default" all but the slow ones.

    Raises:
        UserError: A name that no metric has.
    """
    names = names.split(",") if isinstance(names, str) else names
    names = [name.strip() for name in names]
    names = [METRICS.get(name).name if is_outside(name) else name for name in names]
    known = dict(sorted(METRICS.items()))  # in one order, whatever was imported first
    groups = {
        "all": list(known),
        "default": [name for name, item in known.items() if not item.slow],
    }
    wanted: dict[str, Metric] = {}
    for name in names:
        members = groups.get(name) or [ALIASES.get(name.lower(), name)]
        for member in members:
            if member not in known:
                raise UserError(
                    f"there is no metric {member!r}: choose from {', '.join(known)}, "
                    f"or all, or default. {remedy()}"
                )
            wanted[member] = known[member]
    return [item for name, item in known.items() if name in wanted]
