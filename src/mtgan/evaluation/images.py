"""Images against real ones: one scorecard, for which features are taken once per set."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mtgan.data import Dataset
from mtgan.data.domains.parts import DomainSamples
from mtgan.errors import UserError
from mtgan.evaluation.cache import to_device
from mtgan.evaluation.calibration.calibrate import calibrated
from mtgan.evaluation.calibration.calibrator import Calibrator
from mtgan.evaluation.calibration.corruptions import measured_corruptions
from mtgan.evaluation.calibration.floors import FLOORS
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.comparison import EvaluationContext, SampleSet
from mtgan.evaluation.data import EvaluationData, draw, in_split
from mtgan.evaluation.domains import DOMAIN_METRICS, DomainMetrics, DomainSets, EvaluationOptions
from mtgan.evaluation.evaluator import Evaluator, real_set
from mtgan.evaluation.features import (
    AUTO,
    FeatureExtractor,
    FeatureRequest,
    build_extractor,
    label_levels,
    measure_fitness,
)
from mtgan.evaluation.features.fitness import measure_numbers, told_numbers
from mtgan.evaluation.features.judge import Judge
from mtgan.evaluation.inputs import Images, Labeled, apart, as_dataset, fitting_labels
from mtgan.evaluation.metrics import METRICS, NUMBERS, chosen_metrics
from mtgan.evaluation.metrics.base import ALIASES
from mtgan.evaluation.protocol import protocol_rule
from mtgan.evaluation.scorecard import Scorecard
from mtgan.evaluation.scorecard.notes import shared_images

UNSEEN = 5_000
"""Held-out samples, at most, that show a classifier's mistakes."""

MODE_POOL = 9
"""Sets with missing modes are drawn from so many times N training samples, at most."""


def evaluate_images(
    samples: Images | Labeled, reference: Images, options: EvaluationOptions
) -> Scorecard:
    """Judge generated images against real ones; see mtgan.evaluation.evaluate."""
    samples, labels = apart(samples, options.labels)
    rule = protocol_rule(options.protocol)
    chosen = chosen_metrics(options.metrics or rule.metrics)
    scored = rule.calibrated and any(o.axis for item in chosen for o in item.outputs)
    sets = EvaluationData.choose(
        *(samples, reference, labels, options.heldout, options.split or rule.split),
        *(rule, options.n, options.seed),
        size=options.size,
        calibrated=scored,
    )
    extractor = build_extractor(
        FeatureRequest(
            name=rule.features if options.features == AUTO else options.features,
            reference=sets.real,
            weights=Path(options.weights) if options.weights else None,
            device=to_device(options.device),
            progress=options.progress,
        )
    )
    if options.metrics is None and not sets.real.numbers:
        chosen = [item for item in chosen if not NUMBERS.keys() & item.needs.keys()]
    judge = None if sets.held_out is None else _judge(extractor, sets)
    options.progress(f"taking features of {sets.taken:,} samples and {sets.compared:,} real images")
    evaluator = Evaluator(
        sets.real,
        [item.name for item in chosen],
        features=extractor,
        seed=options.seed,
        rows=draw(len(sets.real), sets.compared, options.seed, 1),
        context=_context(extractor, sets, options.seed, rule.inception_splits),
        protocol=options.protocol,
        checkpoint=options.checkpoint,
    )
    comparison = evaluator.compared(_generated(extractor, sets, options.seed))
    options.progress("measuring the samples")
    card = evaluator.card(comparison, [*sets.notes, *shared_images(sets)])
    if judge is None:
        return card
    calibrator = Calibrator(
        _real_data(evaluator), evaluator.computable(comparison), options.resamples
    )
    return calibrated(
        card, judge, comparison.generated, calibrator, options.corruptions, options.progress
    )


def watch_images(
    samples: Images | Labeled, reference: Dataset, options: EvaluationOptions
) -> Scorecard:
    """What Evaluator measures, in at most as many samples as there are."""
    samples, labels = apart(samples, None)
    judged = as_dataset(samples, "samples")
    labels = fitting_labels(judged, reference, labels)
    n = len(judged) if options.n is None else min(options.n, len(judged))
    evaluator = Evaluator(
        reference, n=n, features=options.features, device=options.device, seed=options.seed
    )
    return evaluator(np.asarray(judged.samples), labels)


