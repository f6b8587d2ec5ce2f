"""Penalties on a linear critic, whose slope is known, and against finite differences."""

import pytest
import torch
from torch import nn

from mtgan.objectives import PENALTIES
from mtgan.objectives.penalties.clip import clip_weights
from mtgan.objectives.penalties.gradient import gradient_penalty
from mtgan.objectives.penalties.r1 import zero_centered_penalty

N, SHAPE = 5, (2, 3, 3)


def batch(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(N, *SHAPE, generator=generator, dtype=torch.float64)


class LinearCritic:
    """D(x) = <w, x> + 3, so grad D = w everywhere."""

    def __init__(self, norm: float) -> None:
        w = batch(9)[0]
        self.w = (norm * w / w.norm()).requires_grad_(True)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return (x * self.w).flatten(1).sum(1) + 3


@pytest.mark.parametrize("norm", [0.2, 1.0, 4.0])
def test_gradient_penalty_of_a_linear_critic(norm: float) -> None:
    critic = LinearCritic(norm)
    epsilon = torch.rand(N, dtype=torch.float64)
    value = gradient_penalty(critic, batch(0), batch(1), epsilon)
    assert value.item() == pytest.approx((norm - 1) ** 2, abs=1e-12)
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    (gradient,) = torch.autograd.grad(value, critic.w)
    expected = 2 * (norm - 1) * critic.w / norm
    torch.testing.assert_close(gradient, expected.detach())


@pytest.mark.parametrize("norm", [0.2, 4.0])
def test_zero_centered_penalty_of_a_linear_critic(norm: float) -> None:
    critic = LinearCritic(norm)
    value = zero_centered_penalty(critic, batch(0))
    assert value.item() == pytest.approx(norm**2 / 2)
    (gradient,) = torch.autograd.grad(value, critic.w)
    torch.testing.assert_close(gradient, critic.w.detach())


def test_gradient_penalty_gradient_equals_finite_differences() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(18, 7), nn.Tanh(), nn.Linear(7, 1)).double()
    epsilon = torch.rand(N, dtype=torch.float64)
    real, fake = batch(0), batch(1)

    def value() -> torch.Tensor:
        return gradient_penalty(lambda x: critic(x).squeeze(1), real, fake, epsilon)

    weight = critic[1].weight
    (gradient,) = torch.autograd.grad(value(), weight)
    for row, column in [(0, 0), (3, 11), (6, 17)]:
        step = 1e-6
        with torch.no_grad():
            weight[row, column] += step
        up = value().item()
        with torch.no_grad():
            weight[row, column] -= 2 * step
        down = value().item()
        with torch.no_grad():
            weight[row, column] += step
        assert gradient[row, column].item() == pytest.approx((up - down) / (2 * step), rel=1e-5)


def test_one_epsilon_per_sample() -> None:
    """The critic is asked at epsilon x + (1 - epsilon) G(z), with each sample's own epsilon."""
    asked = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        asked.append(x.detach().clone())
        return x.flatten(1).sum(1)

    real, fake = batch(0), batch(1)
    epsilon = torch.linspace(0, 1, N, dtype=torch.float64)
    gradient_penalty(critic, real, fake, epsilon)
    for i in range(N):
        expected = epsilon[i] * real[i] + (1 - epsilon[i]) * fake[i]
        torch.testing.assert_close(asked[0][i], expected)


def test_gradient_penalty_where_the_slope_vanishes_is_finite() -> None:
    weight = torch.zeros(18, dtype=torch.float64, requires_grad=True)
    value = gradient_penalty(
        lambda x: x.flatten(1) @ weight, batch(0), batch(1), torch.rand(N, dtype=torch.float64)
    )
    assert value.item() == pytest.approx(1.0)
    (gradient,) = torch.autograd.grad(value, weight)
    assert torch.isfinite(gradient).all()


def test_clip_weights() -> None:
    weight = torch.tensor([-2.0, -0.005, 0.0, 0.02])
    clip_weights([weight], 0.01)
    assert weight.tolist() == pytest.approx([-0.01, -0.005, 0.0, 0.01])


def test_what_the_registered_ones_do() -> None:
    """Their terms at a linear critic of slope 4, whose gradient is the same everywhere."""
    found = {
        name: {}
        if penalty.terms is None
        else penalty.terms(
            LinearCritic(4.0), batch(0), batch(1), torch.rand(N, dtype=torch.float64)
        )
        for name, penalty in PENALTIES.items()
    }
    values = {
        name: {k: round(v.item(), 9) for k, v in terms.items()} for name, terms in found.items()
    }
    assert values == {
        "none": {},
        "clip": {},
        "gradient": {"gradient_penalty": 9.0},
        "r1": {"r1": 8.0},
        "r1-r2": {"r1": 8.0, "r2": 8.0},
    }
    assert [name for name, penalty in PENALTIES.items() if penalty.clips] == ["clip"]
    slopes = {name for name, penalty in PENALTIES.items() if penalty.differentiates_score}
    assert slopes == {"gradient", "r1", "r1-r2"}
