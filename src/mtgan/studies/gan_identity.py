"""By which keys of a recipe a GAN's run is known again.

The name of a run is a digest of them, and a study finds its finished runs by their names. Keys that
recipes had when runs were first named so count always; a key that came later counts where it is not
at its default, so that a new one renames no run that is there.
"""

from typing import Any

from mtgan.recipes import Recipe
from mtgan.recipes.ranges import Part
from mtgan.recipes.schema import DESCRIPTION

# By the part that has them; never added to.
_FIRST = {
    "recipe": "latent objective penalty generator discriminator classifier condition_on vicinity "
    "twins hierarchy tasks aggregator sharing schedule optimizer data training",
    "latent": "dim distribution codes",
    "penalty": "kind weight limit",
    "generator": "backbone width kernel normalization attention conditioning output spectral_norm "
    "upsampling last_normalization teacher_forcing",
    "discriminator": "backbone width kernel normalization attention normalize_first_layer dropout "
    "activation_noise spectral_norm conditioning augmentation adaptive_augmentation lecam",
    "classifier": "backbone width kernel normalization attention normalize_first_layer dropout "
    "activation_noise spectral_norm",
    "hierarchy": "kind name classes seed",
    "tasks": "labels transform classifier bifurcation weight generator_weight generated head",
    "head": "classes learns_from loss features levels sums",
    "sharing": "between layers kind weight norm",
    "schedule": "discriminator_steps generator_steps classifier_every classifier_choice domains "
    "conditioning",
    "optimizer": "learning_rate discriminator_learning_rate classifier_learning_rate beta1 beta2 "
    "kind decay",
    "data": "size channels subset stratified flip dequantize",
    "training": "steps batch_size generator_batch_size ema_decay initialization precision "
    "log_every sample_every checkpoint_every keep_checkpoints evaluate_every evaluate_samples",
}


def trained(recipe: Recipe) -> dict[str, Any]:
    """The keys of a resolved recipe that say what is trained, as plain values."""
    return _named("recipe", recipe, frozenset(DESCRIPTION))


def _named(kind: str, part: Part, left_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    first, plain = set(_FIRST[kind].split()), part.model_dump(mode="json", exclude=set(left_out))
    later = (name for name in plain if name not in first)
    usual = type(part).model_fields
    as_ever = {name for name in later if getattr(part, name) == usual[name].default}
    return {
        name: _value(name, getattr(part, name), value)
        for name, value in plain.items()
        if name not in as_ever
    }


def _value(name: str, value: Any, plain: Any) -> Any:
    """A part, or a list of parts, is named by its own keys."""
    if isinstance(value, Part) and name in _FIRST:
        return _named(name, value)
    if isinstance(value, list):
        return [_value(name, *pair) for pair in zip(value, plain, strict=True)]
    return plain
