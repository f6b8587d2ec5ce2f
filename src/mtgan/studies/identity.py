"""By which keys of a recipe a run is known again.

The name of a run is a digest of them, and a study finds its finished runs by their names. Keys that
recipes had when runs were first named so count always; a key that came later counts where it is not
at its default, so that a new one renames no run that is there.
"""

from collections.abc import Mapping
from typing import Any

from mtgan.recipes.ranges import Part
from mtgan.recipes.schema import DESCRIPTION

FirstKeys = Mapping[str, str]
"""The first keys of each part of a recipe, by the part's key; those of the whole under "recipe".
Never added to."""

GAN: FirstKeys = {
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

CLASSIFIER: FirstKeys = {
    "recipe": "network sharing auxiliary data augmentation training",
    "network": "channels kernel pool_after batch_norm response_norm_after dropout critic",
    "critic": GAN["classifier"],
    "sharing": "kind layers weight norm aggregator",
    "auxiliary": "labels superclasses images",
    "data": "size channels validation images fraction",
    "augmentation": "crop flip share",
    "training": "epochs batch_size learning_rates weight_decay checkpoint_every",
}


def identity_of(recipe: Part, first: FirstKeys) -> dict[str, Any]:
    """The keys of a resolved recipe that say what is trained, as plain values."""
    return _named("recipe", recipe, first, DESCRIPTION)


def _named(
    kind: str, part: Part, first: FirstKeys, left_out: frozenset[str] = frozenset()
) -> dict[str, Any]:
    plain = part.model_dump(mode="json", exclude=set(left_out))
    fields, known = type(part).model_fields, set(first[kind].split())
    return {
        name: _value(name, getattr(part, name), value, first)
        for name, value in plain.items()
        if name in known
        or getattr(part, name) != fields[name].get_default(call_default_factory=True)
    }


def _value(name: str, value: Any, plain: Any, first: FirstKeys) -> Any:
    """A part, or a list of parts, is named by its own keys."""
    if isinstance(value, Part) and name in first:
        return _named(name, value, first)
    if isinstance(value, list):
        return [_value(name, *pair, first) for pair in zip(value, plain, strict=True)]
    return plain
