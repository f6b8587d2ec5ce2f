"""The players: generator, discriminator and classifier, over any backbone.

N: batch; Z: latent; K: classes of a label level; F: features.
Labels travel as a mapping from level name to int64 [N], -1 where missing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mtgan.nets.backbone import DiscriminatorSettings
from mtgan.nets.normalization import MIXES_SAMPLES
from mtgan.nets.ops import LeakyReLU

Labels = Mapping[str, Tensor]
LayerFactory = Callable[[], list[nn.Module]]


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What a discriminator says of a batch."""

    score: Tensor  # [N], before any squashing
    logits: dict[str, Tensor] = field(default_factory=dict)  # task name -> [N, K]
    features: Tensor | None = None  # [N, F], what the adversarial head saw


def as_levels(levels: str | Sequence[str] | None) -> tuple[str, ...]:
    """One level, several or none as a tuple."""
    return (levels,) if isinstance(levels, str) else tuple(levels or ())


class LabelVector(nn.Module):
    """Labels as one vector: the one-hot codes of the given levels, side by side.

    Only the blocks of `levels` are filled: networks that share layers and serve one level each
    tell their levels apart by it. A missing label (-1) is all zeros.
    """

    def __init__(self, classes: Mapping[str, int], levels: str | Sequence[str] | None) -> None:
        super().__init__()
        self.classes = dict(classes)
        self.levels = as_levels(levels)

    @property
    def length(self) -> int:
        return sum(self.classes.values())

    def forward(self, labels: Labels, like: Tensor) -> Tensor:
        """[N, sum of K] in the type and on the device of `like` [N, ...]."""
        blocks = []
        for level, count in self.classes.items():
            if level in self.levels:
                index = torch.arange(count, device=like.device)
                blocks.append((labels[level][:, None] == index).to(like.dtype))
            else:
                blocks.append(like.new_zeros(len(like), count))
        return torch.cat(blocks, dim=1)


class Generator(nn.Module):
    """Latents [N, Z] and labels to samples [N, C, H, W] in [-1, 1].

    levels: what conditions it, if anything does; concat: the levels (and their numbers of classes)
    whose blocks of the label vector join the latent (Mirza & Osindero 2014). Layers that take a
    class (those that normalize by it) are given the label of the first level.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        levels: str | Sequence[str] | None,
        concat: Mapping[str, int],
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        levels = as_levels(levels)
        self.level = levels[0] if levels else None
        # What it is told: layers that take a class are given the first level alone.
        self.levels = levels if concat else levels[:1]
        self.label_vector = LabelVector(concat, levels) if concat else None

    def _inputs(self, latents: Tensor, labels: Labels) -> tuple[Tensor, Tensor | None]:
        x = latents
        if self.label_vector is not None:
            x = torch.cat([x, self.label_vector(labels, x)], dim=1)
        return x, labels[self.level] if self.level else None

    def forward(self, latents: Tensor, labels: Labels) -> Tensor:
        x, y = self._inputs(latents, labels)
        for layer in self.layers:
            x = layer(x, y)
        return x

    def teacher_forcing(self, latents: Tensor, labels: Labels, real: Tensor) -> Tensor:
        """How badly it foretells each row of real strings from those before it, a scalar; of
        backbones whose one layer makes rows one by one."""
        x, y = self._inputs(latents, labels)
        (layer,) = self.layers
        return layer.teacher_forcing(x, y, real)  # type: ignore[operator]


class AdversarialHead(nn.Module):
    """Features [N, F] (and labels) to scores [N].

    conditioning "none"; "concat": the label vector joins the features before the output layer
    (cWGAN.a; thesis 4.0.2); "dense": it passes a layer of 256 units first (cWGAN.b);
    "projection": the inner product of an embedding of the label and the features is added
    (Miyato & Koyama 2018, eq. 4).
    """

    def __init__(
        self,
        features: int,
        conditioning: str,
        levels: str | Sequence[str] | None,
        classes: Mapping[str, int],
        bound: Callable[[nn.Module], nn.Module],
    ) -> None:
        super().__init__()
        self.conditioning = conditioning
        self.label_vector = LabelVector(classes, levels)
        labels = self.label_vector.length
        joined = {"concat": labels, "dense": 256}.get(conditioning, 0)
        self.dense = (
            nn.Sequential(bound(nn.Linear(labels, 256)), LeakyReLU(0.2))
            if conditioning == "dense"
            else None
        )
        self.embed = (
            bound(nn.Linear(labels, features, bias=False)) if conditioning == "projection" else None
        )
        self.linear = bound(nn.Linear(features + joined, 1))

    def forward(self, features: Tensor, labels: Labels) -> Tensor:
        if self.conditioning == "none":
            return self.linear(features).squeeze(1)
        y = self.label_vector(labels, features)
        if self.embed is not None:
            return self.linear(features).squeeze(1) + (self.embed(y) * features).sum(1)
        if self.dense is not None:
            y = self.dense(y)
        return self.linear(torch.cat([features, y], dim=1)).squeeze(1)


class TaskHead(nn.Module):
    """The layers that a classification task has for itself: last backbone layers, then linear."""

    def __init__(self, layers: Sequence[nn.Module], features: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.linear(x.flatten(1))


@dataclass(frozen=True)
class HeadSpec:
    """A task's head: its number of classes, and how many last layers it has for itself (>= 1)."""

    classes: int
    bifurcation: int = 1


