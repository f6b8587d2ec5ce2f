"""The classification tasks of a recipe, and the heads that do them."""

from typing import Literal

from mtgan.parts import HEAD_LOSSES
from mtgan.recipes.ranges import Few, HeadClassesName, HeadLossName, Part, TransformName, Weight


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
