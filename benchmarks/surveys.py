"""Whether intervals of surveys cover the truth, and find what the power promised.

Surveys of simulated raters, who differ, as stimuli do, and lapse; the truth is computed from the
same numbers by Gauss-Hermite quadrature, and not from the simulations.

    python -m benchmarks.surveys --surveys 500
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mtgan.data import Dataset, Taxonomy
from mtgan.surveys.arms import DataArm
from mtgan.surveys.bradley_terry import _fit, strengths
from mtgan.surveys.designs import DESIGNS
from mtgan.surveys.plan import make_plan
from mtgan.surveys.power import power_with
from mtgan.surveys.returned import Given, Returned, table_of
from mtgan.surveys.schema import Plan, Settings
from mtgan.surveys.simulation import Crowd, simulate

CROWD = Crowd({"one": 0.4, "two": 0.0, "three": -0.5})
RATERS, TRIALS = 20, 60


def plan_of(design: str, models: tuple[str, ...] = ("one", "two", "three"), **settings) -> Plan:
    """A plan without pictures."""
    labels = (np.arange(8_000) % 4)[:, None]
    taxonomy = Taxonomy(("fine",), {"fine": ("a", "b", "c", "d")}, {})
    data = Dataset(np.zeros((8_000, 1, 2, 2), np.uint8), labels, taxonomy, "blank", "all")
    arms = {name: DataArm(name, data, name) for name in models}
    given = {"raters": RATERS, "trials": TRIALS, "seed": 0, **settings}
    plan, *_ = make_plan(Settings(design=design, **given), arms, DataArm("real", data, "real"))
    return plan


def expected(function: Callable[[np.ndarray], np.ndarray], mean: float, variance: float) -> float:
    """The mean of a function of a normal number."""
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    return float((function(mean + np.sqrt(variance) * points) * weights).sum() / weights.sum())


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def share(crowd: Crowd, strength: float, arms: int, guess: float) -> float:
    """The expected share of answers that have these log odds; guess: that of lapses."""
    spread = arms * crowd.between_raters**2 + crowd.between_stimuli**2
    return (1 - crowd.lapse) * expected(sigmoid, strength, spread) + crowd.lapse * guess


def truth_of(design: str, crowd: Crowd) -> Callable[[str], float]:
    """The expected outcome of a model."""
    if design == "rating":
        limits = DESIGNS.get(design).respond.__globals__["_LIMITS"]
        spread = crowd.between_raters**2 + crowd.between_stimuli**2

        def points(x: np.ndarray) -> np.ndarray:
            return 1 + sum(sigmoid(x - limit) for limit in limits)

        return lambda arm: (
            (1 - crowd.lapse) * expected(points, crowd.strength(arm), spread) + crowd.lapse * 3
        )
    guess = {"real-or-fake": 0.5, "label": 0.25}[design]
    return lambda arm: share(crowd, crowd.strength(arm), 1, guess)


def true_strengths(crowd: Crowd, names: tuple[str, ...]) -> np.ndarray:
    """Bradley-Terry strengths and pull of the side that fit the expected shares best."""
    rows, shares = [], []
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            for side in (1.0, -1.0):
                row = np.zeros(len(names) + 1)
                row[[i, j, -1]] = 1, -1, side
                rows.append(row)
                gap = crowd.strength(names[i]) - crowd.strength(names[j]) + side * crowd.side
                shares.append(share(crowd, gap, 2, 0.5))
    return _fit(np.array(rows), np.array(shares))[0]


@dataclass
class Count:
    """How often intervals covered, and whether the values lie around the truth."""

    covered: int = 0
    surveys: int = 0
    error: float = 0.0

    def add(self, value: float, interval: tuple[float, float] | None, truth: float) -> None:
        assert interval is not None
        self.covered += interval[0] <= truth <= interval[1]
        self.surveys += 1
        self.error += value - truth

    def to_dict(self) -> dict[str, float]:
        return {
            "surveys": self.surveys,
            "coverage": self.covered / self.surveys,
            "bias": self.error / self.surveys,
        }


def coverage(design: str, surveys: int, crowd: Crowd = CROWD, **settings) -> dict[str, Count]:
    """Coverage of each model's outcome and of the difference of the first two, by name; in pairs
    of strengths, the side's pull and the share of the first against the second."""
    plan, counts = plan_of(design, **settings), {}

    def add(name: str, *values) -> None:
        counts.setdefault(name, Count()).add(*values)

    for seed in range(surveys):
        rows = table_of(plan, simulate(plan, crowd, seed)).of_kind("main")
        asked = DESIGNS.get(design).question("one", "two", rows)
        if DESIGNS.get(design).compares:
            found = strengths(rows)
            assert found is not None
            truth = true_strengths(crowd, found.names)
            for name, value, interval, true in zip(
                found.names, found.values, found.intervals, truth[:-1], strict=True
            ):
                add(f"strength of {name}", value, interval, true)
            add("side", found.side, found.side_interval, truth[-1])
            gap = crowd.strength("one") - crowd.strength("two")
            sides = [share(crowd, gap + side, 2, 0.5) for side in (crowd.side, -crowd.side)]
            add("one : two", asked.value, asked.interval, float(np.mean(sides)))
            continue
        true_of = truth_of(design, crowd)
        for one in DESIGNS.get(design).measures(rows):
            if one.what == DESIGNS.get(design).outcome and not one.of_class and one.arm != "real":
                add(one.arm, one.value, one.interval, true_of(one.arm))
        add("one - two", asked.value, asked.interval, true_of("one") - true_of("two"))
    return counts


