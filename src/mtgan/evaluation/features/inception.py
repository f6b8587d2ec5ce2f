"""The Inception network of the original FID, from its published weight file.

Only numbers made in this space may be called FID. The network is the one that TensorFlow released
on 2015-12-05 (1008 outputs), not the later ImageNet one: its average pools leave the border out of
the mean, and its last block pools by the maximum. Pixels are resized to 299 x 299 as TensorFlow 1
did (bilinear, corner to corner without half-pixel centers) and scaled by (x - 128) / 128.

Sources: Szegedy et al. 2016, arXiv 1512.00567 (architecture); Heusel et al. 2017,
arXiv 1706.08500 (FID); weights in the layout of pytorch-fid and torch-fidelity.

Legend: n images, H x W pixels, D = 2048 features (pool3), K = 1008 outputs.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtgan.errors import UserError
from mtgan.evaluation.cache import cache_dir
from mtgan.evaluation.features.base import FeatureExtractor, FeatureRequest, register_features
from mtgan.evaluation.features.imagenet_lite import as_rgb
from mtgan.files import require_file
from mtgan.files.download import download_file, file_checksum

ADDRESS = (
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth"
)
_FILE = ADDRESS.rpartition("/")[2]
CHECKSUM = "sha256:6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
SIDE = 299
OUTPUTS = 1008

Kernel = int | tuple[int, int]
Pool = Callable[[Tensor], Tensor]


def _mean_pool(maps: Tensor) -> Tensor:
    return F.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)


def _max_pool(maps: Tensor) -> Tensor:
    return F.max_pool2d(maps, 3, stride=1, padding=1)


def _shrink_pool(maps: Tensor) -> Tensor:
    return F.max_pool2d(maps, 3, stride=2)


class Convolution(nn.Module):
    """Convolution without bias, batch norm (epsilon 0.001), ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, padded: bool = True
    ) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if padded else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, maps: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(maps)), inplace=True)


class Mixed(nn.Module):
    """Branches side by side, concatenated.

    Args:
        inputs: Channels in.
        branches: Each a list of steps, one after the other: a pool (a function), a convolution
            (name, channels out, kernel[, stride 2]), or a list of convolutions that all read the
            same input and are concatenated. Convolutions of stride 2 have no padding.
    """

    def __init__(self, inputs: int, branches: list[list]) -> None:
        super().__init__()
        self.branches: list[list[Pool | list[str]]] = []
        self.outputs = 0
        for steps in branches:
            width, plan = inputs, []
            for step in steps:
                if callable(step):
                    plan.append(step)
                    continue
                fork = step if isinstance(step, list) else [step]
                for name, outputs, kernel, *strides in fork:
                    stride = strides[0] if strides else 1
                    module = Convolution(width, outputs, kernel, stride, padded=stride == 1)
                    self.add_module(name, module)
                plan.append([name for name, *_ in fork])
                width = sum(outputs for _, outputs, *_ in fork)
            self.branches.append(plan)
            self.outputs += width

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([self._follow(plan, maps) for plan in self.branches], dim=1)

    def _follow(self, plan: list[Pool | list[str]], maps: Tensor) -> Tensor:
        for step in plan:
            if callable(step):
                maps = step(maps)
            else:
                maps = torch.cat([self.get_submodule(name)(maps) for name in step], dim=1)
        return maps


