"""From a recipe's task and what is known of the data to what its head is and learns."""

from collections.abc import Mapping, Sequence

import numpy as np

from mtgan.errors import UserError
from mtgan.nets import HeadSpec, SumSpec
from mtgan.nets.label_axes import UNSAID, LabelAxis, class_entries
from mtgan.objectives.heads import HeadObjective
from mtgan.parts import HEAD_CLASSES, HEAD_LOSSES, TRANSFORMS
from mtgan.recipes.task import Task
from mtgan.training.dataset_info import DatasetInfo


def levels_of(task: Task, level: str, info: DatasetInfo) -> tuple[str, ...]:
    """The taxonomy's levels whose labels a task reads, its own first.

    UserError for one that the data set lacks, and for one that is named twice.
    """
    asked_by = f"The head of the task {task.labels!r}"
    levels = (level, *(info.level(name, asked_by) for name in task.head.levels))
    if len(set(levels)) < len(levels):
        raise UserError(
            f"{asked_by} names a level twice in head.levels ({', '.join(levels)}, its own first); "
            "name each of the others once."
        )
    return levels


def objective_of(task: Task, levels: Sequence[str], info: DatasetInfo) -> HeadObjective:
    """What is right for the task's classifier, and what is lost.

    UserError where it would tell nothing apart, and for a loss of another kind of labels.
    """
    _refuse_other_kind(task, levels, info)
    classes, loss = HEAD_CLASSES.get(task.head.classes), HEAD_LOSSES.get(task.head.loss)()
    sizes = [info.taxonomy.num_classes(level) for level in levels]
    constant = [
        level for level in levels if level in info.numbers and not info.numbers[level].width
    ]
    if constant:
        raise UserError(
            f"The task {task.labels!r} learns the number {constant[0]!r}, of which the training "
            "samples have one value or none, so that there is nothing to tell; leave the task out."
        )
    if 0 < max(sizes) < 2 and not classes.tells_one_class:
        raise UserError(
            f"The task {task.labels!r} classifies at a level of one class, so that there is "
            "nothing to tell; leave the task out, or give its head classes that tell generated "
            f"samples (head.classes: {' or '.join(HEAD_CLASSES.those_with('tells_one_class'))})."
        )
    return HeadObjective(classes, loss, sizes)


def _refuse_other_kind(task: Task, levels: Sequence[str], info: DatasetInfo) -> None:
    """UserError where a task's loss is one of classes and a level holds numbers, or the reverse."""
    of_numbers = HEAD_LOSSES.capability(task.head.loss, "of_numbers")
    odd = next((level for level in levels if (level in info.numbers) != of_numbers), None)
    if odd is None:
        return
    kinds = ("classes", "numbers") if of_numbers else ("numbers", "classes")
    losses = [
        name
        for name in HEAD_LOSSES.written
        if HEAD_LOSSES.capability(name, "of_numbers") != of_numbers
    ]
    own_network = "" if task.is_head else ", and classifier=discriminator-head"
    raise UserError(
        f"The task {task.labels!r} reads {odd!r}, which holds {kinds[0]}, and "
        f"head.loss={task.head.loss} is one of {kinds[1]}; set head.loss={' or '.join(losses)}"
        f"{own_network}."
    )


def spec_of(
    task: Task, level: str, levels_by_task: Mapping[str, str], info: DatasetInfo
) -> HeadSpec:
    """The task's head on the discriminator; levels_by_task: of all tasks that have one."""
    levels = levels_of(task, level, info)
    objective, head = objective_of(task, levels, info), task.head
    sums = None
    if head.sums is not None:
        parents = _parents(task, levels_by_task[head.sums], level, info)
        sums = SumSpec(head.sums, parents, objective.sizes[0], objective.classes.halves)
    return HeadSpec(
        objective.loss.outputs(objective.classes, objective.sizes),
        task.bifurcation,
        axis_of(objective, levels),
        unit_sphere=head.features == "unit-sphere",
        embeds=objective.loss.compares_samples,
        twin=objective.classes.twin,
        sums=sums,
    )


def axis_of(objective: HeadObjective, levels: Sequence[str]) -> LabelAxis:
    """What each logit stands for of a head that reads these levels; a loss of somebody else's may
    not say it."""
    say = getattr(objective.loss, "entries", None)
    if say is None:
        sizes = zip(levels, objective.sizes, strict=True)
        return LabelAxis(UNSAID, tuple(entry for one in sizes for entry in class_entries(*one)))
    return LabelAxis(0, tuple(say(objective.classes, levels, objective.sizes)))


def spec_of_transform(task: Task, info: DatasetInfo) -> HeadSpec:
    """The head of a task whose classes a transform makes; UserError for samples that it cannot
    transform."""
    transform = TRANSFORMS.get(str(task.transform))
    _, height, width = info.shape
    if info.domains or (transform.square and height != width):
        found = "canvases of several domains" if info.domains else f"{height} x {width} pixels"
        raise UserError(
            f"The task {task.labels!r} has transform={task.transform}, which is one of square "
            f"images; found {found}. Set data.size to one number, or leave the task out."
        )
    return HeadSpec(transform.classes, task.bifurcation)


def _parents(task: Task, finer: str, level: str, info: DatasetInfo) -> list[int]:
    """The class of `level` that each class of `finer` belongs to; UserError where levels do not
    nest."""
    taxonomy = info.taxonomy
    start = f"The task {task.labels!r} has head.sums={task.head.sums}"
    if level not in taxonomy.above(finer):
        raise UserError(
            f"{start}, and the level {level!r} is not above {finer!r} in the taxonomy, so that its "
            "classes are no sums of those; leave head.sums out."
        )
    parents = taxonomy.ancestors(np.arange(taxonomy.num_classes(finer)), finer, level)
    childless = np.setdiff1d(np.arange(taxonomy.num_classes(level)), parents)
    if childless.size:
        name = taxonomy.classes[level][childless[0]]
        raise UserError(
            f"{start}, and the class {name!r} of level {level!r} has no class of level {finer!r} "
            "below it; leave head.sums out, or take that class out of the taxonomy."
        )
    return [int(parent) for parent in parents]
