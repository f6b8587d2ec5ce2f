"""Mode loss, measured directly: are all classes there, as often as in real data?

Definition: the total variation distance between the class shares of samples and reference (shares
of clusters of the training features where there are no labels), as in the bins of Richardson &
Weiss 2018, arXiv 1805.12462. k of K equally common classes missing gives k / K. Shares are
estimated from class probabilities, so that a weak classifier's mistakes do not fill up a
missing class.

Distances between distributions hardly see lost modes: on CIFAR-10 half of the classes gone still
scores 0.98 between real data and noise. This does.

Range [0, 1], lower is better.
"""

import numpy as np

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric


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


def mode_imbalance(posterior: np.ndarray, reference_posterior: np.ndarray) -> float:
    """Half the gap between the class shares of samples and reference.

    Args:
        posterior: Class probabilities of the samples, float [M, K].
        reference_posterior: Of the reference, float [N, K], by the same classifier.
    """
    prior = reference_posterior.mean(axis=0)
    return _gap(posterior, prior, class_shares(reference_posterior, prior))


def _gap(posterior: np.ndarray, prior: np.ndarray, shares: np.ndarray) -> float:
    return float(np.abs(class_shares(posterior, prior) - shares).sum() / 2)


@register_metric(
    "mode_imbalance",
    Output("mode_imbalance", "lower", "modes", "linear", range=(0, 1)),
    source="after Richardson & Weiss 2018; Saerens et al. 2002",
    function=mode_imbalance,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Share of the samples in the wrong mode: half the gap between the shares of modes."""
    posterior, real = comparison.context.mode_posterior, comparison.reference
    prior = real.once("mode prior", lambda: posterior(real.bank).mean(axis=0))
    shares = real.once("mode shares", lambda: class_shares(posterior(real.bank), prior))
    gap = _gap(posterior(comparison.generated.bank), prior, shares)
    return Outcome({"mode_imbalance": gap})
