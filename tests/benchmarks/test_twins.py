"""The plain twins learn something, and leave what a script of a study should."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import twins
from mtgan.data import load_dataset


@pytest.mark.parametrize("name", sorted(twins.TWINS))
def test_both_players_of_a_twin_learn(name: str) -> None:
    torch.manual_seed(0)
    images, labels = torch.rand(130, 1, 8, 8) * 2 - 1, torch.arange(130) % 3
    twin = twins.TWINS[name]((1, 8, 8), 3)
    players = (twin.generator, twin.discriminator)
    before = [[p.detach().clone() for p in player.parameters()] for player in players]
    training = twins.train(twin, twins.batches(images, labels), 3, True, 1e-3)
    next(training)
    training.send(0.5)
    for player, old in zip(players, before, strict=True):
        assert all(torch.isfinite(p).all() for p in player.parameters())
        assert any(not torch.equal(p, q) for p, q in zip(player.parameters(), old, strict=True))


def test_a_twin_leaves_samples_and_marks(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(twins, "SAMPLES", 20)
    # A clock that moves by a second each time that it is looked at.
    seconds = iter(range(1000))
    monkeypatch.setattr(twins.time, "process_time", lambda: float(next(seconds)))
    threads = torch.get_num_threads()
    words = ["--data", "digits", "--seconds", "3", "9", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["twins", "conditional-mlp", *words])
    twins.main()
    torch.set_num_threads(threads)
    marks = json.loads((tmp_path / "out" / "marks.json").read_text())
    assert [marks[mark]["seconds"] for mark in ("3", "9")] == [3.0, 9.0]
    assert 0 < marks["3"]["iterations"] < marks["9"]["iterations"]
    made = load_dataset(tmp_path / "out" / "9.npz", "all")
    assert made.samples.shape == (20, 1, 8, 8)
    assert made.labels_of("fine").tolist() == [*range(10)] * 2
    assert np.asarray(made.samples).dtype == np.uint8
