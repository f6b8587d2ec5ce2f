"""How the discriminator's tasks are weighed against each other, also under a gradient penalty."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

from mtgan.errors import UserError
from mtgan.parts import AGGREGATORS
from mtgan.training import train
from mtgan.training.aggregators.jacobian import JacobianAggregator
from mtgan.training.aggregators.sum import WeightedSum
from mtgan.training.aggregators.uncertainty import Uncertainty
from mtgan.training.batches import BatchLoader, draw_inputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.mixture import Move
from mtgan.training.steps import LossTerm, StepResult
from toys import make_data, small_recipe

torchjd = pytest.importorskip("torchjd")
FROM_TORCHJD = [name for name in AGGREGATORS.names() if name not in {"sum", "uncertainty"}]


def toy() -> tuple[list[nn.Parameter], Callable[[], StepResult]]:
    """Two tasks that share one parameter, and have one each for themselves."""
    shared, first, second = (nn.Parameter(torch.tensor([1.0, 2.0])) for _ in range(3))

    def terms() -> StepResult:
        result = StepResult()
        result.terms["adversarial"] = LossTerm((shared * first).sum())
        result.terms["fine/real"] = LossTerm((shared[0] * second).sum(), 0.5, "fine")
        result.terms["ignored"] = LossTerm(shared.sum() / 0, 0.0, "fine")
        return result

    return [shared, first, second], terms


def test_adding_up_the_jacobian_is_the_weighted_sum() -> None:
    gradients = []
    for aggregator in (WeightedSum(), JacobianAggregator(lambda jacobian: jacobian.sum(0))):
        parameters, terms = toy()
        total = aggregator.backward(terms(), parameters)
        assert total.item() == pytest.approx(5.0 + 0.5 * 3.0)
        gradients.append([p.grad for p in parameters])
    torch.testing.assert_close(*gradients)


def test_only_what_tasks_share_is_combined() -> None:
    seen = []

    def combine(jacobian: torch.Tensor) -> torch.Tensor:
        seen.append(jacobian)
        return torch.tensor([7.0, 8.0])

    (shared, first, second), terms = toy()
    JacobianAggregator(combine).backward(terms(), [shared, first, second])
    torch.testing.assert_close(seen[0], torch.tensor([[1.0, 2.0], [1.5, 0.0]]))
    assert shared.grad.tolist() == [7.0, 8.0]
    assert first.grad.tolist() == [1.0, 2.0]
    assert second.grad.tolist() == [0.5, 0.5]


def test_uncertainty_follows_its_equation() -> None:
    parameters, terms = toy()
    aggregator = Uncertainty(["fine"])
    s = aggregator.log_variances["fine"]
    s.data.fill_(0.7)
    result = terms()
    total = aggregator.backward(result, parameters)
    weight = torch.exp(torch.tensor(-0.7)).item()
    assert total.item() == pytest.approx(5.0 + weight * 1.5 + 0.35)
    assert s.grad.item() == pytest.approx(0.5 - weight * 1.5)
    assert result.logs["fine/learned_weight"].item() == pytest.approx(weight)


@pytest.mark.parametrize("name", FROM_TORCHJD)
def test_no_task_pulls_against_another_along_a_common_descent(name: str) -> None:
    """Where both tasks agree, every aggregator descends for both of them."""
    combine = AGGREGATORS.get(name)([]).combine
    jacobian = torch.tensor([[1.0, 0.5, 0.0], [0.8, 0.9, 0.3]])
    assert (jacobian @ combine(jacobian) > 0).all()


def test_upgrad_hurts_no_task_where_they_conflict() -> None:
    combine = AGGREGATORS.get("upgrad")([]).combine
    jacobian = torch.tensor([[1.0, 0.0], [-0.9, 0.3]])
    assert (jacobian.sum(0) @ jacobian.T).min() < 0  # the plain sum hurts the second
    assert (jacobian @ combine(jacobian)).min() > -1e-4


@pytest.mark.parametrize("name", AGGREGATORS.names())
def test_rows_under_a_gradient_penalty(name: str, tmp_path) -> None:
    """Trains through the penalty's double backward; the adding aggregator gives the sum's."""
    recipe = small_recipe("ac-wgan-b", aggregator=name, training__steps=2)
    run = train(recipe, make_data(), tmp_path / "run", quiet=True)
    values = [line for line in run.metrics() if line["kind"] == "train"][-1]["values"]
    assert {"discriminator/gradient_penalty", "discriminator/fine/real"} <= set(values)
    logged = "discriminator/fine/learned_weight" in values
    assert logged == (name == "uncertainty")


def test_the_jacobian_of_a_penalized_critic_is_that_of_its_sum() -> None:
    info = DatasetInfo.of(make_data())
    game = Game(small_recipe("ac-wgan-b"), info)
    random, cpu = torch.Generator().manual_seed(5), torch.device("cpu")
    batch = BatchLoader(make_data(), game.requests, cpu, seed=0, flip=False).batch(
        Move("test", 0), 8, random
    )
    inputs = draw_inputs(8, 6, "normal", game.requests, random, cpu)
    gradients = []
    for aggregator in (WeightedSum(), JacobianAggregator(lambda jacobian: jacobian.sum(0))):
        twin = copy.deepcopy(game)
        phase = twin.phases[0]
        parameters = [p for group in phase.updates for p in twin.groups[group]]
        twin.networks["generator"].requires_grad_(False)
        aggregator.backward(phase.step(batch, inputs), parameters)
        gradients.append([p.grad for p in parameters])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_learned_weights_are_trained_saved_and_resumed(tmp_path) -> None:
    def go(out, steps: int, resume: bool = False):
        recipe = small_recipe("ac-wgan-b", aggregator="uncertainty", training__steps=steps)
        return train(recipe, make_data(), out, resume=resume, quiet=True)

    whole = go(tmp_path / "whole", 4).game().tensors()
    go(tmp_path / "parts", 2)
    parts = go(tmp_path / "parts", 4, resume=True).game().tensors()
    name = "networks/weighing/discriminator/log_variances.fine"
    assert whole[name].item() != 0
    for key, value in whole.items():
        assert torch.equal(value, parts[key]), key


def test_an_aggregator_without_tasks_is_refused() -> None:
    with pytest.raises(UserError, match=r"aggregator=upgrad weighs .*; set aggregator=sum"):
        small_recipe("wgan-gp", aggregator="upgrad")
    with pytest.raises(UserError, match="no aggregator 'upgrade': did you mean 'upgrad'"):
        Game(small_recipe("ac-wgan-a", aggregator="upgrade"), DatasetInfo.of(make_data()))
