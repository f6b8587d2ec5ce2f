"""Who plays in a recipe, who is told which labels, what each says, and when who moves.

Derived from the recipe alone, in words; mtgan.recipes.diagram draws it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtgan.parts import OBJECTIVES, PENALTIES
from mtgan.recipes.describe import head_words
from mtgan.recipes.schema import NetworkPart, Recipe, Sharing
from mtgan.recipes.task import Task


@dataclass(frozen=True)
class Player:
    """A network.

    name: as in `sharing.between`; network: its layers in words; levels: the labels that it is
    told; by: how they enter; says: what it says of a sample, in words; tells: those of them that
    name a class.
    """

    name: str
    network: str
    levels: tuple[str, ...] = ()
    by: str = ""
    says: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()


@dataclass(frozen=True)
class PhaseRow:
    """A phase: how often it comes, whom it moves, and the losses by which."""

    name: str
    when: str
    moves: tuple[str, ...]
    losses: tuple[str, ...]


@dataclass(frozen=True)
class Cast:
    """The players of a recipe, what they share, and the phases in which they move.

    latent: what generators start from; pairs: generators, each with its discriminator;
    reads_labels: whether somebody needs the labels of real samples.
    """

    latent: str
    pairs: tuple[tuple[Player, Player], ...]
    classifiers: tuple[Player, ...]
    sharing: tuple[Sharing, ...]
    phases: tuple[PhaseRow, ...]
    reads_labels: bool


def cast_of(recipe: Recipe) -> Cast:
    """The players of a resolved recipe."""
    latent = f"{recipe.latent.dim} numbers, {recipe.latent.distribution}"
    names = [*recipe.twins] or [""]
    pairs = tuple((_generator(recipe, name), _discriminator(recipe, name)) for name in names)
    classifiers = tuple(_classifier(recipe, task) for task in recipe.tasks if not task.is_head)
    sharing, phases = tuple(recipe.sharing), tuple(_phases(recipe))
    return Cast(latent, pairs, classifiers, sharing, phases, _reads_labels(recipe, pairs))


def _reads_labels(recipe: Recipe, pairs: Sequence[tuple[Player, Player]]) -> bool:
    told = any(discriminator.levels for _, discriminator in pairs)
    own = [task for task in recipe.tasks if task.transform is None]
    return told or any("real" in _learns_from(task, recipe) for task in own)


def _named(kind: str, twin: str) -> str:
    return f"{kind}/{twin}" if twin else kind


def _network(part: NetworkPart) -> str:
    norm = "" if part.normalization == "none" else f", {part.normalization} norm"
    return f"{part.backbone}, width {part.width}{norm}"


def _conditions(recipe: Recipe, twin: str) -> tuple[str, ...]:
    told = recipe.generator.conditioning != "none"
    return () if not told else (twin,) if twin else recipe.conditions


def _generator(recipe: Recipe, twin: str) -> Player:
    part, levels = recipe.generator, _conditions(recipe, twin)
    return Player(
        _named("generator", twin), _network(part), levels, part.conditioning if levels else ""
    )


def _discriminator(recipe: Recipe, twin: str) -> Player:
    part = recipe.discriminator
    told = part.conditioning != "none"
    levels = tuple(level for level in _conditions(recipe, twin) if level not in recipe.latent.codes)
    heads = tuple(_head_says(task, recipe) for task in recipe.tasks if task.is_head)
    score: tuple[str, ...] = ()
    if OBJECTIVES.capability(recipe.objective, "scores"):
        critic = OBJECTIVES.capability(recipe.objective, "critic")
        score = ("critic's score" if critic else "real or generated?",)
    network = f"{_network(part)}{', spectral norm' if part.spectral_norm else ''}"
    return Player(
        _named("discriminator", twin),
        network,
        levels if told else (),
        part.conditioning if told else "",
        (*score, *heads),
        heads,
    )


def _head_says(task: Task, recipe: Recipe) -> str:
    kind = f"{words} " if (words := head_words(task.head)) else ""
    own = "" if task.bifurcation == 1 else f", {task.bifurcation} layers of its own"
    return f"{kind}{task.labels}? {_learns_from(task, recipe)}{own}"


def _classifier(recipe: Recipe, task: Task) -> Player:
    says = f"{task.labels}? {_learns_from(task, recipe)}"
    return Player(
        f"classifier/{task.labels}", _network(recipe.classifier), says=(says,), tells=(says,)
    )


def _learns_from(task: Task, recipe: Recipe) -> str:
    """Of which samples it learns; no real one has a code."""
    learns = "generated" if task.labels in recipe.latent.codes else task.learns_from
    return f"of {'real and generated' if learns == 'both' else learns}"


# Phases


def _phases(recipe: Recipe) -> Iterator[PhaseRow]:
    schedule = recipe.schedule
    names = [*recipe.twins] or [""]
    drawn = f", 1 of {len(names)} pairs drawn" if len(names) > 1 else ""
    for twin in names:
        discriminator, generator = _named("discriminator", twin), _named("generator", twin)
        when = f"{schedule.discriminator_steps} x{drawn}"
        losses = tuple(_discriminator_losses(recipe, discriminator))
        yield PhaseRow(discriminator, when, (discriminator,), losses)
        when = f"{schedule.generator_steps} x{drawn}"
        yield PhaseRow(generator, when, (generator,), tuple(_generator_losses(recipe, generator)))
    separate = [task for task in recipe.tasks if not task.is_head]
    chosen = len(separate) > 1 and schedule.classifier_choice == "random"
    one_of = f", 1 of {len(separate)} drawn" if chosen else ""
    every = schedule.classifier_every
    when = f"every {_ordinal(every)}" if every > 1 else "1 x"
    for twin in names:
        for task in separate:
            moves = (f"classifier/{task.labels}", _named("generator", twin))
            losses = (
                f"{_weight(task.weight)}{task.labels}",
                *_pulls(recipe, f"classifier/{task.labels}"),
            )
            yield PhaseRow(
                _named(f"classifier/{task.labels}", twin), f"{when}{one_of}", moves, losses
            )


def _discriminator_losses(recipe: Recipe, name: str) -> Iterator[str]:
    yield from _adversarial(recipe)
    penalty = recipe.penalty
    if PENALTIES.capability(penalty.kind, "clips"):
        yield f"{penalty.kind} at {penalty.limit:g}"
    elif penalty.kind != "none":
        yield f"{_weight(penalty.weight)}{penalty.kind} penalty"
    if recipe.discriminator.lecam:
        yield f"{_weight(recipe.discriminator.lecam)}LeCam"
    for task in recipe.tasks:
        if task.is_head:
            yield f"{_weight(task.weight)}{task.labels}"
    yield from _pulls(recipe, name)


def _generator_losses(recipe: Recipe, name: str) -> Iterator[str]:
    yield from _adversarial(recipe)
    for task in recipe.tasks:
        if task.is_head and task.weight_to_generator:
            yield f"{_weight(task.weight_to_generator)}{task.labels}"
    if recipe.generator.teacher_forcing:
        yield f"{_weight(recipe.generator.teacher_forcing)}teacher forcing"
    if recipe.elastic:
        yield f"{_weight(recipe.elastic.weight / 2)}elastic weights"
    yield from _pulls(recipe, name)


def _adversarial(recipe: Recipe) -> Iterator[str]:
    if OBJECTIVES.capability(recipe.objective, "scores"):
        yield recipe.objective


def _pulls(recipe: Recipe, name: str) -> Iterator[str]:
    for sharing in recipe.sharing:
        if sharing.kind == "soft" and name in sharing.between:
            other = sharing.between[1 - sharing.between.index(name)]
            yield f"{_weight(sharing.weight)}{sharing.norm} to {other}"


def _weight(weight: float) -> str:
    return "" if weight == 1 else f"{weight:g} x "


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{ending or 'th'}"
