"""Building blocks and backbones; no training knowledge."""

from mtgan.nets import backbones as _register_all
from mtgan.nets.augmentation import AUGMENTATIONS, augment
from mtgan.nets.backbone import BACKBONES, DiscriminatorSettings, GeneratorSettings
from mtgan.nets.initialization import INITIALIZATIONS, initialize
from mtgan.nets.normalization import NORMALIZATIONS
from mtgan.nets.players import (
    Classifier,
    Discriminator,
    DiscriminatorOutput,
    Generator,
    HeadSpec,
    Labels,
)

__all__ = [
    "AUGMENTATIONS",
    "BACKBONES",
    "INITIALIZATIONS",
    "NORMALIZATIONS",
    "Classifier",
    "Discriminator",
    "DiscriminatorOutput",
    "DiscriminatorSettings",
    "Generator",
    "GeneratorSettings",
    "HeadSpec",
    "Labels",
    "augment",
    "initialize",
]
del _register_all
