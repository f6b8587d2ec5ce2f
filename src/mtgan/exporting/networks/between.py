"""The averaged generator, its labels anywhere on the way from one to another."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.exporting.base import NETWORKS, Export, Program
from mtgan.exporting.examples import draw
from mtgan.exporting.networks.generator import FromLatents, generator_program, label_inputs
from mtgan.nets.between import between_labels


class BetweenLabels(FromLatents):
    """(latents [N, Z], label inputs, the same of the other end, share [N]) to samples
    [N, C, H, W]."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor]:
        latents, *told, share = inputs
        half = len(told) // 2
        first, second = (self.labels.read(part, latents) for part in (told[:half], told[half:]))
        with between_labels(self.generator, second, share):
            return self.samples(latents, first)


@NETWORKS.register("between")
def between(asked: Export) -> Program:
    """`image` of `z`, labels, the labels `label_to` and `number_to`, and `share`: 0 has the first
    labels, 1 the second, and in between every code of labels is interpolated."""
    labels = label_inputs(asked)
    facts = labels.facts()
    if not facts:
        raise UserError(
            f"Recipe {asked.model.recipe.name} trains a generator without labels, so there is "
            "nothing between them; export the part generator."
        )
    added: dict[str, Any] = {f"{name}_to": value for name, value in facts.items()}
    added["share"] = {"type": "float32", "shape": ["N"], "low": 0.0, "high": 1.0}

    def example(count: int) -> Sequence[Tensor]:
        latents, rows = draw(asked, count)
        share = torch.linspace(0, 1, count)
        return (latents, *labels.tensors(rows), *labels.tensors(rows.flip(0)), share)

    return generator_program(asked, BetweenLabels, added, example)
