"""Which parts go together: each rule is a function that returns a reason to refuse, or None.

Rules need only the recipe, and what its parts say of themselves (see mtgan.parts); what also
depends on the data (a level that it lacks, a resolution) is checked where networks are built.
"""

import warnings
from collections.abc import Callable

from mtgan.errors import UserError
from mtgan.parts import (
    AGGREGATORS,
    BACKBONES,
    HEAD_CLASSES,
    HEAD_LOSSES,
    NORMALIZATIONS,
    OBJECTIVES,
    OUTPUTS,
    PENALTIES,
)
from mtgan.recipes.schema import Head, Recipe

Rule = Callable[[Recipe], str | None]
_REFUSALS: list[Rule] = []
_WARNINGS: list[Rule] = []


class RecipeWarning(UserWarning):
    """A recipe that can be trained, but probably should not be."""


def check(recipe: Recipe) -> None:
    """Raise UserError for the first refusal that applies; warn of the rest."""
    for rule in _REFUSALS:
        if reason := rule(recipe):
            raise UserError(f"Recipe {recipe.name}: {reason}")
    for rule in _WARNINGS:
        if reason := rule(recipe):
            warnings.warn(f"Recipe {recipe.name}: {reason}", RecipeWarning, stacklevel=3)


def refusal(rule: Rule) -> Rule:
    _REFUSALS.append(rule)
    return rule


def warning(rule: Rule) -> Rule:
    _WARNINGS.append(rule)
    return rule


@refusal
def normalization_that_mixes_samples_under_a_slope_penalty(recipe: Recipe) -> str | None:
    normalization, penalty = recipe.discriminator.normalization, recipe.penalty.kind
    mixes = NORMALIZATIONS.capability(normalization, "mixes_samples")
    if not mixes or not PENALTIES.capability(penalty, "differentiates_score"):
        return None
    return (
        f"penalty.kind={penalty} needs each sample's score to depend on that sample alone, and "
        f"discriminator.normalization={normalization} mixes the samples of a batch "
        "(Gulrajani et al. 2017, section 4); set discriminator.normalization to layer or none."
    )


@refusal
def normalization_that_needs_labels(recipe: Recipe) -> str | None:
    conditional = NORMALIZATIONS.capability(recipe.generator.normalization, "conditional")
    asked = recipe.generator.conditioning == "normalization"
    if asked and not conditional:
        known = " or ".join(NORMALIZATIONS.those_with("conditional"))
        return f"generator.conditioning=normalization needs generator.normalization to be {known}."
    if conditional and not asked:
        return (
            f"generator.normalization={recipe.generator.normalization} takes labels; set "
            "generator.conditioning=normalization."
        )
    return None


def _embeds(recipe: Recipe) -> bool:
    """Whether the generator's layers are given an embedding of all labels."""
    return NORMALIZATIONS.capability(recipe.generator.normalization, "embedded")


@refusal
def output_by_domain_beside_an_embedding(recipe: Recipe) -> str | None:
    generator = recipe.generator
    if not _embeds(recipe) or not OUTPUTS.capability(generator.output, "needs_vocabularies"):
        return None
    return (
        f"generator.output={generator.output} tells domains by their class, and "
        f"generator.normalization={generator.normalization} gives the layers an embedding in its "
        "place; set generator.conditioning=concat and generator.normalization=batch."
    )


@refusal
def labels_in_what_judges(recipe: Recipe) -> str | None:
    for name, part in (("discriminator", recipe.discriminator), ("classifier", recipe.classifier)):
        if NORMALIZATIONS.capability(part.normalization, "conditional"):
            return (
                f"{name}.normalization={part.normalization} takes labels, and only the generator "
                f"is given them in its layers; set {name}.normalization to batch, layer or none."
            )
    return None


@refusal
def output_that_the_backbone_lacks(recipe: Recipe) -> str | None:
    generator = recipe.generator
    outputs = BACKBONES.capability(generator.backbone, "outputs")
    if outputs is None or generator.output in outputs:
        return None
    return (
        f"the backbone {generator.backbone} has generator.output={' or '.join(outputs)}; found "
        f"{generator.output}."
    )


