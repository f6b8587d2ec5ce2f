"""The command line as a user types it, on small things."""

import contextlib
import io
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan.classification import CLASSIFIERS
from mtgan.cli import main
from mtgan.recipes import list_recipes

SMALL = [
    *("--set", "training.batch_size=8", "--set", "generator.width=8"),
    *("--set", "discriminator.width=8", "--set", "latent.dim=6"),
    *("--set", "training.log_every=1", "--set", "training.sample_every=2"),
    *("--set", "training.checkpoint_every=2", "--set", "training.evaluate_every=0"),
]


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


def mtgan(*arguments: str, cwd: Path) -> Result:
    """What the command prints and returns; in this process, since importing torch takes seconds."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
    return Result(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder in which a small conditional run on digits has been trained."""
    folder = tmp_path_factory.mktemp("cli")
    result = mtgan(
        *("train", "ac-wgan-b", "--data", "digits", "--steps", "4", "--out", "runs/a"),
        *SMALL,
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    assert "mtgan sample runs/a" in result.stdout
    return folder


def test_training_says_how_the_images_were_read(tmp_path: Path) -> None:
    for i in range(12):
        target = tmp_path / "set" / "ab"[i % 2] / f"{i}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 20 * i).save(target)
    (tmp_path / "set" / "README").write_text("hello")
    command = ("train", "wgan-gp", "--data", "set", "--steps", "1", *SMALL)
    result = mtgan(*command, "--out", "a", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "note: Left out 1 file (no pictures of a format that is read: 1 no e" in result.stdout
    assert mtgan(*command, "--out", "b", "--quiet", cwd=tmp_path).stdout == ""


def test_sampling_to_every_form(place: Path) -> None:
    for target in ("x.npz", "x.png", "folder"):
        result = mtgan("sample", "runs/a", "--n", "5", "--out", target, cwd=place)
        assert result.returncode == 0, result.stderr
    assert np.load(place / "x.npz")["images"].shape == (5, 8, 8, 1)
    assert len(list((place / "folder").glob("*.png"))) == 5


def test_sampling_by_label(place: Path) -> None:
    arguments = ("--label", "coarse=odd", "--n", "20", "--out", "odd.npz", "--quiet")
    result = mtgan("sample", "runs/a", *arguments, cwd=place)
    assert (result.returncode, result.stdout) == (0, "")
    assert set(np.load(place / "odd.npz")["labels"][:, 0].tolist()) <= {1, 3, 5, 7, 9}


def test_sampling_by_a_table_of_labels(place: Path) -> None:
    (place / "wanted.csv").write_text("file;coarse;fine\nx.png;odd;\n\ny.png;;4\nz.png;;\n")
    ask = ("sample", "runs/a", "--labels", "wanted.csv")
    result = mtgan(*ask, "--out", "wanted", "--step", "4", "--batch-size", "2", cwd=place)
    assert result.returncode == 0, result.stderr
    assert "wrote 3 samples to wanted (seed " in result.stdout
    rows = [line.split(",") for line in (place / "wanted/labels.csv").read_text().splitlines()]
    assert rows[0] == ["file", "fine", "coarse", "source"]
    assert [rows[1][2], *rows[2][1:]] == ["odd", "4", "even", "generated"]
    again = mtgan(*ask, "--n", "4", "--out", "b", cwd=place)
    assert "found n=4, and 3 labels" in again.stderr
    (place / "wanted.csv").write_text("fine\n4\nfour\n")
    again = mtgan(*ask, "--out", "b", cwd=place)
    assert "wanted.csv, line 3: The level 'fine' has no class 'four'" in again.stderr
    assert not (place / "b").exists()


def test_sampling_from_latents_and_twice_alike(place: Path) -> None:
    np.save(place / "z.npy", np.zeros((3, 6)))
    ask = ("sample", "runs/a", "--latents", "z.npy", "--label", "fine=4", "--out")
    for name in ("l1.npz", "l2.npz"):
        assert mtgan(*ask, name, cwd=place).returncode == 0
    first, second = (np.load(place / name)["images"] for name in ("l1.npz", "l2.npz"))
    assert np.array_equal(first, second)
    (place / "z.npy").write_text("no")
    assert "z.npy is no file of latents" in mtgan(*ask, "l3.npz", cwd=place).stderr
    for name in ("s1.npz", "s2.npz"):  # one command, one result, also in another form
        assert "(seed 0)" in mtgan("sample", "runs/a", "--n", "2", "--out", name, cwd=place).stdout
    first, second = (np.load(place / name)["images"] for name in ("s1.npz", "s2.npz"))
    assert np.array_equal(first, second)


def test_resuming_further(place: Path) -> None:
    arguments = ("train", "ac-wgan-b", "--data", "digits", "--out", "runs/a", *SMALL)
    result = mtgan(*arguments, "--steps", "6", "--resume", cwd=place)
    assert result.returncode == 0, result.stderr
    assert "6 iterations" in result.stdout


def test_the_report_stands_alone(place: Path) -> None:
    result = mtgan("report", "runs/a", "--out", "page.html", cwd=place)
    assert result.returncode == 0, result.stderr
    page = (place / "page.html").read_text()
    assert page.count("data:image/") >= 4
    assert 'src="http' not in page
    assert "AC-WGAN.b" in page
    assert "<script" not in page


def test_recipes(tmp_path: Path) -> None:
    listed = json.loads(mtgan("recipes", "list", "--json", cwd=tmp_path).stdout)
    assert {"gan", "dcgan", "wgan", "wgan-gp"} <= {entry["name"] for entry in listed}
    shown = mtgan("recipes", "show", "wgan-gp", "--set", "training.steps=7", cwd=tmp_path)
    (tmp_path / "mine.yaml").write_text(shown.stdout)
    again = mtgan("recipes", "show", "mine.yaml", cwd=tmp_path)
    assert again.stdout == shown.stdout
    assert "steps: 7" in again.stdout


def test_a_recipe_layer_by_layer_and_as_a_picture(tmp_path: Path) -> None:
    layers = ["recipes", "show", "gan", "--scale", "tiny", "--layers", "--data", "digits"]
    networks = json.loads(mtgan(*layers, "--json", cwd=tmp_path).stdout)["networks"]
    assert [network["name"] for network in networks] == ["generator", "discriminator"]
    last = networks[0]["layers"][-1]
    # 16 channels, 5 x 5, one bias: to the one channel of an image of 8 x 8
    assert (last["output"], last["parameters"]) == ([1, 8, 8], 401)
    table = mtgan(*layers, cwd=tmp_path).stdout
    assert f"generator: {networks[0]['parameters']:,} parameters" in table
    players = ["recipes", "show", "gan", "--diagram", "gan.svg"]
    assert mtgan(*players, cwd=tmp_path).stdout == "wrote gan.svg\n"
    assert "<svg" in (tmp_path / "gan.svg").read_text()
    assert "exists already" in mtgan(*players, cwd=tmp_path).stderr
    assert mtgan(*players, "--force", cwd=tmp_path).returncode == 0
    stack = ["recipes", "show", "stl", "--layers", "--data", "digits", "--diagram", "stl.png"]
    assert mtgan(*stack, cwd=tmp_path).returncode == 0
    assert (tmp_path / "stl.png").stat().st_size
    values = json.loads(mtgan("recipes", "show", "gan", "--json", cwd=tmp_path).stdout)
    assert values["objective"] == "non-saturating"


@pytest.mark.parametrize("columns", [80, 200])
def test_recipes_can_be_read_at_any_width(tmp_path: Path, monkeypatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = mtgan("recipes", "list", cwd=tmp_path).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    words = {word for line in lines for word in line.split()}
    assert {e.name for e in list_recipes()} | set(CLASSIFIERS.names()) <= words


@pytest.mark.parametrize("name", ["mtl-hard", "own.yaml", "whole.yaml"])
def test_recipes_of_classifiers_are_shown(tmp_path: Path, name: str) -> None:
    (tmp_path / "own.yaml").write_text("extends: mtl-hard\n")
    whole = mtgan("recipes", "show", "mtl-hard", cwd=tmp_path).stdout
    (tmp_path / "whole.yaml").write_text(whole)
    shown = mtgan("recipes", "show", name, "--set", "training.epochs=3", cwd=tmp_path)
    assert "kind: hard" in shown.stdout
    assert "epochs: 3" in shown.stdout
    refused = mtgan("recipes", "show", name, "--scale", "tiny", cwd=tmp_path)
    assert "which has no --scale" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["train", "wgan-pg", "--data", "digits"], "did you mean 'wgan-gp'?"),
        (["train", "wgan-gp", "--data", "digit"], "did you mean 'digits'?"),
        (["train", "wgan-gp", "--data", "digits", "--set", "training.stps=3"], "'steps'"),
        (["train", "wgan-gp", "--data", "digits", "--set", "nonsense"], "KEY=VALUE"),
        (["train", "wgan-gp", "--data", "digits", "--out", "."], "exists already"),
        (["sample", "nowhere", "--out", "x.npz"], "is not a run folder"),
        (["sample", "nowhere", "--out", "x", "--label", "fine"], "LEVEL=CLASS"),
        (["sample", "n", "--out", "x", "--label", "a=b", "--label", "a=c"], "a is given twice"),
        (["sample", "n", "--out", "x", "--step", "bets"], "is not best, nor a whole number"),
        (["sample", "n", "--out", "x", "--label", "a=b", "--labels", "t"], "not both"),
        (["train", "gan", "--data", "digits", "--steps", "3", "--set", "training.steps=4"], "same"),
        (["train", "gan", "--data", "digits", "--set", "a=1", "--set", "a=2"], "given twice"),
        (["recipes", "list", "--root", "x"], "--root belongs to --data"),
        (["strings", "something.txt", "--data", "moses", "--n", "4"], "leave --n out"),
        (["data", "info", "digits", "--root", "x"], "digits has none there: it needs no files"),
        (
            ["data", "prepare", ".", "p", "--root", "x"],
            "it is read from its path",
        ),
        (["train", "gan", "--data", "digits", "--root", "x"], "digits has none there"),
        (["classify", "stl", "--data", "digits", "--root", "x"], "digits has none there"),
        (["evaluate", ".", "--data", "digits", "--root", "x"], "digits has none there"),
        (["study", "bifurcation", "--data", "digits", "--root", "x"], "digits has none there"),
        (["study", "bifurcation", "--address", "x"], "add --executor ray"),
        (["report", "nowhere"], "is not a run folder"),
        (["recipes", "show", "nothing"], "no recipe 'nothing'"),
        (["recipes", "show", "gan", "--layers"], "add --data"),
        (["recipes", "show", "gan", "--data", "digits"], "--data belongs to --layers"),
        (["recipes", "show", "stl", "--diagram", "x.svg"], "draw its layers"),
        (["recipes", "show", "gan", "--diagram", "x.odd"], "its ending should be one of"),
        (["train", "wgan-gp", "--data", "digits", "--device", "tpu"], "auto, cpu, cuda or mps"),
        (["train", "wgan-gp", "--data", "digits", "--set", "data.size=4"], "8 to 256 pixels"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_2(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    (tmp_path / "something.txt").write_text("mine")
    result = mtgan(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["something.txt"]


def test_the_command_as_a_process(tmp_path: Path) -> None:
    """Exit code and the one sentence survive the trip through a real process."""
    command = [sys.executable, "-m", "mtgan", "recipes", "show", "nothing"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("mtgan: There is no recipe 'nothing'")


def test_a_run_alone_is_gone_on_with(place: Path) -> None:
    result = mtgan("train", "--resume", "runs/a", "--steps", "7", cwd=place)
    assert result.returncode == 0, result.stderr
    assert "7 iterations: runs/a" in result.stdout
    assert mtgan("train", "runs/a", "--resume", cwd=place).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["runs/a"], "runs/a is a run: go on with it by mtgan train --resume runs/a, or"),
        (["runs/a", "--resume", "--seed", "1"], "what that run recorded; leave --seed out"),
        (["--resume", "runs/a", "--data", "digits"], "leave --data out (only --steps may grow)"),
        (["--resume", "runs/a", "--steps", "1"], "training.steps"),
        (["--resume", "nowhere"], "Say on what to train, by one of: --data"),
        (["gan", "--data", "digits", "--data-of", "runs/a"], "by one of: --data NAME"),
        (["gan", "--data-of", "runs/a", "--root", "x"], "leave --root and --taxonomy out"),
        (["gan", "--data-of", "nowhere"], "nowhere is not a run folder"),
    ],
)
def test_what_a_run_has_recorded_is_not_said_again(place: Path, arguments, sentence) -> None:
    result = mtgan("train", *arguments, cwd=place)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_without_a_recipe_the_one_that_fits_is_taken_at_tiny(place: Path) -> None:
    arguments = ("--steps", "1", *SMALL, "--out", "fits")
    result = mtgan("train", "--data-of", "runs/a", *arguments, cwd=place)
    assert result.returncode == 0, result.stderr
    assert "recipe: few-images at --scale tiny, which fits these data" in result.stdout
    assert "ema_decay: 0.998" in (place / "fits" / "recipe.yaml").read_text()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("mtgan tra", ["train"]), ("mtgan train --dat", ["--data", "--data-of"])],
)
def test_a_shell_can_complete(tmp_path: Path, monkeypatch, typed: str, completed: list) -> None:
    monkeypatch.setenv("_MTGAN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    assert mtgan(cwd=tmp_path).stdout.split() == completed
    monkeypatch.delenv("_MTGAN_COMPLETE")
    # By name, and not by the shell that these tests happen to be run from.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    shown = mtgan("--show-completion", "bash", cwd=tmp_path)
    assert (shown.returncode, "complete" in shown.stdout) == (0, True)
