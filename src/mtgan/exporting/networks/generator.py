"""The averaged generator, from whose weights samples are drawn."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mtgan.data.domains.base import domain_to_dict
from mtgan.data.pixels import to_bytes
from mtgan.exporting.base import NETWORKS, Export, Facts, Program
from mtgan.exporting.examples import draw, still
from mtgan.exporting.labels import LabelInputs
from mtgan.nets import Generator, Labels


class FromLatents(nn.Module):
    """(latents [N, Z], label inputs) to samples [N, C, H, W]: uint8, or float32 in [-1, 1]."""

    def __init__(self, generator: Generator, labels: LabelInputs, floats: bool) -> None:
        super().__init__()
        self.generator, self.labels, self.floats = generator, labels, floats

    def forward(self, *inputs: Tensor) -> tuple[Tensor]:
        latents, *told = inputs
        return self.samples(latents, self.labels.read(told, latents))

    def samples(self, latents: Tensor, labels: Labels) -> tuple[Tensor]:
        made = self.generator(latents, labels)
        return (made if self.floats else to_bytes(made),)


def label_inputs(asked: Export) -> LabelInputs:
    """What the generator is told, as inputs."""
    game = asked.model.game(asked.step)
    own = game.averaged(asked.model.twin_name)
    return LabelInputs(game.dataset_info, own.told(), own.levels)


@NETWORKS.register("generator")
def generator(asked: Export) -> Program:
    """`image` of `z` and labels; samples of one domain are its canvases."""
    labels = label_inputs(asked)

    def example(count: int) -> Sequence[Tensor]:
        latents, rows = draw(asked, count)
        return (latents, *labels.tensors(rows))

    return generator_program(asked, FromLatents, {}, example)


def generator_program(
    asked: Export,
    module: type[FromLatents],
    added: Mapping[str, Facts],
    example: Callable[[int], Sequence[Tensor]],
) -> Program:
    """The averaged generator as such a module; added: its inputs behind latents and labels."""
    model = asked.model
    own, latent = model.game(asked.step).averaged(model.twin_name), model.recipe.latent
    labels, info = label_inputs(asked), model.dataset_info
    original = module(own, labels, asked.floats)

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
        module(still(own), labels, asked.floats),
        {"z": z, **labels.facts(), **added},
        {"image": image},
        lambda count: tuple(example(count)),
        expected,
    )
