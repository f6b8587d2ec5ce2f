"""Metrics over the strength of corruptions."""

import json
from pathlib import Path

import numpy as np
import pytest

from mtgan.cli import main
from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.evaluation.corruption_curves import (
    CorruptionCurves,
    corruption_curves,
    foreign_images,
)


def test_foreign_images_take_their_share() -> None:
    images = np.zeros((10, 1, 2, 2), np.uint8)
    foreign = np.arange(1, 4, dtype=np.uint8)[:, None, None, None].repeat(4, 1).reshape(3, 1, 2, 2)
    for share, count in ((0, 0), (0.3, 3), (1, 10)):
        mixed = foreign_images(images, foreign, share)
        assert (mixed[:, 0, 0, 0] > 0).sum() == count
    assert set(foreign_images(images, foreign, 0.3)[:, 0, 0, 0]) == {0, 1, 2, 3}
    assert not images.any()


def test_pixels_are_farther_with_every_step_of_noise() -> None:
    digits = load_dataset("digits")
    found = corruption_curves(
        *(digits,),
        corruptions=["noise"],
        strengths=[0.5, 0.2],
        metrics="fid",
        other=load_dataset("digits", "test"),
        n=200,
        features="pixels",
    )
    assert found.strengths == (0.0, 0.2, 0.5)
    values = found.values["noise"]["frechet_distance"]
    assert values[0] < values[1] < values[2]
    assert found.values["foreign images"]["frechet_distance"][0] == values[0]
    assert found.setbacks("frechet_distance").keys() <= {"foreign images"}  # they are digits, too
    assert found.pictures["noise"].shape == (6, 1, 8, 8)
    assert "pictures" not in found.to_dict()


def curves(better: str, *values: float) -> CorruptionCurves:
    made = {"blur": {"m": values}}
    pictures = {"blur": np.zeros((6, 1, 8, 8), np.uint8)}
    return CorruptionCurves("d", 9, "pixels", (0.0, 0.5, 1.0), {"m": better}, made, pictures)


def test_steps_that_a_metric_misses() -> None:
    assert curves("lower", 0, 1, 2).verdict == "m gets worse with every step."
    assert curves("lower", 0, 2, 1).setbacks("m") == {"blur": [1.0]}
    assert curves("higher", 9, 9, 1).setbacks("m") == {"blur": [0.5]}
    assert curves("like real", 5, 7, 2).setbacks("m") == {}
    assert "m misses steps: blur at 0.5." in curves("like real", 5, 5, 2).verdict


def test_a_picture(tmp_path: Path) -> None:
    assert curves("lower", 0, 1, 2).picture(tmp_path / "x.png").stat().st_size > 2000


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"corruptions": ["bluur"]}, "no corruption of images called 'bluur'; choose from"),
        ({"strengths": [2.0]}, "A strength should be"),
        ({"metrics": "nothing"}, "no metric 'nothing'"),
        ({"metrics": "conditional_accuracy"}, "Images alone give no conditional_accuracy"),
        ({"other": load_dataset("fashion-mnist-10k", subset=80)}, "28 x 28"),
    ],
)
def test_what_cannot_be_drawn(options, sentence: str) -> None:
    digits = load_dataset("digits", subset=200)
    with pytest.raises(UserError, match=sentence):
        corruption_curves(digits, n=64, features="pixels", **{"metrics": "fid", **options})


def test_as_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "curves.svg"
    words = ["data", "corruptions", "digits", "--out", str(out), "--features", "pixels"]
    words += ["--corruption", "blur", "--strength", "0.5", "--metrics", "fid", "--n", "100"]
    words += ["--other", "fashion-mnist-10k", "--json", "-"]
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out)["values"].keys() == {"blur", "foreign images"}
    assert out.stat().st_size
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "exists already" in capsys.readouterr().err
