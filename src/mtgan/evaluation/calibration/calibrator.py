"""Ceiling, floors and corruption levels of a reference: the scale that samples are put on.

It depends on the real data alone, so it is computed once per (data, features, N, seed) and kept.
Intervals come from half-samples drawn without replacement: drawing with replacement makes
duplicates, which break every nearest-neighbor measure. The standard deviation over half-samples of
a set estimates the standard error of the whole set (n = N/2 of N: the finite-population factor
sqrt(1/n - 1/N) is exactly 1/sqrt(N)).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from mtgan.evaluation.calibration.corruptions import Corruption
from mtgan.evaluation.calibration.scores import Calibration, Endpoints, Values, output_of
from mtgan.evaluation.metrics import Metric, Output
from mtgan.evaluation.scorecard.scoring import AUTHENTICITY, CONDITIONING, family

Progress = Callable[[str], None]


class RealSets(Protocol):
    """Real data of any domain, and what is made of them.

    reference, held_out: sets of N samples, which have `take(rows)` and a length; context: what is
    the same for every comparison, with its seed; floors: by axis, makers of the sets that mark 0;
    corruptions: those that are measured.
    """

    @property
    def reference(self) -> Any: ...
    @property
    def held_out(self) -> Any: ...
    @property
    def context(self) -> Any: ...
    @property
    def floors(self) -> Mapping[str, Sequence[Callable[[Any], Any]]]: ...
    @property
    def corruptions(self) -> Sequence[Corruption]: ...

    def compared(self, judged: Any, reference: Any = None) -> Any:
        """The comparison of a set with a reference (the whole one when None)."""

    def identity(self) -> list[Any]:
        """What a scale depends on beside the protocol, as plain values."""


def half_samples(count: int, resamples: int, *key: int) -> list[np.ndarray]:
    """Sorted rows of `resamples` halves of `count` rows, drawn without replacement."""
    random = np.random.default_rng(key)
    return [np.sort(random.permutation(count)[: count // 2]) for _ in range(resamples)]


def compute_values(metrics: Sequence[Metric], comparison: Any) -> dict[str, float]:
    """The numbers of all metrics that can be had for a comparison."""
    values: dict[str, float] = {}
    for item in metrics:
        if not item.missing(comparison):
            values.update(item.apply(comparison).values)
    return values


class Calibrator:
    """Measures what is known, in the same way as the samples are measured.

    Args:
        real: The real data.
        metrics: What the card holds.
        resamples: Half-samples for the intervals.
    """

    def __init__(self, real: RealSets, metrics: Sequence[Metric], resamples: int) -> None:
        self.real = real
        self.metrics = metrics
        self.quick = [item for item in metrics if item.resampled]
        seed, count = real.context.seed, len(real.reference)
        self.reference_halves = [
            real.reference.take(rows) for rows in half_samples(count, resamples, seed, 0)
        ]
        self.judged_halves = half_samples(len(real.held_out), resamples, seed, 1)

    def values(self, judged: Any, metrics: Sequence[Metric]) -> dict[str, float]:
        """Numbers of a set at N samples."""
        return compute_values(metrics, self.real.compared(judged))

    def halves(self, judged: Any, metrics: Sequence[Metric]) -> list[dict[str, float]]:
        """Numbers of half-samples of a set, each against a half-sample of the reference."""
        pairs = zip(self.judged_halves, self.reference_halves, strict=True)
        return [self._half(judged, mine, theirs, metrics) for mine, theirs in pairs]

    def calibrate(self, *, corruptions: bool, progress: Progress) -> Calibration:
        """Measure held-out data, floors and, if wanted, known corruptions."""
        progress("measuring held-out real data")
        ceiling = self.values(self.real.held_out, self.metrics)
        halves = self.halves(self.real.held_out, self.quick)
        progress("measuring the floors of each axis")
        floor, half_floor = self._floors(ceiling)
        return Calibration(
            Endpoints(ceiling, floor),
            tuple(Endpoints(half, half_floor) for half in halves),
            tuple(self._corruption_levels(ceiling, progress)) if corruptions else (),
        )

    def _half(
        self, judged: Any, mine: np.ndarray, theirs: Any, metrics: Sequence[Metric]
    ) -> dict[str, float]:
        return compute_values(metrics, self.real.compared(judged.take(mine), theirs))

    def _floors(self, ceiling: Values) -> tuple[dict[str, float], dict[str, float]]:
        """The floor of every scored number, at N and at N/2 samples."""
        full: dict[str, float] = {}
        half: dict[str, float] = {}
        for axis, makers in self.real.floors.items():
            members = [item for item in self.metrics if _counts_for(item, axis)]
            if not members:
                continue
            sets = [make(self.real) for make in makers]
            values = [self.values(made, members) for made in sets]
            full |= _farthest(values, ceiling, _keys_on(axis, values[0], members))
            if self.judged_halves:
                pair = self.judged_halves[0], self.reference_halves[0]
                quick = [item for item in members if item.resampled]
                values = [self._half(made, *pair, quick) for made in sets]
                half |= _farthest(values, ceiling, _keys_on(axis, values[0], members))
        return full, half

    def _corruption_levels(
        self, ceiling: Values, progress: Progress
    ) -> list[tuple[str, str, float, Values]]:
        """Every level; what a corruption cannot touch is as of held-out data, or is left out."""
        scored = [item for item in self.quick if any(output.axis for output in item.outputs)]
        found: dict[str, tuple[str, str, float, Values]] = {}
        for item in self.real.corruptions:
            meant, untouched = _concerned(item, scored)
            if not meant:
                continue
            progress(f"measuring known corruptions: {item.name}")
            known = {k: v for k, v in ceiling.items() if output_of(self.metrics, k) in untouched}
            for strength in item.levels:
                words = item.words(self.real, strength)
                if words not in found:
                    values = known | self.values(item.make(self.real, strength), meant)
                    found[words] = (item.name, words, strength, values)
        return list(found.values())


def _concerned(
    corruption: Corruption, scored: Sequence[Metric]
) -> tuple[list[Metric], list[Output]]:
    """The metrics that a corruption is measured by, and the outputs that it leaves as they are."""
    if corruption.labels_only:
        meant = [item for item in scored if _counts_for(item, CONDITIONING)]
        rest = [output for item in scored if item not in meant for output in item.outputs]
        return meant, rest
    if corruption.fills_up:
        return [item for item in scored if not _counts_for(item, AUTHENTICITY)], []
    return list(scored), []


def _farthest(values: Sequence[Values], ceiling: Values, keys: Sequence[str]) -> dict[str, float]:
    """Of several floors the value that lies farthest from real data, for each key that all have."""
    return {
        key: max((v[key] for v in values), key=lambda x: abs(x - ceiling[key]))
        for key in keys
        if all(key in v for v in (ceiling, *values))
    }


def _keys_on(axis: str, values: Values, metrics: Sequence[Metric]) -> list[str]:
    return [key for key in values if family(output_of(metrics, key).axis) == axis]


def _counts_for(item: Metric, axis: str) -> bool:
    return any(family(output.axis) == axis for output in item.outputs)
