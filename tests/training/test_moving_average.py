"""The average of the generator's weights: its schedule, and that samples come from it."""

import numpy as np
import pytest
import torch

from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.generation import generate
from mtgan.training.run import Run
from mtgan.training.train import prepare, train
from toys import make_data, small_recipe


def fill(module: torch.nn.Module, value: float) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)


@pytest.mark.parametrize(
    ("update", "past"),
    [(0, 1 / 10), (1, 2 / 11), (10, 11 / 20), (80, 81 / 90), (81, 0.9), (100_000, 0.9)],
)
def test_the_past_weighs_more_from_update_to_update_until_it_weighs_the_decay(
    update: int, past: float
) -> None:
    game = Game(small_recipe("ac-gan-b"), DatasetInfo.of(make_data()))
    live, mean = game.networks["generator"], game.average["generator"]
    fill(live, 1.0)
    fill(mean, 3.0)
    for buffer in live.buffers():
        buffer.fill_(7)
    game.update_average(0.9, update)
    for parameter in mean.parameters():
        torch.testing.assert_close(parameter, torch.full_like(parameter, 3 * past + (1 - past)))
    assert [*mean.buffers()]
    assert all((buffer == 7).all() for buffer in mean.buffers())
    assert all((parameter == 1).all() for parameter in live.parameters())


def test_it_moves_after_every_update_of_the_generator_and_of_nobody_else(tmp_path) -> None:
    recipe = small_recipe("wgan-gp", training__ema_decay=0.15, schedule__generator_steps=2)
    trainer = prepare(recipe, make_data(), tmp_path / "run", device="cpu")
    game = trainer.game
    live, mean = ([*games["generator"].parameters()] for games in (game.networks, game.average))
    for past in (0.1, 0.15, 0.15):  # (1 + t) / (10 + t), at most the decay
        for phase in game.phases:
            for repeat in range(phase.repeats):
                before = [p.detach().clone() for p in mean]
                trainer.move(phase, repeat)
                expected = before
                if phase.name == "generator":
                    expected = [
                        past * a + (1 - past) * b for a, b in zip(before, live, strict=True)
                    ]
                torch.testing.assert_close(mean, expected, check_layout=False)
        trainer.iteration += 1


def test_samples_and_what_is_evaluated_come_from_it(tmp_path) -> None:
    """With weights of zero every pixel is in the middle of its range, 127.5, rounded to even."""
    run = Run.open(train(small_recipe(training__steps=1), make_data(), tmp_path / "run").path)
    game = run.game()
    assert len(np.unique(run.sample(2, seed=0))) > 2
    fill(game.average["generator"], 0.0)
    assert (run.sample(2, seed=0) == 128).all()
    latents = torch.randn(2, game.recipe.latent.dim)
    rows = game.requests.draw(2, torch.Generator())
    assert (generate(game, latents, rows) == 128).all()
    assert any(parameter.any() for parameter in game.networks["generator"].parameters())
