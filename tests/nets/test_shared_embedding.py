"""Normalization by one embedding of all labels: its formula, several levels, missing labels."""

import warnings

import torch

from mtgan.nets import NORMALIZATIONS, Generator
from mtgan.recipes import load_recipe
from mtgan.recipes.rules import RecipeWarning
from mtgan.training import train
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from toys import make_data, small_recipe

BOTH = {"condition_on": ["fine", "coarse"]}


def test_gain_and_bias_are_linear_in_the_embedding() -> None:
    torch.manual_seed(0)
    layer = NORMALIZATIONS.get("shared-conditional-batch")(4, 3)
    x, e = torch.randn(6, 4, 5, 5), torch.randn(6, 3)
    mean, std = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, correction=0)
    plain = (x - mean) / (std + 1e-5).sqrt()
    gain, bias = (e @ of.weight.T for of in (layer.gain, layer.bias))
    expected = plain * (1 + gain)[:, :, None, None] + bias[:, :, None, None]
    torch.testing.assert_close(layer(x, e), expected)
    torch.testing.assert_close(layer(x, torch.zeros(6, 3)), plain)


def generator(**overrides: object) -> Generator:
    recipe = small_recipe("biggan-small", **overrides)
    return Game(recipe, DatasetInfo.of(make_data())).twins[0].generator.eval()


def test_layers_are_given_the_sum_of_the_embeddings_of_all_levels() -> None:
    network, given = generator(**BOTH), []
    assert network.levels == ("fine", "coarse")
    network.layers[1].register_forward_pre_hook(lambda _, inputs: given.append(inputs[1]))
    labels = {"fine": torch.tensor([2, 3, -1]), "coarse": torch.tensor([1, -1, -1])}
    network(torch.randn(3, 6), labels)
    columns = network.embedding.weight.T  # of a, b, c, d, x, y
    expected = torch.stack([columns[2] + columns[5], columns[3], 0 * columns[0]])
    torch.testing.assert_close(given[0], expected)


def test_every_level_changes_what_is_generated() -> None:
    network, z = generator(**BOTH), torch.randn(1, 6).expand(4, -1)
    fine, coarse = torch.tensor([0, 1, 0, 1]), torch.tensor([0, 0, 1, 1])
    made = network(z, {"fine": fine, "coarse": coarse}).flatten(1)
    assert len({tuple(row.tolist()) for row in made}) == 4


def test_one_level_is_told_alone_and_several_without_a_warning() -> None:
    assert generator().levels == ("fine",)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RecipeWarning)
        load_recipe("biggan-small", BOTH)


def test_it_trains_resumes_and_is_asked_for_both_levels(tmp_path) -> None:
    def go(steps: int, name: str, resume: bool = False):
        recipe = small_recipe("biggan-small", training__steps=steps, **BOTH)
        return train(recipe, make_data(), tmp_path / name, resume=resume, quiet=True)

    go(1, "parts")
    run, whole = go(2, "parts", resume=True), go(2, "whole").game().tensors()
    assert all(torch.equal(value, whole[name]) for name, value in run.game().tensors().items())
    assert run.sample(2, {"fine": "a", "coarse": "x"}).shape == (2, 1, 16, 16)


def test_a_schedule_switches_levels_of_the_embedding_on() -> None:
    schedule = [{"condition_on": "coarse", "until": 2}]
    recipe = small_recipe("biggan-small", schedule__conditioning=schedule, **BOTH)
    game = Game(recipe, DatasetInfo.of(make_data()))
    assert game.twins[0].generator.told() == ("coarse",)
