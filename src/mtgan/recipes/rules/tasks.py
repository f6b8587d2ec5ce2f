"""Which tasks, heads and classifiers go together."""

from mtgan.parts import AGGREGATORS, AUGMENTATIONS, HEAD_CLASSES, HEAD_LOSSES, OBJECTIVES
from mtgan.recipes.rules.base import refusal, warning
from mtgan.recipes.schema import Recipe
from mtgan.recipes.task import Head


@refusal
def tasks_without_conditioning(recipe: Recipe) -> str | None:
    if not recipe.tasks or recipe.generator.conditioning != "none":
        return None
    if not any(task.teaches for task in recipe.tasks):
        return None
    return (
        "its tasks classify generated samples by the labels that the generator was given, and "
        "generator.conditioning=none gives it none; set it to concat."
    )


@refusal
def aggregator_of_one_task(recipe: Recipe) -> str | None:
    heads = any(task.is_head for task in recipe.tasks)
    if heads or not AGGREGATORS.capability(recipe.aggregator, "weighs_tasks"):
        return None
    return (
        f"aggregator={recipe.aggregator} weighs the discriminator's tasks against each other, and "
        "none of its tasks has classifier: discriminator-head; set aggregator=sum."
    )


@refusal
def bifurcation_of_a_separate_classifier(recipe: Recipe) -> str | None:
    odd = next((t for t in recipe.tasks if not t.is_head and t.bifurcation > 1), None)
    if odd is None:
        return None
    return (
        f"the task {odd.labels!r} has a classifier of its own, and bifurcation={odd.bifurcation} "
        "says where a head leaves the discriminator; leave it out, or share layers by `sharing`."
    )


@refusal
def head_of_a_separate_classifier(recipe: Recipe) -> str | None:
    odd = next((t for t in recipe.tasks if not t.is_head and t.head != Head()), None)
    if odd is None:
        return None
    return (
        f"the task {odd.labels!r} has a classifier of its own, and `head` says what a head of the "
        "discriminator does; leave it out, or set classifier to discriminator-head."
    )


@refusal
def head_that_contradicts_its_task(recipe: Recipe) -> str | None:
    odd = next((t for t in recipe.tasks if not t.generated and t.learns_from != "real"), None)
    if odd is None:
        return None
    return (
        f"the task {odd.labels!r} has generated=false and head.learns_from="
        f"{odd.head.learns_from}, which contradict each other; leave `generated` out."
    )


@refusal
def classes_that_never_occur(recipe: Recipe) -> str | None:
    for task in recipe.tasks:
        classes, source = task.head.classes, task.learns_from
        if HEAD_CLASSES.capability(classes, "needs_generated") and source != "both":
            return (
                f"the head of the task {task.labels!r} has classes={classes}, of which some are "
                f"for real and some for generated samples, and learns from {source} ones alone; "
                "set head.learns_from to both."
            )
        if HEAD_CLASSES.capability(classes, "twin") and source == "generated":
            return (
                f"the head of the task {task.labels!r} has classes={classes}, whose second head "
                "learns from generated samples, and so does its first; set head.learns_from to "
                "real or both."
            )
    return None


@refusal
def loss_that_cannot_tell_the_classes(recipe: Recipe) -> str | None:
    for task in recipe.tasks:
        head = task.head
        if HEAD_CLASSES.capability(head.classes, "needs_generated") and HEAD_LOSSES.capability(
            head.loss, "compares_samples"
        ):
            return (
                f"the head of the task {task.labels!r} has loss={head.loss}, which compares the "
                "samples of a batch, real or generated, and never one with the other; set "
                "head.classes to plain or twin."
            )
        if head.levels and not HEAD_LOSSES.capability(head.loss, "multilabel"):
            known = " or ".join(HEAD_LOSSES.those_with("multilabel"))
            return (
                f"the head of the task {task.labels!r} has levels={', '.join(head.levels)} beside "
                f"its own, and with loss={head.loss} one class alone is right; set head.loss="
                f"{known}, or make a task of each."
            )
    return None


@refusal
def samples_of_any_class_without_a_class_of_their_own(recipe: Recipe) -> str | None:
    """-log of the sum over all classes is 0, so that the head would teach the generator nothing."""
    for task in recipe.tasks:
        head = task.head
        any_class = HEAD_LOSSES.capability(head.loss, "any_class")
        if any_class and not HEAD_CLASSES.capability(head.classes, "needs_generated"):
            known = " or ".join(HEAD_CLASSES.those_with("needs_generated"))
            return (
                f"the head of the task {task.labels!r} has loss={head.loss}, by which a sample "
                f"without a label is real, and classes={head.classes} know no generated ones; set "
                f"head.classes={known}."
            )
    return None


