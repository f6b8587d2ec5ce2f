"""Which parts go together: each rule is a function that returns a reason to refuse, or None.

Rules need only the recipe; what also depends on the data (a level that it lacks, a resolution)
is checked where networks are built.
"""

import warnings
from collections.abc import Callable

from mtgan.errors import UserError
from mtgan.recipes.schema import Recipe

Rule = Callable[[Recipe], str | None]
_REFUSALS: list[Rule] = []
_WARNINGS: list[Rule] = []

# Penalties that differentiate a sample's score with respect to that sample.
_SLOPE_PENALTIES = {"gradient", "r1", "r1-r2"}


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
def batch_norm_under_slope_penalty(recipe: Recipe) -> str | None:
    if recipe.discriminator.normalization != "batch" or recipe.penalty.kind not in _SLOPE_PENALTIES:
        return None
    return (
        f"penalty.kind={recipe.penalty.kind} needs each sample's score to depend on that sample "
        "alone, and discriminator.normalization=batch mixes the samples of a batch "
        "(Gulrajani et al. 2017, section 4); set discriminator.normalization to layer or none."
    )


@refusal
def normalization_that_needs_labels(recipe: Recipe) -> str | None:
    conditional = recipe.generator.normalization.startswith("conditional-")
    asked = recipe.generator.conditioning == "normalization"
    if asked and not conditional:
        return (
            "generator.conditioning=normalization needs generator.normalization to be "
            "conditional-batch or conditional-instance."
        )
    if conditional and not asked:
        return (
            f"generator.normalization={recipe.generator.normalization} takes labels; set "
            "generator.conditioning=normalization."
        )
    return None


@refusal
def tasks_without_conditioning(recipe: Recipe) -> str | None:
    if not recipe.tasks or recipe.generator.conditioning != "none":
        return None
    if all(task.generator_weight == 0 and not task.generated for task in recipe.tasks):
        return None
    return (
        "its tasks classify generated samples by the labels that the generator was given, and "
        "generator.conditioning=none gives it none; set it to concat."
    )


@refusal
def rows_drawn_by_a_uniform_latent(recipe: Recipe) -> str | None:
    if recipe.generator.backbone != "multidomain-recurrent":
        return None
    if recipe.latent.distribution == "normal":
        return None
    return (
        "generator.backbone=multidomain-recurrent draws tokens by the normal distribution of its "
        "latent; set latent.distribution=normal."
    )


@refusal
def aggregator_of_one_task(recipe: Recipe) -> str | None:
    heads = [task for task in recipe.tasks if task.classifier == "discriminator-head"]
    if recipe.aggregator == "sum" or heads:
        return None
    return (
        f"aggregator={recipe.aggregator} weighs the discriminator's tasks against each other, and "
        "none of its tasks has classifier: discriminator-head; set aggregator=sum."
    )


@refusal
def bifurcation_of_a_separate_classifier(recipe: Recipe) -> str | None:
    odd = next((t for t in recipe.tasks if t.classifier == "separate" and t.bifurcation > 1), None)
    if odd is None:
        return None
    return (
        f"the task {odd.labels!r} has a classifier of its own, and bifurcation={odd.bifurcation} "
        "says where a head leaves the discriminator; leave it out, or share layers by `sharing`."
    )


@refusal
def twins_without_labels(recipe: Recipe) -> str | None:
    if not recipe.twins or recipe.generator.conditioning != "none":
        return None
    return (
        "its twins are each conditioned on a label level, and generator.conditioning=none gives "
        "them no label; set it to concat."
    )


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
    asked = recipe.condition_on
    several = not isinstance(asked, str) and len(asked) > 1
    if recipe.generator.conditioning != "normalization" or not several:
        return None
    return (
        f"generator.conditioning=normalization tells the generator the first of condition_on "
        f"alone ({asked[0]}); set it to concat."
    )


@warning
def critic_without_bound(recipe: Recipe) -> str | None:
    bounded = recipe.penalty.kind != "none" or recipe.discriminator.spectral_norm
    if recipe.objective != "wasserstein" or bounded:
        return None
    return (
        "objective=wasserstein without a bound on the critic's slope diverges; set penalty.kind "
        "to gradient or clip, or discriminator.spectral_norm=true."
    )
