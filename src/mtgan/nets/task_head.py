"""What a classification task has for itself: its last layers, and what they say of a batch.

N: batch; F: features; C: classes of the head; E: length of an embedding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from mtgan.nets.label_axes import LabelAxis, Told

_EMBEDDING = 512  # at most, of heads that compare samples


@dataclass(frozen=True)
class HeadOutput:
    """What a head says of a batch, or of several at once ([..., N, C])."""

    logits: Tensor  # [N, C]
    embedding: Tensor | None = None  # [N, E] of length 1, of heads that compare samples
    twin: "HeadOutput | None" = None  # what a second head says, of tasks that have one

    def stacked(self, other: "HeadOutput") -> "HeadOutput":
        """This batch and another of equal size, [2, N, ...]."""
        embedding = twin = None
        if self.embedding is not None and other.embedding is not None:
            embedding = torch.stack([self.embedding, other.embedding])
        if self.twin is not None and other.twin is not None:
            twin = self.twin.stacked(other.twin)
        return HeadOutput(torch.stack([self.logits, other.logits]), embedding, twin)

    def map(self, change: Callable[[Tensor], Tensor]) -> "HeadOutput":
        """The same, with every tensor changed."""
        embedding = None if self.embedding is None else change(self.embedding)
        twin = None if self.twin is None else self.twin.map(change)
        return HeadOutput(change(self.logits), embedding, twin)

    def split(self, size: int) -> "tuple[HeadOutput, HeadOutput]":
        """The first `size` samples and the rest (one operation, whose gradient is one too)."""
        logits = self.logits.split(size)
        embeddings = (None, None) if self.embedding is None else self.embedding.split(size)
        twins = (None, None) if self.twin is None else self.twin.split(size)
        first, second = map(HeadOutput, logits, embeddings, twins)
        return first, second


@dataclass(frozen=True)
class SumSpec:
    """A head whose logits are sums of another's: the task that has that head, the class [K] of
    this level that each class of that one belongs to, and how many classes this level has.
    halves: parts of K logits that are summed apart; what is left over stays as it is."""

    task: str
    parents: Sequence[int]
    classes: int
    halves: int = 1


@dataclass(frozen=True)
class HeadSpec:
    """A task's head: its number of logits, and how many last layers it has for itself (>= 1).

    axis: what each logit stands for; None where that is no class of the data. unit_sphere: features
    are scaled to length 1; embeds: logits are cosines of an embedding with a proxy for each class;
    twin: a second head stands beside it; sums: see SumSpec.
    """

    classes: int
    bifurcation: int = 1
    axis: LabelAxis | None = None
    unit_sphere: bool = False
    embeds: bool = False
    twin: bool = False
    sums: SumSpec | None = None


class Branch(nn.Module):
    """The last backbone layers, which a task has for itself."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def features(self, x: Tensor) -> Tensor:
        """[N, F], what the output layer takes."""
        for layer in self.layers:
            x = layer(x)
        return x.flatten(1)


class TaskHead(Branch):
    """Last backbone layers, then a linear layer to logits [N, K]."""

    def __init__(self, layers: Sequence[nn.Module], features: int, classes: int) -> None:
        super().__init__(layers)
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.features(x))


class Cosines(nn.Module):
    """An embedding of the features of length 1, and its cosines with a proxy for each class (Kang
    et al. 2021, section 3.2)."""

    by_class = ("proxies.weight",)

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Linear(features, min(features, _EMBEDDING))
        self.proxies = nn.Linear(self.embed.out_features, classes, bias=False)

    def forward(self, x: Tensor) -> HeadOutput:
        embedding = normalize(self.embed(x), dim=1)
        return HeadOutput(embedding @ normalize(self.proxies.weight, dim=1).T, embedding)


class ClassHead(Branch):
    """Last backbone layers, then the output layers of a task's head, to a HeadOutput."""

    def __init__(self, layers: Sequence[nn.Module], features: int, spec: HeadSpec) -> None:
        super().__init__(layers)
        make = Cosines if spec.embeds else nn.Linear
        self.unit_sphere, self.axis = spec.unit_sphere, spec.axis
        self.linear = make(features, spec.classes)
        self.twin = make(features, spec.classes) if spec.twin else None

    def label_axes(self, told: Told) -> dict[str, LabelAxis]:
        outputs = {"linear": self.linear, "twin": self.twin}
        return {
            f"{name}.{parameter}": self.axis
            for name, layer in outputs.items()
            if self.axis is not None and layer is not None
            for parameter in getattr(layer, "by_class", ("weight", "bias"))
        }

    def forward(self, x: Tensor) -> HeadOutput:
        x = self.features(x)
        if self.unit_sphere:
            x = normalize(x, dim=1)
        output = _output(self.linear(x))
        return output if self.twin is None else replace(output, twin=_output(self.twin(x)))


class SumHead(nn.Module):
    """Logits of classes from those of their children, by log-sum-exp: a softmax over them gives
    each class the sum of its children's probabilities, so that two levels cannot contradict each
    other. It has no weights."""

    def __init__(self, spec: SumSpec) -> None:
        super().__init__()
        self.task, self.halves = spec.task, spec.halves
        self.count = len(spec.parents)
        self.others: Tensor  # [children, K], true where that is another's child
        others = torch.tensor(spec.parents)[:, None] != torch.arange(spec.classes)
        self.register_buffer("others", others, persistent=False)

    def forward(self, output: HeadOutput) -> HeadOutput:
        twin = None if output.twin is None else self(output.twin)
        known = self.halves * self.count
        classes, rest = output.logits[..., :known], output.logits[..., known:]
        halves = [
            half[..., None].masked_fill(self.others, -torch.inf).logsumexp(-2)
            for half in classes.split(self.count, dim=-1)
        ]
        return HeadOutput(torch.cat([*halves, rest], dim=-1), twin=twin)


def _output(said: Tensor | HeadOutput) -> HeadOutput:
    return said if isinstance(said, HeadOutput) else HeadOutput(said)