@refusal
def upsampling_that_the_backbone_lacks(recipe: Recipe) -> str | None:
    generator = recipe.generator
    known = BACKBONES.capability(generator.backbone, "upsamplings")
    if generator.upsampling is None or generator.upsampling in known:
        return None
    return (
        f"generator.upsampling={generator.upsampling} is a choice of the backbones "
        f"{' and '.join(BACKBONES.those_with('upsamplings'))}, and generator.backbone is "
        f"{generator.backbone}; leave it out."
    )


@refusal
def attention_that_the_backbone_lacks(recipe: Recipe) -> str | None:
    players = ("generator", "discriminator", "classifier")
    for name, part in ((name, getattr(recipe, name)) for name in players):
        if part.attention and not BACKBONES.capability(part.backbone, "attention"):
            known = ", ".join(BACKBONES.those_with("attention"))
            return (
                f"{name}.attention goes over feature maps of the backbones {known}, and "
                f"{name}.backbone is {part.backbone}; leave it out."
            )
    return None


@refusal
def adaptive_augmentation_by_nothing(recipe: Recipe) -> str | None:
    part = recipe.discriminator
    if part.adaptive_augmentation is None or part.augmentation:
        return None
    return (
        "discriminator.adaptive_augmentation says how often samples are augmented, and "
        "discriminator.augmentation is empty; set it to [flip, translation, color], say."
    )


@refusal
def regularizers_of_scores_that_nobody_learns(recipe: Recipe) -> str | None:
    part = recipe.discriminator
    keys = ("adaptive_augmentation", "lecam")
    key = next((key for key in keys if getattr(part, key)), None)
    if key is None or OBJECTIVES.capability(recipe.objective, "scores"):
        return None
    return (
        f"discriminator.{key} follows the discriminator's scores, and objective={recipe.objective} "
        "has none; leave it out."
    )


@refusal
def adaptive_augmentation_by_scores_without_a_zero(recipe: Recipe) -> str | None:
    differences = any(
        OBJECTIVES.capability(recipe.objective, key) for key in ("critic", "generator_needs_real")
    )
    if recipe.discriminator.adaptive_augmentation is None or not differences:
        return None
    return (
        "discriminator.adaptive_augmentation follows the sign of real samples' scores, and under "
        f"objective={recipe.objective} only differences of scores mean anything; take "
        "objective=non-saturating or hinge, or leave it out."
    )


@refusal
def rows_predicted_by_a_backbone_that_makes_all_at_once(recipe: Recipe) -> str | None:
    generator = recipe.generator
    if not generator.teacher_forcing or BACKBONES.capability(generator.backbone, "autoregressive"):
        return None
    known = " or ".join(BACKBONES.those_with("autoregressive"))
    return (
        "generator.teacher_forcing predicts each row from those before it, and the backbone "
        f"{generator.backbone} makes all rows at once; set generator.backbone={known}, or "
        "teacher_forcing to 0."
    )


@refusal
def latent_that_the_backbone_cannot_take(recipe: Recipe) -> str | None:
    backbone, found = recipe.generator.backbone, recipe.latent.distribution
    needed = BACKBONES.capability(backbone, "latent")
    if needed in {None, found}:
        return None
    return (
        f"generator.backbone={backbone} needs a latent whose distribution is {needed}; set "
        f"latent.distribution={needed}."
    )


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
def twins_without_labels(recipe: Recipe) -> str | None:
    if not recipe.twins or recipe.generator.conditioning != "none":
        return None
    return (
        "its twins are each conditioned on a label level, and generator.conditioning=none gives "
        "them no label; set it to concat."
    )


