"""The gradient noise scale: against its closed form, and without a trace in the training."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from mtgan.training import train
from mtgan.training.noise_scale import NoiseScale, gradient_and_noise, noise_scales
from mtgan.training.phases import Phase
from mtgan.training.steps import LossTerm, StepResult
from toys import make_data, small_recipe

CPU = torch.device("cpu")


def test_two_batch_sizes_in_closed_form() -> None:
    """E|G_B|^2 = |G|^2 + tr(Sigma) / B at every batch size B (McCandlish et al. 2018, A.1)."""
    small, big = (torch.tensor(9.0 + 40.0 / batch) for batch in (4, 32))
    square, trace = gradient_and_noise(small, big, 4, 32)
    assert (square.item(), trace.item()) == (pytest.approx(9.0), pytest.approx(40.0))


@dataclass(frozen=True)
class Points:
    """Points [N, D], as a batch."""

    values: torch.Tensor

    def rows(self, kept: slice) -> "Points":
        return Points(self.values[kept])


def pulled(weight: torch.nn.Parameter, batch: int) -> Phase:
    """A phase that pulls a point to others by half their squared distance, so that the gradient of
    one of them is weight - point."""

    def step(points: Points, nothing: None) -> StepResult:
        loss = (weight - points.values).square().sum(1).mean() / 2
        return StepResult({"pull": LossTerm(loss, 1.0)})

    return Phase("player", step, updates=("player",), batch_size=batch)


def measured(weight: np.ndarray, points: np.ndarray) -> np.ndarray:
    parameter = torch.nn.Parameter(torch.tensor(weight))
    phase = pulled(parameter, len(points))
    scale = NoiseScale(1, {}, "32", CPU)
    names, vector = scale.measured(phase, (Points(torch.tensor(points)), None), [parameter])
    assert names == ("player/gradient_square", "player/gradient_trace")
    assert parameter.grad is None
    return vector.double().numpy()


def test_a_batch_by_hand() -> None:
    weight = np.array([1.0, -2.0])
    points = np.array([[0.0, 1.0], [2.0, 0.0], [3.0, -1.0], [1.0, 2.0]])
    first, second = weight - points[:2].mean(0), weight - points[2:].mean(0)
    expected = [first @ second, 2 / 2 * ((first - second) ** 2).sum()]
    assert measured(weight, points) == pytest.approx(expected)


def test_the_noise_of_points_that_are_drawn() -> None:
    """Of normal points at distance 5 from the weight, spread 2 in each of 3 directions: |G|^2 is
    25, tr(Sigma) is 12, and the noise scale 0.48 samples."""
    random = np.random.default_rng(0)
    weight = np.array([3.0, 4.0, 0.0])
    found = np.mean([measured(weight, random.normal(0, 2, (8, 3))) for _ in range(2000)], axis=0)
    assert found == pytest.approx([25, 12], rel=0.03)
    scales = noise_scales(dict(zip(("p/gradient_square", "p/gradient_trace"), found, strict=True)))
    assert scales == {"p/noise_scale": pytest.approx(0.48, rel=0.05)}


def test_no_scale_where_noise_is_all_there_is() -> None:
    assert noise_scales({"p/gradient_square": -0.1, "p/gradient_trace": 3.0, "loss": 1.0}) == {}


def test_a_training_is_as_without_it(tmp_path: Path) -> None:
    """With statistics of batches and dropout on the way, and logged once in two iterations."""
    keys = {
        "training__steps": 4,
        "training__log_every": 2,
        "training__evaluate_every": 0,
        "training__precision": "32",
        "discriminator__dropout": 0.3,
    }
    plain, noisy = (
        train(
            small_recipe("ac-gan-a", **keys, training__noise_scale_every=every),
            make_data(),
            tmp_path / str(every),
            device="cpu",
            quiet=True,
        )
        for every in (0, 2)
    )
    ours, theirs = (
        (run.path / "checkpoints" / "step-00000004" / "networks.safetensors").read_bytes()
        for run in (noisy, plain)
    )
    assert ours == theirs
    for line, before in zip(noisy.metrics(), plain.metrics(), strict=True):
        values = line["values"]
        assert values.items() >= before["values"].items()
        for player in ("generator", "discriminator"):
            square, trace = (values[f"{player}/gradient_{key}"] for key in ("square", "trace"))
            assert trace > 0
            if square > 0:
                assert values[f"{player}/noise_scale"] == pytest.approx(trace / square)
