"""What a phase of a GAN is given: real samples where it needs them, and noise."""

from dataclasses import dataclass
from functools import partial

import torch

from mtgan.recipes.schema import Latent
from mtgan.training.batches import Batch, Feed, Noise, draw_noise, mix_seed
from mtgan.training.phases import Phase
from mtgan.training.requests import Requests


@dataclass(frozen=True)
class Draws:
    """Draws batch and noise of every move, as a function of the seed, the phase and the
    iteration."""

    feed: Feed
    requests: Requests
    latent: Latent
    seed: int
    device: torch.device

    def __call__(self, phase: Phase, iteration: int, repeat: int) -> tuple[Batch | None, Noise]:
        generator = torch.Generator().manual_seed(
            mix_seed(self.seed, phase.name, iteration, repeat)
        )
        turn = (iteration // phase.every) * phase.repeats + repeat
        batch: Batch | None = None
        if phase.needs_real:
            batch = self.feed.batch(phase.name, turn, phase.batch_size, generator)
        noise = draw_noise(
            phase.batch_size,
            self.latent.dim,
            self.latent.distribution,
            self.requests,
            generator,
            self.device,
            partial(self.feed.draw_labels, phase.name, turn, phase.needs_real),
        )
        return batch, noise
