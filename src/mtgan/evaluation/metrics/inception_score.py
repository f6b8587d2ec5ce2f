"""Inception score.

Definition: exp(E_y KL(p(c|y) || p(c))) over S consecutive splits of the (shuffled) samples,
reported as mean and population standard deviation over the splits (Salimans et al. 2016,
"Improved techniques for training GANs", section 4), with p(c) the mean over the split. Split i
of S holds samples i*N//S to (i+1)*N//S.

Range [1, K], higher is better (towards the reference's own score: the measure never sees real
data). No units.

Pitfalls: depends on the number and size of the splits (the same logits gave 122.7 in 10 splits
and 169.7 in one); class-sorted samples must be shuffled before they are split; meaningless when
the classifier knows other classes than the data has; a network with 1008 logits gives another
score than one with 1000; blind to everything within a class.
"""

import math
from dataclasses import dataclass

import torch

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import LOGITS, Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_features, positive, warn_few


@dataclass(frozen=True)
class InceptionScore:
    """Mean over the splits (`value`) and their population standard deviation (`std`)."""

    value: float
    std: float
    splits: int

    def __float__(self) -> float:
        return self.value


INPUTS = ("logits", "probabilities")


def inception_score(
    predictions: Array, splits: int = 10, seed: int | None = 0, *, inputs: str | None = None
) -> InceptionScore:
    """Inception score of class predictions [N, K].

    Args:
        predictions: Probabilities or logits, one row per generated sample.
        splits: Number of splits, S.
        seed: Shuffles the samples before they are split; None keeps their order.
        inputs: "logits" or "probabilities". It is not guessed from the numbers, which may be
            either; rows of probabilities are divided by their sum, since rounded ones do not sum
            to one.

    Raises UserError where `inputs` is neither, for fewer samples than splits, fewer than two
    classes, probabilities below zero or rows of zeros, and for NaN; warns (SmallSampleWarning) when
    a split has fewer samples than classes, which bounds the score.
    """
    if inputs not in INPUTS:
        found = "" if inputs is None else f", and not {inputs!r}"
        raise UserError(
            "The inception score needs to be told what predictions are: inputs='logits' or "
            f"inputs='probabilities'{found}."
        )
    positive(splits, "splits")
    scores = as_features(predictions, "predictions", minimum=1).double()
    count, classes = scores.shape
    if classes < 2:
        raise UserError("predictions must cover at least two classes [N, K], found one column.")
    if count < splits:
        raise UserError(f"{count} predictions cannot be divided into {splits} splits: give more.")
    if count // splits < classes:
        warn_few(
            f"Inception score over splits of {count // splits} samples with {classes} classes: "
            "the score is bounded by the split size; compare it only at equal split sizes."
        )
    if inputs == "logits":
        log_p = scores.log_softmax(dim=1)
        p = log_p.exp()
    else:
        if bool((scores < 0).any()) or bool((scores.sum(dim=1) <= 0).any()):
            raise UserError(
                "predictions are no probabilities (below zero, or a row of zeros): pass "
                "inputs='logits' for logits."
            )
        p = scores / scores.sum(dim=1, keepdim=True)
        log_p = p.clamp_min(torch.finfo(p.dtype).tiny).log()
    if seed is not None:
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).to(p.device)
        p, log_p = p[order], log_p[order]

    values = []
    for i in range(splits):
        part = slice(i * count // splits, (i + 1) * count // splits)
        log_marginal = p[part].mean(dim=0).clamp_min(torch.finfo(p.dtype).tiny).log()
        divergence = (p[part] * (log_p[part] - log_marginal)).sum(dim=1).mean()
        values.append(float(divergence.exp()))
    over_splits = torch.tensor(values, dtype=torch.float64)
    return InceptionScore(float(over_splits.mean()), float(over_splits.std(correction=0)), splits)


SPLIT_SIZE = 5_000
"""Samples per split on a card, as in the paper, unless its protocol says how many splits it has;
fewer samples make one split."""


@register_metric(
    "inception_score",
    Output("inception_score", "like real", range=(1, math.inf)),
    needs=LOGITS,
    source="Salimans et al. 2016, per level",
    function=inception_score,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Inception score on each classifier head, in splits of 5,000 samples or one."""
    values, notes, context = {}, [], comparison.context
    for level, logits in comparison.generated.bank.logits.items():
        count = context.inception_splits or max(1, len(logits) // SPLIT_SIZE)
        found = inception_score(logits, splits=count, seed=context.seed, inputs="logits")
        values[f"inception_score/{level}"] = found.value
        if count > 1:
            size = len(logits) // count
            notes.append(
                f"inception_score/{level}: the mean over {count} splits of {size:,} samples, whose "
                f"standard deviation is {found.std:.3g}"
            )
    return Outcome(values, notes=notes)
