"""`evaluate`: samples and a reference in, one scorecard out; features are taken once per set."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.cache import cache_dir, digest, load_json, save_json, to_device
from mtgan.evaluation.calibration.calibrator import Calibrator
from mtgan.evaluation.calibration.real_data import RealData
from mtgan.evaluation.calibration.scores import (
    Calibration,
    axis_of,
    interval_of,
    score,
    standard_error,
)
from mtgan.evaluation.comparison import Comparison, SampleSet, Setting
from mtgan.evaluation.data import Sides, draw, in_split
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
from mtgan.evaluation.metrics import PIXELS, Metric, Outcome, chosen_metrics
from mtgan.evaluation.protocol import UNKNOWN_CHECKPOINT, Protocol, protocol_rule
from mtgan.evaluation.scorecard import Entry, Scorecard
from mtgan.evaluation.scorecard.notes import left_out, shared_images, small_sets, unscored
from mtgan.evaluation.scorecard.scoring import CONDITIONING
from mtgan.limits import check_number

Progress = Callable[[str], None]

UNSEEN = 5_000
"""Held-out samples, at most, that show a classifier's mistakes."""

MODE_POOL = 9
"""Sets with missing modes are drawn from so many times N training samples, at most."""

CALIBRATION_FORMAT = "mtgan-calibration-5"


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
    names = metrics.split(",") if isinstance(metrics, str) else metrics or rule.metrics
    chosen = chosen_metrics(name.strip() for name in names)
    calibrated = rule.calibrated and any(o.axis for item in chosen for o in item.outputs)
    split = split or rule.split
    sides = Sides.choose(
        *(samples, reference, labels, heldout, split, rule, n, seed),
        size=size,
        calibrated=calibrated,
    )
    calibrated = sides.held_out is not None
    space = rule.features if features == AUTO else features
    request = FeatureRequest(
        name=space,
        reference=sides.real,
        weights=Path(weights) if weights else None,
        device=to_device(device),
        progress=progress,
    )
    extractor = build_extractor(request)
    measured = calibrated and extractor.sees_content
    fitness = measure_fitness(extractor, sides.real) if measured else {}
    judge = Judge.of(extractor, fitness, sides.taken) if calibrated else None
    progress(f"taking features of {sides.taken:,} samples and {sides.compared:,} real images")
    comparison, rows = _compare(extractor, sides, seed)
    progress("measuring the samples")
    outcomes = {item: item.apply(comparison) for item in chosen if not item.missing(comparison)}
    stamp = Protocol.of(
        protocol,
        sides.real,
        extractor,
        generated=sides.taken,
        compared=sides.compared,
        checkpoint=checkpoint,
        seed=seed,
    )
    notes = [*sides.notes, *shared_images(sides), *left_out(chosen, comparison)]
    notes += [note for outcome in outcomes.values() for note in outcome.notes]
    notes += small_sets(comparison, extractor)
    card = _plain_card(stamp, outcomes, notes)
    if judge is None:
        return card
    calibrator = Calibrator(_real_data(comparison, extractor, rows), list(outcomes), resamples)
    return _calibrated(card, judge, comparison.generated, calibrator, ladder, progress)


def _compare(extractor: FeatureExtractor, sides: Sides, seed: int) -> tuple[Comparison, np.ndarray]:
    """The drawn samples beside the drawn reference, and the rows of the latter."""
    real, unseen = sides.real, sides.held_out
    levels = tuple(label_levels(real))
    setting = Setting(
        taxonomy=real.taxonomy,
        levels=levels,
        load_training=lambda: _training(extractor, real, levels),
        load_unseen=lambda: _unseen(extractor, sides, levels, seed),
        seed=seed,
        is_inception=extractor.name == "inception",
    )
    drawn = draw(len(sides.generated), sides.taken, seed, 0)
    judged = _subset(extractor, sides.generated, sides.asked, drawn)
    rows = draw(len(real), sides.compared, seed, 1)
    reference = _subset(extractor, real, _labels(real, levels), rows)
    if unseen is not None:
        chosen = draw(len(unseen), sides.taken, seed, 2)
        setting.held_out = _subset(extractor, unseen, _labels(unseen, levels), chosen)
    return Comparison(judged, reference, setting), rows


