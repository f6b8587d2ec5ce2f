"""Raw pixels as features: no network, no opinion; also what works without any weights."""

import math

import torch
from torch import Tensor

from mtgan.evaluation.features.base import FeatureExtractor, FeatureRequest, register_features


class PixelFeatures(FeatureExtractor):
    """Pixels, flattened and scaled to [0, 1]: D = C*H*W.

    Distances between pixels follow brightness and position and see little of what a picture
    shows; means, copies and noise they see well.
    """

    name = "pixels"
    preprocess = "pixels scaled to [0, 1] at native size, flattened"
    cacheable = False
    batch = 1024

    def __init__(self, dim: int, device: torch.device) -> None:
        self.dim, self.device = dim, device
        self.about = {}

    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return images.to(self.device).flatten(1).float().div(255), {}


@register_features("pixels")
def build(request: FeatureRequest) -> FeatureExtractor:
    """Pixels as they are."""
    return PixelFeatures(math.prod(request.reference.samples.shape[1:]), request.device)
