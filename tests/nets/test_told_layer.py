"""Labels that join every layer of a discriminator."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from mtgan.errors import UserError
from mtgan.nets.told_layer import ToldLayer, told_layers
from mtgan.recipes import load_recipe
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from toys import SMALL, make_data, small_recipe


def test_it_is_a_convolution_of_concatenated_label_maps() -> None:
    """Whose kernel's part of the labels is the layer's, summed over what the labels are made to."""
    torch.manual_seed(0)
    convolution = nn.Conv2d(2, 5, 3)
    layer = ToldLayer(convolution, channels=2, length=4, bound=lambda linear: linear)
    x, vector = torch.randn(3, 2, 6, 6), torch.eye(4)[[0, 3, 1]]
    maps = vector[:, :, None, None].expand(-1, -1, 6, 6)
    of_labels = torch.einsum("ocij,cl->olij", convolution.weight, layer.labels.weight)
    kernel = torch.cat([convolution.weight, of_labels], dim=1)
    expected = conv2d(torch.cat([x, maps], dim=1), kernel, convolution.bias)
    torch.testing.assert_close(layer(x, vector), expected)
    torch.testing.assert_close(layer(x), convolution(x))


def test_the_channels_are_those_of_what_each_layer_takes() -> None:
    norm = nn.BatchNorm2d(6)
    layers = [nn.Conv2d(3, 6, 3), norm, nn.Flatten(), nn.Linear(96, 2)]
    told = told_layers(layers, (3, 6, 6), 7, lambda linear: linear)
    assert [layer.labels.weight.shape[0] for layer in told] == [3, 6, 6, 96]
    assert norm.num_batches_tracked == 0
    assert norm.training


def slopes(game: Game, twin: str | None, rows: list[list[int]]) -> list[Tensor]:
    """Of a critic's score in one sample, under label rows."""
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    found = []
    for fine, coarse in rows:
        labels = {"fine": torch.tensor([fine]), "coarse": torch.tensor([coarse])}
        score = game.twin(twin).discriminator.score(x, labels).sum()
        found.append(torch.autograd.grad(score, x)[0])
    return found


@pytest.mark.parametrize("name", ["cwgan-every-layer", "cwgan-projection"])
def test_a_critics_slope_depends_on_the_label(name: str) -> None:
    first, second, missing = slopes(
        Game(small_recipe(name), DatasetInfo.of(make_data())), None, [[0, 0], [3, 1], [-1, -1]]
    )
    assert (first - second).norm() > 0.01 * first.norm()
    assert (first - missing).norm() > 0.01 * first.norm()


def test_each_twin_knows_its_own_label_in_layers_that_they_share() -> None:
    game = Game(small_recipe("mtl-wgan-every-layer"), DatasetInfo.of(make_data()))
    rows = [[0, 0], [3, 0], [0, 1]]
    base, fine, coarse = slopes(game, "fine", rows)
    assert not torch.equal(base, fine)
    assert torch.equal(base, coarse)
    base, fine, coarse = slopes(game, "coarse", rows)
    assert torch.equal(base, fine)
    assert not torch.equal(base, coarse)
    pair = [game.twin(name).discriminator.layers for name in ("fine", "coarse")]
    assert pair[0][1] is pair[1][1]
    assert "discriminator/fine+discriminator/coarse" in game.groups


def test_heads_are_not_told_the_answer() -> None:
    keys = {"tasks": [{"labels": "fine"}], "discriminator.conditioning": "every-layer"}
    with pytest.raises(UserError, match="the head of the task 'fine' should find it; set"):
        load_recipe("cwgan-a", SMALL | keys)
