"""A card put on the scale of its reference, which is measured once and kept."""

from dataclasses import asdict, replace
from typing import Any

from mtgan.evaluation.cache import cache_dir, digest, load_json, save_json
from mtgan.evaluation.calibration.calibrator import Calibrator, Progress
from mtgan.evaluation.calibration.scores import (
    Calibration,
    interval_of,
    score,
    standard_error,
)
from mtgan.evaluation.features.judge import Judge
from mtgan.evaluation.scorecard import Scorecard
from mtgan.evaluation.scorecard.notes import unscored
from mtgan.evaluation.scorecard.scoring import CONDITIONING

CALIBRATION_FORMAT = "mtgan-calibration-7"


def calibrated(
    card: Scorecard,
    judge: Judge,
    judged: Any,
    calibrator: Calibrator,
    corruptions: bool,
    progress: Progress,
) -> Scorecard:
    """The card with intervals, scores, axes and overall figure."""
    calibration = known_calibration(card, calibrator, corruptions, progress)
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
    scores = score(
        entries, halves, calibration, calibrator.metrics, unfit, calibrator.real.corruptions
    )
    earned = bool(scores.axes) and not judge.doubts
    return replace(
        card,
        judge=tuple(judge.sentences()),
        entries=scores.entries,
        axes=scores.axes,
        overall=scores.overall if earned else None,
        interval=scores.interval if earned else None,
        gate=scores.gate,
        corruption_levels=scores.corruption_levels,
        notes=(*card.notes, *unscored(scores.entries)),
    )


def known_calibration(
    card: Scorecard, calibrator: Calibrator, corruptions: bool, progress: Progress
) -> Calibration:
    """The reference's scale, from the cache or measured now."""
    real = calibrator.real
    key = digest(
        CALIBRATION_FORMAT,
        card.protocol.as_dict() | {"checkpoint": "", "name": ""},
        *real.identity(),
        [item.name for item in calibrator.metrics],
        len(calibrator.judged_halves),
        [(item.name, item.levels) for item in real.corruptions] if corruptions else [],
    )
    path = cache_dir("calibrations") / f"{key}.json"
    try:
        return Calibration.from_dict(load_json(path))
    except (LookupError, TypeError, ValueError):
        calibration = calibrator.calibrate(corruptions=corruptions, progress=progress)
        save_json(path, asdict(calibration))
        return calibration
