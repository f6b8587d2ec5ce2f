"""The networks: generator, discriminator and classifier, over any backbone.

N: batch; Z: latent; K: classes of a label level; F: features.
Labels travel as a mapping from level name to int64 [N], -1 where missing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from mtgan.nets.backbone import DiscriminatorSettings, RowByRow
from mtgan.nets.heads import Labels, LabelVector, Strengths, as_levels
from mtgan.parts import HEADS, NORMALIZATIONS

LayerFactory = Callable[[], list[nn.Module]]


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What a discriminator says of a batch."""

    score: Tensor  # [N], before any squashing
    logits: dict[str, Tensor] = field(default_factory=dict)  # task name -> [N, K]
    features: Tensor | None = None  # [N, F], what the adversarial head saw


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
        # How strongly it is told any level of the taxonomy, directly or by a finer one, where a
        # schedule switches levels on.
        self.strengths: Strengths | None = None

    def told(self) -> tuple[str, ...]:
        """The levels that it is told as of now: `levels`, but for those that a schedule has not
        switched on. The host waits for the device."""
        found = None if self.label_vector is None else self.label_vector.strengths
        if found is None:
            return self.levels
        return tuple(level for level in self.levels if found.of(level) > 0)

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
        """How badly it predicts each row of real strings from those before it, a scalar; of
        autoregressive backbones, whose one layer makes rows one by one."""
        x, y = self._inputs(latents, labels)
        (layer,) = self.layers
        assert isinstance(layer, RowByRow), f"{type(layer).__name__} is no RowByRow"
        return layer.teacher_forcing(x, y, real)


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
        labels = LabelVector(classes, level)
        self.adversarial = HEADS.get(conditioning)(features, labels, settings.bound)
        self.task_names = list(tasks)
        self.leaves = [len(self.layers) - (spec.bifurcation - 1) for spec in tasks.values()]
        self.heads = nn.ModuleList(
            TaskHead(make_layers()[leave:], features, spec.classes)
            for leave, spec in zip(self.leaves, tasks.values(), strict=True)
        )
        self.mixes_samples = NORMALIZATIONS.capability(settings.normalization, "mixes_samples")

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


def kernel_weights(layers: Sequence[nn.Module] | nn.ModuleList) -> list[Tensor]:
    """The kernels of convolutions and linear layers, in order; no biases, no normalization.

    Where spectral normalization computes the kernel, the parameter that it is computed from.
    """
    kernels = []
    for layer in layers:
        for module in layer.modules():
            if isinstance(module, nn.Linear | nn.modules.conv._ConvNd):
                computed: Any = module.parametrizations if is_parametrized(module) else None
                kernels.append(computed.weight.original if computed else module.weight)
    return kernels
