"""Which parts of networks and objectives go together."""

from mtgan.parts import BACKBONES, NORMALIZATIONS, OBJECTIVES, OUTPUTS, PENALTIES, PROTOCOLS
from mtgan.recipes.rules.base import refusal, warning
from mtgan.recipes.schema import Recipe, Training


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
def kernels_without_a_center(recipe: Recipe) -> str | None:
    for name in ("generator", "discriminator", "classifier"):
        part = getattr(recipe, name)
        if part.kernel % 2 == 0 and BACKBONES.capability(part.backbone, "odd_kernels"):
            return (
                f"{name}.kernel={part.kernel} has no pixel in its middle, as layers of backbone "
                f"{part.backbone} need; set it to {part.kernel - 1} or {part.kernel + 1}."
            )
    return None


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


def embeds_labels(recipe: Recipe) -> bool:
    """Whether the generator's layers are given an embedding of all labels."""
    return NORMALIZATIONS.capability(recipe.generator.normalization, "embedded")


@refusal
def output_by_domain_beside_an_embedding(recipe: Recipe) -> str | None:
    generator = recipe.generator
    if not embeds_labels(recipe) or not OUTPUTS.capability(generator.output, "needs_vocabularies"):
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
def last_normalization_that_does_not_fit(recipe: Recipe) -> str | None:
    generator = recipe.generator
    last = generator.last_normalization
    if last is None:
        return None
    if not BACKBONES.capability(generator.backbone, "last_normalization"):
        return (
            "generator.last_normalization is that before the last layer of the backbones "
            f"{' and '.join(BACKBONES.those_with('last_normalization'))}, and generator.backbone "
            f"is {generator.backbone}; leave it out."
        )
    if NORMALIZATIONS.capability(last, "conditional"):
        return (
            f"generator.last_normalization={last} takes labels, and only what all layers have may "
            "do that; leave it out, or set it to one without, such as batch."
        )
    return None


@refusal
def stem_normalization_that_does_not_fit(recipe: Recipe) -> str | None:
    generator = recipe.generator
    if generator.stem_normalization == "per-channel":
        return None
    start = f"generator.stem_normalization={generator.stem_normalization}"
    if not BACKBONES.capability(generator.backbone, "stem_normalization"):
        return (
            f"{start} is of the dense layer of the backbones "
            f"{' and '.join(BACKBONES.those_with('stem_normalization'))}, and generator.backbone "
            f"is {generator.backbone}; leave it out."
        )
    if not NORMALIZATIONS.capability(generator.normalization, "mixes_samples"):
        return (
            f"{start} has one value of each sample to normalize, and needs those of the others in "
            f"the batch; generator.normalization={generator.normalization} mixes none: take batch, "
            "or leave it out."
        )
    return None


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
def noise_of_halves_of_one_sample(recipe: Recipe) -> str | None:
    part = recipe.training
    sizes = (part.batch_size, part.generator_batch_size or part.batch_size)
    if not part.noise_scale_every or min(sizes) >= 4:
        return None
    return (
        f"training.noise_scale_every={part.noise_scale_every} compares the gradients of halves of "
        f"a batch, which is one of {min(sizes)} samples; take at least 4, or set it to 0."
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


@refusal
def other_sizes_than_the_protocol_says(recipe: Recipe) -> str | None:
    asked = recipe.training.evaluate_samples
    name = recipe.training.evaluate_protocol
    count = PROTOCOLS.capability(name, "generated")
    usual = Training.model_fields["evaluate_samples"].default
    if not PROTOCOLS.capability(name, "exact") or asked in {usual, count}:
        return None
    return (
        f"training.evaluate_protocol={name} measures exactly {count:,} generated samples, and "
        f"training.evaluate_samples={asked:,} asks for another number; leave that out."
    )


@refusal
def one_latent_for_batches_of_two_sizes(recipe: Recipe) -> str | None:
    sizes = recipe.training.batch_size, recipe.training.generator_batch_size
    if recipe.schedule.latents == "each-update" or sizes[1] in {None, sizes[0]}:
        return None
    return (
        f"schedule.latents={recipe.schedule.latents} gives all updates of an iteration the same z, "
        f"and batches have {sizes[0]} and {sizes[1]} samples; leave training.generator_batch_size "
        "out."
    )


@refusal
def class_batch_of_its_own_that_does_not_fit(recipe: Recipe) -> str | None:
    if recipe.schedule.class_batch == "shared":
        return None
    start = f"schedule.class_batch={recipe.schedule.class_batch}"
    if not any(task.is_head and task.weight_to_generator for task in recipe.tasks):
        return f"{start} is what the generator learns of heads by, and here of none; leave it out."
    reasons = {
        "schedule.latents": recipe.schedule.latents != "each-update",
        "schedule.domains": recipe.schedule.domains != "as-found",
        "generator.teacher_forcing": recipe.generator.teacher_forcing > 0,
        "objective": OBJECTIVES.capability(recipe.objective, "generator_needs_real"),
    }
    odd = next((key for key, there in reasons.items() if there), None)
    if odd is None:
        return None
    return f"{start} generates two batches, and {odd} speaks of one; leave one of them out."


@refusal
def elastic_weights_where_no_domain_ends(recipe: Recipe) -> str | None:
    if recipe.elastic is None:
        return None
    if recipe.twins:
        return "elastic holds the weights of one generator, and twins train several; leave one out."
    if recipe.schedule.domains == "sequence":
        return None
    return (
        "elastic holds what was learned of the domains before, and "
        f"schedule.domains={recipe.schedule.domains} ends none; set schedule.domains=sequence."
    )


@refusal
def losses_after_updates_of_no_scores(recipe: Recipe) -> str | None:
    if not recipe.training.log_after_updates or OBJECTIVES.capability(recipe.objective, "scores"):
        return None
    return (
        "training.log_after_updates compares the losses of scores, and "
        f"objective={recipe.objective} has none; leave it out."
    )


@warning
def snapshots_after_the_end(recipe: Recipe) -> str | None:
    part = recipe.training
    if not isinstance(part.snapshots, list):
        return None
    late = sorted(step for step in part.snapshots if step > part.steps)
    if not late:
        return None
    return (
        f"training.snapshots names iteration {late[0]:,}, and the training ends with "
        f"{part.steps:,}; there is none of it unless the training is made longer."
    )
