"""`evaluate`: samples and a reference in, one scorecard out; features are taken once per set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.anchors import RealSide
from mtgan.evaluation.cache import array_digest, cache_dir, digest, to_device, write_text
from mtgan.evaluation.calibration import (
    Calibration,
    Calibrator,
    axis_of,
    interval_of,
    score,
    standard_error,
)
from mtgan.evaluation.checks import check_alike
from mtgan.evaluation.comparison import Comparison, SampleSet, Setting
from mtgan.evaluation.features import (
    FeatureExtractor,
    FeatureRequest,
    build_extractor,
    choose_features,
)
from mtgan.evaluation.features.choice import AUTO
from mtgan.evaluation.features.classifier import label_levels
from mtgan.evaluation.inputs import Images, as_dataset, fitting_labels
from mtgan.evaluation.measures import PIXELS, Measure, Outcome, chosen_measures
from mtgan.evaluation.protocol import UNKNOWN_CHECKPOINT, Protocol, ProtocolRule, protocol_rule
from mtgan.evaluation.scorecard import Entry, Scorecard

Progress = Callable[[str], None]

MIN_SAMPLES = 64
"""With fewer, neighborhoods of half-samples mean nothing, and no card is calibrated."""

SMALL_CLASS = 200
"""Fewer samples of a class than this make its own numbers unsteady: the card says so."""

MODE_POOL = 9
"""Sets with missing modes are drawn from so many times N training samples, at most."""

CALIBRATION_FORMAT = "mtgan-calibration-3"


def evaluate(
    samples: Images,
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
    checkpoint: str = UNKNOWN_CHECKPOINT,
    resamples: int = 16,
    ladder: bool = True,
    progress: Callable[[str], None] = lambda message: None,
) -> Scorecard:
    """Judge generated samples against real data.

    Args:
        samples: Generated images: uint8 [N, C, H, W], a Dataset, a folder or an .npz.
        reference: Real images in the same forms. A Dataset with a test split brings its own
            held-out data.
        labels: int64 [N, L] that the samples were asked to have, columns as in the reference's
            taxonomy, -1 where none; None takes those that come with `samples`, if any.
        features: Feature space by name, `module:function`, or "auto".
        metrics: Names of measures (or one string with commas), "default", or "all".
        n: Sample size of every set, at most; the smallest set decides.
        heldout: Real images that are not in the reference: the ceiling of the scorecard.
        split: Split of the reference, when the protocol's is not wanted.
        seed: Seed of every random draw.
        device: Where features and distances are computed.
        weights: Path to a weight file, for feature spaces that take one.
        protocol: Name of a usual way of measuring (`protocol.PROTOCOLS`).
        checkpoint: The rule by which a run's checkpoint was chosen, for the stamp.
        resamples: Half-samples for 95 % intervals; 0 for none.
        ladder: Whether to measure known damages, so that axes can be read aloud.
        progress: Called with a sentence before each part that takes a while.

    Returns:
        The scorecard.

    Raises:
        UserError: Sets that cannot be compared, too few samples, unknown names, missing weights.
    """
    rule = protocol_rule(protocol)
    names = metrics.split(",") if isinstance(metrics, str) else metrics or rule.metrics
    measures = chosen_measures(name.strip() for name in names)
    calibrated = rule.calibrated and any(o.axis for item in measures for o in item.outputs)
    notes: list[str] = []

    wanted = split or rule.split
    real = in_split(as_dataset(reference, "reference", wanted), wanted)
    generated = as_dataset(samples, "samples")
    check_alike(generated.samples, real.samples)
    asked = fitting_labels(generated, real, labels)
    unseen = None
    if calibrated:
        real, unseen, remarks = with_held_out(real, heldout, seed)
        notes += remarks
    taken, compared = sample_sizes(rule, n, generated, real, unseen)

    space = rule.features if features == AUTO else features
    request = FeatureRequest(
        name=choose_features(space, real),
        reference=real,
        weights=Path(weights) if weights else None,
        device=to_device(device),
        progress=progress,
    )
    extractor = build_extractor(request)
    notes += _about(extractor, chosen=space == AUTO)

    progress(f"taking features of {taken:,} samples and {compared:,} real images")
    comparison, rows = _compare(extractor, generated, asked, real, unseen, taken, compared, seed)
    progress("measuring the samples")
    outcomes = {item: item.apply(comparison) for item in measures if not item.missing(comparison)}
    notes += _left_out(measures, comparison) + _small_sets(comparison, extractor)
    stamp = Protocol.of(
        protocol,
        real,
        extractor,
        generated=taken,
        compared=compared,
        checkpoint=checkpoint,
        seed=seed,
    )
    card = _plain_card(stamp, outcomes, notes)
    if unseen is None:
        return card
    side = _real_side(comparison, extractor, rows)
    calibrator = Calibrator(side, list(outcomes), resamples)
    return _calibrated(card, comparison.generated, calibrator, ladder, progress)


def _compare(
    extractor: FeatureExtractor,
    generated: Dataset,
    asked: np.ndarray | None,
    real: Dataset,
    unseen: Dataset | None,
    taken: int,
    compared: int,
    seed: int,
) -> tuple[Comparison, np.ndarray]:
    """The drawn samples beside the drawn reference, and the rows of the latter."""
    levels = tuple(label_levels(real))
    setting = Setting(
        taxonomy=real.taxonomy,
        levels=levels,
        load_training=lambda: _training(extractor, real, levels),
        seed=seed,
        is_inception=extractor.name == "inception",
    )
    judged = _subset(extractor, generated, asked, draw(len(generated), taken, seed, 0))
    rows = draw(len(real), compared, seed, 1)
    reference = _subset(extractor, real, _labels(real, levels), rows)
    if unseen is not None:
        chosen = draw(len(unseen), taken, seed, 2)
        setting.held_out = _subset(extractor, unseen, _labels(unseen, levels), chosen)
    return Comparison(judged, reference, setting), rows


def _plain_card(
    stamp: Protocol, outcomes: Mapping[Measure, Outcome], notes: Sequence[str]
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
    scores = score(entries, halves, calibration, calibrator.measures)
    return replace(
        card,
        entries=scores.entries,
        axes=scores.axes,
        overall=scores.overall,
        interval=scores.interval,
        gate=scores.gate,
        ladder=scores.ladder,
    )


def _known_calibration(
    card: Scorecard, calibrator: Calibrator, ladder: bool, progress: Progress
) -> Calibration:
    """The reference's scale, from the cache or measured now."""
    real = calibrator.real
    key = digest(
        CALIBRATION_FORMAT,
        card.protocol.as_dict() | {"checkpoint": "", "name": ""},
        array_digest(real.reference.images),
        array_digest(real.held_out.images),
        [item.name for item in calibrator.measures],
        len(calibrator.judged_halves),
        ladder,
    )
    path = cache_dir("calibrations") / f"{key}.json"
    try:
        return Calibration.from_json(path.read_text())
    except (OSError, ValueError, KeyError, TypeError):
        calibration = calibrator.calibrate(ladder=ladder, progress=progress)
        write_text(path, calibration.to_json())
        return calibration


