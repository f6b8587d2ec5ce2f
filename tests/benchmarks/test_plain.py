"""The plain reference loop computes what ours computes; only the way there differs."""

import torch
from benchmarks.plain import PlainWGANGP
from benchmarks.train import compare

from mtgan.training.batches import Batch, Noise
from mtgan.training.facts import DataFacts
from mtgan.training.game import Game
from toys import make_data, small_recipe


def test_losses_and_gradients_equal_ours() -> None:
    data, recipe = make_data(), small_recipe("wgan-gp")
    plain, game = PlainWGANGP(recipe, data), Game(recipe, DataFacts.of(data))
    torch.manual_seed(3)
    real, z, epsilon = torch.rand(8, 1, 16, 16) * 2 - 1, torch.randn(8, 6), torch.rand(8)
    step = game.phases[0].step
    terms = step(Batch(real, {}), Noise(z, {}, epsilon)).terms  # type: ignore[arg-type]
    ours = sum(term.weight * term.value for term in terms.values())
    theirs = plain.critic_loss(real, z, epsilon.view(-1, 1, 1, 1))
    torch.testing.assert_close(ours, theirs)
    ours.backward()
    theirs.backward()
    for a, b in zip(
        game.networks["discriminator"].parameters(), plain.critic.parameters(), strict=True
    ):
        assert (a.grad - b.grad).norm() <= 1e-4 * b.grad.norm() + 1e-7


def test_the_benchmark_runs() -> None:
    result = compare(small_recipe("wgan-gp"), make_data(), rounds=2, iterations=1)
    assert result["ratio"] > 0
    assert set(result["iterations_per_second"]) == {"ours", "plain"}
