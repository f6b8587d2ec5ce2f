"""What a card holds, in plain values: numbers, their protocol, scores between floor and ceiling."""

from dataclasses import dataclass, field

from mtgan.evaluation.protocol import Protocol
from mtgan.renamed import renamed_property


@dataclass(frozen=True)
class Entry:
    """One measure's number and, on a calibrated card, its place between floor and ceiling.

    Attributes:
        value: The number as its paper defines it.
        better: "lower", "higher" or "like real".
        axis: The axis that it counts for; "" where it is only reported.
        space: What it was computed on: the feature space, or "pixels".
        samples: Samples of each side that went into it.
        interval: 95 % interval of `value`, or None.
        ceiling: The same measure of held-out real samples, or None.
        floor: The same measure of the axis's floors (the one farthest from real), or None.
        score: 1 at the ceiling, 0 at the floor, or None.
    """

    value: float
    better: str
    axis: str
    space: str
    samples: int
    interval: tuple[float, float] | None = None
    ceiling: float | None = None
    floor: float | None = None
    score: float | None = None


@dataclass(frozen=True)
class Axis:
    """The mean score of an axis's measures, with its interval, and the corruption it resembles."""

    score: float
    interval: tuple[float, float] | None = None
    reading: str = ""


@dataclass(frozen=True)
class CorruptionLevel:
    """One known corruption of the real data and the axis scores that it gets.

    Attributes:
        corruption: Kind of corruption ("missing modes", "blur", ...).
        amount: How much, in words ("3 of 10 classes").
        strength: The same as a share between 0 and 1.
        axes: Score by axis.
        overall: Overall figure.
        values: The measures' numbers.
    """

    corruption: str
    amount: str
    strength: float
    axes: dict[str, float]
    overall: float
    values: dict[str, float] = field(default_factory=dict)

    damage = renamed_property("corruption")


@dataclass(frozen=True, repr=False)
class CardValues:
    """All numbers of one evaluation.

    Attributes:
        protocol: How the numbers were made.
        entries: Every measure, in the order of computation.
        axes: Score by axis (empty on a card that is not calibrated).
        judge: What is known of the judge, to be read before any number.
        overall: Geometric mean of the axes, times the authenticity gate; None without axes, and
            where the judge is too weak for one.
        interval: 95 % interval of `overall`.
        gate: The authenticity gate, 1 when open.
        corruption_levels: Known corruptions of the same real data, for reading the axes aloud.
        details: Numbers by label level and class name: {measure/level: {class: value}}.
        notes: Warnings and facts to print under the table.
    """

    protocol: Protocol
    entries: dict[str, Entry]
    judge: tuple[str, ...] = ()
    axes: dict[str, Axis] = field(default_factory=dict)
    overall: float | None = None
    interval: tuple[float, float] | None = None
    gate: float | None = None
    corruption_levels: tuple[CorruptionLevel, ...] = ()
    details: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    ladder = renamed_property("corruption_levels")

    @property
    def calibrated(self) -> bool:
        """Whether the numbers have scores between floor and ceiling."""
        return bool(self.axes)