def in_split(data: Dataset, split: str) -> Dataset:
    """A dataset's other split where it has splits; the dataset itself where it has none."""
    if data.split in (split, "all"):
        return data
    return data.load_split(split)


def with_held_out(
    real: Dataset, heldout: Images | None, seed: int
) -> tuple[Dataset, Dataset, list[str]]:
    """The reference, held-out real data, and what to say about them.

    Held-out data are those given, else the other published split, else half of the reference.
    """
    if heldout is not None:
        unseen = as_dataset(heldout, "held-out data")
        check_alike(unseen.samples, real.samples)
        return real, unseen, []
    other = {"train": "test", "test": "train"}.get(real.split)
    if other is not None:
        try:
            return real, real.load_split(other), []
        except UserError:
            pass
    order = np.random.default_rng([seed, 3]).permutation(len(real.samples))
    half = len(order) // 2
    return (
        real.select(np.sort(order[half:])),
        real.select(np.sort(order[:half])),
        ["half of the reference serves as held-out data: it has no test split"],
    )


def sample_sizes(
    rule: ProtocolRule, n: int | None, generated: Dataset, real: Dataset, unseen: Dataset | None
) -> tuple[int, int]:
    """Numbers of generated and of reference samples that a protocol takes.

    Raises:
        UserError: Fewer samples than the protocol, or any measure, needs.
    """
    have, available = len(generated.samples), len(real.samples)
    if rule.exact:
        if have < rule.generated or (n is not None and n != rule.generated):
            raise UserError(
                f"this protocol measures exactly {rule.generated:,} generated samples, not "
                f"{min(have, n or have):,}: generate enough, or choose --protocol default"
            )
        taken = rule.generated
    else:
        limits = [n or rule.generated, have]
        limits += [available] if rule.reference == "equal" else []
        limits += [len(unseen.samples)] if unseen is not None else []
        taken = min(limits)
    compared = {"equal": taken, "all": available}.get(str(rule.reference), rule.reference)
    least = MIN_SAMPLES if unseen is not None else 2
    if taken < least:
        raise UserError(
            f"{taken} samples of each set are too few (generated {have:,}, reference "
            f"{available:,}{'' if unseen is None else f', held out {len(unseen.samples):,}'}): "
            f"give at least {least} of each"
        )
    return taken, int(compared)


