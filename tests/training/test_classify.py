"""What a model's classifiers say of images."""

import numpy as np
import pytest
import torch

from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.training.classify import classify
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from toys import make_data, small_recipe

DATA = make_data()


def game_of(name: str, **overrides: object) -> Game:
    return Game(small_recipe(name, **overrides), DatasetInfo.of(DATA).with_numbers())


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("wgan-gp", []),
        ("ac-wgan-b", ["fine", "coarse"]),
        ("sc-wgan-b", ["fine"]),
        ("sc-wgan-c", ["fine", "coarse"]),
        ("sgan", ["fine"]),
        ("adc-wgan-b", ["fine", "coarse"]),
        ("tac-wgan-b", ["fine", "coarse"]),
        ("omni-gan", ["fine"]),
        ("ss-gan", []),
        ("ac-projection-gan-b", ["fine", "coarse"]),
    ],
)
def test_probabilities_of_the_data_s_own_classes(name: str, levels: list[str]) -> None:
    said = classify(game_of(name), DATA.samples, batch_size=20)
    assert set(levels) <= set(said)
    for level, found in said.items():
        assert found.shape == (len(DATA), DATA.taxonomy.num_classes(level))
        assert np.allclose(found.sum(1), 1, atol=1e-5)


def test_the_class_of_generated_images_is_left_out() -> None:
    game = game_of("sgan")
    head = game.twin().discriminator.eval()
    rows = {level: torch.full((len(DATA),), -1) for level in ("fine", "coarse")}
    with torch.no_grad():
        logits = head(to_floats(DATA.samples), rows).heads["fine"].logits
    assert logits.shape[1] == 5
    expected = logits[:, :4].softmax(1).numpy()
    assert np.allclose(classify(game, DATA.samples)["fine"], expected, atol=1e-6)


def test_a_network_that_is_asked_stays_as_it_was() -> None:
    game = game_of("sc-wgan-b")
    before = [network.training for network in game.networks.values()]
    classify(game, DATA.samples[:3])
    assert [network.training for network in game.networks.values()] == before


@pytest.mark.parametrize("images", [DATA.samples[..., :8], to_floats(DATA.samples).numpy()])
def test_other_images_are_refused(images: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"images uint8 \[N, 1, 16, 16\] was given"):
        classify(game_of("ac-wgan-b"), images)
