"""`mtgan evaluate` from outside: runs, files, JSON, pictures, one sentence for mistakes."""

import json

import numpy as np
import pytest

from mtgan.cli import main
from mtgan.data import Taxonomy
from mtgan.data.samples import Samples
from mtgan.evaluation import Scorecard
from mtgan.recipes import load_recipe
from mtgan.training import Run
from mtgan.training.dataset_info import DatasetInfo

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
        *[samples, *QUICK, "--n", "90", "--no-corruptions"],
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

    def sample(self, count, labels, seed, step):
        assert labels is step is None
        asked.update(count=count, seed=seed)
        images, rows = samples.samples[:count], samples.labels[:count]
        return Samples.of(images, rows, known, seed, np.empty(0), ())

    trained = digits.in_order_of(known)
    record = {"data": digits.spec, "data_name": "digits", "data_fingerprint": trained.fingerprint}
    recipe = load_recipe("gan").model_copy(update={"run": record})
    made = Run(tmp_path, recipe, DatasetInfo.of(samples))
    for name in ("recipe.yaml", "data.json"):
        (tmp_path / name).write_text("")
    monkeypatch.setattr(Run, "open", lambda path: made)
    monkeypatch.setattr(Run, "sample", sample)
    return asked


@pytest.mark.parametrize("data", [QUICK[:2], []])
def test_a_run_generates_its_samples(capsys, asked, data, tmp_path):
    card = tmp_path / "card.json"
    options = [
        "--n",
        "85",
        "--seed",
        "4",
        "--no-corruptions",
        "--features",
        "pixels",
        "--device",
        "cpu",
    ]
    code, _, err = run(capsys, str(tmp_path), *data, *options, "--json", str(card), "--quiet")
    assert code == 0, err
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
        (["digits", *QUICK, "--features", "pixels", "--weights", "x"], "pixels have no weights to"),
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


# Of each option what becomes of it where strings are judged: what says that it was applied, or why
# it is refused.
FATES: dict[str, tuple[list[str], str]] = {
    "--data": (["DATA"], '"dataset": "text/text"'),
    "--split": (["test"], '"split": "test"'),
    "--features": (["pixels"], "features mean nothing for samples of text"),
    "--weights": (["x.pth"], "weights mean nothing for samples of text"),
    "--metrics": (["novelty"], '"novelty"'),
    "--n": (["66"], '"generated": 66'),
    "--protocol": (["plain"], '"name": "plain"'),
    "--size": (["8"], "does not hold the domain 'text'"),
    "--no-corruptions": ([], '"corruption_levels": []'),
    "--no-ladder": ([], '"corruption_levels": []'),
    "--twin": (["fine"], "--twin is asked of a run"),
    "--step": (["3"], "--step is asked of a run"),
    "--root": (["."], '"dataset": "text/text"'),
    "--taxonomy": (["TAXONOMY"], "holds domains, and its levels say which"),
    "--seed": (["5"], '"seed": 5'),
    "--device": (["cpu"], '"ngram_distance/1"'),
    "--json": (["JSON"], '"ngram_distance/1"'),
    "--picture": (["PICTURE"], '"ngram_distance/1"'),
    "--force": ([], '"ngram_distance/1"'),
    "--quiet": ([], '"ngram_distance/1"'),
}


def test_every_option_has_its_fate():
    import typer

    from mtgan.cli.app import app

    command = typer.main.get_command(app).commands["evaluate"]
    options = {
        parameter.secondary_opts[0] if parameter.secondary_opts else parameter.opts[0]
        for parameter in command.params
        if parameter.opts[0].startswith("--")
    }
    assert options - {"--help", "--trust", "--plugins"} == FATES.keys()


@pytest.mark.parametrize("option", FATES)
def test_options_where_strings_are_judged(option, capsys, tmp_path):
    random = np.random.default_rng(0)
    words = ["".join(word) for word in random.choice(list("abcdefgh"), size=(800, 6))]
    for name, part in (("data.txt", words[:400]), ("made.txt", words[400:600])):
        (tmp_path / name).write_text("".join(f"{word}\n" for word in part))
    (tmp_path / "taxonomy.yaml").write_text("kind: {text: a}\n")
    places = {
        "DATA": f"text={tmp_path}/data.txt",
        "JSON": str(tmp_path / "card.json"),
        "PICTURE": str(tmp_path / "card.png"),
        "TAXONOMY": str(tmp_path / "taxonomy.yaml"),
    }
    values, fate = FATES[option]
    given = {"--data": ["DATA"], "--json": ["JSON"], option: values}
    words = [word for name, rest in given.items() for word in (name, *rest)]
    code, _, err = run(capsys, str(tmp_path / "made.txt"), *(places.get(w, w) for w in words))
    if code == 2:
        assert fate in err
        return
    assert code == 0
    assert ("--ladder is called --corruptions now" in err) == (option == "--no-ladder")
    assert fate in (tmp_path / "card.json").read_text()
    assert (tmp_path / "card.png").exists() == (option == "--picture")


def test_all_measures_of_all_with_all(capsys, samples, tmp_path):
    card = tmp_path / "card.json"
    options = ["--features", "pixels", "--metrics", "all", "--protocol", "plain", "--quiet"]
    code, _, err = run(capsys, samples, *QUICK, *options, "--json", str(card))
    assert code == 0, err
    values = json.loads(card.read_text())
    assert values["protocol"]["generated"] != values["protocol"]["reference"]
    pytest.importorskip("gudhi")
    assert "geometry_score" in values["entries"]
    assert any("geometry_score compares sets of one size" in note for note in values["notes"])
