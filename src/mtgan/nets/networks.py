"""The networks: generator, discriminator and classifier, over any backbone.

N: batch; Z: latent; K: classes of a label level; F: features.
Labels travel as a mapping from level name to int64 [N], -1 where missing; those of a level without
classes are numbers, in steps of their range (mtgan.data.numbers).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor, nn

from mtgan.nets.backbone import DiscriminatorSettings, RowByRow
from mtgan.nets.heads import Labels, LabelVector, Strengths, as_levels
from mtgan.nets.initialization import stored_weight
from mtgan.nets.label_axes import (
    LabelAxis,
    Told,
    axes_within,
    class_entries,
    first_linear,
    stored_name,
)
from mtgan.nets.layers import Place, Places, chain
from mtgan.nets.task_head import ClassHead, HeadOutput, HeadSpec, SumHead
from mtgan.nets.told_layer import told_layers
from mtgan.parts import HEADS, NORMALIZATIONS

EMBEDDING = 128  # numbers in the shared embedding of the labels (Brock et al. 2019, appendix B)

LayerFactory = Callable[[], list[nn.Module]]
LabelAxes = dict[str, dict[str, LabelAxis]]
"""By a layer's name (see `places`) and a parameter's in it; see mtgan.nets.label_axes."""


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What a discriminator says of a batch."""

    score: Tensor  # [N], before any squashing
    heads: dict[str, HeadOutput] = field(default_factory=dict)  # by task name
    features: Tensor | None = None  # [N, F], what the adversarial head saw

    @property
    def logits(self) -> dict[str, Tensor]:
        """Task name -> [N, C]."""
        return {name: head.logits for name, head in self.heads.items()}


