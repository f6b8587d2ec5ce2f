"""What the discriminator sees is augmented, real and generated alike, in its own phase and in the
generator's (Zhao et al. 2020, section 3.2)."""

import copy

import pytest
import torch
from torch import Tensor

from mtgan.parts import AUGMENTATIONS
from mtgan.training.batches import BatchLoader, draw_inputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.mixture import Move
from toys import make_data, small_recipe

SIZE = 4


@pytest.fixture
def augmentation():
    """One by which it is easily known how often it was done, and to what: x / 2 - 3."""
    AUGMENTATIONS.register("test-shift")(lambda x: x / 2 - 3)
    yield "test-shift"
    del AUGMENTATIONS._entries["test-shift"]


def seen(game: Game, phase: str) -> tuple[list[Tensor], Tensor, Tensor]:
    """What the discriminator is given in a phase, in order; the real batch; the generated one."""
    data, device, random = make_data(), torch.device("cpu"), torch.Generator().manual_seed(0)
    batch = BatchLoader(data, game.requests, device, 0, flip=False).batch(
        Move("x", 0), SIZE, random
    )
    latent = game.recipe.latent
    inputs = draw_inputs(SIZE, latent.dim, latent.distribution, game.requests, random, device)
    discriminator, given = game.networks["discriminator"], []
    discriminator.layers[0].register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    generated = copy.deepcopy(game.networks["generator"])(inputs.latents, inputs.labels)
    step = next(found.step for found in game.phases if found.name == phase)
    step(batch, inputs)
    return [part for x in given for part in x.split(SIZE)], batch.samples, generated


PAIRED = {"objective": "relativistic", "penalty__kind": "r1-r2"}


# The gradient penalty asks between both; the relativistic generator compares with real samples.
@pytest.mark.parametrize(
    ("settings", "phase", "sides"),
    [
        ({}, "discriminator", ["real", "generated", "between"]),
        ({}, "generator", ["generated"]),
        (PAIRED, "discriminator", ["real", "generated", "real", "generated"]),
        (PAIRED, "generator", ["generated", "real"]),
    ],
)
@pytest.mark.parametrize("times", [0, 1, 2])
def test_both_sides_are_augmented_in_both_phases(
    augmentation: str, settings: dict[str, object], phase: str, sides: list[str], times: int
) -> None:
    loaded = small_recipe(discriminator__augmentation=[augmentation] * times, **settings)
    given, real, generated = seen(Game(loaded, DatasetInfo.of(make_data())), phase)
    for _ in range(times):
        real, generated = real / 2 - 3, generated / 2 - 3
    expected = {"real": real, "generated": generated}
    assert len(given) == len(sides)
    for x, side in zip(given, sides, strict=True):
        if side == "between":
            low, high = torch.minimum(real, generated), torch.maximum(real, generated)
            assert ((x >= low - 1e-5) & (x <= high + 1e-5)).all()
        else:
            torch.testing.assert_close(x, expected[side], check_layout=False)
