"""What a recipe may name: one registry for each kind of part.

Parts are registered where they are written, with torch; the registries stand here without it, so
that a recipe can be read and checked in no time. A module of your own imports them from here.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mtgan.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mtgan.data import Dataset
    from mtgan.evaluation.features.base import Builder
    from mtgan.evaluation.metrics.base import Metric
    from mtgan.evaluation.protocol import ProtocolRule
    from mtgan.nets.augmentation import Augmentation
    from mtgan.nets.backbone import Backbone
    from mtgan.nets.heads import HeadFactory
    from mtgan.nets.initialization import Initializer
    from mtgan.nets.normalization import NormalizationFactory
    from mtgan.objectives.adversarial import AdversarialObjective
    from mtgan.objectives.classes import HeadClasses
    from mtgan.objectives.heads import HeadLoss
    from mtgan.objectives.penalties import Penalty
    from mtgan.objectives.transforms import Transform
    from mtgan.recipes.schema import Hierarchy
    from mtgan.training.aggregate import Aggregator
    from mtgan.training.instruments import Confusion

_CALLED = ("__call__",)

# What a part can do or needs it says by attributes, which rules ask for: `capabilities` names them,
# with what holds of a part that says nothing.

OBJECTIVES: "Registry[AdversarialObjective]" = Registry(
    "adversarial objective",
    "mtgan.objectives.adversarial",
    has=("discriminator", "generator"),
    # Whether scores are unbounded values, so that something must bound the discriminator's slope;
    # whether there is a score to learn at all; whether the generator's loss compares with those of
    # real samples; whether the discriminator's loss takes weights of samples.
    capabilities={
        "critic": False,
        "scores": True,
        "generator_needs_real": False,
        "weighable": False,
    },
)
PENALTIES: "Registry[Penalty]" = Registry(
    "Lipschitz penalty",
    "mtgan.objectives.penalties",
    has=("terms", "clips"),
    # Whether each sample's score must depend on that sample alone; whether weights are clipped.
    capabilities={"differentiates_score": False, "clips": False},
)
# A norm takes the corresponding weights of two networks, layer by layer, to one scalar.
NORMS: "Registry[Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor]]" = Registry(
    "sharing norm", "mtgan.objectives.sharing", has=_CALLED
)
BACKBONES: "Registry[Callable[[], Backbone]]" = Registry(
    "backbone",
    "mtgan.nets.backbones",
    has=_CALLED,
    capabilities={
        # The kinds of last layer that its generator can have; None: any.
        "outputs": ("tanh",),
        # The ways of doubling resolutions that its generator can be asked for.
        "upsamplings": (),
        # Whether its generator normalizes before the last layer.
        "last_normalization": False,
        # Whether its generator begins with a dense layer that is normalized.
        "stem_normalization": False,
        # Whether self-attention can be put over one of its feature maps.
        "attention": False,
        # Whether its kernels need a pixel in their middle.
        "odd_kernels": False,
        # Whether its generator makes rows one by one, in a layer that is a RowByRow.
        "autoregressive": False,
        # The distribution that its latent must have; None: any.
        "latent": None,
    },
)
HEADS: "Registry[HeadFactory]" = Registry(
    "discriminator head",
    "mtgan.nets.heads",
    has=_CALLED,
    # Whether its score is a part of the features plus a part of the labels, so that its slope at a
    # sample is the same whatever the label; whether the layers before it are told the labels too.
    capabilities={"adds_labels": False, "joins_layers": False},
)
HEAD_CLASSES: "Registry[HeadClasses]" = Registry(
    "kind of head classes",
    "mtgan.objectives.classes",
    has=("count", "of", "of_data"),
    # Whether some of its classes are never right for a real sample; whether K = 1 leaves it
    # something to tell; whether a second head learns from generated samples.
    capabilities={"needs_generated": False, "tells_one_class": False, "twin": False},
)
HEAD_LOSSES: "Registry[Callable[[], HeadLoss]]" = Registry(
    "loss of a head",
    "mtgan.objectives.heads",
    has=_CALLED,
    # Whether several labels may be right at once; whether it compares the samples of a batch;
    # whether it is one of numbers, not of classes; whether the generator is asked for a sample of
    # any of the data's classes, so that it needs to be told none.
    capabilities={
        "multilabel": False,
        "compares_samples": False,
        "of_numbers": False,
        "any_class": False,
    },
)
TRANSFORMS: "Registry[Transform]" = Registry(
    "transform", "mtgan.objectives.transforms", has=("apply", "classes", "square")
)
NORMALIZATIONS: "Registry[NormalizationFactory]" = Registry(
    "normalization",
    "mtgan.nets.normalization",
    has=_CALLED,
    # Whether a sample's output depends on the others of its batch; whether it takes classes;
    # whether it takes an embedding of all labels in their place.
    capabilities={"mixes_samples": False, "conditional": False, "embedded": False},
)
AUGMENTATIONS: "Registry[Augmentation]" = Registry(
    "augmentation",
    "mtgan.nets.augmentation",
    has=_CALLED,
    # The transform whose classes nobody can tell after it; None: none.
    capabilities={"hides": None},
)
INITIALIZATIONS: "Registry[Initializer]" = Registry(
    "initialization", "mtgan.nets.initialization", has=_CALLED
)
# A factory takes (vocabularies, channels of the canvas) to a layer.
OUTPUTS: "Registry[Callable[[Sequence[int], int], nn.Module]]" = Registry(
    "generator output",
    "mtgan.nets.outputs",
    has=_CALLED,
    # Whether it must know each domain's number of tokens.
    capabilities={"needs_vocabularies": False},
)
# From the names of the classification tasks to an aggregator.
AGGREGATORS: "Registry[Callable[[Sequence[str]], Aggregator]]" = Registry(
    "aggregator",
    "mtgan.training.aggregators",
    has=_CALLED,
    # Whether it weighs the discriminator's tasks against each other.
    capabilities={"weighs_tasks": True},
)
HIERARCHIES: "Registry[Callable[[Dataset, Hierarchy, Confusion | None], Dataset]]" = Registry(
    "kind of hierarchy",
    "mtgan.training.hierarchies",
    has=_CALLED,
)
METRICS: "Registry[Metric]" = Registry(
    "metric", "mtgan.evaluation.metrics", has=("compute", "outputs")
)
FEATURE_SPACES: "Registry[Builder]" = Registry("feature space", "mtgan.evaluation.features")
PROTOCOLS: "Registry[ProtocolRule]" = Registry(
    "protocol",
    "mtgan.evaluation.protocol",
    has=("generated", "reference", "split", "features"),
    # How many generated samples it measures; whether it means no other number of them.
    capabilities={"generated": None, "exact": False},
)
