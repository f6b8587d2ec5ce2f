"""From numbers to scores between 0 (the axis's floor) and 1 (held-out real data).

Every measure names the scale that suits it; axes are means of scores, the overall figure is the
geometric mean of the axes times the authenticity gate. Nothing here knows how a number is made.
"""

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np

AXES = ("distribution", "fidelity", "modes", "diversity", "conditioning", "authenticity")
"""The axes, in the order in which they are printed; label levels divide `conditioning`."""

AUTHENTICITY = "authenticity"
CONDITIONING = "conditioning"
GATE_OPEN = 0.9
"""The authenticity score at which the gate is fully open: real data scores 1, give or take."""

Scale = Callable[[float, float, float], float]
SCALES: dict[str, Scale] = {}


def scale(name: str) -> Callable[[Scale], Scale]:
    """Register a scale `f(value, real, floor) -> score`."""

    def register(function: Scale) -> Scale:
        SCALES[name] = function
        return function

    return register


def _clip(score: float) -> float:
    return score if math.isnan(score) else min(1.0, max(0.0, score))


@scale("distance")
def distance_scale(value: float, real: float, floor: float) -> float:
    """Squared distances (Frechet, kernel): linear in their root, which is a distance.

    Unbiased estimates may be negative and count as 0; nearer than real data counts as real. Linear
    in the square, half of the classes could go and cost 2 %; in the logarithm, scores would follow
    the noise of small real-to-real distances.
    """
    roots = [math.sqrt(max(x, 0.0)) for x in (value, real, floor)]
    return _clip(_share(*roots))


@scale("linear")
def linear_scale(value: float, real: float, floor: float) -> float:
    """Rates: linear between floor and real; beyond real counts as real."""
    return _clip(_share(value, real, floor))


@scale("two-sided")
def two_sided_scale(value: float, real: float, floor: float) -> float:
    """Linear in the distance from real on either side: "better than real" must not pay."""
    return _clip(_share(abs(value - real), 0.0, abs(floor - real)))


def _share(value: float, real: float, floor: float) -> float:
    """Where the value lies between floor (0) and real (1); nan where those coincide."""
    if math.isclose(real, floor, rel_tol=1e-9, abs_tol=1e-12):
        return math.nan
    return (value - floor) / (real - floor)


def axis_scores(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Mean score by axis from pairs (axis, score); nan scores and the axis "" are left out.

    The sums are exact, so that no order of metrics moves a digit.
    """
    members: dict[str, list[float]] = {}
    for axis, score in scores:
        if axis and not math.isnan(score):
            members.setdefault(axis, []).append(score)
    return {axis: math.fsum(values) / len(values) for axis, values in members.items()}


def axis_order(axis: str) -> int:
    """A sorting key: axes in the order of `AXES`, what is only reported last."""
    known = family(axis) in AXES
    return AXES.index(family(axis)) if known else len(AXES)


def family(axis: str) -> str:
    """The axis that a label level's axis belongs to: "conditioning/fine" -> "conditioning"."""
    return axis.partition("/")[0]


def gate(axes: Mapping[str, float]) -> float | None:
    """The authenticity gate in [0, 1], or None when authenticity was not measured."""
    if AUTHENTICITY not in axes:
        return None
    return min(1.0, axes[AUTHENTICITY] / GATE_OPEN)


def overall(axes: Mapping[str, float]) -> float:
    """Geometric mean of the axes (label levels of one family averaged first), times the gate."""
    families = axis_scores((family(axis), score) for axis, score in axes.items())
    shut = gate(families)
    values = [score for name, score in families.items() if name != AUTHENTICITY]
    if not values:
        return math.nan
    mean = 0.0 if min(values) <= 0 else float(np.exp(np.mean(np.log(values))))
    return mean * (1.0 if shut is None else shut)
