"""Sets of samples of any domain side by side, judged by metrics that read the samples themselves.

Images have features, and sets of their own (mtgan.evaluation.comparison); strings, and what else a
domain holds, are compared as they are decoded. The scale is measured as that of images is.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from mtgan.data.domains.parts import DomainSamples
from mtgan.errors import UserError
from mtgan.evaluation.cache import array_digest, digest, to_device
from mtgan.evaluation.calibration.calibrate import calibrated
from mtgan.evaluation.calibration.calibrator import Calibrator
from mtgan.evaluation.calibration.corruptions import Corruption
from mtgan.evaluation.data import draw, sample_sizes
from mtgan.evaluation.domains import (
    DOMAIN_METRICS,
    DomainMetrics,
    DomainSets,
    Drawing,
    EvaluationOptions,
)
from mtgan.evaluation.features.judge import Judge
from mtgan.evaluation.measured import measured_card
from mtgan.evaluation.metrics import Metric, Outcome, Output
from mtgan.evaluation.protocol import Protocol, ProtocolRule, protocol_rule
from mtgan.evaluation.scorecard import Scorecard
from mtgan.limits import FEWEST_JUDGED
from mtgan.plugins import is_outside
from mtgan.registry import Registry
from mtgan.renamed import renamed_property


@dataclass(frozen=True, eq=False)
class DomainSet:
    """N samples as their domain decodes them, an array or a list; labels: int64 [N, 1] or None."""

    samples: Any
    labels: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def take(self, rows: np.ndarray) -> "DomainSet":
        """The set of the given rows."""
        labels = None if self.labels is None else self.labels[rows]
        if isinstance(self.samples, np.ndarray):
            return DomainSet(self.samples[rows], labels)
        return DomainSet([self.samples[row] for row in rows], labels)

    def joined(self, other: "DomainSet") -> "DomainSet":
        """Both sets, this one first, without labels."""
        if isinstance(self.samples, np.ndarray):
            return DomainSet(np.concatenate([self.samples, other.samples]))
        return DomainSet([*self.samples, *other.samples])

    @cached_property
    def content(self) -> str:
        """A hash of the samples."""
        whole = isinstance(self.samples, np.ndarray)
        return array_digest(self.samples) if whole else digest(list(self.samples))


@dataclass(frozen=True, eq=False)
class DomainContext:
    """What is the same for every set that is compared with one reference.

    Attributes:
        training: All training data, which samples may have been copied from.
        held_out: Real data that no generator has seen, or None.
        seed: Seed of every random draw.
        device: Where networks compute.
        told: What the user says of the samples, by words that metrics of a domain know.
    """

    training: DomainSet
    held_out: DomainSet | None = None
    seed: int = 0
    device: str = "cpu"
    told: Mapping[str, Any] = field(default_factory=dict)
    _known: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """What `compute` gives, asked once for a key."""
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def of_each(
        self, key: str, samples: Sequence[Any], compute: Callable[[list[Any]], Sequence[Any]]
    ) -> list[Any]:
        """One value for each sample, computed once for samples that are alike."""
        known = self.once(("each", key), dict)
        new = [sample for sample in dict.fromkeys(samples) if sample not in known]
        known.update(zip(new, compute(new), strict=True) if new else ())
        return [known[sample] for sample in samples]


@dataclass(frozen=True, eq=False)
class DomainComparison:
    """A generated and a real set of one domain: what its metrics are computed from."""

    generated: DomainSet
    reference: DomainSet
    context: DomainContext

    setting = renamed_property("context")


@dataclass(frozen=True)
class DomainRealData:
    """The real data of one evaluation; see mtgan.evaluation.calibration.calibrator.RealSets."""

    reference: DomainSet
    held_out: DomainSet
    context: DomainContext
    floors: Mapping[str, Sequence[Callable[[Any], DomainSet]]]
    corruptions: Sequence[Corruption]

    setting = renamed_property("context")

    def compared(self, judged: DomainSet, reference: DomainSet | None = None) -> DomainComparison:
        """A set beside the reference, or a part of it."""
        real = self.reference if reference is None else reference
        return DomainComparison(judged, real, self.context)

    def identity(self) -> list[Any]:
        """What the scale depends on beside the protocol, as plain values."""
        sets = (self.reference, self.held_out, self.context.training)
        return [part.content for part in sets]

    def random(self, *key: int) -> np.random.Generator:
        """A generator of the evaluation's seed and a key."""
        return np.random.default_rng([self.context.seed, *key])


def unknown(comparison: DomainComparison) -> Judge:
    """What is said of metrics of which nothing else is known: there is no overall figure of axes
    that nobody has weighed."""
    doubt = "nothing is known of how the metrics of this domain go together"
    return Judge("", {}, doubts=(doubt,), known=("judge: metrics of the domain's own",))