def prepare_images(reference: Dataset, options: EvaluationOptions) -> None:
    """Make the feature space, whose classifier may have to be trained."""
    Evaluator(reference, n=2, features=options.features)


class ImageMetrics(DomainMetrics):
    """All metrics of images; see mtgan.evaluation.metrics."""

    takes = frozenset({"features", "weights"})

    def names(self) -> list[str]:
        return [*METRICS.names(), *ALIASES]

    def has(self, name: str) -> bool:
        return name in ALIASES or METRICS.takes(name)

    def card(
        self, sets: DomainSets, metrics: Sequence[str] | None, options: EvaluationOptions
    ) -> Scorecard:
        real, held_out = sets.real.dataset(), sets.held_out
        own = replace(
            options,
            metrics=metrics,
            heldout=None if held_out is None else held_out.dataset(),
            split=None if real.split == "all" else real.split,
        )
        return evaluate_images(_images_of(sets.generated), real, own)

    def prepare(self, real: DomainSamples, options: EvaluationOptions) -> None:
        prepare_images(real.dataset(), options)

    def watch(self, sets: DomainSets, options: EvaluationOptions) -> Scorecard:
        return watch_images(_images_of(sets.generated), sets.real.dataset(), options)


def _images_of(judged: DomainSamples) -> Images | Labeled:
    """Samples of a generator with the classes that it was asked for; others as they were given."""
    return judged.dataset() if judged.whole is not None else (judged.samples, judged.labels)


DOMAIN_METRICS.register("images")(ImageMetrics())


def _judge(extractor: FeatureExtractor, sets: EvaluationData) -> Judge:
    fitness = measure_fitness(extractor, sets.real) if extractor.sees_content else {}
    numbers = measure_numbers(extractor, sets.real) if extractor.sees_content else {}
    return Judge.of(extractor, fitness, sets.taken, numbers)


def _generated(extractor: FeatureExtractor, sets: EvaluationData, seed: int) -> SampleSet:
    """The drawn samples, under the labels that they were asked to have."""
    rows = draw(len(sets.generated), sets.taken, seed, 0)
    labels = None if sets.labels is None else sets.labels[rows]
    numbers = {name: values[rows] for name, values in sets.numbers.items()}
    return SampleSet.of(extractor, np.asarray(sets.generated.samples[rows]), labels, numbers)


def _context(
    extractor: FeatureExtractor, sets: EvaluationData, seed: int, inception_splits: int | None
) -> EvaluationContext:
    """What every set is compared in: labels, training data, held-out data."""
    levels = tuple(label_levels(sets.real))

    def unseen() -> SampleSet:
        data = _labeled(sets)
        rows = draw(len(data), min(len(data), UNSEEN), seed, 5)
        return real_set(extractor, data, levels, rows)

    held_out = None
    if sets.held_out is not None:
        rows = draw(len(sets.held_out), sets.taken, seed, 2)
        held_out = real_set(extractor, sets.held_out, levels, rows)
    return EvaluationContext(
        taxonomy=sets.real.taxonomy,
        levels=levels,
        load_training=lambda: real_set(extractor, in_split(sets.real, "train"), levels),
        load_unseen=unseen,
        held_out=held_out,
        seed=seed,
        is_inception=extractor.name == "inception",
        numbers=told_numbers(sets.real),
        inception_splits=inception_splits,
    )


def _labeled(sets: EvaluationData) -> Dataset:
    """The held-out data; where they have no labels another split, the training data at last."""

    def candidates() -> Iterator[Dataset | None]:
        yield sets.held_out
        for split in ("test", "train"):
            with contextlib.suppress(UserError):
                yield in_split(sets.real, split)

    labeled = (data for data in candidates() if data is not None and (data.labels >= 0).any())
    return next(labeled, sets.real)


def _real_data(evaluator: Evaluator) -> RealData:
    """The real data; sets with missing modes draw on all that is not in the reference."""
    context, held_out = evaluator.context, evaluator.context.held_out
    assert held_out is not None
    free = np.setdiff1d(np.arange(len(context.training)), evaluator.rows)
    free = np.random.default_rng([context.seed, 4]).permutation(free)
    pool = held_out.joined(context.training.take(free[: MODE_POOL * len(held_out)]))
    return RealData(
        *(evaluator.reference, held_out, pool, context, evaluator.extractor),
        floors=FLOORS,
        corruptions=measured_corruptions(),
    )
