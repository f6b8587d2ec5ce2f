"""Features of a small classifier, trained on the dataset's own training split.

The default wherever there are labels: on tiny grey images the famous ImageNet networks see
nothing. One network with one linear head per label level, so that the accuracy on generated
samples comes free for every level. Its training is a fixed small budget (seconds on two cores),
its result is kept in the cache folder and is a function of data and architecture: an instrument
does not change with the seed of what it measures.

Legend: n images, C channels, H x W pixels, D = 128 features, K classes of one label level.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtgan.data import Dataset
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

ARCHITECTURE = "mtgan-classifier-1"
"""Change it with anything below that changes the trained weights: it is part of the cache key."""

FEATURES = 128


@dataclass(frozen=True)
class Budget:
    """The fixed training budget: `epochs` over the data, within bounds that hold for any size."""

    epochs: int = 6
    min_steps: int = 250
    max_steps: int = 900
    batch: int = 128
    peak_learning_rate: float = 1e-2
    weight_decay: float = 5e-4
    max_shift: int = 1

    def steps(self, images: int) -> int:
        """Number of optimizer steps for a training set of that many images."""
        return min(self.max_steps, max(self.min_steps, self.epochs * images // self.batch))


class SmallClassifier(nn.Module):
    """Convolutional classifier for images of any size, with one head per label level.

    Space-to-depth down to a grid of at most 16 positions a side (thin convolutions at full
    resolution cost most and bring least), three blocks (3x3 convolution, batch norm, ReLU; stride
    2 while the grid's smaller side is above 4), and the mean over positions: 128 features >= 0.

    Args:
        channels: C.
        size: (H, W).
        classes: Number of classes K by label level.
    """

    def __init__(self, channels: int, size: tuple[int, int], classes: dict[str, int]) -> None:
        super().__init__()
        self.patch = 2
        while min(size) > 16 * self.patch:
            self.patch *= 2
        side = math.ceil(min(size) / self.patch)
        blocks: list[nn.Module] = [nn.PixelUnshuffle(self.patch)]
        inputs = channels * self.patch**2
        for index, outputs in enumerate((48, 64, FEATURES)):
            stride = 2 if index and side > 4 else 1
            blocks.append(_block(inputs, outputs, stride))
            inputs, side = outputs, math.ceil(side / stride)
        self.body = nn.Sequential(*blocks)
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


def _block(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def train_classifier(
    samples: np.ndarray,
    labels: np.ndarray,
    classes: dict[str, int],
    *,
    seed: int = 0,
    device: torch.device | str = "cpu",
    budget: Budget | None = None,
) -> SmallClassifier:
    """Train a classifier on all label levels at once; torch's global random state is untouched.

    The loss is the sum over levels of the mean cross-entropy of the images that have a label
    there. AdamW under a one-cycle schedule; the only augmentation is a shift by one pixel.

    Args:
        samples: uint8 [N, C, H, W].
        labels: int64 [N, L], -1 where missing; columns in the order of `classes`.
        classes: Number of classes by level.
        seed: Decides initialization, order and shifts.
        device: Where to train.
        budget: Number and size of the steps.

    Returns:
        The network in evaluation mode.
    """
    budget = budget or Budget()
    steps = budget.steps(len(samples))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallClassifier(samples.shape[1], samples.shape[2:], classes)
    network = network.to(device).train()
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=budget.peak_learning_rate, weight_decay=budget.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, budget.peak_learning_rate, total_steps=steps, pct_start=0.2
    )
    for rows, shift in _draws(len(samples), steps, budget, seed):
        images = to_floats(torch.from_numpy(_shifted(samples[rows], shift)).to(device))
        targets = torch.from_numpy(labels[rows]).to(device)
        _, logits = network(images)
        losses = [_level_loss(logits[level], targets[:, i]) for i, level in enumerate(classes)]
        optimizer.zero_grad(set_to_none=True)
        torch.stack(losses).sum().backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def _draws(
    count: int, steps: int, budget: Budget, seed: int
) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """Rows and shift of every step: shuffled epochs, the last incomplete batch carried over."""
    random = np.random.default_rng(seed)
    queue = np.empty(0, dtype=np.int64)
    size = min(budget.batch, count)
    for _ in range(steps):
        if len(queue) < size:
            queue = np.concatenate([queue, random.permutation(count)])
        rows, queue = np.sort(queue[:size]), queue[size:]
        dy, dx = random.integers(-budget.max_shift, budget.max_shift + 1, size=2)
        yield rows, (int(dy), int(dx))


def _shifted(images: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Move a batch [n, C, H, W] by whole pixels, repeating the border."""
    rows, columns = (
        np.clip(np.arange(length) + offset, 0, length - 1)
        for length, offset in zip(images.shape[2:], shift, strict=True)
    )
    return images[:, :, rows[:, None], columns]


def _level_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over the images that have a label; 0 where none has."""
    total = F.cross_entropy(logits, targets, ignore_index=-1, reduction="sum")
    return total / (targets >= 0).sum().clamp(min=1)


class ClassifierFeatures(FeatureExtractor):
    """The penultimate layer of a `SmallClassifier`, and its logits for every level.

    Args:
        network: A trained classifier.
        device: Where it runs.
    """

    name = "classifier"
    preprocess = "pixels scaled to [-1, 1] at native size"
    dim = FEATURES
    # Fog that has a class's colors is called by that class's name by a network that learned no more
    # of it: such a judge has to know its classes well.
    least_skill = 0.7

    def __init__(self, network: SmallClassifier, device: torch.device) -> None:
        self.device = device
        self.network = network.to(device).eval()
        self.weights = tensors_digest(network.state_dict())
        self.logit_levels = network.levels

    def embed(self, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        return self.network(to_floats(images.to(self.device)))


@register_features("classifier")
def build(request: FeatureRequest) -> FeatureExtractor:
    """The classifier of the reference's training split, from the cache or trained now."""
    training, _ = judge_splits(request.reference)
    classes = label_levels(training)
    if not classes:
        raise UserError(
            f"the feature space 'classifier' needs labels of at least two classes, and "
            f"{training.name} has none: choose --features imagenet-lite or pixels"
        )
    columns = [training.taxonomy.levels.index(level) for level in classes]
    labels = np.ascontiguousarray(training.labels[:, columns])
    network = SmallClassifier(training.samples.shape[1], training.samples.shape[2:], classes)
    key = digest(ARCHITECTURE, training.fingerprint, array_digest(labels), list(classes.items()))
    path = request.weights or cache_dir("classifiers") / f"{key}.safetensors"
    known = load_tensors(path)
    if known is None and request.weights:
        raise UserError(f"{path} is not a readable classifier file: give one that mtgan wrote")
    if known is not None:
        try:
            network.load_state_dict(known[0])
        except RuntimeError as error:
            if request.weights:
                raise UserError(
                    f"the classifier in {path} was trained on other data than {training.name}: "
                    "leave --weights away to train one"
                ) from error
            known = None
    if known is None:
        request.progress(f"training the classifier of {training.name} (once; it is cached)")
        samples = np.asarray(training.samples)
        network = train_classifier(samples, labels, classes, device=request.device)
        if request.weights is None:
            save_tensors(path, network.state_dict(), {})
    return ClassifierFeatures(network, request.device)


def confusion(training: Dataset, unseen: Dataset, seed: int = 0) -> np.ndarray:
    """int64 [K, K]: of the unseen samples of each finest class (row), how many a small classifier,
    which has learned from the training samples, takes for which (column)."""
    level = training.taxonomy.levels[0]
    count = training.taxonomy.num_classes(level)
    samples = np.asarray(training.samples)
    network = train_classifier(samples, training.labels[:, :1], {level: count}, seed=seed).eval()
    known = np.flatnonzero(unseen.labels_of(level) >= 0)
    table = np.zeros((count, count), dtype=np.int64)
    with torch.no_grad():
        for rows in np.array_split(known, max(1, len(known) // 500)):
            logits = network(to_floats(np.asarray(unseen.samples[rows])))[1][level]
            np.add.at(table, (unseen.labels_of(level)[rows], logits.argmax(1).numpy()), 1)
    return table
