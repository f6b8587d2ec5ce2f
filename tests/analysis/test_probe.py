"""Features that hold the labels beat untrained ones; the critic is left as it was."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from mtgan.analysis import Options, probe
from mtgan.analysis.probe import linear_accuracy, of_run, pooled_features
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.training import Run


class Scaled(nn.Module):
    """Pixels in four levels of gray, or nothing of them."""

    def __init__(self, informed: bool) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0 if informed else 0.0))
        self.noise = nn.Parameter(torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale + self.noise


def test_features_that_hold_the_labels_win(digits: Dataset, unseen: Dataset) -> None:
    found = probe([Scaled(True)], [Scaled(False)], digits, unseen, shares=(0.1, 1.0), steps=20)
    linear = [score for score in found.scores if score.kind == "linear"]
    assert [score.labels for score in linear] == [144, 1438]
    assert linear[1].critic > 0.6 > 0.2 > linear[1].scratch  # 16 pooled pixels
    assert linear[1].gain > linear[1].margin > 0
    assert linear[1].critic > linear[0].critic
    assert "on the critic's layer 1 with 1438 labels" in found.verdict


def test_ridge_separates_what_can_be_separated() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(90) % 3
    features = np.eye(3)[labels] * 5 + random.normal(size=(90, 3))
    assert linear_accuracy(features[:60], labels[:60], features[60:], labels[60:]) > 0.95


def test_pooling_is_to_four_by_four() -> None:
    images = np.zeros((3, 1, 16, 16), dtype=np.uint8)
    images[:, 0, 5, 9] = 255
    features = pooled_features([nn.Identity()], images)
    assert features.shape == (3, 16)
    assert features[0].argmax() == 1 * 4 + 2
    assert features[0].max() == 1
    assert features[0].min() == -1


def test_a_run_is_asked_by_itself(run: Run, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(sys.modules[of_run.__module__], "MOST", 200)
    before = {name: t.clone() for name, t in run.game().tensors().items()}
    found = of_run(run, Options())
    assert found.labels_seen
    assert "no label-free result" in found.verdict
    depth = len(run.game().twins[0].discriminator.layers)
    assert {score.layer for score in found.scores if score.kind == "linear"} == set(
        range(1, depth + 1)
    )
    assert all(torch.equal(t, before[name]) for name, t in run.game().tensors().items())
    assert found.picture(tmp_path / "probe.png").stat().st_size > 5000


def test_data_without_labels_are_refused(digits: Dataset) -> None:
    from mtgan.evaluation.inputs import as_dataset

    plain = as_dataset(digits.samples, "plain")
    with pytest.raises(UserError, match="plain has no labels"):
        probe([nn.Identity()], [nn.Identity()], plain, plain)
