"""Weights of one game for another: layer by layer where they fit, class by class by name.

Mo et al. 2020 (Freeze the Discriminator, arXiv 2002.10964) and Wang et al. 2018 (Transferring GANs,
arXiv 1805.01677) begin a training on few images from networks that were trained on many, the
discriminator's too. Optimizers and regularizers of the discriminator begin anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from mtgan.data.correspondence import (
    Correspondence,
    corresponding_classes,
    corresponding_levels,
)
from mtgan.nets import Generator
from mtgan.nets.initialization import settle, stored_weight
from mtgan.nets.label_axes import UNSAID, ClassEntry, Entry, LabelAxis
from mtgan.nets.networks import LabelAxes
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.networks import Network

WAYS = TAKEN, MAPPED, FRESH = "taken", "mapped", "fresh"


@dataclass
class NetworkTransfer:
    """What became of a network's tensors, by their names in it: taken as they were, mapped class by
    class, or fresh. source: the network that they were taken from; layers: what became of the
    tensors of each layer; kernels: how many kernels of the trunk are not fresh."""

    source: str
    taken: list[str] = field(default_factory=list)
    mapped: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    layers: dict[str, set[str]] = field(default_factory=dict)
    kernels: int = 0

    def note(self, layer: str, name: str, way: str) -> None:
        getattr(self, way).append(f"{layer}: {name}")
        self.layers.setdefault(layer, set()).add(way)

    def in_words(self) -> str:
        """Layers by what became of them: 1, 2, 3 taken; 4 mapped by class; 5 fresh."""
        words = {TAKEN: "taken", MAPPED: "mapped by class", FRESH: "fresh"}
        parts = {way: [k for k, found in self.layers.items() if found == {way}] for way in WAYS}
        mixed = [name for name, found in self.layers.items() if len(found) > 1]
        whole = [f"{', '.join(names)} {words[way]}" for way, names in parts.items() if names]
        kinds = {
            name: " and ".join(words[w] for w in WAYS if w in self.layers[name]) for name in mixed
        }
        return "; ".join([*whole, *(f"{name} {kind}" for name, kind in kinds.items())])


@dataclass
class ClassTransfer:
    """What the classes of a level begin as. source: the level that they correspond to; by_name: how
    many are of one name; others: of each other class, of which classes it is the mean."""

    source: str
    by_name: int
    others: dict[str, Sequence[str]]
    by: dict[str, str]


@dataclass
class Transfer:
    """What became of every network (those that make samples are as their live ones), and what the
    classes of every level that weights depend on begin as."""

    networks: dict[str, NetworkTransfer]
    levels: dict[str, ClassTransfer]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        networks = {name: asdict(network) for name, network in self.networks.items()}
        for network in networks.values():
            del network["layers"], network["kernels"]  # follow from the tensors
        return {"networks": networks, "levels": {k: asdict(v) for k, v in self.levels.items()}}


class _Classes:
    """Which of the other game's classes each class of this one begins as."""

    def __init__(self, own: DatasetInfo, other: DatasetInfo) -> None:
        self._own, self._other = own, other
        self.levels = corresponding_levels(own.taxonomy, other.taxonomy)
        self.used: dict[str, list[Correspondence]] = {}

    def of(self, level: str) -> list[Correspondence]:
        """For each class of a level."""
        if level not in self.used:
            to = self.levels.get(level)
            nothing = Correspondence((), "nothing")
            self.used[level] = (
                [nothing] * self._own.taxonomy.num_classes(level)
                if to is None
                else corresponding_classes(
                    self._own.taxonomy, level, self._other.taxonomy, to, _seen(self._other, to)
                )
            )
        return self.used[level]

    def indices(self, entry: Entry, others: Sequence[Entry]) -> list[int]:
        """Where along another axis that stands which an entry begins as the mean of."""
        place = {other: i for i, other in enumerate(others)}
        if not isinstance(entry, ClassEntry):
            return [place[entry]] if entry in place else []
        to = self.levels.get(entry.level, "")
        wanted = self.of(entry.level)[entry.place].others
        found = [ClassEntry(to, index, entry.of) for index in wanted]
        return [place[one] for one in found] if all(one in place for one in found) else []

    def alike(self, own: Sequence[Entry], others: Sequence[Entry]) -> bool:
        """Whether two axes stand for the same in the same order."""
        return len(own) == len(others) and all(
            self.indices(entry, others) == [i] for i, entry in enumerate(own)
        )

    def summary(self) -> dict[str, ClassTransfer]:
        """Of the classes that the data have samples of."""
        found = {}
        for level, all_of in self.used.items():
            to = self.levels.get(level, "")
            names, others = (
                info.taxonomy.classes.get(one, ())
                for info, one in ((self._own, level), (self._other, to))
            )
            seen = {names[i]: all_of[i] for i in sorted(_seen(self._own, level))}
            strange = {name: one for name, one in seen.items() if one.by != "name"}
            found[level] = ClassTransfer(
                to,
                len(seen) - len(strange),
                {name: tuple(others[i] for i in one.others) for name, one in strange.items()},
                {name: one.by for name, one in strange.items()},
            )
        return found


