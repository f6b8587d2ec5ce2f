"""A critic's estimate against the exact Wasserstein distance."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor

from mtgan.analysis import distance, exact_distance
from mtgan.analysis.distance import _judged
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.recipes import load_recipe
from mtgan.runs import train
from mtgan.training import Run
from toys import SMALL


def test_on_a_line_it_is_what_scipy_finds() -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 40, 1))
    expected = wasserstein_distance(first[:, 0], second[:, 0])
    assert exact_distance(first, second) == pytest.approx(expected)


def test_the_cheapest_of_all_assignments_is_found() -> None:
    first, second = np.random.default_rng(1).normal(size=(2, 6, 3))
    costs = np.linalg.norm(first[:, None] - second[None], axis=2)
    each = (costs[range(6), list(order)].mean() for order in itertools.permutations(range(6)))
    assert exact_distance(first, second) == pytest.approx(min(each))


def test_a_quarter_of_the_mass_by_one_place_is_the_thesis_s_quarter() -> None:
    """Figure 3.3."""
    f, g = np.array([[0.0], [1.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [2.0], [2.0]])
    assert exact_distance(f, g) == 0.25


def test_mass_stays_within_its_label() -> None:
    points = np.array([[0.0], [10.0]])
    labels = np.array([[0, 1], [1, 1]])
    assert exact_distance(points, points, (labels, labels)) == 0
    assert exact_distance(points, points, (labels, labels[::-1])) == 10


@pytest.fixture(scope="module")
def critic(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = load_recipe(
        "cwgan-projection", SMALL | {"training.steps": 6, "training.snapshots": [2, 4]}
    )
    return train(recipe, digits, tmp_path_factory.mktemp("runs") / "w", quiet=True)


def test_a_run_is_asked_at_every_checkpoint_but_the_first(critic: Run, tmp_path) -> None:
    found = distance(critic, n=40)
    assert found.steps == [step for step in critic.steps if step]
    assert len(found.steps) >= 3
    assert found.n == 40
    assert found.exact[-1] > 0
    assert found.correlation is not None
    for estimate, slope, bound in zip(found.estimates, found.slopes, found.bounds, strict=True):
        assert bound == (estimate / slope if slope > 1 else estimate)
    assert found.share == found.bounds[-1] / found.exact[-1]
    assert "exact distance" in found.verdict
    assert found.picture(tmp_path / "distance.png").stat().st_size > 2000


class Slope(torch.nn.Module):
    """A critic whose score is three times the sum of an image's pixels."""

    def score(self, images: Tensor, labels: object) -> Tensor:
        return 3 * images.flatten(1).sum(1)


def test_estimate_and_slope_of_a_linear_critic(critic: Run, monkeypatch) -> None:
    game = critic.game(critic.steps[-1])
    monkeypatch.setattr(game, "twin", lambda name: SimpleNamespace(discriminator=Slope()))
    real, made = torch.full((300, 1, 2, 2), 0.5), torch.zeros(300, 1, 2, 2)
    rows = torch.zeros(300, len(game.dataset_info.class_levels), dtype=torch.int64)
    assert _judged(game, None, real, made, rows) == pytest.approx((6.0, 6.0))


def test_other_losses_estimate_no_distance(digits: Dataset, tmp_path) -> None:
    run = train(
        load_recipe("gan", SMALL | {"training.steps": 1}), digits, tmp_path / "g", quiet=True
    )
    with pytest.raises(
        UserError, match="trained with the loss non-saturating, whose scores estimate"
    ):
        distance(run)
