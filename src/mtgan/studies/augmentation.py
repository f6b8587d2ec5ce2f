"""What an arm of a study of kind augmentation trains on: real images, and what is added to them."""

from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field

from mtgan.augmenting import amounts, with_added
from mtgan.augmenting.amounts import counts_at
from mtgan.classification import ClassifierRecipe
from mtgan.classification.schema import check as check_classifier
from mtgan.classification.tasks import split_data
from mtgan.data import Dataset
from mtgan.data.dataset import stratified_choice
from mtgan.errors import UserError
from mtgan.recipes import Recipe, load_recipe
from mtgan.recipes.load import RecipeFolder
from mtgan.recipes.ranges import FreeShare, Part, Positive
from mtgan.studies.additions import ADDITIONS, AdditionRequest
from mtgan.studies.additions.oversampling import repeated
from mtgan.training.seeds import mix_seed


class Real(Part):
    """Which of the training images there are, drawn by the run's seed with the shares of classes;
    validation images are of them."""

    share: FreeShare = 1.0
    starved: dict[str, str] = Field(default_factory=dict)  # {level: class}, of which few are left
    starved_share: FreeShare = 0.05  # of those


class Added(Part):
    """What is added to them."""

    kind: Annotated[str, AfterValidator(ADDITIONS.check)] = "nothing"
    balance: str | None = None  # the level that is counted; the finest when absent
    rule: Literal["equal", "log"] | Positive = "equal"
    filter: Annotated[float, Field(ge=0, le=1)] | None = None  # of what is generated


class Generator(Part):
    """Which generator is trained on the same real images."""

    recipe: str = "labeled-images"
    scale: str = "full"
    set: dict[str, Any] = Field(default_factory=dict)

    def resolved(self) -> Recipe:
        """The recipe; nothing is measured while it trains."""
        return load_recipe(self.recipe, {"training.evaluate_every": 0, **self.set}, self.scale)


class AugmentationRecipe(ClassifierRecipe):
    """A classifier's recipe, and what it is trained on."""

    real: Real = Real()
    added: Added = Added()
    generator: Generator = Generator()

    @property
    def classifier(self) -> ClassifierRecipe:
        return ClassifierRecipe.model_validate(
            self.model_dump(mode="json", include=set(ClassifierRecipe.model_fields))
        )


def check(recipe: AugmentationRecipe) -> None:
    """UserError for parts that do not go together."""
    check_classifier(recipe)
    if recipe.data.images is not None or recipe.data.fraction != 1.0:
        raise UserError(
            f"Recipe {recipe.name}: data.images and data.fraction would draw among what is added, "
            "too; set real.share."
        )
    if recipe.added.filter is not None and recipe.added.kind != "generated":
        raise UserError(
            f"Recipe {recipe.name}: added.filter is of what is generated, and added.kind is "
            f"{recipe.added.kind}; set added.kind: generated, or leave it out."
        )


AUGMENTATIONS = RecipeFolder(
    AugmentationRecipe, resources.files("mtgan.recipes") / "classifiers", check
)


@dataclass(frozen=True)
class Parts:
    """A training set apart.

    real: the images that there are; training: those of them that are trained on, the rest being
    for validation; rest: real ones that the arm does not have; wanted: int64 [K], how many are
    added of each class of `level`.
    """

    real: Dataset
    training: Dataset
    rest: Dataset
    level: str
    wanted: np.ndarray

    @property
    def epoch(self) -> int:
        """Images that every arm is shown in an epoch."""
        return len(self.training) + int(self.wanted.sum())


def parts_of(recipe: AugmentationRecipe, data: Dataset, seed: int) -> Parts:
    """Which images are whose, by the seed; UserError for levels or classes that there are not."""
    counts_at(data, recipe.added.balance)  # or say what is missing
    chosen = _drawn(recipe.real, data, seed)
    real = data.select(chosen)
    training = split_data(real, recipe.data.validation, None, 1.0, seed).training
    level, counts = counts_at(training, recipe.added.balance)
    rest = data.select(np.setdiff1d(np.arange(len(data)), chosen))
    return Parts(real, training, rest, level, amounts(counts, recipe.added.rule))


def training_set(
    recipe: AugmentationRecipe, data: Dataset, seed: int, place: Path, device: str = "cpu"
) -> Dataset:
    """The real images, and behind them what is added, which nothing is validated on.

    An arm that gets fewer than are wanted is shown its own training images again until there are
    as many, so that every arm makes the same number of updates. place: the study's folder.
    """
    parts = parts_of(recipe, data, seed)
    request = AdditionRequest(
        real=parts.training,
        rest=parts.rest,
        level=parts.level,
        wanted=parts.wanted,
        generator=recipe.generator.resolved(),
        filter=recipe.added.filter,
        seed=seed,
        place=place,
        device=device,
    )
    added = ADDITIONS.get(recipe.added.kind)(request)
    own = with_added(parts.training, added)
    random = np.random.default_rng(mix_seed(seed, "repeated"))
    again = repeated(np.arange(len(own)), parts.epoch - len(own), random)
    whole = with_added(with_added(parts.real, added), own.select(again))
    return replace(whole, name=f"{data.name} and {recipe.added.kind}")


def _drawn(part: Real, data: Dataset, seed: int) -> np.ndarray:
    """The positions of the real images that there are, sorted."""
    random = np.random.default_rng(mix_seed(seed, "real images"))
    finest = data.labels[:, 0]
    count = max(2, round(part.share * len(data)))
    chosen = np.sort(stratified_choice(finest, count, random))
    for level, name in part.starved.items():
        column = data.taxonomy.class_index(level, name)
        starved = data.labels_of(level)[chosen] == column
        rows = chosen[starved]
        if not len(rows):
            raise UserError(f"{data.name} has no image of the {level} {name!r} to leave out.")
        left = stratified_choice(
            finest[rows], max(1, round(part.starved_share * len(rows))), random
        )
        chosen = np.sort(np.concatenate([chosen[~starved], rows[left]]))
    return chosen
