"""Do samples show the class that they were asked for, at every label level?

A global distance hides broken class control: published generators have a Frechet distance of 4
and an intra-class distance of 54.
"""

import numpy as np

from mtgan.evaluation.comparison import Comparison, linear_probe
from mtgan.evaluation.measures.base import Outcome, Output, measure

CONDITIONING = "conditioning"


@measure(
    Output("conditional_accuracy", "higher", CONDITIONING, "linear", axis_per_level=True),
    Output("within_superclass", "higher"),
    needs=[Comparison.without_labels],
)
def conditional_accuracy(comparison: Comparison) -> Outcome:
    """Share of samples that a classifier puts into the class asked for, per level.

    `within_superclass/LEVEL` adds: of the samples that show another class of that level than the
    one asked for, the share that stays inside the right class of the next coarser level.
    """
    setting = comparison.setting
    values: dict[str, float] = {}
    details: dict[str, dict[str, float]] = {}
    for level in setting.levels:
        asked = comparison.asked(level)
        known = asked >= 0
        shown = setting.predict(level, comparison.generated.bank)
        key = f"conditional_accuracy/{level}"
        values[key] = float((shown == asked)[known].mean()) if known.any() else 0.0
        names = setting.taxonomy.classes[level]
        details[key] = {
            name: float((shown[asked == index] == index).mean())
            for index, name in enumerate(names)
            if (asked == index).any()
        }
        wrong = known & (shown != asked)
        for coarser in setting.coarser(level)[:1]:
            lifted = [setting.taxonomy.lift(x[wrong], level, coarser) for x in (asked, shown)]
            inside = lifted[0] == lifted[1]
            values[f"within_superclass/{level}"] = float(inside.mean()) if wrong.any() else 1.0
    return Outcome(values, details)


@measure(
    Output("train_on_generated", "higher", CONDITIONING, "linear", axis_per_level=True),
    needs=[Comparison.without_labels],
)
def train_on_generated(comparison: Comparison) -> Outcome:
    """Accuracy on real data of a linear probe that learned from the samples alone, per level.

    The linear form of GAN-train (Shmelkov, Schmid & Alahari 2018, arXiv 1807.09499): a linear
    discriminant on frozen features, trained on samples with the labels that they were asked to
    have, tested on the reference. It falls when labels are wrong, when classes are missing and
    when a class has collapsed.
    """
    setting = comparison.setting
    values = {}
    for level in setting.levels:
        truth = comparison.truth(level)
        known = truth >= 0
        asked = comparison.asked(level)
        classes = np.unique(asked[asked >= 0])
        if len(classes) < 2:
            guess = np.full(known.sum(), classes[0] if len(classes) else -1)
        else:
            probe = linear_probe(comparison.generated.bank.features, asked, setting.seed)
            guess = probe.predict(comparison.reference.bank.features[known])
        values[f"train_on_generated/{level}"] = float((guess == truth[known]).mean())
    return Outcome(values)
