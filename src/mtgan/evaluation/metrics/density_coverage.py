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

from dataclasses import dataclass

from mtgan.evaluation.metrics.distances import TIE, PairwisePass, pairwise_pass
from mtgan.evaluation.metrics.inputs import Array


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
