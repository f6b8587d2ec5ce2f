"""What distinguishes a recipe, derived from its parts: the columns of the thesis's Table 4.1."""

from dataclasses import dataclass

from mtgan.recipes.schema import Recipe
from mtgan.recipes.task import Head


@dataclass(frozen=True)
class Description:
    """One row. Players are named G, D and C, as in the thesis."""

    name: str
    title: str
    objective: str  # and what bounds the discriminator
    multitask: bool
    classifier: str  # how many, and whether heads of D or networks of their own
    conditioning: str  # the players that are given labels, or learn to tell them
    levels: tuple[str, ...]
    other: str


def describe(recipe: Recipe) -> Description:
    """The row of a resolved recipe."""
    return Description(
        name=recipe.name,
        title=recipe.title,
        objective=_objective(recipe),
        multitask=bool(recipe.tasks or recipe.twins),
        classifier=_classifier(recipe),
        conditioning=_conditioning(recipe),
        levels=_levels(recipe),
        other="; ".join(_other(recipe)),
    )


def _objective(recipe: Recipe) -> str:
    parts = [recipe.objective]
    if recipe.penalty.kind != "none":
        parts.append(recipe.penalty.kind)
    if recipe.discriminator.spectral_norm:
        parts.append("spectral norm")
    if recipe.discriminator.lecam:
        parts.append("LeCam")
    return " + ".join(parts)


def _classifier(recipe: Recipe) -> str:
    heads = sum(task.is_head for task in recipe.tasks)
    counts = {"auxiliary": heads, "separate": len(recipe.tasks) - heads}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


def _conditioning(recipe: Recipe) -> str:
    told = recipe.discriminator.conditioning != "none"
    players = {
        "G": recipe.generator.conditioning != "none",
        "D": told or any(task.is_head for task in recipe.tasks),
        "C": not all(task.is_head for task in recipe.tasks),
    }
    return "&".join(player for player, conditioned in players.items() if conditioned)


def _levels(recipe: Recipe) -> tuple[str, ...]:
    conditioned = recipe.generator.conditioning != "none"
    main = recipe.twins or (recipe.conditions if conditioned else ())
    return tuple(dict.fromkeys([*main, *(task.labels for task in recipe.tasks)]))


def _other(recipe: Recipe) -> list[str]:
    notes = []
    if recipe.twins:
        notes.append(f"{len(recipe.twins)} twins")
    for name in ("generator", "discriminator"):
        part = getattr(recipe, name)
        if part.conditioning not in {"none", "concat"}:
            notes.append(f"labels enter {name[0].upper()} by {part.conditioning}")
    for sharing in recipe.sharing:
        pair = " and ".join(sharing.between)
        notes.append(f"{pair} share {sharing.layers} layers ({sharing.kind})")
    for part in recipe.hierarchy:
        notes.append(f"hierarchy: {part.kind}")
    if recipe.vicinity:
        notes.append(f"numbers within a vicinity ({recipe.vicinity.kind})")
    if recipe.schedule.conditioning:
        notes.append("conditioning by a schedule")
    deeper = max((task.bifurcation for task in recipe.tasks), default=1)
    if deeper > 1:
        notes.append(f"bifurcation {deeper}")
    heads = {text: None for task in recipe.tasks if (text := head_words(task.head))}
    if heads:
        notes.append(f"heads: {', '.join(heads)}")
    if recipe.discriminator.augmentation:
        adaptive = " adaptively" if recipe.discriminator.adaptive_augmentation else ""
        notes.append(f"augmented{adaptive} by {', '.join(recipe.discriminator.augmentation)}")
    return notes


def head_words(head: Head) -> str:
    """In which words a head differs from a plain one."""
    usual = Head()
    keys = ("classes", "loss", "features")
    odd = [getattr(head, key) for key in keys if getattr(head, key) != getattr(usual, key)]
    return " ".join([*odd, *(["tree softmax"] if head.sums else [])])
