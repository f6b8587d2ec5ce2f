"""Real sets by themselves and by each other, against distances worked out apart."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm

from mtgan.cli import main
from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.errors import UserError
from mtgan.evaluation.real_sets import RealSets, Spread, judge_real_sets


def noise(name: str, low: int, high: int, count: int = 160) -> Dataset:
    random = np.random.default_rng(low)
    images = random.integers(low, high, (count, 1, 4, 4), dtype=np.uint8)
    return Dataset(images, np.zeros((count, 0), int), Taxonomy((), {}, {}), name, "all")


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    a, b = (x.reshape(len(x), -1).astype(float) for x in (a, b))
    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = ((a.mean(0) - b.mean(0)) ** 2).sum()
    return float(shift + np.trace(one + two - 2 * sqrtm(one @ two).real))


def test_own_distance_and_distance_to_another() -> None:
    sets = {"dark": noise("dark", 0, 100), "light": noise("light", 100, 250)}
    found = judge_real_sets(sets, n=80, halvings=1, features="pixels")
    halves = []
    for number, data in enumerate(sets.values()):
        order = np.random.default_rng([0, number]).permutation(160)
        halves.append((data.samples[order[:80]], data.samples[order[80:]]))
    # The features `pixels` are values divided by a constant, which cancels in ratios.
    ours = [found.frechet_distance["dark"].mean, found.between["dark"]["light"].mean]
    theirs = [frechet(*halves[0]), frechet(halves[0][0], halves[1][1])]
    assert ours[1] / ours[0] == pytest.approx(theirs[1] / theirs[0], rel=1e-4)
    assert found.between["light"]["dark"] == found.between["dark"]["light"]
    assert found.inception_score == {}


def test_halves_overlap_in_nothing_and_sizes_are_equal() -> None:
    sets = {"small": noise("small", 0, 100, 130), "large": noise("large", 0, 100, 900)}
    found = judge_real_sets(sets, features="pixels", halvings=3)
    assert (found.n, found.halvings) == (65, 3)
    spread = found.frechet_distance["large"]
    assert spread.low < spread.mean < spread.high
    assert found.between["small"]["large"].mean < 1.5 * spread.high  # one distribution


def test_words() -> None:
    own = {"a": Spread(5.85, 5.8, 5.9), "b": Spread(5.29, 5.2, 5.4)}
    score = {"a": Spread(11.23, 11, 12), "b": Spread(14.69, 14, 15)}
    found = RealSets(5000, 4, "inception", own, score, {"a": {"b": own["a"]}, "b": {"a": own["a"]}})
    assert found.verdict == (
        "Halves of 5,000 in inception: Frechet distances go from 5.29 (b) to 5.85 (a). For "
        "comparison, inception scores go from 11.23 (a) to 14.69 (b)."
    )
    assert found.to_dict()["between"]["a"]["b"]["mean"] == 5.85


@pytest.mark.parametrize(
    ("sets", "options", "sentence"),
    [
        ({}, {}, "Give one real set"),
        ({"a": noise("a", 0, 9, 100)}, {}, "a has 100 samples, and halves of 64 or more"),
        ({"a": noise("a", 0, 9)}, {"n": 81}, "at most --n 80"),
        ({"a": noise("a", 0, 9)}, {"n": 3}, "--n should be"),
        ({"a": noise("a", 0, 9)}, {"halvings": 0}, "halvings should be"),
    ],
)
def test_what_cannot_be_judged(sets, options, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        judge_real_sets(sets, features="pixels", **options)


def test_sets_of_other_shapes_need_features_that_take_any() -> None:
    sets = {"digits": load_dataset("digits"), "noise": noise("noise", 0, 9)}
    with pytest.raises(UserError, match="8 x 8"):
        judge_real_sets(sets, n=64, features="pixels")


def test_as_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["data", "compare", "digits", "--n", "64", "--halvings", "1", "--json", "-"])
    assert end.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n"] == 64
    assert 1 < found["inception_score"]["digits"]["mean"] <= 64
    assert found["features"].startswith("imagenet-lite@")
