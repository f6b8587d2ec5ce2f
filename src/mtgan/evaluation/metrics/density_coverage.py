"""Density and coverage.

Definition (Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models",
equations 4 and 5), with B the open ball around a reference point x with the radius of its k-th
nearest other reference point: density is the number of pairs (sample, ball) in which the ball
holds the sample, over k M; coverage is the share of reference points whose ball holds a sample.
The paper takes k = 5 and 10,000 points of each set.

Range: density [0, inf), coverage [0, 1]; higher is better. No units. Two sets of the same
distribution give density 1 and coverage near 1 - 2^-k at equal N (0.969 at k = 5).

Pitfalls: density *rewards* blur (2.3 was measured), so only its shortfall from real data counts;
coverage depends on N, M and k.
"""

import math
from dataclasses import dataclass

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array
from mtgan.evaluation.pairwise.blocks import TIE
from mtgan.evaluation.pairwise.pairs import PairwisePass, pairwise_pass


@dataclass(frozen=True)
class DensityCoverage:
    """Density in [0, inf), coverage in [0, 1]."""

    density: float
    coverage: float


def density_coverage_from_pass(passed: PairwisePass, k: int = 5) -> DensityCoverage:
    """Density and coverage of sets whose pairs were passed over for this k."""
    held = passed.counts(k).samples_open
    radii = passed.reference.radii(k).square() * (1 - TIE)
    covered = passed.reference_distances.square() < radii
    return DensityCoverage(
        density=float(held.sum()) / (k * len(held)), coverage=float(covered.double().mean())
    )


def density_coverage(samples: Array, reference: Array, k: int = 5) -> DensityCoverage:
    """Density and coverage of `samples` [M, D] against `reference` [N, D].

    Raises UserError for NaN, for different D, and for sets of fewer than k + 1 points.
    """
    return density_coverage_from_pass(pairwise_pass(samples, reference, k), k)


@register_metric(
    "density_coverage",
    Output("density", "like real", "fidelity", "two-sided", range=(0, math.inf)),
    Output("coverage", "higher", "diversity", "linear", range=(0, 1)),
    source="Naeem et al. 2020, k = 5",
    function=density_coverage,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Density and coverage, k = 5."""
    found = density_coverage_from_pass(comparison.pairs)
    return Outcome({"density": found.density, "coverage": found.coverage})