@refusal
def codes_that_nobody_is_told(recipe: Recipe) -> str | None:
    codes, discriminator = recipe.latent.codes, recipe.discriminator.conditioning
    for code in codes:
        if code in recipe.twins:
            return (
                f"the twin {code!r} would have a discriminator of generated samples alone, since "
                "latent.codes are theirs; twins take label levels of the data."
            )
        if code not in recipe.conditions or recipe.generator.conditioning == "none":
            return (
                f"latent.codes has {code!r}, and the generator is not told it; name it in "
                "condition_on, and set generator.conditioning=concat."
            )
    of_codes = [task for task in recipe.tasks if task.labels in codes]
    for task in of_codes:
        if task.learns_from == "real":
            return (
                f"the task {task.labels!r} learns from real samples alone, and none of them has a "
                "code; leave `generated` and head.learns_from out."
            )
        if task.head.classes != "plain":
            return (
                f"the head of the task {task.labels!r} has classes={task.head.classes}, which "
                "compare real with generated samples, and no real sample has a code; set "
                "head.classes=plain."
            )
    if codes and discriminator != "none" and {*recipe.conditions} <= {*codes}:
        return (
            f"discriminator.conditioning={discriminator} compares samples of the same label, and "
            "no real sample has a code; set discriminator.conditioning=none."
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


@refusal
def discriminator_conditioned_alone(recipe: Recipe) -> str | None:
    if recipe.discriminator.conditioning == "none" or recipe.generator.conditioning != "none":
        return None
    return (
        f"discriminator.conditioning={recipe.discriminator.conditioning} compares samples of the "
        "same label, and the generator is given no label; set generator.conditioning=concat."
    )


@warning
def levels_that_no_layer_takes(recipe: Recipe) -> str | None:
    by_class = recipe.generator.conditioning == "normalization" and not _embeds(recipe)
    if not by_class or len(recipe.conditions) < 2:
        return None
    return (
        f"generator.conditioning=normalization tells the generator the first of condition_on "
        f"alone ({recipe.conditions[0]}); set it to concat."
    )


@refusal
def schedule_of_labels_that_cannot_be_switched(recipe: Recipe) -> str | None:
    if not recipe.schedule.conditioning:
        return None
    if recipe.generator.conditioning != "concat" and not _embeds(recipe):
        return (
            "schedule.conditioning switches the blocks of a label vector on, and "
            f"generator.conditioning={recipe.generator.conditioning} has none; set it to concat."
        )
    if recipe.twins:
        return "each of its twins has one level for good; leave schedule.conditioning out."
    return None


@refusal
def schedule_of_unknown_levels(recipe: Recipe) -> str | None:
    for i, stage in enumerate(recipe.schedule.conditioning):
        if odd := [level for level in stage.levels if level not in recipe.conditions]:
            return (
                f"schedule.conditioning.{i} names the level {odd[0]!r}, and condition_on has "
                f"{', '.join(map(repr, recipe.conditions))}; take one of those, or none."
            )
    return None


@refusal
def schedule_whose_iterations_do_not_rise(recipe: Recipe) -> str | None:
    begin, stages = 0, recipe.schedule.conditioning
    for i, stage in enumerate(stages):
        if stage.until is None and i < len(stages) - 1:
            return f"schedule.conditioning.{i} should say until which iteration."
        if stage.until is not None and stage.until <= begin:
            return (
                f"schedule.conditioning.{i} lasts until iteration {stage.until}, and should last "
                f"beyond {begin}, where it begins."
            )
        if stage.until is not None and stage.over > stage.until - begin:
            return (
                f"schedule.conditioning.{i} has over={stage.over}, and lasts "
                f"{stage.until - begin} iterations; take at most those."
            )
        begin = stage.until or begin
    return None


@refusal
def schedule_that_ends_short_of_all(recipe: Recipe) -> str | None:
    last = recipe.schedule.conditioning[-1:]
    if not last or last[0].until is not None or {*last[0].levels} == {*recipe.conditions}:
        return None
    return (
        f"the last stage of schedule.conditioning should be all of condition_on "
        f"({', '.join(map(repr, recipe.conditions))}), or last until an iteration."
    )


@warning
def schedule_beyond_the_end(recipe: Recipe) -> str | None:
    begins = [stage.until for stage in recipe.schedule.conditioning if stage.until is not None]
    if not begins or begins[-1] < recipe.training.steps:
        return None
    return (
        f"schedule.conditioning switches labels on at iteration {begins[-1]:,}, and training.steps "
        f"is {recipe.training.steps:,}: it never comes to that."
    )


@warning
def critic_without_bound(recipe: Recipe) -> str | None:
    bounded = recipe.penalty.kind != "none" or recipe.discriminator.spectral_norm
    if bounded or not OBJECTIVES.capability(recipe.objective, "critic"):
        return None
    return (
        f"objective={recipe.objective} without a bound on the critic's slope diverges; set "
        "penalty.kind to gradient or clip, or discriminator.spectral_norm=true."
    )
