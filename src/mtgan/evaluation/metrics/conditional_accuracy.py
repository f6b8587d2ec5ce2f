"""Do samples show the class that they were asked for, at every label level?

Definition: the share of samples that a classifier of real data puts into the class that was asked
for (GAN-test in Shmelkov et al. 2018, "How good is my GAN?"), overall and by class.

A global distance hides broken class control: published generators have a Frechet distance of 4
and an intra-class distance of 54.

Range [0, 1], higher is better, no units. Compare with the same classifier's accuracy on real
test data: a generator above it makes too easy, or copied, samples.

Pitfalls: one clean sample per class, repeated, scores 1; so read it beside a metric of diversity.
Labels below zero mean "not asked for" and are left out.
"""

from dataclasses import dataclass

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import LABELS, Outcome, Output, register_metric
from mtgan.evaluation.pairwise.arrays import Array, known_labels


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


def conditional_accuracy(predicted: Array, requested: Array) -> ConditionalAccuracy:
    """Accuracy of predicted classes [N] against those that were asked for [N].

    Raises UserError for labels that are not integers, of different length, or all unknown.
    """
    guesses, wanted = known_labels(predicted, requested)
    right = (guesses == wanted).double()
    per_class = {label: float(right[wanted == label].mean()) for label in wanted.unique().tolist()}
    worst = min(per_class, key=lambda label: per_class[label])
    mean = sum(per_class.values()) / len(per_class)
    return ConditionalAccuracy(float(right.mean()), per_class, mean, per_class[worst], worst)


@register_metric(
    "conditional_accuracy",
    Output(
        "conditional_accuracy",
        "higher",
        "conditioning",
        "linear",
        axis_per_level=True,
        range=(0, 1),
    ),
    needs=LABELS,
    source="GAN-test, Shmelkov et al. 2018, per level",
    function=conditional_accuracy,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Share of samples that a classifier puts into the class asked for, per level and class."""
    context = comparison.context
    values, details = {}, {}
    for level in comparison.requested_levels:
        predicted = context.predict(level, comparison.generated.bank)
        found = conditional_accuracy(predicted, comparison.requested(level))
        names = context.taxonomy.classes[level]
        key = f"conditional_accuracy/{level}"
        values[key] = found.value
        details[key] = {names[index]: value for index, value in found.per_class.items()}
    return Outcome(values, details)
