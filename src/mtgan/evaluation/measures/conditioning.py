"""Do samples show the class that they were asked for, at every label level?

A global distance hides broken class control: published generators have a Frechet distance of 4
and an intra-class distance of 54. Samples whose label is missing (-1) are left out.
"""

from collections.abc import Sequence

import numpy as np

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.measures.base import Outcome, Output, listed, measure
from mtgan.evaluation.metrics.conditional import conditional_accuracy as accuracy
from mtgan.evaluation.metrics.conditional import superclass_consistency as consistency
from mtgan.evaluation.metrics.intra_class import intra_class_frechet as intra_class
from mtgan.evaluation.probe import train_on_generated_accuracy

CONDITIONING = "conditioning"

MIN_CLASS = 16
"""Classes with fewer samples on either side are left out of the distances within classes."""


@measure(
    Output("conditional_accuracy", "higher", CONDITIONING, "linear", axis_per_level=True),
    needs=[Comparison.without_labels],
)
def conditional_accuracy(comparison: Comparison) -> Outcome:
    """Share of samples that a classifier puts into the class asked for, per level and class."""
    setting = comparison.setting
    values, details = {}, {}
    for level in comparison.asked_levels:
        shown = setting.predict(level, comparison.generated.bank)
        found = accuracy(shown, comparison.asked(level))
        names = setting.taxonomy.classes[level]
        key = f"conditional_accuracy/{level}"
        values[key] = found.value
        details[key] = {names[index]: value for index, value in found.per_class.items()}
    return Outcome(values, details)


@measure(Output("mistakes_inside", "higher"), needs=[Comparison.without_labels])
def superclass_consistency(comparison: Comparison) -> Outcome:
    """Of samples that show a wrong class, the share inside the right superclass, per level."""
    setting = comparison.setting
    values, notes = {}, []
    for level in comparison.asked_levels:
        for coarser in setting.coarser(level)[:1]:
            classes = np.arange(setting.taxonomy.num_classes(level))
            found = consistency(
                setting.predict(level, comparison.generated.bank),
                comparison.asked(level),
                setting.taxonomy.lift(classes, level, coarser),
            )
            if found.mistakes_inside is None:
                notes.append(f"left out, no sample shows a wrong class: mistakes_inside/{level}")
            else:
                values[f"mistakes_inside/{level}"] = found.mistakes_inside
    return Outcome(values, notes=notes)


@measure(
    Output("intra_class_frechet", "lower", CONDITIONING, "distance", axis_per_level=True),
    Output("worst_class_frechet", "lower"),
    needs=[Comparison.without_labels],
)
def intra_class_frechet(comparison: Comparison) -> Outcome:
    """Frechet distance within each class at equal counts: mean over classes, worst, and each."""
    setting = comparison.setting
    values, details, notes = {}, {}, []
    for level in comparison.asked_levels:
        labels = [comparison.asked(level).copy(), comparison.truth(level).copy()]
        classes = setting.taxonomy.classes[level]
        counts = [np.bincount(each[each >= 0], minlength=len(classes)) for each in labels]
        fewest = np.minimum(*counts)
        small = fewest < MIN_CLASS
        notes.append(_averaged(level, classes, fewest))
        if small.all():
            continue
        for each in labels:
            each[np.isin(each, np.flatnonzero(small))] = -1
        found = intra_class(
            comparison.generated.points,
            labels[0],
            comparison.reference.points,
            labels[1],
            seed=setting.seed,
        )
        key = f"intra_class_frechet/{level}"
        values[key] = found.mean
        values[f"worst_class_frechet/{level}"] = found.worst
        details[key] = {classes[index]: value for index, value in found.per_class.items()}
    return Outcome(values, details, notes)


def _averaged(level: str, classes: Sequence[str], fewest: np.ndarray) -> str:
    """What the distances within classes are over; fewest: samples of each class, smaller side."""
    small = fewest < MIN_CLASS
    key = f"intra_class_frechet/{level}"
    each = f", {fewest[~small].min()} samples of each" if not small.all() else ""
    sentence = f"{key} is over {(~small).sum()} of {len(classes)} classes{each}"
    if not small.any():
        return sentence
    names = [f"{classes[index]} ({fewest[index]})" for index in np.flatnonzero(small).tolist()]
    return f"{sentence}; left out, fewer than {MIN_CLASS} samples on a side: {listed(names)}"


@measure(
    Output("train_on_generated", "higher", CONDITIONING, "linear", axis_per_level=True),
    needs=[Comparison.without_labels],
)
def train_on_generated(comparison: Comparison) -> Outcome:
    """Accuracy on real data of a linear probe that learned from the samples alone, per level.

    See `train_on_generated_accuracy`; tested on the reference.
    """
    setting = comparison.setting
    values, notes = {}, []
    for level in comparison.asked_levels:
        asked, key = comparison.asked(level), f"train_on_generated/{level}"
        values[key] = train_on_generated_accuracy(
            comparison.generated.features,
            asked,
            comparison.reference.features,
            comparison.truth(level),
            setting.seed,
        )
        counts = np.bincount(asked[asked >= 0])
        if lone := [setting.taxonomy.classes[level][each] for each in np.flatnonzero(counts == 1)]:
            notes.append(f"{key} learned nothing of classes of one sample: {listed(lone)}")
    return Outcome(values, notes=notes)