def _seen(info: DatasetInfo, level: str) -> set[int]:
    """The classes of a level that there were samples of: rows of others were never learned."""
    if level in info.codes:
        return set(range(info.taxonomy.num_classes(level)))
    labels = info.label_rows[:, info.taxonomy.levels.index(level)]
    return {int(label) for label in np.unique(labels) if label >= 0}


def transfer(game: Game, source: Game) -> Transfer:
    """Fill a game's networks and averaged generators with what fits of another's, which stays as it
    is."""
    classes = _Classes(game.dataset_info, source.dataset_info)
    networks: dict[str, NetworkTransfer] = {}
    for mine, theirs, noted in (
        (game.networks, source.networks, True),
        (game.average, source.average, False),
    ):
        done: set[int] = set()  # layers that several networks share
        for name, network in mine.items():
            origin = _origin(name, theirs, source)
            report = NetworkTransfer(origin or "nothing")
            if origin is not None:
                _fill(network, theirs[origin], (game, source), classes, report, done)
            if noted:
                networks[name] = report
    return Transfer(networks, classes.summary())


def _origin(name: str, networks: Mapping[str, Network], source: Game) -> str | None:
    """The network that one of this name is filled from: that of the name, or the main twin's."""
    main = name.partition("/")[0] + source.twins[0].label
    return next((one for one in (name, main) if one in networks), None)


def _axes(network: Network, game: Game) -> LabelAxes:
    if isinstance(network, Generator):
        level = network.level
        return network.label_axes(game.dataset_info.taxonomy.num_classes(level) if level else 0)
    return network.label_axes()


def _fill(
    network: Network,
    other: Network,
    games: tuple[Game, Game],
    classes: _Classes,
    report: NetworkTransfer,
    done: set[int],
) -> None:
    own_axes, other_axes = (_axes(n, g) for n, g in zip((network, other), games, strict=True))
    mine = {name: place.layer for name, place in network.places().items()}
    theirs = {name: place.layer for name, place in other.places().items()}
    first_free = isinstance(network, Generator)
    pairs = _aligned(mine, theirs, own_axes, other_axes, classes, from_the_first=first_free)
    for name, layer in mine.items():
        found = pairs.get(name)
        tensors = {} if found is None else _tensors(theirs[found])
        axes = {} if found is None else other_axes.get(found, {})
        for key, tensor in _tensors(layer).items():
            if id(tensor) in done:
                continue
            done.add(id(tensor))
            ends = own_axes.get(name, {}).get(key), axes.get(key)
            way = _copy(tensor, tensors.get(key), *ends, classes)
            report.note(name, key, way)
            report.kernels += way != FRESH and tensor.dim() > 1 and name.isdecimal()
        _settle(layer, name, report)


