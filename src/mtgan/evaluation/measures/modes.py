"""Mode loss, measured directly: are all classes there, and does each vary as it should?

Distances between distributions hardly see lost modes: on CIFAR-10 half of the classes gone still
scores 0.98 between real data and noise. These do.
"""

from collections.abc import Sequence

import numpy as np

from mtgan.evaluation.comparison import CLUSTERS, Comparison
from mtgan.evaluation.measures.base import Outcome, Output, measure

PAIRS = 2_000
"""Random pairs per class for the mean distance within a class."""


@measure(Output("mode_imbalance", "lower", "modes", "linear"))
def mode_imbalance(comparison: Comparison) -> Outcome:
    """Share of the samples in the wrong mode: half the gap between the shares of modes.

    The total variation distance between the class shares of samples and reference (shares of
    clusters of the training features where there are no labels), as in the bins of Richardson &
    Weiss 2018, arXiv 1805.12462. k of K equally common classes missing gives k / K. Shares are
    estimated from class probabilities, so that a weak classifier's mistakes do not fill up a
    missing class.
    """
    bank = comparison.setting.mode_posterior
    reference = bank(comparison.reference.bank)
    prior = reference.mean(axis=0)
    gap = class_shares(bank(comparison.generated.bank), prior) - class_shares(reference, prior)
    return Outcome({"mode_imbalance": float(np.abs(gap).sum() / 2)})


def class_shares(posterior: np.ndarray, prior: np.ndarray, rounds: int = 200) -> np.ndarray:
    """Maximum-likelihood shares of classes in a set, from a classifier made for other shares.

    Source: Saerens, Latinne & Decaestecker 2002, "Adjusting the outputs of a classifier to new a
    priori probabilities", equation 2.9 (expectation maximization).

    Args:
        posterior: Class probabilities float [N, K] under the shares `prior`.
        prior: float [K].
        rounds: Iterations.

    Returns:
        float [K], summing to 1.
    """
    weights = posterior / np.maximum(prior, 1e-12)
    shares = prior / prior.sum()
    for _ in range(rounds):
        joint = weights * shares
        shares = (joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)).mean(axis=0)
    return shares / shares.sum()


@measure(
    Output("mode_diversity", "like real", "diversity", "two-sided"),
    Output("superclass_diversity", "like real"),
)
def mode_diversity(comparison: Comparison) -> Outcome:
    """Spread of features within each mode, as a ratio to that of real data.

    The mean distance of random pairs within a mode (the finest predicted class, or a cluster)
    over the same of the reference, averaged over the modes that the reference shows; a mode that
    is never generated counts 0, and 1 is as diverse as real. `superclass_diversity/LEVEL` is the
    same within the predicted classes of each coarser level.
    """
    setting = comparison.setting
    classes = setting.taxonomy.classes
    names = classes[setting.levels[0]] if setting.levels else tuple(map(str, range(CLUSTERS)))
    banks = (comparison.generated.bank, comparison.reference.bank)
    modes = [setting.modes(bank) for bank in banks]
    details = {"mode_diversity": _ratios(comparison, modes, names)}
    for level in setting.levels[1:]:
        shown = [setting.predict(level, bank) for bank in banks]
        key = f"superclass_diversity/{level}"
        details[key] = _ratios(comparison, shown, classes[level])
    values = {key: float(np.mean(list(ratios.values()))) for key, ratios in details.items()}
    return Outcome(values, details)


def _ratios(
    comparison: Comparison, shown: Sequence[np.ndarray], names: Sequence[str]
) -> dict[str, float]:
    """Spread within each class that each side shows, generated over real; 0 where none is."""
    seed = comparison.setting.seed
    spreads = zip(
        names,
        within_class_distances(comparison.generated.features, shown[0], len(names), seed),
        within_class_distances(comparison.reference.features, shown[1], len(names), seed),
        strict=True,
    )
    return {
        name: float(ours / real) if np.isfinite(ours) else 0.0
        for name, ours, real in spreads
        if np.isfinite(real) and real > 0
    }


def within_class_distances(
    features: np.ndarray, classes: np.ndarray, count: int, seed: int = 0
) -> np.ndarray:
    """Mean Euclidean distance of random pairs within each class.

    Args:
        features: float [N, D].
        classes: int64 [N] in [0, count).
        count: Number of classes.
        seed: Draws the pairs.

    Returns:
        float64 [count]; nan for classes of fewer than two samples.
    """
    random = np.random.default_rng(seed)
    result = np.full(count, np.nan)
    for index in range(count):
        rows = np.flatnonzero(classes == index)
        if len(rows) < 2:
            continue
        first = random.integers(0, len(rows), PAIRS)
        second = (first + random.integers(1, len(rows), PAIRS)) % len(rows)
        gaps = features[rows[first]] - features[rows[second]]
        result[index] = np.linalg.norm(gaps.astype(np.float64), axis=1).mean()
    return result