class Generator(nn.Module):
    """Latents [N, Z] and labels to samples [N, C, H, W] in [-1, 1].

    levels: what conditions it, if anything does; concat: the levels (and their numbers of classes)
    whose blocks of the label vector join the latent (Mirza & Osindero 2014). Layers that take a
    class (those that normalize by it) are given the label of the first level. embedded: as concat;
    the label vector joins no latent, and the layers are given a linear embedding of it (Brock et
    al. 2019, section 3.1), of length EMBEDDING.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        levels: str | Sequence[str] | None,
        concat: Mapping[str, int],
        embedded: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        levels = as_levels(levels)
        self.level = levels[0] if levels else None
        # What it is told: layers that take a class are given the first level alone.
        sizes = concat or embedded
        self.levels = levels if sizes else levels[:1]
        self.label_vector = LabelVector(sizes, levels) if sizes else None
        self.embedding = None
        if self.label_vector is not None and embedded:
            self.embedding = nn.Linear(self.label_vector.length, EMBEDDING, bias=False)
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

    def places(self) -> Places:
        """Its layers by name, for mtgan.nets.layers."""
        told = {} if self.embedding is None else {"labels": Place(self.embedding, "")}
        return {**told, **chain(self.layers)}

    def label_axes(self, classes: int) -> LabelAxes:
        """Which axes stand for classes; classes: how many the first level has."""
        vector = () if self.label_vector is None else self.label_vector.entries
        rows = class_entries(self.level, classes) if self.level else ()
        told = Told(rows, vector)
        found = {name: axes_within(place.layer, told) for name, place in self.places().items()}
        if self.embedding is not None:
            found["labels"] = {stored_name(self.embedding, "weight"): LabelAxis(1, vector)}
        first = next(iter(chain(self.layers)))
        found[first] |= first_linear(self.layers[0], () if self.embedding is not None else vector)
        return found

    def _inputs(self, latents: Tensor, labels: Labels) -> tuple[Tensor, Tensor | None]:
        if self.label_vector is None:
            return latents, labels[self.level] if self.level else None
        vector = self.label_vector(labels, latents)
        if self.embedding is not None:
            return latents, self.embedding(vector)
        return torch.cat([latents, vector], dim=1), labels[self.level] if self.level else None

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
        layers, labels = make_layers(), LabelVector(classes, level)
        self.labels_of_layers = None
        if HEADS.capability(conditioning, "joins_layers"):
            self.labels_of_layers = labels
            layers = told_layers(layers, settings.shape, labels.length, settings.bound)
        self.layers = nn.ModuleList(layers)
        self.adversarial = HEADS.get(conditioning)(features, labels, settings.bound)
        own = {name: spec for name, spec in tasks.items() if spec.sums is None}
        self.task_names = list(tasks)
        self.leaves = {name: len(self.layers) - (s.bifurcation - 1) for name, s in own.items()}
        self.heads = nn.ModuleList(
            ClassHead(make_layers()[self.leaves[name] :], features, spec)
            for name, spec in own.items()
        )
        sums = {name: spec.sums for name, spec in tasks.items() if spec.sums is not None}
        self.sum_names = list(sums)
        self.sum_heads = nn.ModuleList(SumHead(spec) for spec in sums.values())
        self.mixes_samples = NORMALIZATIONS.capability(settings.normalization, "mixes_samples")

    def places(self) -> Places:
        """Its layers by name, for mtgan.nets.layers: the trunk's, the score's, the tasks' heads."""
        trunk = chain(self.layers)
        names = ["", *trunk]
        heads = {
            name: Place(head, names[leave])
            for (name, leave), head in zip(self.leaves.items(), self.heads, strict=True)
        }
        for name, head in zip(self.sum_names, self.sum_heads, strict=True):
            assert isinstance(head, SumHead)
            heads[name] = Place(head, f"head {head.task}")
        tasks = {f"head {name}": heads[name] for name in self.task_names}
        return {**trunk, "score": Place(self.adversarial, names[-1]), **tasks}

    def label_axes(self) -> LabelAxes:
        """Which axes stand for classes."""
        vector = self.labels_of_layers
        told = Told(vector=() if vector is None else vector.entries)
        return {name: axes_within(place.layer, told) for name, place in self.places().items()}

    def forward(self, samples: Tensor, labels: Labels) -> DiscriminatorOutput:
        outputs = [samples]  # outputs[i] is what layer i takes
        told = self._told(samples, labels)
        for layer in self.layers:
            outputs.append(layer(outputs[-1], *told))
        outputs[-1] = features = outputs[-1].flatten(1)
        said = {
            name: head(outputs[leave])
            for (name, leave), head in zip(self.leaves.items(), self.heads, strict=True)
        }
        for name, head in zip(self.sum_names, self.sum_heads, strict=True):
            assert isinstance(head, SumHead)
            said[name] = head(said[head.task])
        heads = {name: said[name] for name in self.task_names}
        return DiscriminatorOutput(self.adversarial(features, labels), heads, features)

    def score(self, samples: Tensor, labels: Labels) -> Tensor:
        """The scores [N] alone, without the work of the task heads (for penalties)."""
        x, told = samples, self._told(samples, labels)
        for layer in self.layers:
            x = layer(x, *told)
        return self.adversarial(x.flatten(1), labels)

    def _told(self, samples: Tensor, labels: Labels) -> tuple[Tensor, ...]:
        """What every layer is given beside: the label vector, where the layers are told it."""
        vector = self.labels_of_layers
        return () if vector is None else (vector(labels, samples),)


class Classifier(nn.Module):
    """Samples [N, C, H, W] to logits [N, K]: a network of its own (SC-WGAN; thesis 3.0.13).

    axis: what each logit stands for; None where that is no class of the data.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        features: int,
        classes: int,
        axis: LabelAxis | None = None,
    ) -> None:
        super().__init__()
        self.axis = axis
        self.layers = nn.ModuleList(layers)
        self.linear = nn.Linear(features, classes)

    def places(self) -> Places:
        """Its layers by name, for mtgan.nets.layers."""
        trunk = chain(self.layers)
        return {**trunk, "classes": Place(self.linear, ["", *trunk][-1])}

    def label_axes(self) -> LabelAxes:
        """Which axes stand for classes."""
        return (
            {} if self.axis is None else {"classes": dict.fromkeys(("weight", "bias"), self.axis)}
        )

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
                kernels.append(stored_weight(module))
    return kernels
