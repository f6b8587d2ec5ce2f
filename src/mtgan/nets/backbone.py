"""What a backbone is: the layers between the latent and the image, and between image and heads.

A backbone is registered under the name that recipes use, in a file of its own. Its layers are
lists, since sharing and bifurcation speak of first and last layers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from mtgan.nets.fast import LeakyReLU
from mtgan.parts import NORMALIZATIONS

Shape = tuple[int, int, int]  # C, H, W


@dataclass(frozen=True)
class Settings:
    """What a backbone needs to know to build layers: a recipe's part, and facts of the data."""

    @classmethod
    def of(cls, part: Any, **others: Any) -> Self:
        """Those keys of a recipe's part (mtgan.recipes.schema) that are settings, and others."""
        keys = {field.name for field in fields(cls)} & type(part).model_fields.keys()
        return cls(**{key: getattr(part, key) for key in keys}, **others)


@dataclass(frozen=True)
class GeneratorSettings(Settings):
    """What a backbone needs to know to build a generator's layers."""

    shape: Shape  # of a sample
    inputs: int  # length of the vector that the first layer takes
    width: int
    kernel: int
    normalization: str
    # Of the conditional normalization, where there is one; where that takes an embedding of the
    # labels, its length.
    classes: int = 0
    output: str = "tanh"  # kind of the last layer; see mtgan.nets.outputs
    # For each class of the conditioning level, its domain's number of tokens, 0 for pixels.
    vocabularies: tuple[int, ...] = ()
    # How resolutions are doubled (mtgan.nets.upsampling); None: as the backbone's source does.
    upsampling: str | None = None
    last_normalization: str | None = None  # before the last layer; None: as the others
    stem_normalization: str = "per-channel"  # or per-feature: of each output of the dense layer
    latent: int = 0  # how many of the inputs, the first ones, are the latent; 0: all
    # Self-attention over the largest map of at most so many pixels on its shorter side; None: none.
    attention: int | None = None
    # Whether the layers will be put under spectral normalization once they are made.
    spectral_norm: bool = False

    def normalize(self, channels: int) -> nn.Module:
        return NORMALIZATIONS.get(self.normalization)(channels, self.classes)

    def normalize_last(self, channels: int) -> nn.Module:
        return NORMALIZATIONS.get(self.last_normalization or self.normalization)(
            channels, self.classes
        )


@dataclass(frozen=True)
class DiscriminatorSettings(Settings):
    """What a backbone needs to know to build a discriminator's or a classifier's layers."""

    shape: Shape
    width: int
    kernel: int
    normalization: str = "none"
    normalize_first_layer: bool = False
    dropout: float = 0.0
    activation_noise: float = 0.0
    attention: int | None = None  # as of GeneratorSettings
    spectral_norm: bool = False

    def normalize(self, channels: int) -> nn.Module:
        return NORMALIZATIONS.get(self.normalization)(channels, 0)

    def bound(self, layer: nn.Module) -> nn.Module:
        """The layer, under spectral normalization (Miyato et al. 2018) where that is asked for."""
        return parametrizations.spectral_norm(layer) if self.spectral_norm else layer

    def activate(self, slope: float = 0.2) -> nn.Module:
        """LeakyReLU, then activation noise and dropout where asked for."""
        parts: list[nn.Module] = [LeakyReLU(slope)]
        if self.activation_noise:
            parts.append(GaussianNoise(self.activation_noise))
        if self.dropout:
            parts.append(nn.Dropout(self.dropout))
        return nn.Sequential(*parts) if len(parts) > 1 else parts[0]


def bound_all(layers: Sequence[nn.Module]) -> None:
    """Put every convolution and linear layer in them under spectral normalization, in place; in a
    generator it helps as in a discriminator (Zhang et al. 2019, SAGAN, section 4.1)."""
    inner = [module for layer in layers for module in layer.modules()]
    for module in inner:
        if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
            parametrizations.spectral_norm(module)


class Backbone(Protocol):
    """generator layers: forward(x, y), the first from [N, inputs], the last to [N, C, H, W] in
    [-1, 1]; discriminator layers: forward(x), from [N, C, H, W] to [N, *features].

    What else it can do or needs it says by its attributes; see BACKBONES in mtgan.parts.
    """

    def check_shape(self, shape: Shape) -> None:
        """UserError where samples of this shape cannot be made."""

    def generator_layers(self, settings: GeneratorSettings) -> list[nn.Module]: ...

    def discriminator_layers(self, settings: DiscriminatorSettings) -> list[nn.Module]: ...

    def feature_count(self, settings: DiscriminatorSettings) -> int:
        """Number of features per sample after the last discriminator layer."""


class RowByRow(nn.Module):
    """The one generator layer of a backbone that is `autoregressive`."""

    def teacher_forcing(self, x: Tensor, y: Tensor | None, real: Tensor) -> Tensor:
        """Mean cross-entropy of the rows of real strings [N, 1, L, V], each predicted from those
        before it; x and y are what forward takes."""
        raise NotImplementedError(f"{type(self).__name__} does not predict rows of real strings")


class GaussianNoise(nn.Module):
    """Adds N(0, sigma^2) noise while training (Salimans et al. 2016; thesis 4.0.5, change 7)."""

    def __init__(self, sigma: float) -> None:
        super().__init__()
        self.sigma = sigma

    def forward(self, x: Tensor) -> Tensor:
        return x + self.sigma * torch.randn_like(x) if self.training else x
