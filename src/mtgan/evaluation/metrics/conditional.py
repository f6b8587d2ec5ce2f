"""Do samples show the class they were asked for, and do mistakes stay within the superclass?

Definitions: conditional accuracy is the share of samples that a classifier of real data puts into
the class that was asked for (GAN-test in Shmelkov et al. 2018, "How good is my GAN?"), overall and
by class. Superclass consistency lifts both labels to their parents: the share of samples in the
right superclass, and, among samples of the wrong class, the share that is still inside the right
superclass; beside it, what that share would be if mistakes fell evenly on all other classes.

Range [0, 1], higher is better, no units. Compare with the same classifier's accuracy on real
test data: a generator above it makes too easy, or copied, samples.

Pitfalls: one clean sample per class, repeated, scores 1; so read it beside a measure of diversity.
Labels below zero mean "not asked for" and are left out.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mtgan.errors import UserError
from mtgan.evaluation.metrics.inputs import Array, as_labels


@dataclass(frozen=True)
class ConditionalAccuracy:
    """Accuracy over all samples (`value`), by class, their mean, and the worst class."""

    value: float
    per_class: dict[int, float]
    mean: float
    worst: float
    worst_class: int

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class SuperclassConsistency:
    """Where samples land one level above the one that was asked for.

    Attributes:
        accuracy: Share of samples in the right superclass.
        mistakes: Number of samples in the wrong class.
        mistakes_inside: Share of those in the right superclass; None without a mistake.
        chance: That share if each mistake fell evenly on the other classes; None without one.
    """

    accuracy: float
    mistakes: int
    mistakes_inside: float | None
    chance: float | None


def _asked(predicted: Array, requested: Array) -> tuple[Tensor, Tensor]:
    asked = as_labels(requested, "requested")
    shown = as_labels(predicted, "predicted", len(asked))
    known = asked >= 0
    if not bool(known.any()):
        raise UserError("requested names no class: all labels are negative.")
    return shown[known], asked[known]


def conditional_accuracy(predicted: Array, requested: Array) -> ConditionalAccuracy:
    """Accuracy of predicted classes [N] against those that were asked for [N].

    Raises UserError for labels that are not integers, of different length, or all unknown.
    """
    shown, asked = _asked(predicted, requested)
    right = (shown == asked).double()
    per_class = {each: float(right[asked == each].mean()) for each in asked.unique().tolist()}
    worst = min(per_class, key=lambda each: per_class[each])
    mean = sum(per_class.values()) / len(per_class)
    return ConditionalAccuracy(float(right.mean()), per_class, mean, per_class[worst], worst)


def superclass_consistency(
    predicted: Array, requested: Array, parents: Array
) -> SuperclassConsistency:
    """Consistency of fine classes, predicted [N] and asked for [N], with `parents` [K].

    Args:
        parents: Superclass index of each fine class.

    Raises UserError for labels outside [0, K) and labels that do not fit each other.
    """
    shown, asked = _asked(predicted, requested)
    parent = as_labels(parents, "parents")
    highest = int(torch.maximum(shown.max(), asked.max()))
    if highest >= len(parent) or bool((shown < 0).any()):
        raise UserError(
            f"Labels run from {int(shown.min())} to {highest}, but parents covers {len(parent)} "
            "classes: give one parent per class."
        )
    inside = parent[shown] == parent[asked]
    wrong = shown != asked
    mistakes = int(wrong.sum())
    if mistakes == 0:
        return SuperclassConsistency(float(inside.double().mean()), 0, None, None)
    siblings = (parent[:, None] == parent).sum(dim=1) - 1
    return SuperclassConsistency(
        accuracy=float(inside.double().mean()),
        mistakes=mistakes,
        mistakes_inside=float(inside[wrong].double().mean()),
        chance=float(siblings[asked[wrong]].double().mean()) / (len(parent) - 1),
    )
