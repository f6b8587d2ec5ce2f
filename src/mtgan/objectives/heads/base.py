"""What a head's loss is, and what a head teaches classifier and generator by it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mtgan.nets import HeadOutput
from mtgan.nets.heads import scaled
from mtgan.nets.label_axes import Entry
from mtgan.objectives.classes import HeadClasses
from mtgan.objectives.tasks import accuracy, mean_over_labeled


class HeadLoss(Protocol):
    """A loss over the classes of a head.

    `of_numbers`: it is one of numbers, not of classes; labels are then steps of their range.
    `multilabel`: several of its outputs may be right at once, of several label levels;
    `compares_samples`: the head gives embeddings, and a sample's loss depends on its batch.
    `any_class`: the generator is asked for a sample of any of the data's classes.
    """

    multilabel: bool
    compares_samples: bool

    def outputs(self, classes: HeadClasses, sizes: Sequence[int]) -> int:
        """How many logits a head has for levels of these numbers of classes."""

    def entries(
        self, classes: HeadClasses, levels: Sequence[str], sizes: Sequence[int]
    ) -> tuple[Entry, ...]:
        """What each logit stands for (mtgan.nets.label_axes); nothing where that is not said."""
        return ()

    def target(
        self, classes: HeadClasses, sizes: Sequence[int], labels: Sequence[Tensor], generated: bool
    ) -> Tensor:
        """What is right for samples of these labels ([N] of each level), in a form of its own."""

    def of_data(self, classes: HeadClasses, sizes: Sequence[int], logits: Tensor) -> Tensor:
        """Logits [..., N, K] of the first level's own classes."""

    def __call__(self, output: HeadOutput, target: Tensor) -> Tensor:
        """The mean over the samples that say something, a scalar for each batch [...]; 0 where
        none does."""


class OneOfMany:
    """A loss where one class of the head is right, and its target that class, int64 [N].

    A loss of this kind writes `per_sample` alone.
    """

    multilabel = False
    compares_samples = False

    def per_sample(self, output: HeadOutput, target: Tensor) -> Tensor:
        """Losses [..., N] by target classes int64 [..., N]; 0 where the target is -1."""
        raise NotImplementedError

    def outputs(self, classes: HeadClasses, sizes: Sequence[int]) -> int:
        return classes.count(sizes[0])

    def entries(
        self, classes: HeadClasses, levels: Sequence[str], sizes: Sequence[int]
    ) -> tuple[Entry, ...]:
        return classes.entries(levels[0], sizes[0])

    def target(
        self, classes: HeadClasses, sizes: Sequence[int], labels: Sequence[Tensor], generated: bool
    ) -> Tensor:
        return classes.of(labels[0], sizes[0], generated)

    def of_data(self, classes: HeadClasses, sizes: Sequence[int], logits: Tensor) -> Tensor:
        return classes.of_data(logits, sizes[0])

    def __call__(self, output: HeadOutput, target: Tensor) -> Tensor:
        return mean_over_labeled(self.per_sample(output, target), target)


@dataclass(frozen=True)
class HeadObjective:
    """What one head learns and teaches. sizes: the numbers of classes of the levels it reads."""

    classes: HeadClasses
    loss: HeadLoss
    sizes: Sequence[int]

    def classifier(
        self, output: HeadOutput, real: Sequence[Tensor], generated: Sequence[Tensor]
    ) -> Tensor:
        """The head's losses on a real and a generated batch, [2]; its output holds both [2, N,
        ...], the labels ([N] of each level) are given apart."""
        targets = [self._target(real, False), self._target(generated, True)]
        return self.loss(output, torch.stack(targets))

    def twin(self, output: HeadOutput, labels: Sequence[Tensor]) -> Tensor:
        """The loss of the second head, which learns from generated samples alone."""
        assert output.twin is not None
        return self.loss(output.twin, self._target(labels, False))

    def generator(self, output: HeadOutput, labels: Sequence[Tensor]) -> Tensor:
        """What the generator gets: its samples should be called real ones of their labels.

        Where the head also knows the generated ones of these labels, by classes or by a twin, that
        loss is taken off: log p(y, generated | x) - log p(y, real | x) for cross-entropy (Hou et
        al. 2022, eq. 8), log p_twin(y | x) - log p(y | x) (Gong et al. 2019, eq. 6). At the
        optimum of the heads its mean is a divergence between the classes' distributions, where
        the first half alone rewards samples that lie far from every other class. A loss of
        `any_class` asks for real samples of whichever class.
        """
        if not self.asks_for_classes:
            labels = [torch.full_like(y, -1) for y in labels]
        loss = self.loss(output, self._target(labels, False))
        if output.twin is not None:
            return loss - self.twin(output, labels)
        if self.classes.halves == 2 and not self.loss.multilabel:
            return loss - self.loss(output, self._target(labels, True))
        return loss

    @property
    def asks_for_classes(self) -> bool:
        """Whether generated samples should be of the classes that were asked for."""
        return not getattr(self.loss, "any_class", False)

    def measured(self, output: HeadOutput, labels: Tensor) -> tuple[str, Tensor]:
        """What is logged of labeled samples, [...], by its name: `accuracy`; of numbers `error`,
        the mean distance as a share of the range."""
        if getattr(self.loss, "of_numbers", False):
            distances = (output.logits.squeeze(-1) - scaled(labels)).abs() / 2
            return "error", mean_over_labeled(distances * (labels >= 0), labels)
        return "accuracy", self.accuracy(output, labels)

    def accuracy(self, output: HeadOutput, labels: Tensor) -> Tensor:
        """Share of labeled samples whose class of the first level is the likeliest, [...]."""
        return accuracy(self.loss.of_data(self.classes, self.sizes, output.logits), labels)

    def _target(self, labels: Sequence[Tensor], generated: bool) -> Tensor:
        return self.loss.target(self.classes, self.sizes, labels, generated)