def _tensors(layer: nn.Module) -> dict[str, Tensor]:
    """Parameters and statistics; no facts of the data or the schedule, which are not persistent."""
    found = layer.state_dict(keep_vars=True)
    return {name: tensor for name, tensor in found.items() if isinstance(tensor, Tensor)}


@torch.no_grad()
def _copy(
    tensor: Tensor,
    other: Tensor | None,
    axis: LabelAxis | None,
    other_axis: LabelAxis | None,
    classes: _Classes,
) -> str:
    """Fill a tensor from another one where that fits; returns in which way."""
    if other is None or not _fits(tensor, other, axis, other_axis, classes):
        return FRESH
    if axis is None or other_axis is None or classes.alike(axis.entries, other_axis.entries):
        tensor.copy_(other)
        return TAKEN
    found = [classes.indices(entry, other_axis.entries) for entry in axis.entries]
    for index, sources in enumerate(found):
        if sources:
            rows = other.index_select(axis.dim, torch.tensor(sources))
            tensor.select(axis.dim, index).copy_(rows.mean(axis.dim))
    return MAPPED if any(found) else FRESH


def _fits(
    tensor: Tensor,
    other: Tensor,
    axis: LabelAxis | None,
    other_axis: LabelAxis | None,
    classes: _Classes,
) -> bool:
    """Whether a tensor can be filled from another one, of one shape but for the classes."""
    if axis is None or other_axis is None:
        return axis is other_axis and tensor.shape == other.shape
    if axis.dim != other_axis.dim or tensor.dim() != other.dim():
        return False
    if axis.dim == UNSAID:
        return tensor.shape == other.shape and classes.alike(axis.entries, other_axis.entries)
    sides = zip(tensor.shape, other.shape, strict=True)
    return all(mine == theirs for i, (mine, theirs) in enumerate(sides) if i != axis.dim)


def _settle(layer: nn.Module, name: str, report: NetworkTransfer) -> None:
    """Where a kernel is another one now, spectral normalization has to learn its norm anew."""
    taken = set(report.taken)
    for path, module in layer.named_modules():
        if is_parametrized(module):
            key = f"{path}.parametrizations.weight.original".lstrip(".")
            if f"{name}: {key}" not in taken and isinstance(stored_weight(module), Tensor):
                settle(module)


def _aligned(
    mine: Mapping[str, nn.Module],
    theirs: Mapping[str, nn.Module],
    own_axes: LabelAxes,
    other_axes: LabelAxes,
    classes: _Classes,
    from_the_first: bool,
) -> dict[str, str]:
    """Which layer of another network each of this one's is filled from.

    Layers of the trunk keep their order, and as many numbers as possible are taken; of equal
    choices, fresh layers come where the image is. Others have names.
    """
    found = {name: name for name in mine if name in theirs and not name.isdecimal()}
    chain, others = ([n for n in names if n.isdecimal()] for names in (mine, theirs))
    if not from_the_first:
        chain, others = chain[::-1], others[::-1]
    gain = [
        [
            sum(
                tensor.numel()
                for key, tensor in _tensors(mine[name]).items()
                if (same := _tensors(theirs[other]).get(key)) is not None
                and _fits(
                    tensor,
                    same,
                    own_axes.get(name, {}).get(key),
                    other_axes.get(other, {}).get(key),
                    classes,
                )
            )
            for other in others
        ]
        for name in chain
    ]
    best = np.zeros((len(chain) + 1, len(others) + 1), dtype=np.int64)
    for i in reversed(range(len(chain))):
        for j in reversed(range(len(others))):
            best[i, j] = max(best[i + 1, j], best[i, j + 1], gain[i][j] + best[i + 1, j + 1])
    i = j = 0
    while i < len(chain) and j < len(others):
        if gain[i][j] and best[i, j] == gain[i][j] + best[i + 1, j + 1]:
            found[chain[i]] = others[j]
            i, j = i + 1, j + 1
        elif best[i, j] == best[i + 1, j]:
            i += 1
        else:
            j += 1
    return found