@refusal
def classes_of_a_number(recipe: Recipe) -> str | None:
    for task in recipe.tasks:
        loss, head = task.head.loss, task.head
        if not HEAD_LOSSES.capability(loss, "of_numbers"):
            continue
        odd = "classes" if head.classes != "plain" else "levels" if head.levels else ""
        odd = odd or ("sums" if head.sums else "")
        if odd:
            return (
                f"the head of the task {task.labels!r} has loss={loss}, by which it learns one "
                f"number, and {odd}={getattr(head, odd)}, which is about classes; leave "
                f"head.{odd} out."
            )
    return None


@refusal
def sums_of_no_head(recipe: Recipe) -> str | None:
    heads = {task.labels: task for task in recipe.tasks if task.is_head and not task.transform}
    for task in recipe.tasks:
        if task.head.sums is None:
            continue
        start = f"the task {task.labels!r} has head.sums={task.head.sums}"
        source = heads.get(task.head.sums)
        if source is None or source.head.sums is not None:
            found = [name for name, other in heads.items() if other.head.sums is None]
            return (
                f"{start}, which is no task with a head of its own; set it to "
                f"{' or '.join(found) or 'one'}, or leave it out."
            )
        mine, its = task.head, source.head
        if mine.classes != its.classes or task.bifurcation > 1 or mine.features != "raw":
            return (
                f"{start}, whose head it shares; give it the same head.classes "
                f"({its.classes}), and no features or bifurcation of its own."
            )
        for loss in (mine.loss, its.loss):
            if any(HEAD_LOSSES.capability(loss, k) for k in ("multilabel", "compares_samples")):
                return (
                    f"{start}, and with loss={loss} logits are none of a softmax, whose "
                    "probabilities could be summed; set head.loss=cross-entropy on both."
                )
    return None


@refusal
def transform_of_another_kind_of_task(recipe: Recipe) -> str | None:
    for task in recipe.tasks:
        if task.transform is None:
            continue
        if not task.is_head:
            return (
                f"the task {task.labels!r} has transform={task.transform}, by which the "
                "discriminator learns, and a classifier of its own; leave `classifier` out."
            )
        if task.head.model_copy(update={"learns_from": None}) != Head():
            return (
                f"the head of the task {task.labels!r} tells what transform={task.transform} has "
                "done, by cross-entropy; leave all of `head` out but learns_from."
            )
    return None


@warning
def transform_that_an_augmentation_hides(recipe: Recipe) -> str | None:
    hidden = {
        AUGMENTATIONS.capability(name, "hides"): name for name in recipe.discriminator.augmentation
    }
    task = next(
        (task for task in recipe.tasks if task.transform in hidden and task.transform), None
    )
    if task is None:
        return None
    return (
        f"the task {task.labels!r} has transform={task.transform}, and "
        f"discriminator.augmentation={hidden[task.transform]} comes after it, so that what was "
        "done cannot be told; leave one of them out."
    )


@refusal
def nothing_that_tells_real_from_generated(recipe: Recipe) -> str | None:
    if OBJECTIVES.capability(recipe.objective, "scores"):
        return None
    start = f"objective={recipe.objective} leaves the adversarial game to the heads"
    if not any(HEAD_CLASSES.capability(t.head.classes, "needs_generated") for t in recipe.tasks):
        known = " or ".join(HEAD_CLASSES.those_with("needs_generated"))
        return f"{start}, and none tells real from generated; give a task head.classes={known}."
    if recipe.penalty.kind != "none":
        return (
            f"{start}, and penalty.kind={recipe.penalty.kind} bounds a score that nothing learns; "
            "set it to none, and discriminator.spectral_norm=true if there is to be a bound."
        )
    if recipe.discriminator.conditioning != "none":
        return (
            f"{start}, and discriminator.conditioning={recipe.discriminator.conditioning} tells "
            "labels to a score that nothing learns; set it to none."
        )
    return None


@refusal
def same_task_twice(recipe: Recipe) -> str | None:
    names = [task.labels for task in recipe.tasks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is None:
        return None
    return (
        f"two tasks read the label level {twice!r}; give the second a level of its own (the "
        "taxonomy can repeat a level under another name)."
    )
