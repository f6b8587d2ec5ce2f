"""The network of a classifier's recipe on a data set, before any training."""

import torch

from mtgan.classification.inputs import input_shape
from mtgan.classification.network import MultitaskClassifier, refuse_unfit
from mtgan.classification.schema import ClassifierRecipe
from mtgan.classification.tasks import make_tasks
from mtgan.data import Dataset
from mtgan.nets.layers import NetworkLayers, trace_layers


def classifier_layers(recipe: ClassifierRecipe, data: Dataset) -> NetworkLayers:
    """A classifier on a data set, layer by layer; the auxiliary task reads the same images.

    Raises UserError where the recipe does not fit the data.
    """
    tasks = make_tasks(recipe, data, data)
    shape = input_shape(recipe.augmentation, data.shape)
    refuse_unfit(recipe, shape)
    classes = {name: len(task.classes) for name, task in tasks.items()}
    network = MultitaskClassifier(recipe.network, recipe.sharing, shape, classes).eval()

    def compute() -> None:
        for task in tasks:
            network(torch.zeros(2, *shape), task)

    layers = trace_layers(network.places(), compute)
    count = sum(parameter.numel() for parameter in network.parameters())
    return NetworkLayers("classifier", count, tuple(layers))
