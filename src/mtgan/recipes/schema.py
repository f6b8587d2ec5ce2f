"""The parts of a recipe, their meaning, and their ranges.

A key that names something registered (an objective, a backbone, ...) is compared with the names in
mtgan.parts, so that reading recipes needs no torch. Label levels are named as
in the data set's taxonomy; `fine`, `coarse` and `top` also mean its first, second and third level
where it has none of that name.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from mtgan.limits import LARGEST_SEED, LARGEST_SIDE, LARGEST_STEP
from mtgan.parts import (
    AGGREGATORS,
    AUGMENTATIONS,
    BACKBONES,
    FEATURE_SPACES,
    HEAD_CLASSES,
    HEAD_LOSSES,
    HEADS,
    HIERARCHIES,
    INITIALIZATIONS,
    METRICS,
    NORMALIZATIONS,
    NORMS,
    OBJECTIVES,
    OUTPUTS,
    PENALTIES,
    PROTOCOLS,
    TRANSFORMS,
)
from mtgan.text import printable

DESCRIPTION = frozenset({"name", "extends", "title", "source", "about", "run", "plugins"})
"""Keys that say what a recipe is and where it comes from, and not what is trained."""


def _no_truth(value: Any) -> Any:
    """true is 1 to Python, and nobody means it so."""
    if isinstance(value, bool):
        raise PydanticCustomError("truth_value", "a truth value is no number")
    return value


def _sides(value: Any) -> Any:
    """A size in words: "64x128", as the option --size takes it, is [64, 128]; "64" is 64."""
    found = re.fullmatch(r"(\d+)(?:[xX](\d+))?", value) if isinstance(value, str) else None
    if found is None:
        return value
    height, width = found.groups()
    return int(height) if width is None else [int(height), int(width)]


_Number = BeforeValidator(_no_truth)
_LARGEST = 1e38  # of float32

Positive = Annotated[int, _Number, Field(ge=1, le=LARGEST_STEP)]
NonNegative = Annotated[int, _Number, Field(ge=0, le=LARGEST_STEP)]
Width = Annotated[int, _Number, Field(ge=1, le=65_536)]
Few = Annotated[int, _Number, Field(ge=1, le=1_000)]
Batch = Annotated[int, _Number, Field(ge=2, le=1_000_000)]
Side = Annotated[int, _Number, Field(ge=1, le=LARGEST_SIDE)]
Size = Annotated[Side | tuple[Side, Side] | None, BeforeValidator(_sides)]
Seed = Annotated[int, _Number, Field(ge=0, le=LARGEST_SEED)]
Weight = Annotated[float, _Number, Field(ge=0, le=_LARGEST)]
Rate = Annotated[float, _Number, Field(gt=0, le=_LARGEST)]
Share = Annotated[float, _Number, Field(ge=0, le=1)]
FreeShare = Annotated[float, _Number, Field(gt=0, le=1)]
LessThanOne = Annotated[float, _Number, Field(ge=0, lt=1)]
ObjectiveName = Annotated[str, AfterValidator(OBJECTIVES.check)]
PenaltyName = Annotated[str, AfterValidator(PENALTIES.check)]
HeadName = Annotated[str, AfterValidator(HEADS.check)]
HeadClassesName = Annotated[str, AfterValidator(HEAD_CLASSES.check)]
HeadLossName = Annotated[str, AfterValidator(HEAD_LOSSES.check)]
OutputName = Annotated[str, AfterValidator(OUTPUTS.check)]
BackboneName = Annotated[str, AfterValidator(BACKBONES.check)]
NormalizationName = Annotated[str, AfterValidator(NORMALIZATIONS.check)]
AugmentationName = Annotated[str, AfterValidator(AUGMENTATIONS.check)]
InitializationName = Annotated[str, AfterValidator(INITIALIZATIONS.check)]
HierarchyName = Annotated[str, AfterValidator(HIERARCHIES.check)]
TransformName = Annotated[str, AfterValidator(TRANSFORMS.check)]
NormName = Annotated[str, AfterValidator(NORMS.check)]
AggregatorName = Annotated[str, AfterValidator(AGGREGATORS.check)]
ProtocolName = Annotated[str, AfterValidator(PROTOCOLS.check)]
FeaturesName = Annotated[str, AfterValidator(FEATURE_SPACES.check)]
MetricName = Annotated[str, AfterValidator(METRICS.check)]
PrecisionName = Literal["32", "bf16"]
Precision = Annotated[PrecisionName, BeforeValidator(str)]  # YAML reads 32 as a number


class Part(BaseModel):
    """Keys of a file that users write: unknown ones are refused, and values are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Latent(Part):
    """The generator's random input: z, and codes, each one of several classes, equally likely.

    A code is a label level that generated samples alone have (Chen 2016, InfoGAN); condition_on
    and tasks name it as they name others.
    """

    dim: Width = 128
    distribution: Literal["normal", "uniform"] = "normal"
    codes: dict[str, Annotated[int, _Number, Field(ge=2, le=65_536)]] = {}  # number of classes


