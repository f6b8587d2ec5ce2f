"""Samples of a game's averaged generators."""

import copy

import numpy as np
import torch

from mtgan.data.pixels import to_bytes
from mtgan.training.batches import columns
from mtgan.training.game import Game


@torch.no_grad()
def generate(
    game: Game,
    latents: torch.Tensor,
    rows: torch.Tensor,
    batch_size: int = 250,
    device: torch.device | None = None,
    twin: str | None = None,
) -> np.ndarray:
    """uint8 [N, C, H, W] from the averaged generator for latents [N, Z] and label rows [N, L].

    device: where it is computed; where the generator lies when left out. twin: by its name in the
    recipe; the main one when left out.
    """
    generator = game.averaged(twin)
    if device is not None and device != next(generator.parameters()).device:
        generator = copy.deepcopy(generator).to(device)
    device = next(generator.parameters()).device
    parts = []
    for z, y in zip(latents.split(batch_size), rows.split(batch_size), strict=True):
        labels = columns(y.to(device), game.dataset_info.taxonomy.levels)
        samples = generator(z.to(device), labels)
        parts.append(to_bytes(samples).cpu())
    return torch.cat(parts).numpy()
