"""What is random within networks follows from the seed, the process and the iteration."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mtgan import processes
from mtgan.training.train import prepare
from toys import make_data, small_recipe


@pytest.fixture
def dropped(tmp_path: Path, monkeypatch) -> Callable[[int, int, int], list[tuple[float, ...]]]:
    """Which of 64 activations dropout leaves, in each move of an iteration."""
    trainers = {
        seed: prepare(small_recipe(), make_data(), tmp_path / str(seed), seed=seed, device="cpu")
        for seed in (0, 1)
    }
    left: list[tuple[float, ...]] = []

    def move(phase: object, repeat: int) -> None:
        left.append(tuple(torch.nn.functional.dropout(torch.ones(64)).tolist()))

    def run(iteration: int, rank: int, seed: int) -> list[tuple[float, ...]]:
        trainer = trainers[seed]
        trainer.iteration = iteration
        left.clear()
        monkeypatch.setattr(trainer, "move", move)
        monkeypatch.setattr(processes, "rank", lambda: rank)
        with torch.random.fork_rng(devices=[]):
            trainer.run_iteration()
        return [*left]

    return run


def test_dropout_is_drawn_anew_in_every_move_iteration_process_and_seed(dropped) -> None:
    cases = [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 2, 0), (2, 0, 0), (1, 0, 1)]
    found = [dropped(*case) for case in cases]
    masks = [mask for moves in found for mask in moves]
    assert len(masks) >= 2 * len(cases)
    assert len(set(masks)) == len(masks)
    assert [dropped(*case) for case in cases] == found
