"""A small data set with two label levels, and recipes cut down to fit it."""

from pathlib import Path

import numpy as np

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.data.domains.parts import data_of_strings
from mtgan.errors import UserError
from mtgan.parts import BACKBONES
from mtgan.recipes import Recipe, list_recipes, load_recipe


def makes_photographs(backbone: str) -> bool:
    """Whether a backbone makes pictures in color, and not canvases over several domains."""
    try:
        BACKBONES.get(backbone)().check_shape((3, 32, 32))
    except UserError:
        return False
    return True


def fits_classes(recipe: Recipe) -> bool:
    """Whether a recipe takes data that have classes and no numbers."""
    return "number" not in recipe.conditions


# Recipes of pictures with classes; those of canvases and of numbers have tests of their own.
ZOO = [
    e.name
    for e in list_recipes()
    if makes_photographs(e.recipe.generator.backbone) and fits_classes(e.recipe)
]

SMALL: dict[str, object] = {
    "generator.width": 8,
    "discriminator.width": 8,
    "classifier.width": 8,
    "latent.dim": 6,
    "training.batch_size": 8,
    "training.steps": 4,
    "training.log_every": 1,
    "training.sample_every": 2,
    "training.checkpoint_every": 2,
    "training.evaluate_every": 0,
    "data.size": None,
}


# What some recipes need beside: one number of the latent draws each row of a canvas; a domain lasts
# at least as many iterations as its end is measured by.
NEEDED: dict[str, dict[str, object]] = {
    "multidomain-gp": {"latent.dim": 20},
    "multidomain-elastic": {"latent.dim": 20, "elastic.batches": 1},
}


def small_recipe(name: str = "wgan-gp", **overrides: object) -> Recipe:
    """A zoo recipe at the size of the tests; keywords are keys with __ for the dot."""
    changed = {key.replace("__", "."): value for key, value in overrides.items()}
    batch = {"training.generator_batch_size": None}
    return load_recipe(name, SMALL | NEEDED.get(name, {}) | batch | changed)


def make_domains(folder: Path) -> Dataset:
    """Thirty images of two classes and 25 strings, on one canvas; their files lie in a folder."""
    words = folder / "words.txt"
    words.write_text("".join(f"{a}{b}{a}\n" for a in "abcde" for b in "xyzwv"))
    images = np.random.default_rng(0).integers(0, 256, (30, 9, 8, 1), dtype=np.uint8)
    np.savez(folder / "x.npz", images=images, labels=np.arange(30) % 2)
    return load_dataset(f"image={folder}/x.npz+text={words}", "all")


def make_data(
    count: int = 48,
    shape: tuple[int, int, int] = (1, 16, 16),
    seed: int = 0,
    three_levels: bool = False,
) -> Dataset:
    """Noise images of four fine classes in two coarse ones, brighter by class."""
    random = np.random.default_rng(seed)
    fine = np.arange(count) % 4
    images = random.integers(0, 100, (count, *shape)) + 30 * fine[:, None, None, None]
    taxonomy = Taxonomy(
        levels=("fine", "coarse"),
        classes={"fine": ("a", "b", "c", "d"), "coarse": ("x", "y")},
        parents={"fine": ("coarse", (0, 0, 1, 1))},
    )
    data = Dataset(
        samples=images.astype(np.uint8),
        labels=np.stack([fine, fine // 2], axis=1).astype(np.int64),
        taxonomy=taxonomy,
        name="toy",
        split="train",
        spec={"name": "toy"},
    )
    if three_levels:
        tree = {"coarse": dict(zip("abcd", "xxyy", strict=True)), "top": {"x": "v", "y": "w"}}
        data = data.with_taxonomy(data.taxonomy.with_hierarchy(tree))
    return data


def make_bars(count: int = 96, side: int = 16, seed: int = 0) -> Dataset:
    """Dark images with one bright column, thin or thick, whose place is the number `place`, from 0
    (left) to 90 (right)."""
    random = np.random.default_rng(seed)
    place, kind = random.uniform(0, 90, count), np.arange(count) % 2
    place[:2] = 0, 90
    columns = np.arange(side)[None] - place[:, None] / 90 * (side - 1)
    bars = 230 * np.exp(-((columns / (1 + kind[:, None])) ** 2))
    images = np.repeat(bars[:, None, None], side, axis=2) + random.integers(0, 10, (1, side, side))
    taxonomy = Taxonomy(("fine",), {"fine": ("thin", "thick")}, {})
    return Dataset(
        images.astype(np.uint8),
        kind[:, None],
        taxonomy,
        name="bars",
        numbers={"place": place.astype(np.float32)},
    )


def place_of(bars: np.ndarray) -> np.ndarray:
    """The number of bars uint8 [N, 1, H, W]: the center of their light, from 0 to 90."""
    light = bars[:, 0].astype(float).sum(axis=1)
    light -= light.min(axis=1, keepdims=True)
    return (
        (light * np.arange(light.shape[1])).sum(axis=1)
        / light.sum(axis=1)
        * 90
        / (light.shape[1] - 1)
    )


class Instruments:
    """Of a training, without a judge that would be trained first: every evaluation says the same,
    and every second class is confused with the next one but one."""

    n, protocol = 8, {"features": "none"}

    def evaluator(self, data: Dataset, n: int, device: object, **how: object) -> "Instruments":
        return self

    def __call__(self, samples: np.ndarray, labels: np.ndarray | None) -> dict[str, float]:
        return {"frechet_distance": 1.0}

    def confusion(self, data: Dataset, seed: int) -> np.ndarray:
        count = data.taxonomy.num_classes(data.taxonomy.levels[0])
        return np.array([[9 * ((i - j) % 2 == 0) for j in range(count)] for i in range(count)])


def classes_within(taxonomy: Taxonomy, level: str, name: str) -> list[str]:
    """The finest classes that lie in the class `name` of a coarser level."""
    finest = taxonomy.levels[0]
    above = taxonomy.ancestors(np.arange(taxonomy.num_classes(finest)), finest, level)
    index = taxonomy.class_index(level, name)
    return [taxonomy.classes[finest][i] for i in np.flatnonzero(above == index)]


def real_strings(name: str, split: str) -> list[str]:
    """The strings of a data set of one domain of strings, as they read back from the canvas."""
    data = data_of_strings(name, split)
    return data.domains[0].decode(data.samples)