@dataclass(frozen=True)
class SetMetrics(DomainMetrics):
    """Metrics of DomainComparisons.

    Attributes:
        name: Of the group, which the stamp has in place of a feature space.
        metrics: Gives them, asked anew each time: one may be registered later.
        floors: By axis, makers of the sets that mark 0, of a DomainRealData.
        corruptions: Those that are measured.
        judge: What is known of these metrics, for a comparison, and why there is no overall figure.
        applicable: Of some metrics those that mean something for a comparison.
        notes: What is to be said of a comparison.
        versions: What decides the numbers beside the data, for the stamp.
        registry: Where a metric that is named as module:Name is looked for.
        draws: A picture of samples, given real ones; see DomainMetrics.drawing.
    """

    name: str
    metrics: Callable[[], Sequence[Metric]]
    floors: Mapping[str, Sequence[Callable[[Any], DomainSet]]] = field(default_factory=dict)
    corruptions: tuple[Corruption, ...] = ()
    judge: Callable[[DomainComparison], Judge] = unknown
    applicable: Callable[[Sequence[Metric], DomainComparison], Sequence[Metric]] = (
        lambda metrics, comparison: metrics
    )
    notes: Callable[[DomainComparison], Sequence[str]] = lambda comparison: ()
    versions: str = ""
    registry: Registry[Any] | None = None
    draws: Callable[[Any, Any], Drawing | None] = lambda samples, real: None

    def names(self) -> list[str]:
        return [item.name for item in self.metrics()]

    def has(self, name: str) -> bool:
        return self.registry.takes(name) if self.registry else name in self.names()

    def card(
        self, sets: DomainSets, metrics: Sequence[str] | None, options: EvaluationOptions
    ) -> Scorecard:
        rule = protocol_rule(options.protocol)
        notes = list(sets.notes)
        held_out = sets.held_out
        if held_out is not None:
            smallest = min(len(sets.generated), len(sets.real), len(held_out), options.n or 10**9)
            if smallest < FEWEST_JUDGED:
                notes.append(
                    f"no scores: {smallest:,} samples of each set are too few for them; give at "
                    f"least {FEWEST_JUDGED} generated, reference and held-out ones"
                )
                held_out = None
        if rule.features != "auto":
            raise UserError(
                f"the protocol {options.protocol} is one of images, and {sets.real.name} holds "
                "none: leave --protocol out"
            )
        return self._measured(replace(sets, held_out=held_out), metrics, options, rule, notes)

    def watch(self, sets: DomainSets, options: EvaluationOptions) -> Scorecard:
        quick = replace(options, protocol="training", resamples=0, corruptions=False)
        return self.card(replace(sets, held_out=None), None, quick)

    def drawing(self, samples: Any, real: Any) -> Drawing | None:
        return self.draws(samples, real)

    def _measured(
        self,
        sets: DomainSets,
        metrics: Sequence[str] | None,
        options: EvaluationOptions,
        rule: ProtocolRule,
        notes: list[str],
    ) -> Scorecard:
        generated, real, held_out = sets.generated, sets.real, sets.held_out
        taken, compared = sample_sizes(rule, options.n, generated, real, held_out)
        if taken < len(generated):
            notes.append(f"{taken:,} of {len(generated):,} samples are compared")
        mine, reference = _drawn(generated, taken, options, 0), _drawn(real, compared, options, 1)
        context = DomainContext(
            training=DomainSet(sets.training().samples),
            held_out=None if held_out is None else _drawn(held_out, taken, options, 2),
            seed=options.seed,
            device=str(to_device(options.device)),
            told=options.told,
        )
        comparison = DomainComparison(mine, reference, context)
        chosen = self._chosen(metrics or ("default",), comparison)
        options.progress(f"measuring {taken:,} samples of {real.domain.name}")
        stamp = self._stamp(real, options, taken, compared)
        card = measured_card(stamp, chosen, comparison, notes, self.notes(comparison))
        if context.held_out is None:
            return card
        real_data = (reference, context.held_out, context, self.floors, self.corruptions)
        computable = [item for item in chosen if not item.missing(comparison)]
        calibrator = Calibrator(DomainRealData(*real_data), computable, options.resamples)
        judge = self.judge(comparison)
        return calibrated(card, judge, mine, calibrator, options.corruptions, options.progress)

    def _chosen(self, names: Sequence[str], comparison: DomainComparison) -> list[Metric]:
        outside = [self.registry.get(n) for n in names if self.registry and is_outside(n)]
        names = [*names, *(item.name for item in outside)]
        known = {item.name: item for item in (*self.metrics(), *outside)}.values()
        usual = self.applicable([*known], comparison) if "default" in names else ()
        return [item for item in known if item in usual or item.name in names or "all" in names]

    def _stamp(
        self, real: DomainSamples, options: EvaluationOptions, taken: int, compared: int
    ) -> Protocol:
        length, channels = real.domain.least_size
        return Protocol(
            name=options.protocol,
            generated=taken,
            reference=compared,
            dataset=real.name,
            split=real.split,
            data=DomainSet(real.samples).content,
            features=self.name,
            extractor=self.versions,
            preprocess="as decoded",
            images=f"{real.domain.type} {length}x{channels}",
            checkpoint=options.checkpoint,
            seed=options.seed,
        )


def _drawn(samples: DomainSamples, count: int, options: EvaluationOptions, key: int) -> DomainSet:
    whole = DomainSet(samples.samples, samples.labels)
    return whole.take(draw(len(whole), count, options.seed, key))


def register_domain_metric(
    name: str,
    *outputs: Output,
    floors: Mapping[str, Sequence[Callable[[Any], DomainSet]]] | None = None,
    needs: Mapping[str, Callable[[Any], str]] | None = None,
    source: str = "",
) -> Callable[[Callable[[DomainComparison], Outcome]], Callable[[DomainComparison], Outcome]]:
    """Register a function `DomainComparison -> Outcome` as what judges a domain of metrics `name`.

    outputs: the numbers that it gives; those with an axis are scored where the axis has a floor.
    floors: by axis, makers of the sets that mark 0 there, of a DomainRealData. needs, source: as of
    mtgan.evaluation.metrics.Metric.
    """

    def make(compute: Callable[[DomainComparison], Outcome]) -> SetMetrics:
        about = (compute.__doc__ or "").partition("\n")[0]
        metric = Metric(name, outputs, compute, needs=dict(needs or {}), about=about, source=source)
        return SetMetrics(name, lambda: (metric,), dict(floors or {}))

    return DOMAIN_METRICS.register_as(name, make)
