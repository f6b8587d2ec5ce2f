"""Evaluations during training by a chosen protocol, features and metrics: recorded, and exact over
resume."""

from pathlib import Path

import pytest

import mtgan
from mtgan.errors import UserError
from mtgan.training import Run
from toys import make_data, small_recipe

ASKED = {
    "training__evaluate_every": 2,
    "training__evaluate_protocol": "thesis",
    "training__evaluate_features": "pixels",
    "training__evaluate_metrics": ["kernel_distance"],
}


def go(out: Path, steps: int, resume: bool = False, **keys: object) -> Run:
    recipe = small_recipe("ac-wgan-a", **{**ASKED, **keys}, training__steps=steps)
    return mtgan.train(recipe, make_data(), out, resume=resume, quiet=True)


def evaluations(run: Run) -> list[dict]:
    lines = [line for line in run.metrics() if line["kind"] == "evaluation"]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def test_what_was_asked_for_is_measured_recorded_and_exact_over_resume(tmp_path: Path) -> None:
    run = go(tmp_path / "whole", 4)
    lines = evaluations(run)
    assert [line["step"] for line in lines] == [0, 2, 4]
    assert set(lines[-1]["values"]) == {"frechet_distance", "kernel_distance"}
    told = lines[-1]["protocol"]
    assert (told["name"], told["features"], told["inception_splits"]) == ("thesis", "pixels", 10)
    assert (told["generated"], told["reference"]) == (5_000, 48)
    assert run.recipe.training.evaluate_metrics == ["kernel_distance"]
    go(tmp_path / "stopped", 2)
    assert evaluations(go(tmp_path / "stopped", 4, resume=True)) == lines


def test_the_test_split_is_the_reference_where_the_protocol_says_so(tmp_path: Path) -> None:
    keys = {
        "training.evaluate_protocol": "fid-10k-test",
        "training.evaluate_features": "pixels",
        "data.size": None,
        "generator.width": 8,
        "discriminator.width": 8,
        "latent.dim": 6,
    }
    run = mtgan.train("gan", "digits", tmp_path / "run", steps=1, overrides=keys, quiet=True)
    told = evaluations(run)[-1]["protocol"]
    assert (told["split"], told["generated"], told["reference"]) == ("test", 10_000, 359)


def test_what_cannot_be_measured_ends_the_training_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="The metric data_copying cannot be had here"):
        go(tmp_path / "run", 2, training__evaluate_metrics=["data_copying"])
    with pytest.raises(UserError, match="was made from arrays, and has no other split"):
        go(tmp_path / "other", 2, training__evaluate_protocol="fid-10k-test")
