"""From a recipe and what is known of the data to networks."""

from collections.abc import Mapping, Sequence

from mtgan.errors import UserError
from mtgan.nets import (
    Classifier,
    Discriminator,
    DiscriminatorSettings,
    Generator,
    GeneratorSettings,
)
from mtgan.nets.backbone import Backbone, bound_all
from mtgan.nets.heads import block_length
from mtgan.nets.networks import EMBEDDING
from mtgan.parts import BACKBONES, NORMALIZATIONS, OUTPUTS
from mtgan.recipes import Recipe
from mtgan.recipes.task import Task
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.heads import axis_of, objective_of, spec_of, spec_of_transform

Network = Generator | Discriminator | Classifier


def build_generator(
    recipe: Recipe, info: DatasetInfo, levels: Sequence[str], sizes: Mapping[str, int]
) -> Generator:
    """levels: what it is conditioned on; sizes: the classes of each level of its label vector.

    UserError for a normalization that looks the class up of a level that holds numbers.
    """
    part = recipe.generator
    backbone = _backbone(part.backbone, info)
    concat = sizes if part.conditioning == "concat" else {}
    level = levels[0] if levels else None
    by_class = level if part.conditioning == "normalization" else None
    takes_embedding = NORMALIZATIONS.capability(part.normalization, "embedded")
    embedded = sizes if by_class and takes_embedding else {}
    if by_class in info.numbers and not embedded:
        raise UserError(
            f"Recipe {recipe.name}: generator.normalization={part.normalization} looks up a class, "
            f"and {by_class!r} is a number; set generator.conditioning=concat."
        )
    classes = EMBEDDING if embedded else sizes[by_class] if by_class else 0
    by_domain = OUTPUTS.capability(part.output, "needs_vocabularies")
    settings = GeneratorSettings.of(
        part,
        shape=info.shape,
        inputs=recipe.latent.dim + sum(map(block_length, concat.values())),
        classes=classes,
        vocabularies=info.vocabularies(level) if by_domain else (),
        latent=recipe.latent.dim,
    )
    layers = backbone.generator_layers(settings)
    if part.spectral_norm:
        bound_all(layers)
    return Generator(layers, levels, concat, embedded)


def build_discriminator(
    recipe: Recipe,
    info: DatasetInfo,
    levels: Sequence[str],
    sizes: Mapping[str, int],
    heads: Sequence[tuple[Task, str]],
    transforms: Sequence[Task] = (),
) -> Discriminator:
    """levels, sizes: as of the generator; heads: the tasks that have one on it, and their levels;
    transforms: those that have one, and no level.

    UserError for a head that would leave it before its first layer.
    """
    part = recipe.discriminator
    backbone = _backbone(part.backbone, info)
    settings = DiscriminatorSettings.of(part, shape=info.shape)
    depth = len(backbone.discriminator_layers(settings))
    for task in (*(task for task, _ in heads), *transforms):
        if task.bifurcation > depth + 1:
            raise UserError(
                f"Recipe {recipe.name}: the task {task.labels!r} has bifurcation="
                f"{task.bifurcation}, and at {info.shape[1]} x {info.shape[2]} pixels the "
                f"discriminator has {depth} layers and the head; take 1 to {depth + 1}."
            )
    levels_by_task = {task.labels: level for task, level in heads}
    specs = {task.labels: spec_of(task, level, levels_by_task, info) for task, level in heads}
    specs |= {task.labels: spec_of_transform(task, info) for task in transforms}
    return Discriminator(
        lambda: backbone.discriminator_layers(settings),
        backbone.feature_count(settings),
        settings,
        part.conditioning,
        levels,
        sizes if part.conditioning != "none" else {},
        specs,
    )


def build_classifier(recipe: Recipe, info: DatasetInfo, task: Task, level: str) -> Classifier:
    """A network of its own for the classes of a level."""
    objective = objective_of(task, (level,), info)
    backbone = _backbone(recipe.classifier.backbone, info)
    settings = DiscriminatorSettings.of(recipe.classifier, shape=info.shape)
    return Classifier(
        backbone.discriminator_layers(settings),
        backbone.feature_count(settings),
        objective.loss.outputs(objective.classes, objective.sizes),
        axis_of(objective, (level,)),
    )


def _backbone(name: str, info: DatasetInfo) -> Backbone:
    backbone = BACKBONES.get(name)()
    backbone.check_shape(info.shape)
    return backbone
