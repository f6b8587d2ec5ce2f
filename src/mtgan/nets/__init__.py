"""Building blocks and backbones; no training knowledge."""

from mtgan.nets.augmentation import augment
from mtgan.nets.backbone import DiscriminatorSettings, GeneratorSettings
from mtgan.nets.evaluating import evaluating
from mtgan.nets.initialization import initialize
from mtgan.nets.networks import (
    Classifier,
    Discriminator,
    DiscriminatorOutput,
    Generator,
    Labels,
)
from mtgan.nets.task_head import HeadOutput, HeadSpec, SumSpec
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
    "HeadOutput",
    "HeadSpec",
    "Labels",
    "SumSpec",
    "augment",
    "evaluating",
    "initialize",
]
