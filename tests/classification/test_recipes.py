"""The recipes of classifiers: the thesis's numbers, and what a mistake gets."""

import pytest

from mtgan.classification import CLASSIFIERS, load_classifier_recipe
from mtgan.errors import UserError
from mtgan.recipes import dump_recipe


def test_the_thesis_defaults() -> None:
    """Thesis 2017, 2.0.1 and 2.0.3."""
    recipe = load_classifier_recipe("mtl-soft")
    network, training = recipe.network, recipe.training
    assert network.channels == (64, 128, 128, 128)
    assert (network.kernel, network.pool_after, network.batch_norm) == (5, (1, 2, 4), True)
    assert network.dropout == 0.5
    assert (training.epochs, training.batch_size, training.weight_decay) == (200, 256, 5e-5)
    assert training.learning_rates == (0.01, 0.001, 0.0001)
    assert (recipe.sharing.layers, recipe.sharing.weight, recipe.sharing.norm) == (3, 0.1, "l2")
    assert recipe.auxiliary.labels == "coarse"
    assert recipe.data.validation == 0.2


def test_the_good_baseline() -> None:
    recipe = load_classifier_recipe("good-baseline")
    assert recipe.network.channels == (64, 128, 256, 512)
    assert recipe.network.response_norm_after == (1, 2)
    assert recipe.augmentation.model_dump() == {"crop": 24, "flip": True, "share": 0.25}
    assert recipe.tasks == ("main",)
    assert load_classifier_recipe("good-baseline-hard").tasks == ("main", "auxiliary")
    # 157 batches of 256 in an epoch of 40,000 images
    assert load_classifier_recipe("good-baseline-long").training.epochs * 157 >= 600_000


@pytest.mark.parametrize("name", CLASSIFIERS.names())
def test_recipes_say_what_they_are_and_their_dump_is_themselves(name, tmp_path) -> None:
    recipe = load_classifier_recipe(name)
    assert recipe.title
    assert recipe.source
    assert recipe.about.endswith(".")
    file = tmp_path / "copy.yaml"
    file.write_text(dump_recipe(recipe))
    assert load_classifier_recipe(file) == recipe.model_copy(update={"extends": None})


@pytest.mark.parametrize(
    ("name", "overrides", "sentence"),
    [
        ("mtl-hart", {}, "did you mean 'mtl-hard'"),
        ("mtl-hard", {"sharing.layer": 2}, "did you mean 'layers'"),
        ("mtl-hard", {"sharing.layers": 5}, "beyond the network's 4 layers; take b from 0 to 4"),
        ("stl", {"network.pool_after": [5]}, "names layer 5"),
        ("stl", {"data.fraction": 0}, "above 0, at most 1; found 0"),
        ("mtl-soft", {"sharing.aggregator": "upgrad"}, "set sharing.kind=hard"),
        ("wgan-gp", {}, "There is no recipe 'wgan-gp'"),
    ],
)
def test_mistakes_get_a_sentence(name, overrides, sentence) -> None:
    with pytest.raises(UserError, match=sentence):
        load_classifier_recipe(name, overrides)