def _plain_card(
    stamp: Protocol, outcomes: Mapping[Metric, Outcome], notes: Sequence[str]
) -> Scorecard:
    """A card of numbers, without scores."""
    entries: dict[str, Entry] = {}
    details: dict[str, dict[str, float]] = {}
    for item, outcome in outcomes.items():
        for key, value in outcome.values.items():
            output = item.output(key)
            assert output is not None, f"{item.name} gave {key}, which it did not announce"
            entries[key] = Entry(
                value=float(value),
                better=output.better,
                axis=axis_of(output, key),
                space=PIXELS if item.space == PIXELS else stamp.features,
                samples=stamp.generated,
            )
        details |= {key: dict(values) for key, values in outcome.details.items()}
    return Scorecard(stamp, entries, details=details, notes=tuple(notes))


def _calibrated(
    card: Scorecard,
    judge: Judge,
    judged: SampleSet,
    calibrator: Calibrator,
    ladder: bool,
    progress: Progress,
) -> Scorecard:
    """The card with intervals, scores, axes and overall figure."""
    calibration = _known_calibration(card, calibrator, ladder, progress)
    progress("measuring half-samples for intervals")
    halves = calibrator.halves(judged, calibrator.quick)
    entries = {
        key: replace(
            entry,
            interval=interval_of(
                entry.value,
                standard_error(halves, key),
                known=len(halves) > 1 and key in halves[0],
            ),
        )
        for key, entry in card.entries.items()
    }
    unfit = frozenset(f"{CONDITIONING}/{level}" for level in judge.unfit)
    scores = score(entries, halves, calibration, calibrator.metrics, unfit)
    return replace(
        card,
        judge=tuple(judge.sentences()),
        entries=scores.entries,
        axes=scores.axes,
        overall=None if judge.doubts else scores.overall,
        interval=None if judge.doubts else scores.interval,
        gate=scores.gate,
        ladder=scores.ladder,
        notes=(*card.notes, *unscored(scores.entries)),
    )


def _known_calibration(
    card: Scorecard, calibrator: Calibrator, ladder: bool, progress: Progress
) -> Calibration:
    """The reference's scale, from the cache or measured now."""
    real = calibrator.real
    key = digest(
        CALIBRATION_FORMAT,
        card.protocol.as_dict() | {"checkpoint": "", "name": ""},
        real.setting.taxonomy.to_dict(),
        [each.content for each in (real.reference, real.held_out, real.setting.training)],
        [item.name for item in calibrator.metrics],
        len(calibrator.judged_halves),
        ladder,
    )
    path = cache_dir("calibrations") / f"{key}.json"
    try:
        return Calibration.from_dict(load_json(path))
    except (LookupError, TypeError, ValueError):
        calibration = calibrator.calibrate(ladder=ladder, progress=progress)
        save_json(path, asdict(calibration))
        return calibration


def _labels(data: Dataset, levels: tuple[str, ...]) -> np.ndarray | None:
    return np.asarray(data.labels) if levels else None


def _subset(
    extractor: FeatureExtractor, data: Dataset, labels: np.ndarray | None, rows: np.ndarray
) -> SampleSet:
    chosen = None if labels is None else labels[rows]
    return SampleSet.of(extractor, np.asarray(data.samples[rows]), chosen)


def _training(extractor: FeatureExtractor, real: Dataset, levels: tuple[str, ...]) -> SampleSet:
    """All training data: the reference itself, unless it is another split."""
    data = in_split(real, "train")
    return SampleSet.of(extractor, np.asarray(data.samples), _labels(data, levels))


def _unseen(
    extractor: FeatureExtractor, sides: Sides, levels: tuple[str, ...], seed: int
) -> SampleSet:
    """The held-out data; where they have no labels another split, the training data at last."""

    def candidates() -> Iterator[Dataset | None]:
        yield sides.held_out
        for split in ("test", "train"):
            with contextlib.suppress(UserError):
                yield in_split(sides.real, split)

    labeled = (each for each in candidates() if each is not None and (each.labels >= 0).any())
    data = next(labeled, sides.real)
    rows = draw(len(data), min(len(data), UNSEEN), seed, 5)
    return _subset(extractor, data, _labels(data, levels), rows)


def _real_data(
    comparison: Comparison, extractor: FeatureExtractor, reference_rows: np.ndarray
) -> RealData:
    """The real data; sets with missing modes draw on all that is not in the reference."""
    setting = comparison.setting
    held_out = setting.held_out
    assert held_out is not None
    free = np.setdiff1d(np.arange(len(setting.training)), reference_rows)
    free = np.random.default_rng([setting.seed, 4]).permutation(free)
    pool = held_out.joined(setting.training.take(free[: MODE_POOL * len(held_out)]))
    return RealData(comparison.reference, held_out, pool, setting, extractor)
