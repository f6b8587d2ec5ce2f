"""`mtgan classify` as a user types it, on digits."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from mtgan.cli import main
from mtgan.cli.study import _EXECUTORS
from mtgan.files import read_yaml as load_yaml
from studies.test_worker import Here

KEYS = {
    "network.channels": "[4, 4]",
    "sharing.layers": "1",
    "network.pool_after": "[1, 2]",
    "training.epochs": "2",
    "data.images": "60",
    "data.validation": "40",
    "training.batch_size": "16",
}


def small(**changed: str) -> list[str]:
    """Options of a small run; keywords are keys with __ for the dot."""
    keys = KEYS | {key.replace("__", "."): value for key, value in changed.items()}
    return ["--data", "digits", *(w for k, v in keys.items() for w in ("--set", f"{k}={v}"))]


SMALL = small()
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def classify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Command:
    """Runs the command in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            main(["classify", *arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_one_run(classify: Command) -> None:
    code, out, err = classify("mtl-hard", *SMALL, "--fraction", "0.5", "--seed", "3", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert result["run"] == "runs/mtl-hard-digits-s3"
    assert result["training_images"] == {"main": 30, "auxiliary": 30}
    assert (Path(result["run"]) / "metrics.jsonl").read_text().count("\n") == 2
    repeated = ("mtl-hard", *SMALL, "--fraction", "0.5", "--seed", "3")
    code, out, err = classify(*repeated)
    assert (code, out) == (2, "")
    assert "exists already; go on with it by --resume" in err
    code, out, _ = classify(*repeated, "--resume")
    assert code == 0
    assert "test accuracy at that epoch" in out


def test_a_run_alone_is_gone_on_with(classify: Command) -> None:
    more = ("--auxiliary-data", "digits", "--set", "auxiliary.images=50", "--out", "a run")
    code, first, err = classify("mtl-soft", *SMALL, *more, "--seed", "3", "--json")
    assert code == 0, err
    code, again, err = classify("--resume", "a run", "--json")
    assert (code, json.loads(again)) == (0, json.loads(first)), err
    code, _, err = classify("--resume", "a run", "--seed", "3")
    assert (code, "what that run recorded; leave --seed out" in err) == (2, True)
    code, _, err = classify("mtl-soft")
    assert (code, "Say on what to train: --data" in err) == (2, True)
    code, _, err = classify("--resume", "nowhere")
    assert (code, "nowhere is not the run of a classifier" in err) == (2, True)


def test_it_ends_when_the_time_is_over_and_is_gone_on_with(classify: Command) -> None:
    timed = ("--out", "run", "--max-time", "0.01s")
    code, out, err = classify("stl", *SMALL, *timed)
    assert (code, err) == (0, "")
    assert "1 of 2 epochs; go on by mtgan classify --resume run\n" in out
    code, out, err = classify("--resume", "run", "--max-time", "1h")
    assert (code, "test accuracy at that epoch" in out) == (0, True), err


def test_another_data_set_as_the_auxiliary_task(classify: Command) -> None:
    more = ("--auxiliary-data", "fashion-mnist-10k", "--set", "auxiliary.images=50", "--out", "x")
    code, out, err = classify("mtl-soft", *SMALL, *more, "--json")
    assert code == 0, err
    assert json.loads(out)["training_images"] == {"main": 60, "auxiliary": 50}
    facts = json.loads(Path("x/data.json").read_text())
    assert facts["shape"] == [1, 8, 8]
    assert facts["tasks"]["auxiliary"]["classes"][0] == "T-shirt/top"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say what to train: a recipe"),
        (["stl", "--sweep", "soft-weight"], "Say what to train: a recipe"),
        (["mtl-sotf"], "did you mean 'mtl-soft'"),
        (["mtl-soft", "--set", "sharing.layers=9"], "sharing.layers is given twice"),
        (["mtl-soft", "--auxiliary", "color"], "needs the label level 'color'"),
        (["mtl-soft", "--auxiliary", "fine"], "--auxiliary same"),
        (["stl", "--fraction", "1.5"], "data.fraction"),
        (["stl", "--set", "data.size=3"], "too small"),
        (["--sweep", "soft-wait"], "did you mean 'mtl-soft-weight'"),
        (["--sweep", "soft-weight", "--scale", "huge"], "has no scale 'huge'"),
        (["--sweep", "soft-weight", "--seed", "3"], "--seed has no meaning for a study"),
        (["--sweep", "soft-weight", "--resume"], "--resume has no meaning for a study"),
        (["--sweep", "soft-weight", "--fraction", "0.5"], "--fraction has no meaning for a study"),
        (["--sweep", "data-fraction", "--set", "data.fraction=0.5"], "varies data.fraction itself"),
        (["--sweep", "soft-weight", "--max-time", "1m"], "--max-time has no meaning for a study"),
        (["stl", "--max-time", "soon"], "--max-time should be a time"),
        (["--sweep", "soft-weight", "--json"], "--json has no meaning for a study"),
        (["stl", "--seeds", "3"], "--seeds has no meaning for one run"),
        (["stl", "--scale", "tiny"], "--scale has no meaning for one run"),
    ],
)
def test_mistakes_get_one_sentence(classify: Command, arguments, sentence) -> None:
    code, out, err = classify(*SMALL, *arguments)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err


def test_layers_that_are_not_there(classify: Command) -> None:
    code, _, err = classify("mtl-soft", *small(sharing__layers="9"))
    assert code == 2
    assert "take b from 0 to 2" in err


def test_a_sweep_is_the_study_that_it_became(
    classify: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_EXECUTORS, "local", lambda *_: Here())
    keys = ("--scale", "tiny", *small(training__epochs="1"), "--auxiliary", "random")
    code, out, err = classify("--sweep", "hard-against-soft", *keys, "--seeds", "1", "--out", "s")
    assert code == 0, err
    instead = err.partition("--sweep is deprecated; this runs: ")[2].splitlines()[0]
    assert "| hard / 25 % |" in out
    assert instead.startswith("mtgan study mtl-hard-against-soft --scale tiny --seeds 1 --data")
    before = {path: path.stat().st_mtime_ns for path in Path("s").rglob("measured.json")}
    assert len(before) == 6
    assert load_yaml(next(iter(before)).parent / "recipe.yaml")["auxiliary"]["labels"] == "random"
    with pytest.raises(SystemExit, match="0"):
        main(shlex.split(instead)[1:])
    assert {path: path.stat().st_mtime_ns for path in Path("s").rglob("measured.json")} == before
    Path("mine.yaml").write_text("extends: base\nsettings: [{name: a, recipe: stl}]\n")
    code, _, err = classify("--sweep", "mine.yaml", *keys)
    assert (code, "its settings are recipes, its fractions variants" in err) == (2, True)
    Path("old").mkdir()
    Path("old/sweep.yaml").write_text("name: hard-against-soft")
    code, _, err = classify("--sweep", "hard-against-soft", *keys, "--out", "old")
    assert (code, "old holds a sweep of an earlier version" in err) == (2, True)


def test_other_verbs_say_what_a_classifiers_folder_is(classify: Command, capsys) -> None:
    code, _, err = classify("stl", *SMALL, "--out", "run", "--quiet")
    assert code == 0, err
    Path("sweep").mkdir()
    Path("sweep/sweep.yaml").write_text("")
    verbs = [
        ["sample", "run", "--out", "x.npz"],
        ["evaluate", "run", "--data", "digits"],
        ["analyze", "losses", "run"],
        ["strings", "run", "--data", "digits"],
        ["train", "gan", "--data", "digits", "--out", "run", "--resume"],
        ["report", "sweep"],
        ["sample", "sweep", "--out", "x.npz"],
    ]
    for verb in verbs:
        with pytest.raises(SystemExit) as stop:
            main(verb)
        error = capsys.readouterr().err
        said = "sweep is a sweep of classifiers" if "sweep" in verb else "run is the run of a class"
        assert stop.value.code == 2, verb
        assert error.startswith(f"mtgan: {said}"), verb
        assert error.count("\n") == 1, verb