class PenaltyPart(Part):
    """What bounds the discriminator's slope; see mtgan.objectives.penalties."""

    kind: PenaltyName = "none"
    weight: Weight = 10.0
    limit: Rate = 0.01  # of each weight, for `clip`


class NetworkPart(Part):
    """What all networks have; a backbone reads it as its settings (mtgan.nets.backbone)."""

    backbone: BackboneName = "conv"
    width: Width = 64  # channels of the layer nearest the image; doubled per halving
    kernel: Few = 5
    normalization: NormalizationName = "batch"
    # Self-attention over the largest feature map of at most so many pixels on its shorter side.
    attention: Side | None = None


class GeneratorPart(NetworkPart):
    """The generator: z (and labels) to samples in [-1, 1]."""

    conditioning: Literal["none", "concat", "normalization"] = "none"
    output: OutputName = "tanh"  # the last layer, of backbones that have a choice
    spectral_norm: bool = False  # of all its convolutions and linear layers
    # How resolutions are doubled, where the backbone has a choice; as in its source when absent.
    upsampling: Literal["transposed", "nearest", "sub-pixel"] | None = None
    # Before the last layer, of backbones that normalize there; as the others when absent.
    last_normalization: NormalizationName | None = None
    # Weight of predicting real strings row by row, for backbones that make rows one by one.
    teacher_forcing: Weight = 0.0


class ClassifierPart(NetworkPart):
    """Every separate classifier network; inert unless a task asks for one."""

    normalize_first_layer: bool = False
    dropout: LessThanOne = 0.0
    activation_noise: Weight = 0.0  # standard deviation of Gaussian noise after each activation
    spectral_norm: bool = False


class AdaptiveAugmentation(Part):
    """How often samples are augmented, by how sure the discriminator is of real ones; see
    mtgan.training.adaptive."""

    target: Share = 0.6  # of E[sign(D(x))]
    images: Positive = 500_000  # that take the probability from 0 to 1


class DiscriminatorPart(ClassifierPart):
    """The discriminator (or critic): samples (and labels) to a score."""

    normalization: NormalizationName = "none"
    conditioning: HeadName = "none"  # by which head it gives a score; see mtgan.nets.heads
    # Of all it sees, differentiably; see mtgan.nets.augmentation.
    augmentation: list[AugmentationName] = []
    adaptive_augmentation: AdaptiveAugmentation | None = None  # always, when absent
    lecam: Weight = 0.0  # of LeCam's regularizer (mtgan.objectives.lecam)


class Head(Part):
    """What a task's head on the discriminator tells apart, and how it learns it; see
    mtgan.objectives.classes and mtgan.objectives.heads."""

    classes: HeadClassesName = "plain"
    # The samples it learns from; by the task's `generated` when absent.
    learns_from: Literal["real", "both", "generated"] | None = None
    loss: HeadLossName = "cross-entropy"
    features: Literal["raw", "unit-sphere"] = "raw"
    # More label levels that the same head knows, of losses where several labels may be right.
    levels: list[str] = []
    # The task of a finer level whose head gives this one's logits, by log-sum-exp over children.
    sums: str | None = None


