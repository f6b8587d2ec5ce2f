"""Arms against each other by a measure: in an order, in pairs, or as good as equal."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from mtgan.reproduction.rules import (
    CONTRADICTED,
    HOLDS,
    NOT_DECIDED,
    RULES,
    Contrast,
    Finding,
    Outcome,
    Part,
    of_contrasts,
    of_parts,
    seeds_for,
    undecided,
)
from mtgan.reproduction.schema import Asks, Name
from mtgan.studies.conclusions import paired_values
from mtgan.studies.measures import Measure
from mtgan.studies.statistics import LEAST_FOR_INTERVALS, LEAST_FOR_TESTS, compare

if TYPE_CHECKING:
    from mtgan.reproduction.material import Material

Pair = tuple[Name, Name]
Direction = Literal["higher", "lower"]


def contrast(material: "Material", measure: str, pair: Pair) -> Contrast:
    """Two arms' values of a measure, paired by seed where they share seeds."""
    first, second, paired = paired_values(material.study, Measure(name=measure), *pair)
    return Contrast(f"{measure}, {pair[0]} against {pair[1]}", first, second, paired)


class OrderOptions(Asks):
    """arms: from the one claimed to have the lowest (or `rising: false`, highest) values."""

    measure: Name
    order: Annotated[list[Name], Field(min_length=2)]
    rising: bool = True

    def measured(self) -> list[str]:
        return [self.measure]

    def arms(self) -> list[str]:
        return self.order


class Order:
    """Each arm of an order against the next."""

    options = OrderOptions
    least = LEAST_FOR_TESTS

    def judge(self, options: OrderOptions, material: "Material") -> Finding:
        pairs = pairwise(options.order)
        contrasts = [contrast(material, options.measure, pair) for pair in pairs]
        return of_contrasts(contrasts, "lower" if options.rising else "higher")


class DifferenceOptions(Asks):
    """pairs: of arms, the first of which is claimed to be `first_is` than the second."""

    measure: Name
    pairs: Annotated[list[Pair], Field(min_length=1)]
    first_is: Direction

    def measured(self) -> list[str]:
        return [self.measure]

    def arms(self) -> list[str]:
        return [arm for pair in self.pairs for arm in pair]


class Difference:
    """The first arm of each pair against the second."""

    options = DifferenceOptions
    least = LEAST_FOR_TESTS

    def judge(self, options: DifferenceOptions, material: "Material") -> Finding:
        contrasts = [contrast(material, options.measure, pair) for pair in options.pairs]
        return of_contrasts(contrasts, options.first_is)


class EquivalenceOptions(Asks):
    """within: how large a difference may be and still be none, as a share of the second arm's mean
    where `relative`."""

    measure: Name
    pairs: Annotated[list[Pair], Field(min_length=1)]
    within: Annotated[float, Field(gt=0)]
    relative: bool = True

    def measured(self) -> list[str]:
        return [self.measure]

    def arms(self) -> list[str]:
        return [arm for pair in self.pairs for arm in pair]


class Equivalence:
    """Whether the whole 95 % interval of a difference lies within a bound; contradicted where all
    of it lies without."""

    options = EquivalenceOptions
    least = LEAST_FOR_INTERVALS

    def judge(self, options: EquivalenceOptions, material: "Material") -> Finding:
        contrasts = [contrast(material, options.measure, pair) for pair in options.pairs]
        if few := _fewest(contrasts, self.least):
            return undecided(few)
        return of_parts([self._part(one, options) for one in contrasts])

    def _part(self, one: Contrast, options: EquivalenceOptions) -> Part:
        c = compare(one.first, one.second, one.paired, 0.05)
        bound = options.within * (abs(one.second.mean()) if options.relative else 1.0)
        low, high = c.interval or (-np.inf, np.inf)
        outcome: Outcome = NOT_DECIDED
        if -bound < low and high < bound:
            outcome = HOLDS
        elif low > bound or high < -bound:
            outcome = CONTRADICTED
        needed = seeds_for((high - low) / 2, bound - abs(c.difference), min(c.count))
        name = f"{one.name}, within {bound:.3g}"
        return Part(name, outcome, c.difference, c.interval, None, min(c.count), needed)


def _fewest(contrasts: Sequence[Contrast], least: int) -> str:
    """What is missing where a contrast has fewer values than an interval needs; else ""."""
    for one in contrasts:
        count = min(len(one.first), len(one.second))
        if count < least:
            return f"too few seeds ({one.name}: {count}; at least {least} are needed)"
    return ""


RULES.register("order")(Order())
RULES.register("difference")(Difference())
RULES.register("equivalence")(Equivalence())
