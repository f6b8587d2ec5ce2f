"""The networks of a recipe on a data set, before any training: their layers and parameters."""

from dataclasses import replace

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.nets import Classifier, Discriminator, Generator
from mtgan.nets.layers import Layer, NetworkLayers, trace_layers
from mtgan.recipes import Recipe
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.hierarchies import with_hierarchies
from mtgan.training.networks import Network

_BATCH = 2


def count_parameters(recipe: Recipe, data: Dataset) -> dict[str, int]:
    """Number of parameters by network (a shared layer counts in each), without training.

    Raises UserError where the recipe does not fit the data.
    """
    return _untrained(recipe, data).parameter_counts()


def network_layers(recipe: Recipe, data: Dataset) -> list[NetworkLayers]:
    """Every network of a recipe on a data set, layer by layer (thesis, Tables 4.3 and D.1).

    Raises UserError where the recipe does not fit the data.
    """
    game = _untrained(recipe, data)
    counts = game.parameter_counts()
    return [
        NetworkLayers(name, counts[name], tuple(_layers(game, name, network)))
        for name, network in game.networks.items()
    ]


def _untrained(recipe: Recipe, data: Dataset) -> Game:
    def nothing_confused(data: Dataset, seed: int) -> np.ndarray:
        # How many superclasses there are decides, not which: no classifier need be trained.
        return np.eye(data.taxonomy.num_classes(data.taxonomy.levels[0]), dtype=np.int64)

    return Game(recipe, DatasetInfo.of(with_hierarchies(data, recipe.hierarchy, nothing_confused)))


def _layers(game: Game, name: str, network: Network) -> list[Layer]:
    places = network.places()
    with torch.random.fork_rng(devices=[]):
        found = trace_layers(places, lambda: _compute(game, network.eval()))
    return [
        replace(layer, shared_with=_others(game, name, places[layer.name].layer)) for layer in found
    ]


def _compute(game: Game, network: Network) -> None:
    """Send some batch through a network."""
    info = game.dataset_info
    levels = info.taxonomy.levels
    labels = dict.fromkeys(levels, torch.zeros(_BATCH, dtype=torch.long))
    samples = torch.zeros(_BATCH, *info.shape)
    match network:
        case Generator():
            network(torch.zeros(_BATCH, game.recipe.latent.dim), labels)
        case Discriminator():
            network(samples, labels)
        case Classifier():
            network(samples)


def _others(game: Game, name: str, layer: torch.nn.Module) -> tuple[str, ...]:
    """The other networks that this layer is one of."""
    return tuple(
        other
        for other, network in game.networks.items()
        if other != name and any(layer is place.layer for place in network.places().values())
    )
