"""Who can be told which labels, and when."""

from mtgan.parts import HEADS, OBJECTIVES
from mtgan.recipes.rules.base import refusal, warning
from mtgan.recipes.rules.parts import embeds_labels
from mtgan.recipes.schema import Recipe


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
def discriminator_conditioned_alone(recipe: Recipe) -> str | None:
    if recipe.discriminator.conditioning == "none" or recipe.generator.conditioning != "none":
        return None
    return (
        f"discriminator.conditioning={recipe.discriminator.conditioning} compares samples of the "
        "same label, and the generator is given no label; set generator.conditioning=concat."
    )


@warning
def levels_that_no_layer_takes(recipe: Recipe) -> str | None:
    by_class = recipe.generator.conditioning == "normalization" and not embeds_labels(recipe)
    if not by_class or len(recipe.conditions) < 2:
        return None
    return (
        f"generator.conditioning=normalization tells the generator the first of condition_on "
        f"alone ({recipe.conditions[0]}); set it to concat."
    )


@refusal
def heads_that_would_be_told_the_answer(recipe: Recipe) -> str | None:
    joined = recipe.discriminator.conditioning
    asked = [task.labels for task in recipe.tasks if task.is_head and task.transform is None]
    if not asked or not HEADS.capability(joined, "joins_layers"):
        return None
    return (
        f"discriminator.conditioning={joined} tells the label to the layers from which the head of "
        f"the task {asked[0]!r} should find it; set discriminator.conditioning=projection, or "
        "classifier: separate for the task."
    )


@warning
def labels_that_move_no_slope(recipe: Recipe) -> str | None:
    """A critic f(x) + g(y) has the same slope in x under every label, and a Wasserstein generator
    learns from nothing else (thesis 2017, 5.0.1 and 5.0.2, found it so)."""
    joined = recipe.discriminator.conditioning
    critic = OBJECTIVES.capability(recipe.objective, "critic")
    if recipe.tasks or not critic or not HEADS.capability(joined, "adds_labels"):
        return None
    return (
        f"discriminator.conditioning={joined} adds the labels to the score of a critic, whose "
        "slope does not depend on them then, so that the generator learns nothing of them; set "
        "discriminator.conditioning=projection."
    )


@refusal
def schedule_of_labels_that_cannot_be_switched(recipe: Recipe) -> str | None:
    if not recipe.schedule.conditioning:
        return None
    if recipe.generator.conditioning != "concat" and not embeds_labels(recipe):
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


@refusal
def vicinity_of_what_is_not_compared(recipe: Recipe) -> str | None:
    if recipe.vicinity is None:
        return None
    if recipe.discriminator.conditioning == "none":
        known = ", ".join(name for name in HEADS.written if name != "none")
        return (
            "vicinity is about numbers under which the discriminator compares samples, and "
            f"discriminator.conditioning=none tells it none; set it to one of {known}."
        )
    if recipe.twins:
        return (
            "vicinity is about the numbers of condition_on, and each of its twins is told a level "
            "of its own; leave vicinity or twins out."
        )
    return None


@refusal
def vicinity_of_odd_sizes(recipe: Recipe) -> str | None:
    part = recipe.vicinity
    if part is None:
        return None
    if part.kappa is not None and part.gaps != 1:
        return (
            f"vicinity.gaps={part.gaps:g} says how many of the largest gap kappa is, and "
            f"vicinity.kappa={part.kappa:g} says how much; leave one of them out."
        )
    if part.kappa == 0 and part.sigma != 0:
        return (
            "vicinity.kappa=0 compares samples under their own numbers alone, and next to none has "
            "one that noise was added to; set vicinity.sigma=0 too, or kappa to more."
        )
    return None


@refusal
def soft_vicinity_of_a_loss_without_weights(recipe: Recipe) -> str | None:
    soft = recipe.vicinity is not None and recipe.vicinity.kind == "soft"
    if not soft or OBJECTIVES.capability(recipe.objective, "weighable"):
        return None
    return (
        f"vicinity.kind=soft weighs samples, and objective={recipe.objective} takes no weights; "
        f"set vicinity.kind=hard, or objective to one of "
        f"{', '.join(OBJECTIVES.those_with('weighable'))}."
    )
