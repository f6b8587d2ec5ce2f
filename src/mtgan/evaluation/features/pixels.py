"""Raw pixels as features: no network, no opinion; also what works without any weights."""

import math

import numpy as np
import torch
from torch import Tensor

from mtgan.evaluation.cache import tensors_digest
from mtgan.evaluation.features.base import FeatureExtractor, FeatureRequest, register_features

COMPONENTS = 64
FITTED = 10_000


class PixelFeatures(FeatureExtractor):
    """Pixels, flattened and scaled to [0, 1]: D = C*H*W.

    Distances between pixels follow brightness and position and see little of what a picture
    shows; means, copies and noise they see well.
    """

    name = "pixels"
    preprocess = "pixels scaled to [0, 1] at native size, flattened"
    cacheable = False
    sees_content = False
    batch = 1024

    def __init__(self, dim: int, device: torch.device) -> None:
        self.dim, self.device = dim, device

    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return images.to(self.device).flatten(1).float().div(255), {}


class PrincipalPixels(PixelFeatures):
    """Pixels projected onto the principal axes of the training images: D = 64 at most.

    Frechet distances of fewer samples than pixels are mostly bias; in 64 dimensions a thousand
    samples are enough.
    """

    name = "pixels-pca"
    batch = 4096

    def __init__(self, images: Tensor, device: torch.device) -> None:
        super().__init__(0, device)
        pixels = super().embed(images)[0].double()
        self.mean = pixels.mean(dim=0)
        centered = pixels - self.mean
        _, vectors = torch.linalg.eigh(centered.T @ centered / len(pixels))
        self.axes = vectors.flip(1)[:, :COMPONENTS]
        self.dim = self.axes.shape[1]
        self.preprocess = f"{PixelFeatures.preprocess}, {self.dim} principal axes"
        self.weights = tensors_digest({"mean": self.mean, "axes": self.axes})

    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        pixels, logits = super().embed(images)
        return ((pixels.double() - self.mean) @ self.axes).float(), logits


@register_features("pixels")
def build(request: FeatureRequest) -> FeatureExtractor:
    """Pixels as they are."""
    request.refuse_weights()
    return PixelFeatures(math.prod(request.reference.samples.shape[1:]), request.device)


@register_features("pixels-pca")
def build_principal(request: FeatureRequest) -> FeatureExtractor:
    """Principal axes of (at most 10,000 of) the reference's images."""
    request.refuse_weights()
    samples = request.reference.samples
    rows = np.sort(np.random.default_rng(0).permutation(len(samples))[:FITTED])
    return PrincipalPixels(torch.from_numpy(np.array(samples[rows])), request.device)