class Discriminator(nn.Module):
    """Samples [N, C, H, W] and labels to a DiscriminatorOutput.

    One trunk; a head per task leaves it `bifurcation` layers before its own end, counting the
    output layer: 1 shares everything but the output layer (AC-WGAN.a, .b), 2 gives each task the
    last backbone layer as well (AC-WGAN.c).
    """

    def __init__(
        self,
        make_layers: LayerFactory,
        features: int,
        settings: DiscriminatorSettings,
        conditioning: str,
        level: str | Sequence[str] | None,
        classes: Mapping[str, int],
        tasks: Mapping[str, HeadSpec],
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(make_layers())
        self.adversarial = AdversarialHead(features, conditioning, level, classes, settings.bound)
        self.task_names = list(tasks)
        self.leaves = [len(self.layers) - (spec.bifurcation - 1) for spec in tasks.values()]
        self.heads = nn.ModuleList(
            TaskHead(make_layers()[leave:], features, spec.classes)
            for leave, spec in zip(self.leaves, tasks.values(), strict=True)
        )
        self.mixes_samples = settings.normalization in MIXES_SAMPLES

    def forward(self, samples: Tensor, labels: Labels) -> DiscriminatorOutput:
        outputs = [samples]  # outputs[i] is what layer i takes
        for layer in self.layers:
            outputs.append(layer(outputs[-1]))
        outputs[-1] = features = outputs[-1].flatten(1)
        logits = {
            name: head(outputs[leave])
            for name, leave, head in zip(self.task_names, self.leaves, self.heads, strict=True)
        }
        return DiscriminatorOutput(self.adversarial(features, labels), logits, features)

    def score(self, samples: Tensor, labels: Labels) -> Tensor:
        """The scores [N] alone, without the work of the task heads (for penalties)."""
        x = samples
        for layer in self.layers:
            x = layer(x)
        return self.adversarial(x.flatten(1), labels)


class Classifier(nn.Module):
    """Samples [N, C, H, W] to logits [N, K]: a network of its own (SC-WGAN; thesis 3.0.13)."""

    def __init__(self, layers: Sequence[nn.Module], features: int, classes: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.linear = nn.Linear(features, classes)

    def forward(self, samples: Tensor) -> Tensor:
        x = samples
        for layer in self.layers:
            x = layer(x)
        return self.linear(x.flatten(1))
