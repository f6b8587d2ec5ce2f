"""Images against real ones: one scorecard, for which features are taken once per set."""

import contextlib
from collections.abc import Iterator, Sequence
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
from mtgan.evaluation.comparison import SampleSet, Setting
from mtgan.evaluation.data import Sides, draw, in_split
from mtgan.evaluation.domains import DOMAIN_METRICS, DomainMetrics, DomainSides, Judging
from mtgan.evaluation.evaluator import Evaluator, real_set
from mtgan.evaluation.features import (
    AUTO,
    FeatureExtractor,
    FeatureRequest,
    build_extractor,
    label_levels,
    measure_fitness,
)
from mtgan.evaluation.features.judge import Judge
from mtgan.evaluation.inputs import Images, Labeled, Size, apart, as_dataset, fitting_labels
from mtgan.evaluation.metrics import METRICS, chosen_metrics
from mtgan.evaluation.metrics.base import ALIASES
from mtgan.evaluation.protocol import protocol_rule
from mtgan.evaluation.scorecard import Scorecard
from mtgan.evaluation.scorecard.notes import shared_images

UNSEEN = 5_000
"""Held-out samples, at most, that show a classifier's mistakes."""

MODE_POOL = 9
"""Sets with missing modes are drawn from so many times N training samples, at most."""


def evaluate_images(
    samples: Images | Labeled,
    reference: Images,
    how: Judging,
    *,
    metrics: str | Sequence[str] | None = None,
    labels: np.ndarray | None = None,
    heldout: Images | None = None,
    split: str | None = None,
    size: Size | None = None,
) -> Scorecard:
    """Judge generated images against real ones; see mtgan.evaluation.evaluate."""
    samples, labels = apart(samples, labels)
    rule = protocol_rule(how.protocol)
    chosen = chosen_metrics(metrics or rule.metrics)
    scored = rule.calibrated and any(o.axis for item in chosen for o in item.outputs)
    sides = Sides.choose(
        *(samples, reference, labels, heldout, split or rule.split, rule, how.n, how.seed),
        size=size,
        calibrated=scored,
    )
    extractor = build_extractor(
        FeatureRequest(
            name=rule.features if how.features == AUTO else how.features,
            reference=sides.real,
            weights=Path(how.weights) if how.weights else None,
            device=to_device(how.device),
            progress=how.progress,
        )
    )
    judge = None if sides.held_out is None else _judge(extractor, sides)
    how.progress(f"taking features of {sides.taken:,} samples and {sides.compared:,} real images")
    evaluator = Evaluator(
        sides.real,
        [item.name for item in chosen],
        features=extractor,
        seed=how.seed,
        rows=draw(len(sides.real), sides.compared, how.seed, 1),
        setting=_setting(extractor, sides, how.seed),
        protocol=how.protocol,
        checkpoint=how.checkpoint,
    )
    comparison = evaluator.compared(_generated(extractor, sides, how.seed))
    how.progress("measuring the samples")
    card = evaluator.card(comparison, [*sides.notes, *shared_images(sides)])
    if judge is None:
        return card
    calibrator = Calibrator(_real_data(evaluator), evaluator.computable(comparison), how.resamples)
    return calibrated(card, judge, comparison.generated, calibrator, how.ladder, how.progress)


def watch_images(samples: Images | Labeled, reference: Dataset, how: Judging) -> Scorecard:
    """What Evaluator measures, in at most as many samples as there are."""
    samples, labels = apart(samples, None)
    judged = as_dataset(samples, "samples")
    labels = fitting_labels(judged, reference, labels)
    n = len(judged) if how.n is None else min(how.n, len(judged))
    evaluator = Evaluator(reference, n=n, features=how.features, device=how.device, seed=how.seed)
    return evaluator(np.asarray(judged.samples), labels)


class ImageMetrics(DomainMetrics):
    """All metrics of images; see mtgan.evaluation.metrics."""

    takes = frozenset({"features", "weights"})

    def names(self) -> list[str]:
        return [*METRICS.names(), *ALIASES]

    def card(self, sides: DomainSides, metrics: Sequence[str] | None, how: Judging) -> Scorecard:
        real, held_out = sides.real.dataset(), sides.held_out
        return evaluate_images(
            _images_of(sides.generated),
            real,
            how,
            metrics=metrics,
            heldout=None if held_out is None else held_out.dataset(),
            split=None if real.split == "all" else real.split,
        )

    def watch(self, sides: DomainSides, how: Judging) -> Scorecard:
        return watch_images(_images_of(sides.generated), sides.real.dataset(), how)


def _images_of(judged: DomainSamples) -> Images | Labeled:
    """Samples of a generator with the classes that it was asked for; others as they were given."""
    return judged.dataset() if judged.whole is not None else (judged.samples, judged.labels)


DOMAIN_METRICS.register("images")(ImageMetrics())


def _judge(extractor: FeatureExtractor, sides: Sides) -> Judge:
    fitness = measure_fitness(extractor, sides.real) if extractor.sees_content else {}
    return Judge.of(extractor, fitness, sides.taken)


def _generated(extractor: FeatureExtractor, sides: Sides, seed: int) -> SampleSet:
    """The drawn samples, under the labels that they were asked to have."""
    rows = draw(len(sides.generated), sides.taken, seed, 0)
    labels = None if sides.asked is None else sides.asked[rows]
    return SampleSet.of(extractor, np.asarray(sides.generated.samples[rows]), labels)


def _setting(extractor: FeatureExtractor, sides: Sides, seed: int) -> Setting:
    """What every set is compared in: labels, training data, held-out data."""
    levels = tuple(label_levels(sides.real))

    def unseen() -> SampleSet:
        data = _labeled(sides)
        rows = draw(len(data), min(len(data), UNSEEN), seed, 5)
        return real_set(extractor, data, levels, rows)

    held_out = None
    if sides.held_out is not None:
        rows = draw(len(sides.held_out), sides.taken, seed, 2)
        held_out = real_set(extractor, sides.held_out, levels, rows)
    return Setting(
        taxonomy=sides.real.taxonomy,
        levels=levels,
        load_training=lambda: real_set(extractor, in_split(sides.real, "train"), levels),
        load_unseen=unseen,
        held_out=held_out,
        seed=seed,
        is_inception=extractor.name == "inception",
    )


def _labeled(sides: Sides) -> Dataset:
    """The held-out data; where they have no labels another split, the training data at last."""

    def candidates() -> Iterator[Dataset | None]:
        yield sides.held_out
        for split in ("test", "train"):
            with contextlib.suppress(UserError):
                yield in_split(sides.real, split)

    labeled = (data for data in candidates() if data is not None and (data.labels >= 0).any())
    return next(labeled, sides.real)


def _real_data(evaluator: Evaluator) -> RealData:
    """The real data; sets with missing modes draw on all that is not in the reference."""
    setting, held_out = evaluator.setting, evaluator.setting.held_out
    assert held_out is not None
    free = np.setdiff1d(np.arange(len(setting.training)), evaluator.rows)
    free = np.random.default_rng([setting.seed, 4]).permutation(free)
    pool = held_out.joined(setting.training.take(free[: MODE_POOL * len(held_out)]))
    return RealData(
        *(evaluator.reference, held_out, pool, setting, evaluator.extractor),
        floors=FLOORS,
        corruptions=measured_corruptions(),
    )
