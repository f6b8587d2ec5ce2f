"""How far are samples from the number that they were asked for?

Definition: the mean distance of the number that a sample was asked for from the one that a ridge
regression on features reads off it, fitted on real training images with their numbers (the label
score of Ding et al. 2021, CcGAN, there by a network of its own), in the number's unit.

Range [0, inf), lower is better. Compare with held-out real images: the regression is off by so much
on these, and a generator below that makes too easy, or copied, samples.

The regression says nothing beyond the numbers it has learned, so that pictures unlike any real one
are off by the range at most.

Pitfalls: a regression that can tell little says the middle of everything; a card names what it gets
on held-out images beside what guessing the middle gives. Features also change with texture and
noise: of images that look unlike real ones the error is too large, whatever they show. Of an angle,
359 is far from 1.
"""

import numpy as np

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import NUMBERS, Outcome, Output, register_metric


def label_error(predicted: np.ndarray, requested: np.ndarray) -> float:
    """Mean absolute difference of predicted numbers [N] and those that were asked for [N].

    Raises UserError for numbers of different length, or all nan (not asked for).
    """
    guesses, wanted = (np.asarray(x, dtype=np.float64) for x in (predicted, requested))
    if guesses.shape != wanted.shape or guesses.ndim != 1:
        raise UserError(
            f"predicted and requested should be numbers [N] of one N; found {list(guesses.shape)} "
            f"and {list(wanted.shape)}."
        )
    asked = ~np.isnan(wanted)
    if not asked.any():
        raise UserError("requested has no number: all are nan, which means not asked for.")
    return float(np.abs(guesses - wanted)[asked].mean())


@register_metric(
    "label_error",
    Output(
        "label_error", "lower", "conditioning", "linear", axis_per_level=True, range=(0, np.inf)
    ),
    needs=NUMBERS,
    source="label score of Ding et al. 2021, by a ridge regression, per number",
    function=label_error,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Mean distance of samples from the number asked for, as a ridge regression reads it."""
    values, notes = {}, []
    for number in comparison.requested_numbers:
        asked, key = comparison.generated.numbers[number], f"label_error/{number}"
        values[key] = label_error(comparison.context.read(number, comparison.generated), asked)
        if missing := int(np.isnan(asked).sum()):
            notes.append(f"{key} leaves out {missing:,} samples that were asked for no {number}")
    return Outcome(values, notes=notes)
