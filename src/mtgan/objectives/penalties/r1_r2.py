"""A gradient of zero on real and on generated samples (Mescheder et al. 2018; R3GAN)."""

from mtgan.objectives.penalties.base import Penalty
from mtgan.objectives.penalties.r1 import zero_centered_penalty
from mtgan.parts import PENALTIES

PENALTIES.register("r1-r2")(
    Penalty(
        lambda score, real, fake, epsilon: {
            "r1": zero_centered_penalty(score, real),
            "r2": zero_centered_penalty(score, fake),
        },
        differentiates_score=True,
    )
)
