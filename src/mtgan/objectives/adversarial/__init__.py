"""Adversarial losses, one file each, found by their presence in this folder.

Every function takes scores [N] before any squashing (logits for the losses that speak of
probabilities, critic values for the Wasserstein ones) and returns a scalar to *minimize*.
Shapes: N is the batch size; real and fake batches are of equal size in the discriminator's loss.
Some discriminator's losses take weights [2, N] of real and fake samples (CcGAN, Ding et al. 2021).
"""

from mtgan.objectives.adversarial.base import (
    AdversarialObjective,
    distance_estimate,
    log_loss_ratio,
)

__all__ = ["AdversarialObjective", "distance_estimate", "log_loss_ratio"]
