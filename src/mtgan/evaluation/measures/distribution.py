"""Distances between the two distributions of features."""

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.measures.base import Outcome, Output, measure
from mtgan.evaluation.metrics.frechet import frechet_from_statistics
from mtgan.evaluation.metrics.frechet_infinity import frechet_infinity as extrapolated
from mtgan.evaluation.metrics.kernel import kernel_distance_from_pass
from mtgan.evaluation.metrics.sliced_wasserstein import sliced_wasserstein as sliced


@measure(Output("frechet_distance", "lower", "distribution", "distance"))
def frechet_distance(comparison: Comparison) -> Outcome:
    """Frechet distance of Gaussians fitted to the features; FID when they are Inception's."""
    mine, theirs = comparison.generated.statistics, comparison.reference.statistics
    return Outcome({"frechet_distance": frechet_from_statistics(mine, theirs)})


@measure(Output("kernel_distance", "lower", "distribution", "distance"))
def kernel_distance(comparison: Comparison) -> Outcome:
    """Unbiased squared maximum mean discrepancy under a cubic kernel; KID on Inception."""
    return Outcome({"kernel_distance": kernel_distance_from_pass(comparison.pairs)})


@measure(Output("frechet_infinity", "lower"), resampled=False)
def frechet_infinity(comparison: Comparison) -> Outcome:
    """Frechet distance, extrapolated to infinitely many samples on both sides."""
    found = extrapolated(
        comparison.generated.points,
        comparison.reference.points,
        seed=comparison.setting.seed,
    )
    return Outcome({"frechet_infinity": found.value})


@measure(Output("sliced_wasserstein", "lower"), resampled=False)
def sliced_wasserstein(comparison: Comparison) -> Outcome:
    """Squared Wasserstein distance averaged over random directions: no Gaussian, no kernel."""
    value = sliced(
        comparison.generated.points,
        comparison.reference.points,
        seed=comparison.setting.seed,
    )
    return Outcome({"sliced_wasserstein": value})
