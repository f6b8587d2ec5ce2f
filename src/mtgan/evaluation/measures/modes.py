"""Mode loss, measured directly: are all classes there, and does each vary as it should?

Distances between distributions hardly see lost modes: on CIFAR-10 half of the classes gone still
scores 0.98 between real data and noise. These do.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from mtgan.evaluation.comparison import CLUSTERS, Comparison, SampleSet
from mtgan.evaluation.measures.base import Outcome, Output, listed, measure

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
    posterior, real = comparison.setting.mode_posterior, comparison.reference
    prior = real.once("mode prior", lambda: posterior(real.bank).mean(axis=0))
    shares = real.once("mode shares", lambda: class_shares(posterior(real.bank), prior))
    gap = class_shares(posterior(comparison.generated.bank), prior) - shares
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
        evidence = weights @ shares
        inverse = np.divide(1, evidence, out=np.zeros_like(evidence), where=evidence > 1e-200)
        shares = shares * (weights.T @ inverse) / len(weights)
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
    same within the predicted classes of each coarser level. A class is shown by more samples than
    the classifier's own mistakes explain (`presence.present_classes`).
    """
    setting = comparison.setting
    classes = setting.taxonomy.classes
    levels = setting.levels[1:]
    modes = classes[setting.levels[0]] if setting.levels else tuple(map(str, range(CLUSTERS)))
    names = {"mode_diversity": modes}
    names |= {f"superclass_diversity/{level}": classes[level] for level in levels}
    shows: list[Callable[[SampleSet], np.ndarray]]
    shows = [setting.shown_modes, *(partial(setting.shown, level) for level in levels)]
    values, details, notes = {}, {}, []
    for (key, known), show in zip(names.items(), shows, strict=True):
        ratios = _ratios(comparison, key, show, known)
        if ratios:
            values[key], details[key] = float(np.mean(list(ratios.values()))), ratios
        if absent := [name for name in known if name not in ratios]:
            notes.append(
                f"{key} is over {len(ratios)} of {len(known)} {setting.mode_noun}: the real data "
                f"show no variety of {listed(absent)}, or no more samples than would be mistakes"
            )
    return Outcome(values, details, notes)


def _ratios(
    comparison: Comparison,
    key: str,
    show: Callable[[SampleSet], np.ndarray],
    names: Sequence[str],
) -> dict[str, float]:
    """Spread within each class that the reference shows, generated over real; 0 where none is."""

    def spread(judged: SampleSet) -> np.ndarray:
        seed = comparison.setting.seed
        return within_class_distances(judged.features, show(judged), len(names), seed)

    real = comparison.reference
    usual = real.once(("spread", key), lambda: spread(real))
    return {
        name: float(ours / theirs) if np.isfinite(ours) else 0.0
        for name, ours, theirs in zip(names, spread(comparison.generated), usual, strict=True)
        if np.isfinite(theirs) and theirs > 0
    }


def within_class_distances(
    features: np.ndarray, classes: np.ndarray, count: int, seed: int = 0
) -> np.ndarray:
    """Mean Euclidean distance of random pairs within each class.

    Args:
        features: float [N, D].
        classes: int64 [N] in [0, count), -1 for samples of no class.
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
        result[index] = np.linalg.norm(gaps, axis=1).mean(dtype=np.float64)
    return result
