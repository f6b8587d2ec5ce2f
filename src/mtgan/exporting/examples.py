"""Inputs by which an export is compared with what mtgan makes of them."""

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn

from mtgan.exporting.base import Export
from mtgan.training.batches import draw_latents
from mtgan.training.generation import generate
from mtgan.training.seeds import mix_seed

Network = TypeVar("Network", bound=nn.Module)


def still(network: Network) -> Network:
    """A copy that is no longer trained, its weights laid out as other programs have them."""
    found = copy.deepcopy(network).eval().requires_grad_(False)
    return found.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


def draw(asked: Export, count: int) -> tuple[Tensor, Tensor]:
    """Latents [N, Z] and label rows [N, L], always the same for a count."""
    model, random = asked.model, torch.Generator().manual_seed(mix_seed(0, "export", count))
    latent = model.recipe.latent
    rows = model.asking(asked.step).draw(count, random)
    return draw_latents(count, latent.dim, latent.distribution, random), rows


def draw_images(asked: Export, count: int) -> tuple[Tensor, Tensor]:
    """Generated images uint8 [N, C, H, W] and their label rows [N, L]."""
    latents, rows = draw(asked, count)
    game = asked.model.game(asked.step)
    return torch.from_numpy(generate(game, latents, rows, twin=asked.model.twin_name)), rows
