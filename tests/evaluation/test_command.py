"""`mtgan evaluate` from outside: runs, files, JSON, pictures, one sentence for mistakes."""

import json

import numpy as np
import pytest

from mtgan.cli import main
from mtgan.data import Taxonomy
from mtgan.evaluation import Scorecard
from mtgan.recipes import load_recipe
from mtgan.training import Run
from mtgan.training.facts import DataFacts

QUICK = ["--data", "digits", "--device", "cpu"]


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *arguments])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


@pytest.fixture
def samples(unseen, tmp_path):
    path = tmp_path / "samples.npz"
    np.savez(path, images=unseen.samples.transpose(0, 2, 3, 1), labels=unseen.labels[:, 0])
    return str(path)


def test_table_json_and_picture(capsys, samples, tmp_path):
    card, picture = tmp_path / "card.json", tmp_path / "card.png"
    code, out, _ = run(
        capsys,
        *[samples, *QUICK, "--n", "90", "--no-ladder"],
        *["--json", str(card), "--picture", str(picture)],
    )
    assert code == 0
    for word in ("frechet_distance", "conditioning/coarse", "overall", "90 of digits", "seed 0"):
        assert word in out
    read = Scorecard.from_json(card.read_text())
    assert read.protocol.generated == 90
    assert read.protocol.checkpoint == "as given"
    assert read.overall is not None
    assert picture.stat().st_size > 10_000


def test_nothing_is_overwritten_unasked(capsys, samples, tmp_path):
    kept = tmp_path / "kept.json"
    kept.write_text("mine")
    options = ["--protocol", "training", "--features", "pixels", "--n", "80", "--quiet"]
    for option in ("--json", "--picture"):
        code, _, err = run(capsys, samples, *QUICK, *options, option, str(kept))
        assert code == 2
        assert "exists already" in err
        assert kept.read_text() == "mine"
    code, _, _ = run(capsys, samples, *QUICK, *options, "--json", str(kept), "--force")
    assert code == 0
    assert json.loads(kept.read_text())["protocol"]["generated"] == 80


def test_quiet_and_measures_by_name(capsys, samples, tmp_path):
    card = tmp_path / "card.json"
    options = ["--metrics", "frechet_distance", "--protocol", "training", "--json", str(card)]
    code, out, err = run(capsys, samples, *QUICK, "--quiet", *options)
    assert (code, out, err) == (0, "", "")
    assert list(json.loads(card.read_text())["entries"]) == ["frechet_distance"]


@pytest.fixture
def asked(digits, unseen, tmp_path, monkeypatch) -> dict:
    """What a run on digits is asked for; it answers with held-out ones, and knows the classes in
    another order than the data: by name, they are the same."""
    classes = {level: names[::-1] for level, names in unseen.taxonomy.classes.items()}
    known = Taxonomy(unseen.taxonomy.levels, classes, {"fine": ("coarse", (0, 1) * 5)})
    samples = unseen.in_order_of(known)
    assert samples.taxonomy == known
    asked = {}

    def sample_with_labels(self, count, seed):
        asked.update(count=count, seed=seed)
        return samples.samples[:count], samples.labels[:count]

    trained = digits.in_order_of(known)
    record = {"data": digits.spec, "data_name": "digits", "data_fingerprint": trained.fingerprint}
    recipe = load_recipe("gan").model_copy(update={"run": record})
    made = Run(tmp_path, recipe, DataFacts.of(samples))
    (tmp_path / "recipe.yaml").write_text("")
    monkeypatch.setattr(Run, "open", lambda path: made)
    monkeypatch.setattr(Run, "sample_with_labels", sample_with_labels)
    return asked


@pytest.mark.parametrize("data", [QUICK[:2], []])
def test_a_run_generates_its_samples(capsys, asked, data, tmp_path):
    card = tmp_path / "card.json"
    options = ["--n", "85", "--seed", "4", "--no-ladder", "--features", "pixels", "--device", "cpu"]
    code, _, _ = run(capsys, str(tmp_path), *data, *options, "--json", str(card), "--quiet")
    assert code == 0
    assert asked == {"count": 85, "seed": 4}
    protocol = json.loads(card.read_text())["protocol"]
    accuracy = json.loads(card.read_text())["entries"]["conditional_accuracy/fine"]["value"]
    assert accuracy > 0.8
    assert "EMA" in protocol["checkpoint"]
    assert (protocol["seed"], protocol["dataset"]) == (4, "digits")
    assert (tmp_path / "evaluation.json").read_text() == card.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", *QUICK], "nowhere"),
        (["nowhere"], "Name the real data by --data"),
        (["digits", *QUICK, "--protocol", "fid"], "no protocol 'fid'"),
        (["digits", *QUICK, "--features", "vgg"], "no feature space 'vgg'"),
        (["digits", *QUICK, "--metrics", "fad"], "no metric 'fad'"),
        (["digits", *QUICK, "--n", "1"], "1 samples of each set are too few"),
        (["digits", "--data", "fashion-mnist-10k"], "1 x 8 x 8"),
        (
            ["digits", *QUICK, "--features", "inception", "--weights", "none.pth"],
            "none.pth cannot be read: it does not exist",
        ),
    ],
)
def test_mistakes_get_one_sentence(capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert len(err.strip().splitlines()) == 1
