"""Two judges that stay as they are, so that figures of several versions compare.

`fixed-classifier` is the space `classifier` as it was when our tables of time to quality were
begun (commit 6f634aa): whatever becomes of that one, this file is its own definition. Beside it
stands `fixed-residual`, another architecture (residual blocks after He et al. 2016,
arXiv 1603.05027), which has the same data and the same schedule: a
generator that pleases one of them alone has learned the judge and not the data.

Both are trained on the training split of the reference, on all label levels at once, and kept in
the cache folder. Nothing here may change that changes the trained weights; what should be judged
otherwise gets a name of its own.

Legend: n images, C channels, H x W pixels, D = 128 features, K classes of one label level.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.evaluation.cache import (
    array_digest,
    cache_dir,
    digest,
    load_tensors,
    save_tensors,
    tensors_digest,
)
from mtgan.evaluation.features.base import FeatureExtractor, FeatureRequest, register_features
from mtgan.evaluation.features.fitness import judge_splits, label_levels

FEATURES, BATCH, EPOCHS = 128, 128, 6
FEWEST_STEPS, MOST_STEPS = 250, 900
RATE, DECAY, WARMING = 1e-2, 5e-4, 0.2


class _Judge(nn.Module):
    """A body [n, C, H, W] -> [n, 128, h, w], the mean over positions, a linear head per level."""

    def __init__(self, body: nn.Module, patch: int, classes: dict[str, int]) -> None:
        super().__init__()
        self.body, self.patch = body, patch
        self.heads = nn.ModuleList(nn.Linear(FEATURES, count) for count in classes.values())
        self.levels = tuple(classes)

    def forward(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """float [n, C, H, W] -> features [n, 128], logits {level: [n, K]}."""
        height, width = images.shape[2:]
        pad = (0, -width % self.patch, 0, -height % self.patch)
        if any(pad):
            images = F.pad(images, pad, mode="replicate")
        features = self.body(images).mean(dim=(2, 3))
        heads = zip(self.levels, self.heads, strict=True)
        return features, {level: head(features) for level, head in heads}


def _patch(size: tuple[int, int]) -> int:
    """Pixels a side that become channels: at most 16 positions a side are left."""
    patch = 2
    while min(size) > 16 * patch:
        patch *= 2
    return patch


def plain_judge(channels: int, size: tuple[int, int], classes: dict[str, int]) -> _Judge:
    """Space to depth, then three blocks of convolution, batch norm and ReLU."""
    patch = _patch(size)
    side = math.ceil(min(size) / patch)
    blocks: list[nn.Module] = [nn.PixelUnshuffle(patch)]
    inputs = channels * patch**2
    for index, outputs in enumerate((48, 64, FEATURES)):
        stride = 2 if index and side > 4 else 1
        convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)))
        inputs, side = outputs, math.ceil(side / stride)
    return _Judge(nn.Sequential(*blocks), patch, classes)


class _Residual(nn.Module):
    """A 1 x 1 convolution of x + two 3 x 3 ones, each after batch norm and SiLU."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.SiLU(),
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        )
        self.outer = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.outer(x) + self.inner(x)


