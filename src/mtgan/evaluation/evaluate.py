"""`evaluate`: samples and a reference in, one scorecard out; features are taken once per set."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.cache import to_device
from mtgan.evaluation.calibration.calibrate import calibrated
from mtgan.evaluation.calibration.calibrator import Calibrator
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.comparison import SampleSet, Setting
from mtgan.evaluation.data import Sides, draw, in_split
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
from mtgan.evaluation.inputs import Images, Labeled, Size, apart
from mtgan.evaluation.metrics import chosen_metrics
from mtgan.evaluation.protocol import UNKNOWN_CHECKPOINT, protocol_rule
from mtgan.evaluation.scorecard import Scorecard
from mtgan.evaluation.scorecard.notes import shared_images
from mtgan.limits import check_number

UNSEEN = 5_000
"""Held-out samples, at most, that show a classifier's mistakes."""

MODE_POOL = 9
"""Sets with missing modes are drawn from so many times N training samples, at most."""


def evaluate(
    samples: Images | Labeled,
    reference: Images,
    *,
    labels: np.ndarray | None = None,
    features: str = AUTO,
    metrics: str | Sequence[str] | None = None,
    n: int | None = None,
    heldout: Images | None = None,
    split: str | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    weights: str | Path | None = None,
    protocol: str = "default",
    size: Size | None = None,
    checkpoint: str = UNKNOWN_CHECKPOINT,
    resamples: int = 16,
    ladder: bool = True,
    progress: Callable[[str], None] = lambda message: None,
) -> Scorecard:
    """Judge generated samples against real data.

    Args:
        samples: Generated images: uint8 [N, C, H, W], a Dataset, a folder or an .npz; or such
            images and their labels as a pair, as Run.sample_with_labels gives.
        reference: Real images in the same forms. A Dataset with a test split brings its own
            held-out data.
        labels: int64 [N, L] that the samples were asked to have, columns as in the reference's
            taxonomy, -1 where none; None takes those that come with `samples`, if any.
        features: Feature space by name, `module:function`, or "auto".
        metrics: Names of metrics (or one string with commas), "default", or "all".
        n: Sample size of every set, at most; the smallest set decides.
        heldout: Real images that are not in the reference: the ceiling of the scorecard.
        split: Split of the reference, when the protocol's is not wanted.
        seed: Seed of every random draw.
        device: Where features and distances are computed.
        weights: Path to a weight file, for feature spaces that take one.
        protocol: Name of a usual way of measuring (`protocol.PROTOCOLS`).
        size: One side, (H, W) or "HxW": all images are scaled to cover it, and cropped.
        checkpoint: The rule by which a run's checkpoint was chosen, for the stamp.
        resamples: Half-samples for 95 % intervals, at most 10,000; 0 for none.
        ladder: Whether to measure known damages, so that axes can be read aloud.
        progress: Called with a sentence before each part that takes a while.

    Returns:
        The scorecard.

    Raises:
        UserError: Sets that cannot be compared, too few samples, unknown names, missing weights.
    """
    check_number("resamples", resamples, 0, 10_000)
    samples, labels = apart(samples, labels)
    rule = protocol_rule(protocol)
    chosen = chosen_metrics(metrics or rule.metrics)
    scored = rule.calibrated and any(o.axis for item in chosen for o in item.outputs)
    sides = Sides.choose(
        *(samples, reference, labels, heldout, split or rule.split, rule, n, seed),
        size=size,
        calibrated=scored,
    )
    extractor = build_extractor(
        FeatureRequest(
            name=rule.features if features == AUTO else features,
            reference=sides.real,
            weights=Path(weights) if weights else None,
            device=to_device(device),
            progress=progress,
        )
    )
    judge = None if sides.held_out is None else _judge(extractor, sides)
    progress(f"taking features of {sides.taken:,} samples and {sides.compared:,} real images")
    evaluator = Evaluator(
        sides.real,
        [item.name for item in chosen],
        features=extractor,
        seed=seed,
        rows=draw(len(sides.real), sides.compared, seed, 1),
        setting=_setting(extractor, sides, seed),
        protocol=protocol,
        checkpoint=checkpoint,
    )
    comparison = evaluator.compared(_generated(extractor, sides, seed))
    progress("measuring the samples")
    card = evaluator.card(comparison, [*sides.notes, *shared_images(sides)])
    if judge is None:
        return card
    calibrator = Calibrator(_real_data(evaluator), evaluator.computable(comparison), resamples)
    return calibrated(card, judge, comparison.generated, calibrator, ladder, progress)


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
    return RealData(evaluator.reference, held_out, pool, setting, evaluator.extractor)
