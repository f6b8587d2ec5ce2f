"""Known truths: copies are caught however they are moved, real images are not."""

import json
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pytest

import mtgan.analysis
from mtgan.analysis.neighbors import precedence_p
from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.training import Run


def moved(images: np.ndarray, dy: int, dx: int) -> np.ndarray:
    rows, columns = (
        np.clip(np.arange(length) - offset, 0, length - 1)
        for length, offset in zip(images.shape[2:], (dy, dx), strict=True)
    )
    return images[:, :, rows[:, None], columns]


@pytest.fixture(scope="module")
def fashion(cache) -> tuple[np.ndarray, np.ndarray]:
    """800 training and 240 held-out images of 28 x 28."""
    train, test = load_dataset("fashion-mnist-10k"), load_dataset("fashion-mnist-10k", "test")
    return np.asarray(train.samples[:800]), np.asarray(test.samples[:240])


def ask(samples: np.ndarray, fashion, **more) -> mtgan.analysis.Neighbors:
    train, test = fashion
    return mtgan.analysis.neighbors(
        samples, train, test[120:], n=120, features="pixels-pca", **more
    )


def test_held_out_images_are_not_called_copies(fashion) -> None:
    found = ask(fashion[1][:120], fashion)
    assert not found.memorizing
    assert "Memorizing" not in found.verdict
    assert all(space.closer_p > 0.003 for space in found.spaces.values())


@pytest.mark.parametrize(
    ("dy", "dx"), [(0, 0), (2, 0), (0, -2), (-2, 2)], ids=["still", "down", "left", "both"]
)
def test_a_replay_is_caught_wherever_it_is_moved(fashion, dy: int, dx: int) -> None:
    found = ask(moved(fashion[0][:120], dy, dx), fashion)
    assert found.memorizing
    assert found.verdict.startswith("Memorizing: ")
    shifted = found.spaces["shifted"]
    assert shifted.copies > 0.95
    assert shifted.copies_p < 1e-12
    assert (shifted.samples.indices == np.arange(120)).mean() > 0.95


def test_shifted_copies_escape_the_plain_search_of_the_thesis(fashion) -> None:
    found = ask(moved(fashion[0][:120], -2, 2), fashion)
    assert found.spaces["gray"].copies < 0.1 < found.spaces["shifted"].copies


def test_mirrored_copies_are_caught(fashion) -> None:
    assert ask(fashion[0][:200, :, :, ::-1].copy(), fashion).spaces["shifted"].copies > 0.95


def test_a_tenth_of_copies_is_enough(fashion) -> None:
    mixed = fashion[1][:120].copy()
    mixed[:12] = fashion[0][:12]
    found = ask(mixed, fashion)
    assert found.memorizing
    assert 0.09 <= found.spaces["gray"].copies <= 0.13
    assert set(found.suspects) <= set(range(12))


def test_one_class_of_real_images_is_closer_but_no_copies(fashion) -> None:
    """The known false alarm of closeness alone: trousers look alike, and nothing was copied."""
    test = load_dataset("fashion-mnist-10k", "test").select(np.arange(240, 2000))
    found = ask(test.samples[test.labels[:, 0] == 1][:120], fashion)
    assert found.spaces["gray"].closer_p < 1e-6
    assert not found.memorizing
    assert "lost variety" in found.verdict


def test_precedence_p_counts_arrangements() -> None:
    """Against enumeration: 4 samples, 3 others, below the lowest but one of the others."""
    n, h, rank = 4, 3, 2
    for count in range(n + 1):
        hits = 0
        for others in combinations(range(n + h), h):
            below = others[rank - 1] - (rank - 1)
            hits += below >= count
        assert precedence_p(count, n, rank, h) == pytest.approx(hits / comb(7, 3))


def test_a_run_is_asked_by_itself(run: Run, tmp_path: Path) -> None:
    options = mtgan.analysis.Options(n=60)
    result, (picture, answer) = mtgan.analysis.analyze_run("neighbors", run, tmp_path, options)
    assert picture.stat().st_size > 5000
    values = json.loads(answer.read_text())
    assert (values["samples"], values["analysis"], values["step"]) == (60, "neighbors", 6)
    assert values["spaces"]["gray"]["distance"] == result.spaces["gray"].distance
    assert "pictures" not in values


def test_refusals(digits: Dataset, fashion) -> None:
    with pytest.raises(UserError, match="Images alone have no training set"):
        mtgan.analysis.neighbors(digits.samples)
    with pytest.raises(UserError, match="reference is 1 x 8 x 8"):
        mtgan.analysis.neighbors(fashion[1], digits)
    with pytest.raises(UserError, match="lower it"):
        mtgan.analysis.neighbors(digits.samples[:50], digits, shift=4)