def draw(count: int, taken: int, *key: int) -> np.ndarray:
    """Sorted rows of `taken` out of `count`, without replacement."""
    if taken == count:
        return np.arange(count)
    return np.sort(np.random.default_rng(key).permutation(count)[:taken])


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


def _real_side(
    comparison: Comparison, extractor: FeatureExtractor, reference_rows: np.ndarray
) -> RealSide:
    """The real data; sets with missing modes draw on all that is not in the reference."""
    setting = comparison.setting
    held_out = setting.held_out
    assert held_out is not None
    free = np.setdiff1d(np.arange(len(setting.training)), reference_rows)
    free = np.random.default_rng([setting.seed, 4]).permutation(free)
    pool = held_out.joined(setting.training.take(free[: MODE_POOL * len(held_out)]))
    return RealSide(comparison.reference, held_out, pool, setting, extractor)


def _about(extractor: FeatureExtractor, *, chosen: bool) -> list[str]:
    facts = ", ".join(f"{name} {value:.3f}" for name, value in extractor.about.items())
    auto = " (chosen by auto)" if chosen else ""
    return [f"features: {extractor.name}{auto}{': ' + facts if facts else ''}"]


def _left_out(measures: Sequence[Measure], comparison: Comparison) -> list[str]:
    """Which measures could not be had, by reason."""
    reasons: dict[str, list[str]] = {}
    for item in measures:
        if reason := item.missing(comparison):
            reasons.setdefault(reason, []).append(item.name)
    return [f"left out, {reason}: {', '.join(names)}" for reason, names in reasons.items()]


def _small_sets(comparison: Comparison, extractor: FeatureExtractor) -> list[str]:
    """Warnings about sample sizes and absent classes."""
    notes, setting = [], comparison.setting
    count = len(comparison.generated)
    if count <= extractor.dim:
        notes.append(
            f"{count:,} samples span fewer than the {extractor.dim:,} feature dimensions: Frechet "
            "distances are biased upward; compare at equal N only"
        )
    labels = comparison.generated.labels
    if labels is None:
        return notes
    for level in setting.levels:
        column = labels[:, setting.column(level)]
        classes = setting.taxonomy.classes[level]
        sizes = np.bincount(column[column >= 0], minlength=len(classes))
        absent = [name for name, size in zip(classes, sizes, strict=True) if not size]
        if absent:
            shown = ", ".join(absent[:5]) + (" ..." if len(absent) > 5 else "")
            notes.append(f"no sample was asked for {len(absent)} classes of {level}: {shown}")
        if 0 < sizes[sizes > 0].min() < SMALL_CLASS:
            notes.append(
                f"classes of {level} have as few as {sizes[sizes > 0].min()} samples: numbers per "
                f"class are unsteady below {SMALL_CLASS}"
            )
    return notes