def residual_judge(channels: int, size: tuple[int, int], classes: dict[str, int]) -> _Judge:
    """Three residual blocks after a strided convolution, the second and third halving the side."""
    patch = _patch(size)
    stem = nn.Conv2d(channels, 32, patch + 1, stride=patch, padding=patch // 2)
    blocks = [_Residual(32, 32, 1), _Residual(32, 64, 2), _Residual(64, FEATURES, 2)]
    return _Judge(nn.Sequential(stem, *blocks, nn.BatchNorm2d(FEATURES), nn.SiLU()), 1, classes)


Architecture = Callable[[int, tuple[int, int], dict[str, int]], _Judge]


def train_judge(
    architecture: Architecture,
    samples: np.ndarray,
    labels: np.ndarray,
    classes: dict[str, int],
    device: torch.device | str = "cpu",
    steps: int | None = None,
) -> _Judge:
    """A judge that has learned all label levels at once, in evaluation mode.

    AdamW under a one-cycle schedule for 6 epochs, at least 250 and at most 900 steps; the loss is
    the sum over levels of the mean cross-entropy; images are shifted by at most one pixel. Torch's
    global random state is left as it was.

    Args:
        architecture: `plain_judge` or `residual_judge`.
        samples: uint8 [N, C, H, W].
        labels: int64 [N, L], -1 where missing; columns in the order of `classes`.
        classes: Number of classes by level.
        device: Where to train.
        steps: Another number of steps, for tests.
    """
    usual = min(MOST_STEPS, max(FEWEST_STEPS, EPOCHS * len(samples) // BATCH))
    steps = steps or usual
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = architecture(samples.shape[1], samples.shape[2:], classes)
    network = network.to(device).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=steps, pct_start=WARMING
    )
    for rows, shift in _draws(len(samples), steps):
        images = to_floats(torch.from_numpy(_shifted(samples[rows], shift)).to(device))
        targets = torch.from_numpy(labels[rows]).to(device)
        _, logits = network(images)
        losses = [_loss(logits[level], targets[:, i]) for i, level in enumerate(classes)]
        optimizer.zero_grad(set_to_none=True)
        torch.stack(losses).sum().backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def _draws(count: int, steps: int) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """Rows and shift of every step: shuffled epochs, the last incomplete batch carried over."""
    random = np.random.default_rng(0)
    queue = np.empty(0, dtype=np.int64)
    size = min(BATCH, count)
    for _ in range(steps):
        if len(queue) < size:
            queue = np.concatenate([queue, random.permutation(count)])
        rows, queue = np.sort(queue[:size]), queue[size:]
        dy, dx = random.integers(-1, 2, size=2)
        yield rows, (int(dy), int(dx))


def _shifted(images: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Move a batch [n, C, H, W] by whole pixels, repeating the border."""
    rows, columns = (
        np.clip(np.arange(length) + offset, 0, length - 1)
        for length, offset in zip(images.shape[2:], shift, strict=True)
    )
    return images[:, :, rows[:, None], columns]


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over the images that have a label; 0 where none has."""
    total = F.cross_entropy(logits, targets, ignore_index=-1, reduction="sum")
    return total / (targets >= 0).sum().clamp(min=1)


class FixedFeatures(FeatureExtractor):
    """The penultimate layer of a judge, and its logits for every level.

    Args:
        name: The space's.
        network: A trained judge.
        device: Where it runs.
    """

    preprocess = "pixels scaled to [-1, 1] at native size"
    dim = FEATURES
    least_skill = 0.7  # as of the space `classifier`

    def __init__(self, name: str, network: _Judge, device: torch.device) -> None:
        self.name, self.device = name, device
        self.network = network.to(device).eval()
        self.weights = tensors_digest(network.state_dict())
        self.logit_levels = network.levels

    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        features, logits = self.network(to_floats(images.to(self.device)))
        return features, logits


def _build(name: str, architecture: Architecture, request: FeatureRequest) -> FeatureExtractor:
    """The judge of the reference's training split, from the cache or trained now."""
    request.refuse_weights()
    training, _ = judge_splits(request.reference)
    classes = label_levels(training)
    if not classes:
        raise UserError(
            f"the feature space {name!r} needs labels of at least two classes, and "
            f"{training.name} has none: choose --features imagenet-lite or pixels"
        )
    columns = [training.taxonomy.levels.index(level) for level in classes]
    labels = np.ascontiguousarray(training.labels[:, columns])
    key = digest(name, training.fingerprint, array_digest(labels), list(classes.items()))
    path = cache_dir("classifiers") / f"{key}.safetensors"
    network = architecture(training.samples.shape[1], training.samples.shape[2:], classes)
    if (known := load_tensors(path)) is not None:
        try:
            network.load_state_dict(known[0])
            return FixedFeatures(name, network, request.device)
        except RuntimeError:  # a damaged file: trained anew
            pass
    request.progress(f"training the judge {name} of {training.name} (once; it is cached)")
    trained = train_judge(
        architecture, np.asarray(training.samples), labels, classes, request.device
    )
    save_tensors(path, trained.state_dict(), {})
    return FixedFeatures(name, trained, request.device)


@register_features("fixed-classifier")
def build_classifier(request: FeatureRequest) -> FeatureExtractor:
    """The judge of our tables."""
    return _build("fixed-classifier", plain_judge, request)


@register_features("fixed-residual")
def build_residual(request: FeatureRequest) -> FeatureExtractor:
    """The second judge, of another architecture."""
    return _build("fixed-residual", residual_judge, request)
