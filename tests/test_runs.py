"""A run is judged by what it recorded."""

import json
from pathlib import Path

import numpy as np
import pytest

import mtgan
from mtgan.cli import main
from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.runs import evaluate_run
from mtgan.training import Run, train
from toys import make_data, small_recipe

OPTIONS = {"features": "pixels", "protocol": "training", "n": 60}


def saved(folder: Path, shift: int = 0) -> Path:
    data = make_data(count=100)
    images = np.moveaxis(data.samples, 1, -1) + np.uint8(shift)
    np.savez(folder / "set.npz", images=images, labels=data.labels[:, 0])
    return folder / "set.npz"


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("judge")
    taxonomy = {"kind": {"0": "a", "1": "a", "2": "b", "3": "b"}}
    data = load_dataset(saved(folder), size=(12, 20), taxonomy=taxonomy, subset=70)
    train(small_recipe("ac-wgan-b"), data, folder / "run", quiet=True)
    return folder


def test_a_run_brings_data_size_part_and_taxonomy(place: Path) -> None:
    card = mtgan.evaluate(Run.open(place / "run"), **OPTIONS)
    assert card.protocol.images == "uint8 1x12x20"
    assert card.protocol.generated == 60
    assert "newest checkpoint" in card.protocol.checkpoint
    whole = Run.open(place / "run").load_data(whole=True)  # and not the 70 that it learned from
    spelled = evaluate_run(Run.open(place / "run"), whole, **OPTIONS)
    assert dict(spelled) == dict(card)


def test_samples_of_a_run_keep_the_labels_that_were_asked_for(place: Path) -> None:
    run = Run.open(place / "run")
    options = {**OPTIONS, "metrics": "conditional_accuracy,train_on_generated,kernel_distance"}
    card = mtgan.evaluate(run.sample(60, seed=0), reference=run.load_data(whole=True), **options)
    assert dict(card) == dict(mtgan.evaluate(run, **options))
    assert "train_on_generated/fine" in card


def test_the_command_keeps_the_card_in_the_run(place: Path, capsys) -> None:
    arguments = [str(place / "run"), "--features", "pixels", "--protocol", "training", "--n", "60"]
    with pytest.raises(SystemExit) as end:
        main(["evaluate", *arguments])
    assert not end.value.code
    assert f"kept in {place / 'run' / 'evaluation.json'}" in capsys.readouterr().out
    kept = json.loads((place / "run" / "evaluation.json").read_text())
    assert kept["protocol"]["generated"] == 60


def test_other_data_under_the_same_name_are_refused(place: Path) -> None:
    path = saved(place, shift=1)
    try:
        with pytest.raises(UserError, match=r"trained on other samples or labels .* --data"):
            mtgan.evaluate(Run.open(place / "run"), **OPTIONS)
    finally:
        saved(path.parent)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["digits"], "Name the real data by --data; a run alone brings its own."),
        (["RUN", "--root", "x"], "--root says how to read --data, and none is named"),
    ],
)
def test_what_is_missing_is_said(place: Path, capsys, arguments, sentence: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["evaluate", *(str(place / "run") if word == "RUN" else word for word in arguments)])
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err
    with pytest.raises(UserError, match="Samples are judged against real data"):
        mtgan.evaluate(make_data())
