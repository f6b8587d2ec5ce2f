"""What a network consists of, layer by layer: the thesis's Tables 4.3 and D.1, of any network.

Nothing is derived from a recipe: a batch is sent through the network, and what computes is noted.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.utils.parametrize import is_parametrized

from mtgan.nets.fast import ConvMeanPool2d, LeakyReLU, UpsampleConv2d
from mtgan.nets.heads import LabelVector
from mtgan.nets.normalization.base import Conditional
from mtgan.nets.normalization.shared import SharedConditionalBatch
from mtgan.nets.task_head import HeadOutput

_UNSAID = (nn.Identity, nn.Flatten, nn.Unflatten, LabelVector)
_BY_CLASS = (Conditional, SharedConditionalBatch)
_RESAMPLING = ((ConvMeanPool2d, ", halved"), (UpsampleConv2d, ", doubled"))


Places = dict[str, "Place"]


@dataclass(frozen=True)
class Layer:
    """One layer.

    name: "1", "2", ... from the input on, or what it is for; parts: what it computes with, in
    order; output: shape for one sample, () for one number; parameters: how many numbers it learns;
    after: the layer whose output it takes, "" where that is the network's input; shared_with: other
    networks of which it is a layer, too.
    """

    name: str
    parts: tuple[str, ...]
    output: tuple[int, ...]
    parameters: int
    after: str = ""
    shared_with: tuple[str, ...] = ()


@dataclass(frozen=True)
class NetworkLayers:
    """A network: its name, how many numbers it learns, and its layers from the input on."""

    name: str
    parameters: int
    layers: tuple[Layer, ...]


class Place(NamedTuple):
    """A layer of a network, and the name of that whose output it takes ("" for the first)."""

    layer: nn.Module
    after: str


def chain(layers: Iterable[nn.Module], first: int = 1, of: str = "", after: str = "") -> Places:
    """Layers that follow each other, by their numbers; of: what stands before a number."""
    places = {}
    for number, layer in enumerate(layers, start=first):
        places[f"{of} {number}".strip()] = Place(layer, after)
        after = list(places)[-1]
    return places


def trace_layers(places: Places, forward: Callable[[], Any]) -> list[Layer]:
    """The layers of a network, in the order in which they compute.

    places: its layers by name, none within another; forward: sends a batch through it. A layer that
    does not compute then is left out.
    """
    owner = {part: name for name, place in places.items() for part in _parts_of(place.layer)}
    computed: dict[str, list[nn.Module]] = {}
    outputs: dict[str, tuple[int, ...]] = {}

    def note_part(part: nn.Module, inputs: Any, output: Any) -> None:
        noted = computed.setdefault(owner[part], [])
        again = owner[part] in outputs or (part in noted and _count(part))  # a loop's second turn
        if not again:
            noted.append(part)

    def note_layer(name: str, layer: nn.Module, inputs: Any, output: Any) -> None:
        computed.setdefault(name, [])
        outputs.setdefault(name, _shape(output))

    hooks = [part.register_forward_hook(note_part) for part in owner]
    hooks += [
        place.layer.register_forward_hook(partial(note_layer, name))
        for name, place in places.items()
    ]
    try:
        with torch.no_grad():
            forward()
    finally:
        for hook in hooks:
            hook.remove()
    return [
        Layer(name, tuple(map(_word, modules)), outputs[name], _count(place.layer), place.after)
        for name, modules in computed.items()
        if (place := places[name])
    ]


def _parts_of(module: nn.Module) -> Iterator[nn.Module]:
    """What computes within a module: itself, where it is no frame around others."""
    inner = [child for name, child in module.named_children() if name != "parametrizations"]
    if isinstance(module, _BY_CLASS) or not inner:
        if not isinstance(module, _UNSAID):
            yield module
        return
    for child in inner:
        yield from _parts_of(child)


def _shape(output: Tensor | HeadOutput) -> tuple[int, ...]:
    values = output.logits if isinstance(output, HeadOutput) else output
    return tuple(values.shape[1:])


def _count(layer: nn.Module) -> int:
    return sum(parameter.numel() for parameter in layer.parameters())


def _word(module: nn.Module) -> str:
    """A part in a word or two: "conv 5 x 5 to 64, stride 2", "linear to 4096", "BatchNorm"."""
    text = "".join(_words(module))
    return f"{text}, spectral norm" if is_parametrized(module) else text


def _words(module: nn.Module) -> Iterator[str]:
    match module:
        case _ConvNd():
            kernel = " x ".join(map(str, module.kernel_size))
            yield "transposed conv" if isinstance(module, _ConvTransposeNd) else "conv"
            yield f" {kernel} to {module.out_channels}"
            if max(module.stride) > 1:
                yield f", stride {max(module.stride)}"
            yield from (word for kind, word in _RESAMPLING if isinstance(module, kind))
        case nn.Linear():
            yield f"linear to {module.out_features}"
        case nn.Embedding():
            yield f"embedding of {module.num_embeddings} to {module.embedding_dim}"
        case nn.Dropout():
            yield f"dropout {module.p:g}"
        case nn.MaxPool2d():
            yield f"max pooling {module.kernel_size}"
        case nn.RNNBase():
            yield f"{type(module).__name__} to {module.hidden_size}"
        case LeakyReLU():
            yield f"LeakyReLU {module.slope:g}" if module.slope else "ReLU"
        case _BatchNorm():
            yield "BatchNorm"
        case Conditional() | SharedConditionalBatch():
            yield f"{type(module.layer).__name__} by class"
        case _:
            yield type(module).__name__.removeprefix("Parametrized")
