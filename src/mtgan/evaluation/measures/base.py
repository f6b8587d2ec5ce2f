"""What a measure of the suite is, and how one registers: a decorator on one function.

A metric function works on arrays; a measure is the line that hands it the arrays of a comparison
and says which axis and scale its numbers belong to. Adding one is one file in this folder.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.inputs import SmallSampleWarning
from mtgan.plugins import is_outside, remedy
from mtgan.registry import Registry

FEATURES, PIXELS = "features", "pixels"
LISTED = 20  # names that a sentence holds at most


@dataclass(frozen=True)
class Output:
    """One number that a measure gives.

    Attributes:
        name: Its name; numbers of label levels are keyed `name/level`.
        better: "lower", "higher" or "like real".
        axis: The axis that it counts for; "" when it is only reported.
        scale: How it becomes a score (a name in `scoring.SCALES`); needed with an axis.
        axis_per_level: Whether each label level is an axis of its own, `axis/level`.
    """

    name: str
    better: str
    axis: str = ""
    scale: str = "linear"
    axis_per_level: bool = False


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
class Measure:
    """A registered measure.

    Attributes:
        name: What `--metrics` calls it.
        outputs: The numbers it gives.
        compute: Comparison -> Outcome.
        slow: Left out unless asked for by name, or by "all".
        resampled: Whether half-samples give it an interval, and the ladder its rungs.
        needs: Reasons, as methods of `Comparison` that return a sentence when it cannot be had.
        space: FEATURES or PIXELS.
        about: The first line of its docstring.
    """

    name: str
    outputs: tuple[Output, ...]
    compute: Callable[[Comparison], Outcome]
    slow: bool
    resampled: bool
    needs: tuple[Callable[[Comparison], str], ...]
    space: str
    about: str

    def apply(self, comparison: Comparison) -> Outcome:
        """Compute; the card speaks of small samples in its notes, so warnings are silenced."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SmallSampleWarning)
            return self.compute(comparison)

    def output(self, key: str) -> Output | None:
        """The output that a key `name` or `name/level` belongs to, or None."""
        name = key.partition("/")[0]
        return next((output for output in self.outputs if output.name == name), None)

    def missing(self, comparison: Comparison) -> str:
        """Why the measure cannot be computed; "" when it can."""
        return next((reason for need in self.needs if (reason := need(comparison))), "")


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

MEASURES: Registry[Measure] = Registry(
    "measure", "mtgan.evaluation.measures", has=("compute", "outputs")
)


def measure(
    *outputs: Output,
    slow: bool = False,
    resampled: bool = True,
    needs: Iterable[Callable[[Comparison], str]] = (),
    space: str = FEATURES,
) -> Callable[[Callable[[Comparison], Outcome]], Callable[[Comparison], Outcome]]:
    """Register a function `Comparison -> Outcome` as a measure under the function's name."""

    def register(compute: Callable[[Comparison], Outcome]) -> Callable[[Comparison], Outcome]:
        name, about = compute.__name__, (compute.__doc__ or "").partition("\n")[0]
        made = Measure(
            name, outputs, compute, slow, resampled and not slow, tuple(needs), space, about
        )
        return MEASURES.register_as(name, lambda compute: made)(compute)

    return register


def measures() -> dict[str, Measure]:
    """Every registered measure; modules of this folder register by their presence."""
    return dict(MEASURES.items())


def chosen_measures(names: Iterable[str]) -> list[Measure]:
    """Measures by name, ours or that of other tools (`ALIASES`); "all" means every one, "default"
    all but the slow ones.

    Raises:
        UserError: A name that no measure has.
    """
    names = [name.strip() for name in names]
    names = [MEASURES.get(name).name if is_outside(name) else name for name in names]
    known = measures()
    groups = {
        "all": list(known),
        "default": [name for name, item in known.items() if not item.slow],
    }
    wanted: dict[str, Measure] = {}
    for name in names:
        members = groups.get(name) or [ALIASES.get(name.lower(), name)]
        for member in members:
            if member not in known:
                raise UserError(
                    f"there is no measure {member!r}: choose from {', '.join(known)}, "
                    f"or all, or default. {remedy()}"
                )
            wanted[member] = known[member]
    return [item for name, item in known.items() if name in wanted]
