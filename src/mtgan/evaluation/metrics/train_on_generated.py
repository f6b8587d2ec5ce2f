"""What a classifier learns from the samples alone, tested on real data.

Definition: the linear form of GAN-train (Shmelkov, Schmid & Alahari 2018, arXiv 1807.09499): a
linear discriminant on frozen features. It falls when classes are missing or collapsed and when they
are confused; labels that are wrong at random average out.

Range [0, 1], higher is better.
"""

import numpy as np

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.features.probe import LinearProbe
from mtgan.evaluation.metrics.base import LABELS, Outcome, Output, listed, register_metric


def train_on_generated(
    features: np.ndarray,
    labels: np.ndarray,
    real_features: np.ndarray,
    truth: np.ndarray,
    seed: int = 0,
) -> float:
    """Accuracy on real data of a linear probe that learned from generated samples alone.

    Args:
        features: [N, D] of the samples.
        labels: int64 [N] that they were asked to have, -1 where none.
        real_features: [M, D].
        truth: int64 [M], -1 where missing: those are not asked; nan without any.
        seed: Of the draw of samples, where there are many.
    """
    known = truth >= 0
    classes = np.flatnonzero(np.bincount(labels[labels >= 0]) > 1)
    guess = np.full(int(known.sum()), classes[0] if len(classes) else -1)
    if len(classes) > 1:
        guess = LinearProbe.fit(features, labels, seed).predict(real_features[known])
    return float((guess == truth[known]).mean()) if known.any() else float("nan")


@register_metric(
    "train_on_generated",
    Output(
        "train_on_generated", "higher", "conditioning", "linear", axis_per_level=True, range=(0, 1)
    ),
    needs=LABELS,
    source="linear GAN-train, Shmelkov et al. 2018",
    function=train_on_generated,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Accuracy on real data of a linear probe that learned from the samples alone, per level.

    Tested on the reference.
    """
    context = comparison.context
    values, notes = {}, []
    for level in comparison.requested_levels:
        requested, key = comparison.requested(level), f"train_on_generated/{level}"
        values[key] = train_on_generated(
            comparison.generated.features,
            requested,
            comparison.reference.features,
            comparison.truth(level),
            context.seed,
        )
        counts = np.bincount(requested[requested >= 0])
        if lone := [
            context.taxonomy.classes[level][index] for index in np.flatnonzero(counts == 1)
        ]:
            notes.append(f"{key} learned nothing of classes of one sample: {listed(lone)}")
    return Outcome(values, notes=notes)
