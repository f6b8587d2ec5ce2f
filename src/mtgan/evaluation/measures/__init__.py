"""The measures of the suite, found by their presence in this folder."""

from mtgan.evaluation.measures.base import (
    FEATURES,
    PIXELS,
    Measure,
    Outcome,
    Output,
    chosen_measures,
    listed,
    measure,
    measures,
)

__all__ = [
    "FEATURES",
    "PIXELS",
    "Measure",
    "Outcome",
    "Output",
    "chosen_measures",
    "listed",
    "measure",
    "measures",
]
