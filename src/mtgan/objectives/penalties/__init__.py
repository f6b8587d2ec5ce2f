"""Penalties that keep the discriminator smooth, one file each, found by their presence here."""

from mtgan.objectives.penalties.base import Penalty, input_gradient

__all__ = ["Penalty", "input_gradient"]
