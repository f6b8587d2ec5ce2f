"""The parts of a recipe, their meaning, and their ranges.

A key that names something registered (an objective, a backbone, ...) is compared with the names in
mtgan.parts, so that reading recipes needs no torch. Label levels are named as
in the data set's taxonomy; `fine`, `coarse` and `top` also mean its first, second and third level
where it has none of that name.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from mtgan.recipes.ranges import (
    AggregatorName,
    AugmentationName,
    BackboneName,
    Batch,
    FeaturesName,
    Few,
    FreeShare,
    HeadName,
    HierarchyName,
    InitializationName,
    LessThanOne,
    MetricName,
    NonNegative,
    NormalizationName,
    NormName,
    Number,
    ObjectiveName,
    OneOrMore,
    OutputName,
    Part,
    PenaltyName,
    Positive,
    Precision,
    ProtocolName,
    Rate,
    Seed,
    Share,
    Side,
    Size,
    Weight,
    Width,
)
from mtgan.recipes.task import Task
from mtgan.text import printable

DESCRIPTION = frozenset({"name", "extends", "title", "source", "about", "run", "plugins"})
"""Keys that say what a recipe is and where it comes from, and not what is trained."""


class Latent(Part):
    """The generator's random input: z, and codes, each one of several classes, equally likely.

    A code is a label level that generated samples alone have (Chen 2016, InfoGAN); condition_on
    and tasks name it as they name others.
    """

    dim: Width = 128
    distribution: Literal["normal", "uniform"] = "normal"
    codes: dict[str, Annotated[int, Number, Field(ge=2, le=65_536)]] = {}  # number of classes


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
    # After the first, dense layer, where the backbone has a choice: over the positions of a channel
    # too, or of each output alone, as the released code of Gulrajani et al. 2017 has it.
    stem_normalization: Literal["per-channel", "per-feature"] = "per-channel"
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


class Freeze(Part):
    """Layers that are not trained, where a training begins from another run (Mo et al. 2020)."""

    discriminator: Annotated[int, Number, Field(ge=0, le=1_000)] = 0  # its first layers, so many


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
    layers: Annotated[int, Number, Field(ge=0, le=1_000)]
    kind: Literal["soft", "hard"] = "soft"
    weight: Weight = 0.1
    norm: NormName = "l2"


class ElasticPart(Part):
    """How firmly the generator's weights hold what they learned of the domains before; see
    mtgan.objectives.elastic."""

    weight: Weight = 10_000.0  # lambda
    batches: Positive = 32  # by which the importance of weights is measured as a domain ends


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
    # time, in turn, drawn, or for its equal share of the iterations (`sequence`).
    domains: Literal["as-found", "mixed", "turns", "random", "sequence"] = "as-found"
    # Fresh z for each update, or one for all of an iteration, the discriminator's too, as in
    # Weaver's fork of DCGAN-tensorflow.
    latents: Literal["each-update", "each-iteration"] = "each-update"
    # What the generator learns of heads by: the batch of its adversarial loss, or one of its own
    # (thesis, Algorithm 3).
    class_batch: Literal["shared", "own"] = "shared"
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
    # By level, the classes whose samples alone are used; a subset is one of these.
    classes: dict[str, OneOrMore] = {}
    labeled: Positive | FreeShare | None = None  # of the samples used, those that keep their labels
    # Of each batch, those drawn from samples with a label of the first task's level (or of the
    # first that is conditioned on); the others from all. As found when absent.
    labeled_share: FreeShare | None = None
    flip: bool = False  # random horizontal flips
    dequantize: bool = False  # real pixels get noise as wide as their last bit, anew each time

    @property
    def loading(self) -> dict[str, Any]:
        """What of it are arguments of load_dataset."""
        beside = {"flip", "dequantize", "labeled_share"}
        return {key: getattr(self, key) for key in type(self).model_fields if key not in beside}


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
    # Iterations between measurements of how noisy gradients are; 0: never. See
    # mtgan.training.noise_scale.
    noise_scale_every: NonNegative = 0
    sample_every: Positive = 1000
    checkpoint_every: Positive = 1000
    keep_checkpoints: Positive = 3
    # Iterations with a picture and a checkpoint that stays: by name, or at equal ratios.
    snapshots: LogSpaced | list[Positive] | None = None
    log_after_updates: bool = False  # both losses once both have moved; mtgan.training.after
    evaluate_every: NonNegative = 2000  # 0: never
    evaluate_samples: Positive = 2000  # unless the protocol says how many
    # How: the sizes and the split of a protocol of mtgan evaluate, its features where these are
    # "auto", and metrics beside Frechet distance, inception score and accuracy.
    evaluate_protocol: ProtocolName = "training"
    evaluate_features: FeaturesName = "auto"
    evaluate_metrics: list[MetricName] = []

    @property
    def snapshot_steps(self) -> list[int]:
        """The iterations of snapshots, rising, up to the last one of the training."""
        asked = self.snapshots or []
        if isinstance(asked, LogSpaced):
            return asked.until(self.steps)
        return sorted({step for step in asked if step <= self.steps})


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
    elastic: ElasticPart | None = None  # with domains in sequence
    freeze: Freeze = Freeze()
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