def beta_answers(plan: Plan, detect: float, rho: float, seed: int) -> list[Returned]:
    """Answers in pairs of two models: each rater prefers the first with a probability of her own,
    whose mean is `detect`, and answers of one rater have the correlation rho."""
    random = np.random.default_rng(seed)
    scale = (1 - rho) / rho
    found = []
    for seat, trials in plan.seats.items():
        mine = random.beta(detect * scale, (1 - detect) * scale)
        answers = tuple(
            Given(t.id, ("right", "left")[int((random.random() < mine) != t.flipped)], 2_000.0)
            for t in trials
            if t.kind == "main"
        )
        found.append(Returned(seat, seat, "", answers, "simulated"))
    return found


def power(detect: float, raters: int, rho: float, surveys: int) -> dict[str, float]:
    """The share of surveys that find a share, or where it is 0.5, that find what is not there."""
    plan = plan_of("pairs", ("one", "two"), raters=raters)
    found = 0
    for seed in range(surveys):
        rows = table_of(plan, beta_answers(plan, detect, rho, seed)).of_kind("main")
        rows = rows.where(rows.answer != "")
        found += DESIGNS.get("pairs").question("one", "two", rows).p < 0.05
    promised = {}
    if detect != 0.5:
        effect = DESIGNS.get("pairs").effect(detect)
        promised["computed"] = float(power_with(effect, np.array([raters]), TRIALS, 0.05, rho)[0])
    return {"found": found / surveys, **promised}


def figures(surveys: int) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Every figure, by what it is of."""
    for design in DESIGNS.names():
        for name, count in coverage(design, surveys).items():
            yield f"{design}: {name}", count.to_dict()
    leaning = replace(CROWD, side=0.8)
    for name, count in coverage("pairs", surveys, leaning).items():
        yield f"pairs, side 0.8: {name}", count.to_dict()
    for name, count in coverage("pairs", surveys, raters=8, trials=30).items():
        yield f"pairs, 8 raters of 30: {name}", count.to_dict()
    for detect, raters in ((0.5, 14), (0.6, 14), (0.6, 20)):
        yield f"power, share {detect}, {raters} raters", power(detect, raters, 0.05, surveys)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surveys", type=int, default=500)
    surveys = parser.parse_args().surveys
    begun = time.process_time()
    for name, values in figures(surveys):
        print(name, json.dumps(values), flush=True)
    print(f"{time.process_time() - begun:.0f} CPU s")


if __name__ == "__main__":
    main()
