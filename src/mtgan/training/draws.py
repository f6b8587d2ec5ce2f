"""What a phase of a GAN is given: real samples where it needs them, and random inputs."""

from dataclasses import dataclass
from functools import partial

import torch

from mtgan.recipes.schema import Latent
from mtgan.training.batches import Batch, BatchLoader, RandomInputs, draw_inputs
from mtgan.training.mixture import Move
from mtgan.training.phases import Phase
from mtgan.training.requests import Requests
from mtgan.training.seeds import mix_seed


@dataclass(frozen=True)
class Draws:
    """Draws batch and random inputs of every move, as a function of the seed, the phase and the
    iteration. one_latent: all moves of an iteration get the same z."""

    loader: BatchLoader
    requests: Requests
    latent: Latent
    seed: int
    device: torch.device
    one_latent: bool = False

    def __call__(
        self, phase: Phase, iteration: int, repeat: int
    ) -> tuple[Batch | None, RandomInputs]:
        if (given := phase.given) is not None:
            phase, repeat = given, given.repeats - 1
        generator = torch.Generator().manual_seed(
            mix_seed(self.seed, phase.name, iteration, repeat)
        )
        latent_generator = None
        if self.one_latent:
            seed = mix_seed(self.seed, "latents", iteration)
            latent_generator = torch.Generator().manual_seed(seed)
        turn = (iteration // phase.every) * phase.repeats + repeat
        move = Move(phase.name, turn, iteration, phase.own_level)
        batch: Batch | None = None
        if phase.needs_real:
            batch = self.loader.batch(move, phase.batch_size, generator, phase.vicinal)
        inputs = draw_inputs(
            phase.batch_size,
            self.latent.dim,
            self.latent.distribution,
            self.requests,
            generator,
            self.device,
            partial(self.loader.draw_labels, move, phase.needs_real, vicinal=phase.vicinal),
            latent_generator,
        )
        return batch, inputs
