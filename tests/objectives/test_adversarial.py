"""Losses against values worked out by hand; what holds of any is in tests/test_testing.py."""

import math

import pytest
import torch

from mtgan.objectives import OBJECTIVES
from mtgan.objectives.adversarial import distance_estimate, log_loss_ratio

REAL = torch.tensor([0.3, -1.2, 2.0], dtype=torch.float64)
FAKE = torch.tensor([-0.5, 0.7, 1.1], dtype=torch.float64)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


EXPECTED = {
    "minimax": (
        mean([-math.log(sigmoid(r)) for r in REAL.tolist()])
        + mean([-math.log(1 - sigmoid(f)) for f in FAKE.tolist()]),
        mean([math.log(1 - sigmoid(f)) for f in FAKE.tolist()]),
    ),
    "non-saturating": (
        mean([-math.log(sigmoid(r)) for r in REAL.tolist()])
        + mean([-math.log(1 - sigmoid(f)) for f in FAKE.tolist()]),
        mean([-math.log(sigmoid(f)) for f in FAKE.tolist()]),
    ),
    "wasserstein": (
        mean(FAKE.tolist()) - mean(REAL.tolist()),
        -mean(FAKE.tolist()),
    ),
    "hinge": (
        mean([max(0, 1 - r) for r in REAL.tolist()]) + mean([max(0, 1 + f) for f in FAKE.tolist()]),
        -mean(FAKE.tolist()),
    ),
    "relativistic": (
        mean(
            [-math.log(sigmoid(r - f)) for r, f in zip(REAL.tolist(), FAKE.tolist(), strict=True)]
        ),
        mean(
            [-math.log(sigmoid(f - r)) for r, f in zip(REAL.tolist(), FAKE.tolist(), strict=True)]
        ),
    ),
    "none": (0.0, 0.0),
}
SCORING = [name for name in EXPECTED if OBJECTIVES.capability(name, "scores")]


def test_every_registered_objective_is_covered() -> None:
    assert set(EXPECTED) == set(OBJECTIVES.names())


@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_values(name: str) -> None:
    objective = OBJECTIVES.get(name)
    discriminator, generator = EXPECTED[name]
    assert objective.discriminator(REAL, FAKE).item() == pytest.approx(discriminator, rel=1e-12)
    assert objective.generator(FAKE, REAL).item() == pytest.approx(generator, rel=1e-12)


@pytest.mark.parametrize("name", SCORING)
def test_directions(name: str) -> None:
    """The discriminator wants real scores up and fake ones down; the generator wants fakes up."""
    objective = OBJECTIVES.get(name)
    real, fake = REAL.clone().requires_grad_(True), FAKE.clone().requires_grad_(True)
    objective.discriminator(real, fake).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert (real.grad <= 0).all()
    assert real.grad.sum() < 0
    assert (fake.grad >= 0).all()
    assert fake.grad.sum() > 0
    fake.grad = None
    objective.generator(fake, REAL).backward()
    assert fake.grad is not None
    assert (fake.grad < 0).all()


def test_distance_estimate_is_the_critic_loss_negated() -> None:
    loss = OBJECTIVES.get("wasserstein").discriminator(REAL, FAKE)
    assert distance_estimate(REAL, FAKE).item() == pytest.approx(-loss.item())


@pytest.mark.parametrize(
    ("generator", "discriminator", "expected"),
    [(1.0, 1.0, 0.0), (100.0, 1.0, 2.0), (-0.01, 10.0, -3.0)],
)
def test_log_loss_ratio(generator: float, discriminator: float, expected: float) -> None:
    ratio = log_loss_ratio(torch.tensor(generator), torch.tensor(discriminator))
    assert ratio.item() == pytest.approx(expected, abs=1e-6)


def test_log_loss_ratio_of_a_vanished_loss_is_finite() -> None:
    assert torch.isfinite(log_loss_ratio(torch.tensor(1.0), torch.tensor(0.0)))
