"""The averaged generator, from whose weights samples are drawn."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mtgan.data.domains.base import domain_to_dict
from mtgan.data.pixels import to_bytes
from mtgan.exporting.base import NETWORKS, Export, Program
from mtgan.exporting.examples import draw, still
from mtgan.exporting.labels import LabelInputs
from mtgan.nets import Generator


class FromLatents(nn.Module):
    """(latents [N, Z], label inputs) to samples [N, C, H, W]: uint8, or float32 in [-1, 1]."""

    def __init__(self, generator: nn.Module, labels: LabelInputs, floats: bool) -> None:
        super().__init__()
        self.generator, self.labels, self.floats = generator, labels, floats

    def forward(self, *inputs: Tensor) -> tuple[Tensor]:
        latents, *told = inputs
        samples = self.generator(latents, self.labels.read(told, latents))
        return (samples if self.floats else to_bytes(samples),)


def label_inputs(generator: Generator, asked: Export) -> LabelInputs:
    """What this generator is told, as inputs."""
    info = asked.model.game(asked.step).dataset_info
    return LabelInputs(info, generator.told(), generator.levels)


@NETWORKS.register("generator")
def generator(asked: Export) -> Program:
    """`image` of `z` and labels; samples of one domain are its canvases."""
    model = asked.model
    game = model.game(asked.step)
    own, latent = game.averaged(model.twin_name), model.recipe.latent
    labels, info = label_inputs(own, asked), model.dataset_info
    original = FromLatents(own, labels, asked.floats)

    def example(count: int) -> tuple[Tensor, ...]:
        latents, rows = draw(asked, count)
        return (latents, *labels.tensors(rows))

    @torch.no_grad()
    def expected(inputs: Sequence[Tensor]) -> list[np.ndarray]:
        return [made.numpy() for made in original(*inputs)]

    kind = "float32" if asked.floats else "uint8"
    law = {"normal": "normal, mean 0, variance 1", "uniform": "uniform on [-1, 1)"}
    z = {"type": "float32", "shape": ["N", latent.dim], "law": law[latent.distribution]}
    image = {"type": kind, "shape": ["N", *info.shape]}
    if info.domains:
        image["domains"] = [domain_to_dict(domain) for domain in info.domains]
    return Program(
        FromLatents(still(own), labels, asked.floats),
        {"z": z, **labels.facts()},
        {"image": image},
        example,
        expected,
    )
