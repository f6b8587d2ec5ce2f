"""Each domain by the measures of its kind."""

import json

import numpy as np
import pytest

from mtgan.data import load_dataset
from mtgan.evaluation import domains
from mtgan.evaluation.domains import evaluate_domain
from mtgan.evaluation.evaluator import Evaluator


@pytest.fixture(scope="module")
def both():
    name = "image=digits+smiles=nci-smiles,count=300"
    return load_dataset(name), load_dataset(name, "test")


def test_images_are_measured_as_images_with_their_own_labels(both):
    training, held_out = both
    index = np.flatnonzero(held_out.labels[:, 1] == 0)[:200]
    canvases, rows = held_out.samples[index], held_out.labels[index]
    values = evaluate_domain(training.domains[0], canvases, rows, training, held_out)
    reference = domains.one_domain(training, "image").dataset()
    evaluator = Evaluator(reference, n=200)
    expected = dict(evaluator(training.domains[0].decode(canvases), rows[:, :1]))
    assert {name.removeprefix("image/"): v["value"] for name, v in values.items()} == expected
    assert values["image/accuracy/class"]["value"] > 0.8  # held-out digits are what they are
    assert values["image/frechet_distance"]["better"] == "lower"
    assert "image/accuracy/class" not in evaluate_domain(
        training.domains[0], canvases, None, training, held_out
    )


def test_molecules_are_measured_as_molecules(both, monkeypatch):
    pytest.importorskip("rdkit")
    devices = []
    monkeypatch.setattr(
        "mtgan.evaluation.sequences.chemnet_distance",
        lambda made, real, device: devices.append(device) or 1.5,
    )
    training, held_out = both
    canvases = held_out.samples[held_out.labels[:, 1] == 1]
    values = evaluate_domain(training.domains[1], canvases, None, training, held_out, device="auto")
    assert devices[0] in {"cpu", "cuda"}
    assert values["smiles/validity"] == {"value": 1.0, "better": "higher"}
    assert values["smiles/ngram_distance/4"] == {"value": 0.0, "better": "lower"}
    assert values["smiles/chemnet_distance"]["value"] == 1.5


def test_words_are_no_molecules(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("".join(f"{a}x{b}\n" for a in "abcde" for b in "ghijk"))
    data = load_dataset(f"text={words}", "all")
    values = evaluate_domain(data.domains[0], data.samples, None, data, data)
    assert "text/validity" not in values
    assert values["text/uniqueness"]["value"] == 1


def test_the_command_line_judges_files_and_draws(tmp_path, capsys, monkeypatch):
    pytest.importorskip("rdkit")
    monkeypatch.setattr("mtgan.evaluation.sequences.chemnet_distance", lambda *_: 1.5)
    from mtgan.cli import main

    made = tmp_path / "made.smi"
    made.write_text("smiles\nCCO\nCC(C)O\nCC this is junk\nc1ccccc1\n")
    with pytest.raises(SystemExit) as ended:
        main(
            [
                *("strings", str(made), "--data", "nci-smiles,count=200", "--molecules"),
                *("--json", f"{tmp_path}/x.json", "--picture", f"{tmp_path}/x.png"),
            ]
        )
    assert not ended.value.code
    shown = " ".join(capsys.readouterr().out.split())
    assert "validity" in shown
    assert "'smiles', is no molecule" in shown
    assert "1 generated strings hold a blank" in shown
    assert json.loads((tmp_path / "x.json").read_text())["values"]["validity"] == 0.75
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"