def _grid35(pooled: int) -> list[list]:
    return [
        [("branch1x1", 64, 1)],
        [("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)],
        [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)],
        [_mean_pool, ("branch_pool", pooled, 1)],
    ]


def _shrink35() -> list[list]:
    return [
        [("branch3x3", 384, 3, 2)],
        [("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3, 2)],
        [_shrink_pool],
    ]


def _grid17(width: int) -> list[list]:
    row, column = (1, 7), (7, 1)
    return [
        [("branch1x1", 192, 1)],
        [("branch7x7_1", width, 1), ("branch7x7_2", width, row), ("branch7x7_3", 192, column)],
        [
            ("branch7x7dbl_1", width, 1),
            ("branch7x7dbl_2", width, column),
            ("branch7x7dbl_3", width, row),
            ("branch7x7dbl_4", width, column),
            ("branch7x7dbl_5", 192, row),
        ],
        [_mean_pool, ("branch_pool", 192, 1)],
    ]


def _shrink17() -> list[list]:
    return [
        [("branch3x3_1", 192, 1), ("branch3x3_2", 320, 3, 2)],
        [
            ("branch7x7x3_1", 192, 1),
            ("branch7x7x3_2", 192, (1, 7)),
            ("branch7x7x3_3", 192, (7, 1)),
            ("branch7x7x3_4", 192, 3, 2),
        ],
        [_shrink_pool],
    ]


def _grid8(pool: Pool) -> list[list]:
    return [
        [("branch1x1", 320, 1)],
        [
            ("branch3x3_1", 384, 1),
            [("branch3x3_2a", 384, (1, 3)), ("branch3x3_2b", 384, (3, 1))],
        ],
        [
            ("branch3x3dbl_1", 448, 1),
            ("branch3x3dbl_2", 384, 3),
            [("branch3x3dbl_3a", 384, (1, 3)), ("branch3x3dbl_3b", 384, (3, 1))],
        ],
        [pool, ("branch_pool", 192, 1)],
    ]


_MIXED: dict[str, list[list]] = {
    "Mixed_5b": _grid35(32),
    "Mixed_5c": _grid35(64),
    "Mixed_5d": _grid35(64),
    "Mixed_6a": _shrink35(),
    "Mixed_6b": _grid17(128),
    "Mixed_6c": _grid17(160),
    "Mixed_6d": _grid17(160),
    "Mixed_6e": _grid17(192),
    "Mixed_7a": _shrink17(),
    "Mixed_7b": _grid8(_mean_pool),
    "Mixed_7c": _grid8(_max_pool),
}


class Inception2015(nn.Module):
    """The network of the original FID; its state dict has the published file's names."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, 3, stride=2, padded=False)
        self.Conv2d_2a_3x3 = Convolution(32, 32, 3, padded=False)
        self.Conv2d_2b_3x3 = Convolution(32, 64, 3)
        self.Conv2d_3b_1x1 = Convolution(64, 80, 1)
        self.Conv2d_4a_3x3 = Convolution(80, 192, 3, padded=False)
        width = 192
        for name, branches in _MIXED.items():
            block = Mixed(width, branches)
            self.add_module(name, block)
            width = block.outputs
        self.fc = nn.Linear(width, OUTPUTS)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """float [n, 3, 299, 299] -> features [n, 2048], logits without bias [n, 1008].

        The inception score of the field leaves the last bias away; so do these logits.
        """
        maps = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        maps = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(_shrink_pool(maps)))
        maps = _shrink_pool(maps)
        for name in _MIXED:
            maps = self.get_submodule(name)(maps)
        features = maps.mean(dim=(2, 3))
        return features, features @ self.fc.weight.T


def resize_like_tensorflow1(images: Tensor, side: int = SIDE) -> Tensor:
    """Bilinear resize without half-pixel centers: output pixel i reads position i * H / side.

    Args:
        images: float [n, C, H, W].
        side: Height and width of the result.

    Returns:
        float [n, C, side, side].
    """
    rows, columns = (_interpolation(length, side, images) for length in images.shape[2:])
    return rows @ images @ columns.T


def _interpolation(length: int, side: int, like: Tensor) -> Tensor:
    """The matrix [side, length] that interpolates one axis."""
    position = torch.arange(side, dtype=torch.float32, device=like.device) * (length / side)
    low = position.floor().long().clamp(max=length - 1)
    high = (low + 1).clamp(max=length - 1)
    share = (position - low).unsqueeze(1)
    eye = torch.eye(length, device=like.device)
    return eye[low] * (1 - share) + eye[high] * share


class InceptionFeatures(FeatureExtractor):
    """Pool3 of the 2015 Inception network: the space of published FIDs."""

    name = "inception"
    preprocess = f"TensorFlow-1 bilinear resize to {SIDE} x {SIDE}, (x - 128) / 128, grey repeated"
    dim = 2048
    batch = 16
    logit_levels = ("imagenet-2015",)

    def __init__(self, network: Inception2015, weights: str, device: torch.device) -> None:
        self.network = network.to(device).eval()
        self.weights = weights
        self.device = device
        if device.type != "cpu":
            self.batch = 128

    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        pixels = resize_like_tensorflow1(as_rgb(images.to(self.device)).float())
        features, logits = self.network(pixels.sub(128).div(128))
        return features, {"imagenet-2015": logits}


@register_features("inception")
def build(request: FeatureRequest) -> FeatureExtractor:
    """The network with its published weights: from `weights`, the cache, or a download."""
    path = request.weights or published_weights(request.progress)
    require_file(path, f"the weight file ({_FILE})")
    try:
        content = path.read_bytes()
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = Inception2015()
        network.load_state_dict(state, strict=False)
        missing = set(network.state_dict()) - set(state)
    except Exception as error:
        raise UserError(
            f"{path} does not hold the weights of the 2015 Inception network "
            f"({type(error).__name__}): give the path of {_FILE}"
        ) from error
    if absent := {name for name in missing if not name.endswith("num_batches_tracked")}:
        raise UserError(
            f"{path} lacks {len(absent)} of the 2015 Inception network's tensors, "
            f"{sorted(absent)[0]} among them: give the path of {_FILE}"
        )
    return InceptionFeatures(network, hashlib.sha256(content).hexdigest()[:16], request.device)


def published_weights(progress: Callable[[str], None] = lambda message: None) -> Path:
    """The path of the published file in the cache; downloaded where it is not there as a whole.

    Raises:
        UserError: No network, a damaged download, a cache that cannot be written.
    """
    path = cache_dir("weights") / _FILE
    if path.is_file() and file_checksum(path, CHECKSUM) == CHECKSUM:
        return path
    progress(f"downloading {_FILE} (96 MB, once)")
    try:
        download_file(ADDRESS, path, CHECKSUM)
    except ConnectionError as error:
        raise UserError(
            f"the weights of the 2015 Inception network cannot be downloaded ({error}): fetch "
            f"{ADDRESS} on another machine and give its path with --weights, or choose "
            "--features classifier, imagenet-lite or pixels"
        ) from error
    return path
