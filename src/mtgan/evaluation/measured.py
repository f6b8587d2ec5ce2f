"""A card of what metrics say of a comparison, before anything is scored."""

from collections.abc import Sequence
from typing import Any

from mtgan.evaluation.calibration.scores import axis_of
from mtgan.evaluation.metrics import PIXELS, Metric
from mtgan.evaluation.protocol import Protocol
from mtgan.evaluation.scorecard import Entry, Scorecard
from mtgan.evaluation.scorecard.notes import left_out


def measured_card(
    stamp: Protocol,
    metrics: Sequence[Metric],
    comparison: Any,
    before: Sequence[str] = (),
    after: Sequence[str] = (),
) -> Scorecard:
    """The numbers of all metrics that can be had for a comparison, of images or of another domain.

    before, after: notes around those on what was left out and what the metrics say themselves.
    """
    entries: dict[str, Entry] = {}
    details: dict[str, dict[str, float]] = {}
    found: list[str] = []
    for item in metrics:
        if item.missing(comparison):
            continue
        outcome = item.apply(comparison)
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
        found += outcome.notes
    notes = (*before, *left_out(metrics, comparison), *found, *after)
    return Scorecard(stamp, entries, details=details, notes=notes)
