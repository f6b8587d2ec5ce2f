"""Building blocks and backbones; no training knowledge."""

from mtgan.nets.augmentation import augment
from mtgan.nets.backbone import DiscriminatorSettings, GeneratorSettings
from mtgan.nets.initialization import initialize
from mtgan.nets.networks import (
    Classifier,
    Discriminator,
    DiscriminatorOutput,
    Generator,
    HeadSpec,
    Labels,
)
from mtgan.parts import AUGMENTATIONS, BACKBONES, HEADS, INITIALIZATIONS, NORMALIZATIONS

__all__ = [
    "AUGMENTATIONS",
    "BACKBONES",
    "HEADS",
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