class Task(Part):
    """One classification task beside the adversarial one."""

    labels: str  # a label level; with a transform, what the task is called
    # By which its classes are made of the samples; see mtgan.objectives.transforms.
    transform: TransformName | None = None
    classifier: Literal["discriminator-head", "separate"] = "discriminator-head"
    bifurcation: Few = 1  # how many last layers the head has for itself
    weight: Weight = 1.0  # of the mean of its losses on real and on generated samples
    generator_weight: Weight | None = None  # in the generator's loss; `weight` when absent
    generated: bool = True  # whether the classifier also learns from generated samples
    head: Head = Head()  # of a discriminator-head

    @property
    def learns_from(self) -> str:
        """`real`, `both` or `generated` samples."""
        return self.head.learns_from or ("both" if self.generated else "real")

    @property
    def teaches(self) -> bool:
        """Whether generated samples are compared with the labels they were asked for."""
        any_class = HEAD_LOSSES.capability(self.head.loss, "any_class")
        return not (self.transform or any_class) and (
            self.learns_from != "real" or self.weight_to_generator > 0
        )

    @property
    def is_head(self) -> bool:
        """Whether its classifier is a head of the discriminator, and no network of its own."""
        return self.classifier == "discriminator-head"

    @property
    def weight_to_generator(self) -> float:
        return self.weight if self.generator_weight is None else self.generator_weight


class Hierarchy(Part):
    """Label levels made for this recipe, as controls; see mtgan.training.hierarchies.

    `random` and `clustered` replace the data set's coarser levels by one of `classes`
    superclasses; `same` repeats the finest level under another name.
    """

    kind: HierarchyName
    name: str = "coarse"
    classes: Positive | None = None  # as many as the level that is replaced when absent
    seed: Seed = 0


class Sharing(Part):
    """Layers shared between two networks."""

    between: Annotated[list[str], Field(min_length=2, max_length=2)]
    layers: Annotated[int, _Number, Field(ge=0, le=1_000)]
    kind: Literal["soft", "hard"] = "soft"
    weight: Weight = 0.1
    norm: NormName = "l2"


class Stage(Part):
    """The levels that generator and discriminator are conditioned on for a time.

    What is newly on is blended in over the stage's first `over` iterations (Shahbazi et al. 2022).
    """

    condition_on: str | list[str]  # of the recipe's condition_on; none
    until: Positive | None = None  # the iteration, counted from 0, at which the next stage begins
    over: NonNegative = 0

    @property
    def levels(self) -> tuple[str, ...]:
        asked = self.condition_on
        return tuple(asked) if not isinstance(asked, str) else () if asked == "none" else (asked,)


class VicinityPart(Part):
    """How near numbers are to those that a discriminator compares samples under; see
    mtgan.training.vicinity. Sizes are shares of the range of the training data."""

    kind: Literal["hard", "soft"] = "hard"
    sigma: Weight | None = None  # of the noise on labels; Silverman's rule when absent
    kappa: Weight | None = None  # `gaps` times the largest gap between labels when absent
    gaps: Rate = 1.0


class Schedule(Part):
    """Who moves when, within one iteration, and what is told from which iteration on."""

    discriminator_steps: Few = 1
    generator_steps: Few = 1
    classifier_every: Positive = 1  # s: separate classifiers move every s-th iteration
    classifier_choice: Literal["all", "random"] = "all"  # which of several move then
    # Batches over several domains: as they occur in the data, in equal shares, or one domain at a
    # time, in turn or drawn.
    domains: Literal["as-found", "mixed", "turns", "random"] = "as-found"
    # After the last stage, all of condition_on; see mtgan.training.conditioning.
    conditioning: list[Stage] = []


class Optimizer(Part):
    """Adam, with one state per player."""

    learning_rate: Rate = 1e-4
    discriminator_learning_rate: Rate | None = None  # `learning_rate` when absent
    classifier_learning_rate: Rate | None = None
    beta1: Share = 0.5
    beta2: Share = 0.9
    kind: Literal["adam", "rmsprop"] = "adam"
    decay: Literal["none", "linear"] = "none"  # linear: to zero over training.steps


