"""One z for all updates of an iteration, and both losses after them."""

import math
from pathlib import Path

import pytest
import torch

from mtgan.errors import UserError
from mtgan.objectives.adversarial import log_loss_ratio
from mtgan.training.train import prepare, train
from mtgan.training.trainer import Trainer
from toys import Instruments, make_data, small_recipe

AFTER = {"training__log_after_updates": True}
ONE = {"schedule__latents": "each-iteration"}


def trainer_of(tmp_path: Path, name: str = "dcgan-advantage", **overrides: object) -> Trainer:
    recipe = small_recipe(name, **overrides)
    return prepare(recipe, make_data(), tmp_path / "run", device="cpu", instruments=Instruments())


def latents(trainer: Trainer, iteration: int) -> list[torch.Tensor]:
    return [
        trainer.draw(phase, iteration, repeat)[1].latents
        for phase in trainer.game.phases
        for repeat in range(phase.repeats)
    ]


def test_updates_of_an_iteration_have_one_z_where_that_is_asked_for(tmp_path: Path) -> None:
    one = trainer_of(tmp_path, **ONE, **AFTER)
    first, *others = latents(one, 3)
    assert len(others) == 5  # four of the generator, and what is measured after them
    assert all(torch.equal(first, other) for other in others)
    assert not torch.equal(first, latents(one, 4)[0])
    fresh = latents(trainer_of(tmp_path / "fresh", **AFTER), 3)
    assert not any(torch.equal(fresh[0], other) for other in fresh[1:-1])
    assert torch.equal(fresh[0], fresh[-1])  # measured on those of the discriminator


def test_the_losses_are_those_of_the_moved_networks_on_the_same_samples(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, **ONE, **AFTER)
    game = trainer.game
    discriminating, _, measuring = game.phases
    trainer.run_iteration()
    means = trainer.averages.read()
    batch, inputs = trainer.draw(discriminating, 0, 0)
    assert torch.equal(batch.samples, trainer.draw(measuring, 0, 0)[0].samples)
    # As training left them, with the statistics of the batch.
    with torch.no_grad():
        fake = game.twins[0].generator(inputs.latents, inputs.labels)
        on_real, on_fake = (
            torch.sigmoid(game.twins[0].discriminator.score(x, batch.labels).double())
            for x in (batch.samples, fake)
        )
    expected_d = -(on_real.log().mean() + (1 - on_fake).log().mean()).item()
    expected_g = -on_fake.log().mean().item()
    assert means["after_updates/discriminator"] == pytest.approx(expected_d, rel=1e-4)
    assert means["after_updates/generator"] == pytest.approx(expected_g, rel=1e-4)
    ratio = math.log10(expected_g / expected_d)
    assert means["after_updates/log_loss_ratio"] == pytest.approx(ratio, abs=1e-4)
    assert "after_updates/loss" not in means


@pytest.mark.parametrize("name", ["dcgan-advantage", "projection-gan"])
def test_measuring_leaves_the_training_as_it_is(name: str, tmp_path: Path) -> None:
    """Batch statistics and the vectors of spectral normalization with it."""
    runs = [
        train(small_recipe(name, **asked), make_data(), tmp_path / str(i), quiet=True)
        for i, asked in enumerate(({}, AFTER))
    ]
    plain, measured = (run.game().tensors() for run in runs)
    assert all(torch.equal(plain[key], measured[key]) for key in plain)
    beside = {"after_updates/discriminator", "after_updates/generator"}
    ratio = {"after_updates/log_loss_ratio"}
    for first, second in zip(*(run.metrics() for run in runs), strict=True):
        assert second["values"].keys() - first["values"].keys() == beside | ratio
        values = (
            second["values"][f"after_updates/{name}"] for name in ("generator", "discriminator")
        )
        logged = second["values"]["after_updates/log_loss_ratio"]
        assert logged == pytest.approx(log_loss_ratio(*map(torch.tensor, values)).item(), abs=1e-4)


def test_the_noise_scale_is_of_those_who_move(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, **AFTER, training__noise_scale_every=1)
    trainer.run_iteration()
    measured = {name for name in trainer.averages.read() if name.endswith("gradient_square")}
    assert measured == {"discriminator/gradient_square", "generator/gradient_square"}


def test_of_twins_the_pair_that_moved_is_measured(tmp_path: Path) -> None:
    trainer = trainer_of(tmp_path, "mtl-wgan-projection", **AFTER)
    phases = trainer.game.phases_at(0, seed=3)
    twin = phases[0].name.removeprefix("discriminator")
    assert [phase.name for phase in phases][1:] == [f"generator{twin}", f"after_updates{twin}"]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match="the same z, and batches have 8 and 16 samples"):
        small_recipe(**ONE, training__generator_batch_size=16)
    with pytest.raises(UserError, match="log_after_updates compares the losses of scores"):
        small_recipe("omni-gan", **AFTER)
