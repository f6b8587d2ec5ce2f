"""The parts of a classifier's recipe, their meaning, and their ranges (thesis 2017, 2.0.1)."""

from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from mtgan.errors import UserError
from mtgan.recipes.load import RecipeFolder
from mtgan.recipes.ranges import (
    AggregatorName,
    Batch,
    Few,
    FreeShare,
    LessThanOne,
    NonNegative,
    NormName,
    Part,
    Positive,
    Rate,
    Share,
    Side,
    Size,
    Weight,
    Width,
)
from mtgan.recipes.schema import ClassifierPart
from mtgan.text import printable


class Network(Part):
    """Convolutions of stride 1 with ReLU, then one linear softmax layer; the same for each task."""

    channels: Annotated[tuple[Width, ...], Field(min_length=1)] = (64, 128, 128, 128)
    kernel: Few = 5
    pool_after: tuple[Positive, ...] = (1, 2, 4)  # 2 x 2 max pooling, by layer counted from 1
    batch_norm: bool = True
    response_norm_after: tuple[Positive, ...] = ()  # local response normalization
    dropout: LessThanOne = 0.5  # after every layer
    # The layers of a GAN's critic in their place, of any backbone (thesis 2017, 2.0.8).
    critic: ClassifierPart | None = None


class ClassifierSharing(Part):
    """What the networks of the two tasks share."""

    kind: Literal["none", "soft", "hard"] = "none"
    layers: NonNegative = 3  # b: the first b layers
    weight: Weight = 0.1  # lambda, for `soft`
    norm: NormName = "l2"  # for `soft`; see mtgan.objectives.sharing
    # For `hard`: how both gradients of the trunk become one (see mtgan.training.aggregate); the
    # tasks then move together. When absent they take turns.
    aggregator: AggregatorName | None = None


class Auxiliary(Part):
    """The auxiliary task; inert where nothing is shared."""

    labels: str = "coarse"  # a label level, or `same`, `random`, `clustered`
    superclasses: Positive | None = None  # of `random`, `clustered`; as the data's own when absent
    images: Positive | None = None  # at most so many, where it has a data set of its own


class ClassifierData(Part):
    """What of the data is used for what. Test images are the data set's test split."""

    size: Size = None  # 64, (H, W) or HxW; as found when absent
    channels: Literal[1, 3] | None = None
    # Of the training split: a whole number is a count, a fraction in (0, 1) a share.
    validation: Positive | Annotated[float, Field(gt=0, lt=1)] = 0.2
    images: Positive | None = None  # training images at most, drawn by the seed
    fraction: FreeShare = 1.0  # of those; the classes are not balanced


class Augmentation(Part):
    """Random crops and mirror images for a share of every batch; the others are cropped in the
    middle, as all are for evaluation."""

    crop: Side | None = None  # side of the crop; whole images when absent
    flip: bool = False
    share: Share = 0.25


class ClassifierTraining(Part):
    """SGD without momentum; its learning rates divide the epochs evenly among them."""

    epochs: Positive = 200
    batch_size: Batch = 256
    learning_rates: Annotated[tuple[Rate, ...], Field(min_length=1)] = (0.01, 0.001, 0.0001)
    weight_decay: Weight = 5e-5  # of kernels; biases and normalization have none
    checkpoint_every: Positive = 10  # epochs


class ClassifierRecipe(Part):
    """Everything that says what is trained; data sets and seed come from the run."""

    name: str = "unnamed"
    extends: str | None = None
    title: str = ""
    source: str = ""
    about: str = ""
    network: Network = Network()
    sharing: ClassifierSharing = ClassifierSharing()
    auxiliary: Auxiliary = Auxiliary()
    data: ClassifierData = ClassifierData()
    augmentation: Augmentation = Augmentation()
    training: ClassifierTraining = ClassifierTraining()
    plugins: list[str] = []  # modules of one's own that are imported first; see mtgan.plugins
    # What a run has recorded here: data sets, seed, versions.
    run: dict[str, Any] = Field(default_factory=dict)

    def __repr__(self) -> str:
        epochs, sharing = self.training.epochs, self.sharing.kind
        return f"ClassifierRecipe({printable(repr(self.name))}: sharing {sharing}, {epochs} epochs)"

    __str__ = __repr__

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that are trained."""
        return ("main",) if self.sharing.kind == "none" else ("main", "auxiliary")


def check(recipe: ClassifierRecipe) -> None:
    """UserError for parts that do not go together."""
    where = f"Recipe {recipe.name}"
    if recipe.network.critic is None:  # whose depth follows from the size of samples
        _check_depth(recipe, where)
    if recipe.sharing.aggregator and recipe.sharing.kind != "hard":
        raise UserError(
            f"{where}: sharing.aggregator combines the gradients of a trunk that both tasks own, "
            f"and sharing.kind={recipe.sharing.kind} has none; set sharing.kind=hard, or leave it."
        )


def _check_depth(recipe: ClassifierRecipe, where: str) -> None:
    depth = len(recipe.network.channels)
    for key in ("pool_after", "response_norm_after"):
        beyond = [layer for layer in getattr(recipe.network, key) if layer > depth]
        if beyond:
            raise UserError(
                f"{where}: network.{key} names layer {beyond[0]}, and network.channels has "
                f"{depth} layers; take layers from 1 to {depth}."
            )
    if recipe.sharing.kind != "none" and recipe.sharing.layers > depth:
        raise UserError(
            f"{where}: sharing.layers={recipe.sharing.layers} is beyond the network's {depth} "
            f"layers; take b from 0 to {depth}."
        )


CLASSIFIERS = RecipeFolder(
    ClassifierRecipe, resources.files("mtgan.recipes") / "classifiers", check
)


def load_classifier_recipe(
    recipe: str | Path, overrides: dict[str, Any] | None = None
) -> ClassifierRecipe:
    """The classifier recipe of this name (`stl`, `mtl-soft`, ...) or YAML file, fully resolved.

    overrides maps dotted keys ("training.epochs") to values. UserError for an unknown name, key
    or value, or parts that do not go together.
    """
    return CLASSIFIERS.load(recipe, overrides)
