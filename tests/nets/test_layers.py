"""Networks layer by layer, as the thesis's Tables 4.3 and D.1 and Appendix D print them."""

import numpy as np
import pytest
import torch
from torch import nn

from mtgan.classification import classifier_layers, load_classifier_recipe
from mtgan.data import Dataset, Taxonomy
from mtgan.nets.layers import Layer, NetworkLayers, Place, chain, trace_layers
from mtgan.recipes import load_recipe
from mtgan.training import count_parameters, network_layers
from mtgan.training.layer_diagram import layer_diagram


@pytest.fixture(scope="module")
def cifar() -> Dataset:
    """The shape and the levels of CIFAR-100."""
    fine = np.arange(200) % 100
    classes = {"fine": tuple(map(str, range(100))), "coarse": tuple(map(str, range(20)))}
    taxonomy = Taxonomy(("fine", "coarse"), classes, {"fine": ("coarse", np.arange(100) // 5)})
    images = np.zeros((200, 3, 32, 32), np.uint8)
    return Dataset(images, np.stack([fine, fine // 5], 1), taxonomy, "cifar100", "train")


def by_name(networks: list[NetworkLayers]) -> dict[str, dict[str, Layer]]:
    return {network.name: {layer.name: layer for layer in network.layers} for network in networks}


def test_table_4_3(cifar: Dataset) -> None:
    found = by_name(network_layers(load_recipe("sc-wgan-a"), cifar))
    generator, critic, classifier = found.values()
    assert [layer.parts[0] for layer in generator.values()] == [
        "linear to 4096",
        "transposed conv 5 x 5 to 128, stride 2",
        "transposed conv 5 x 5 to 64, stride 2",
        "transposed conv 5 x 5 to 3, stride 2",
    ]
    sizes = [(256, 4, 4), (128, 8, 8), (64, 16, 16), (3, 32, 32)]
    assert [layer.output for layer in generator.values()] == sizes
    # (noise and class) x 4096 and its biases, and the batch normalization of 256 channels.
    assert generator["1"].parameters == (128 + 100) * 4096 + 4096 + 2 * 256
    assert generator["2"].parameters == 256 * 128 * 25 + 128 + 2 * 128
    assert [layer.parts for layer in critic.values()][:3] == [
        ("conv 5 x 5 to 64, stride 2", "LeakyReLU 0.2"),
        ("conv 5 x 5 to 128, stride 2", "LeakyReLU 0.2"),
        ("conv 5 x 5 to 256, stride 2", "LeakyReLU 0.2"),
    ]
    assert (critic["score"].parameters, critic["score"].output) == (4096 + 1, ())
    assert "BatchNorm" not in classifier["1"].parts
    assert classifier["2"].parts[1] == classifier["3"].parts[1] == "BatchNorm"
    assert classifier["classes"].parameters == 4096 * 100 + 100


def test_table_d_1(cifar: Dataset) -> None:
    found = by_name(network_layers(load_recipe("resnet-b"), cifar))
    generator, critic = found.values()
    assert generator["1"].parts == ("linear to 2048",)
    assert [part for part in generator["2"].parts if "conv" in part] == [
        "conv 3 x 3 to 128, doubled",
        "conv 3 x 3 to 128",
        "conv 1 x 1 to 128",
    ]
    assert generator["2"].parts.count("InstanceNorm by class") == 2
    assert generator["2"].parameters == 2 * (128 * 128 * 9 + 128) + 128 * 128 + 128 + 4 * 100 * 128
    assert [layer.output[1:] for layer in critic.values()][:3] == [(16, 16), (8, 8), (8, 8)]
    assert critic["4"].output == (128,)
    assert (critic["head coarse"].parameters, critic["head coarse"].after) == (129 * 20, "4")


def test_where_heads_leave_and_what_twins_share(cifar: Dataset) -> None:
    critic = by_name(network_layers(load_recipe("ac-wgan-c"), cifar))["discriminator"]
    assert (critic["head fine"].after, critic["score"].after) == ("2", "3")
    tree = by_name(network_layers(load_recipe("tree-wgan-b"), cifar))["discriminator"]
    assert (tree["head coarse"].after, tree["head coarse"].parameters) == ("head fine", 0)
    recipe = load_recipe("mtl-wgan-projection")
    twins = network_layers(recipe, cifar)
    fine = by_name(twins)["generator/fine"]
    assert fine["2"].shared_with == ("generator/coarse",)
    assert fine["3"].shared_with == ()
    assert {n.name: n.parameters for n in twins} == count_parameters(recipe, cifar)


@pytest.mark.parametrize("name", ["projection-gan", "biggan-small", "reac-gan", "ss-gan"])
def test_layers_have_all_parameters(cifar: Dataset, name: str) -> None:
    recipe = load_recipe(name, {"generator.width": 16, "discriminator.width": 16})
    for network in network_layers(recipe, cifar):
        assert sum(layer.parameters for layer in network.layers) == network.parameters
        assert not any("Parametriz" in part for layer in network.layers for part in layer.parts)


def test_spectral_norm_and_embeddings_are_said(cifar: Dataset) -> None:
    recipe = load_recipe("biggan-small", {"generator.width": 16, "discriminator.width": 16})
    generator = by_name(network_layers(recipe, cifar))["generator"]
    assert generator["labels"].parts == ("linear to 128",)
    assert "conv 3 x 3 to 3, spectral norm" in generator["5"].parts
    assert "BatchNorm by class" in generator["2"].parts


def test_a_classifier_of_the_thesis(cifar: Dataset) -> None:
    hard = classifier_layers(load_classifier_recipe("mtl-hard"), cifar)
    layers = {layer.name: layer for layer in hard.layers}
    assert [name for name in layers if " " not in name] == ["1", "2", "3"]
    assert layers["main 4"].after == layers["auxiliary 4"].after == "3"
    assert layers["1"].parts == (
        *("conv 5 x 5 to 64", "BatchNorm", "ReLU"),
        *("max pooling 2", "dropout 0.5"),
    )
    assert layers["main 4"].output == (128, 4, 4)
    assert layers["auxiliary classes"].parameters == 128 * 16 * 20 + 20
    assert hard.parameters == sum(layer.parameters for layer in hard.layers)


def test_a_layer_that_loops_is_noted_once_and_one_that_rests_not_at_all() -> None:
    linear, resting = nn.Linear(3, 3), nn.Linear(3, 3)
    block = nn.Sequential(linear, nn.ReLU(), linear)
    places = {**chain([block]), "other": Place(resting, "1")}
    (found,) = trace_layers(places, lambda: block(torch.zeros(2, 3)))
    assert found == Layer("1", ("linear to 3", "ReLU"), (3,), 12, "")


def test_the_picture_has_every_layer(cifar: Dataset) -> None:
    networks = network_layers(load_recipe("ac-wgan-c"), cifar)
    figure = layer_diagram("AC-WGAN.c", "thesis", networks)
    (axes,) = figure.axes
    words = [text.get_text() for text in axes.texts]
    for network in networks:
        assert f"{network.name}: {network.parameters:,} parameters" in words
        for layer in network.layers:
            size = " x ".join(map(str, layer.output or (1,)))
            assert layer.name in words
            assert f"{size}; {layer.parameters:,} parameters" in words