class Data(Part):
    """What of the data set is used, and how."""

    size: Size = None  # 64, (H, W) or HxW; as found when absent
    channels: Literal[1, 3] | None = None  # 1 (grey) or 3 (RGB); as found when absent
    # A whole number is a count, a fraction in (0, 1] a share.
    subset: Positive | FreeShare | None = None
    stratified: bool = True
    labeled: Positive | FreeShare | None = None  # of the samples used, those that keep their labels
    flip: bool = False  # random horizontal flips
    dequantize: bool = False  # real pixels get noise as wide as their last bit, anew each time


class LogSpaced(Part):
    """Iterations at equal ratios: from `first` on, so many within each factor of ten."""

    first: Positive = 200
    per_decade: Few = 4

    def until(self, last: int) -> list[int]:
        """Those up to an iteration, rising; a longer training has the same ones and more."""
        found, count = [], 0
        while (step := round(self.first * 10 ** (count / self.per_decade))) <= last:
            found.append(step)
            count += 1
        return list(dict.fromkeys(found))


class Training(Part):
    """Length, batch sizes, and what is kept on the way. Steps count iterations."""

    steps: Positive = 200_000
    batch_size: Batch = 64
    generator_batch_size: Batch | None = None  # batch_size when absent
    ema_decay: LessThanOne = 0.999
    initialization: InitializationName = "glorot-uniform"
    precision: Precision = "32"  # bf16: networks compute in mixed bfloat16
    log_every: Positive = 50
    sample_every: Positive = 1000
    checkpoint_every: Positive = 1000
    keep_checkpoints: Positive = 3
    snapshots: LogSpaced | None = None  # iterations with a picture and a checkpoint that stays
    evaluate_every: NonNegative = 2000  # 0: never
    evaluate_samples: Positive = 2000  # unless the protocol says how many
    # How: the sizes and the split of a protocol of mtgan evaluate, its features where these are
    # "auto", and metrics beside Frechet distance, inception score and accuracy.
    evaluate_protocol: ProtocolName = "training"
    evaluate_features: FeaturesName = "auto"
    evaluate_metrics: list[MetricName] = []


class Recipe(Part):
    """Everything that says what is trained; the data set and the seed come from the run."""

    name: str = "unnamed"
    extends: str | None = None
    title: str = ""
    source: str = ""
    about: str = ""
    latent: Latent = Latent()
    objective: ObjectiveName = "non-saturating"
    penalty: PenaltyPart = PenaltyPart()
    generator: GeneratorPart = GeneratorPart()
    discriminator: DiscriminatorPart = DiscriminatorPart()
    classifier: ClassifierPart = ClassifierPart()
    # Modules of one's own that are imported first; see mtgan.plugins.
    plugins: list[str] = []
    # The label level that conditions generator and discriminator, or several.
    condition_on: str | list[str] = "fine"
    # Samples of numbers near each other are compared, where that is asked for.
    vicinity: VicinityPart | None = None
    twins: list[str] = []  # label levels that each get a generator and a discriminator
    hierarchy: list[Hierarchy] = []
    tasks: list[Task] = []
    aggregator: AggregatorName = (
        "sum"  # of the discriminator's tasks; see mtgan.training.aggregators
    )
    sharing: list[Sharing] = []
    schedule: Schedule = Schedule()
    optimizer: Optimizer = Optimizer()
    data: Data = Data()
    training: Training = Training()
    run: dict[str, Any] = {}  # what a run has recorded here: data set, seed, versions

    @property
    def conditions(self) -> tuple[str, ...]:
        """The levels of condition_on."""
        asked = self.condition_on
        return (asked,) if isinstance(asked, str) else tuple(asked)

    def __repr__(self) -> str:
        bound = "" if self.penalty.kind == "none" else f" + {self.penalty.kind}"
        text = f"{self.name!r}: {self.objective}{bound}, {self.training.steps:,} steps"
        return f"Recipe({printable(text)})"

    __str__ = __repr__
