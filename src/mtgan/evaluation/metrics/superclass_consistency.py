"""Do mistakes stay within the superclass?

Definition: both the class that was asked for and the one that is shown are lifted to their parents:
the share of samples in the right superclass, and, among samples of the wrong class, the share that
is still inside the right superclass; beside it, what that share would be if mistakes fell evenly on
all other classes.

Range [0, 1], higher is better, no units. Labels below zero mean "not asked for" and are left out.
"""

from dataclasses import dataclass

import numpy as np
import torch

from mtgan.errors import UserError
from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import LABELS, Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, as_labels, known_labels


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


def superclass_consistency(
    predicted: Array, requested: Array, parents: Array
) -> SuperclassConsistency:
    """Consistency of fine classes, predicted [N] and asked for [N], with `parents` [K].

    Args:
        parents: Superclass index of each fine class.

    Raises UserError for labels outside [0, K) and labels that do not fit each other.
    """
    guesses, wanted = known_labels(predicted, requested)
    parent = as_labels(parents, "parents")
    highest = int(torch.maximum(guesses.max(), wanted.max()))
    if highest >= len(parent) or bool((guesses < 0).any()):
        raise UserError(
            f"Labels run from {int(guesses.min())} to {highest}, but parents covers {len(parent)} "
            "classes: give one parent per class."
        )
    inside = parent[guesses] == parent[wanted]
    wrong = guesses != wanted
    mistakes = int(wrong.sum())
    if mistakes == 0:
        return SuperclassConsistency(float(inside.double().mean()), 0, None, None)
    siblings = (parent[:, None] == parent).sum(dim=1) - 1
    return SuperclassConsistency(
        accuracy=float(inside.double().mean()),
        mistakes=mistakes,
        mistakes_inside=float(inside[wrong].double().mean()),
        chance=float(siblings[wanted[wrong]].double().mean()) / (len(parent) - 1),
    )


@register_metric(
    "superclass_consistency",
    Output("mistakes_inside", "higher", range=(0, 1)),
    needs=LABELS,
    source="do mistakes stay in the right superclass?",
    function=superclass_consistency,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Of samples that show a wrong class, the share inside the right superclass, per level."""
    context = comparison.context
    values, notes = {}, []
    for level in comparison.requested_levels:
        for coarser in context.coarser(level)[:1]:
            classes = np.arange(context.taxonomy.num_classes(level))
            found = superclass_consistency(
                context.predict(level, comparison.generated.bank),
                comparison.requested(level),
                context.taxonomy.ancestors(classes, level, coarser),
            )
            if found.mistakes_inside is None:
                notes.append(f"left out, no sample shows a wrong class: mistakes_inside/{level}")
            else:
                values[f"mistakes_inside/{level}"] = found.mistakes_inside
    return Outcome(values, notes=notes)
