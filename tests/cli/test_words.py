"""Names from outside come out of every verb as they went in."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from cli.test_commands import SMALL, mtgan

CLASSES = ["[unknown]", "[/b]", "x:dog:y", "$a$", "<i>b</i>", "yes", "007", "été漢"]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with a set of odd names, and a conditional run on it."""
    folder = tmp_path_factory.mktemp("words")
    names = [*CLASSES, "red\x1b[31m"]
    random = np.random.default_rng(0)
    labels = np.arange(90) % len(names)
    np.savez(
        folder / "odd [set].npz",
        images=random.integers(0, 255, (90, 8, 8), dtype=np.uint8),
        labels=labels[:, None],
        level_names=np.array(["fine"]),
        class_names_fine=np.array(names),
    )
    arguments = ("ac-wgan-a-real", "--data", "odd [set].npz", "--steps", "1", "--out", "my run")
    result = mtgan("train", *arguments, *SMALL, cwd=folder)
    assert result.returncode == 0, result.stderr
    commands = [line for line in result.stdout.splitlines() if line.startswith("  mtgan ")]
    assert [shlex.split(line)[1:3] for line in commands] == [
        [verb, "my run"] for verb in ("sample", "evaluate", "report")
    ]
    return folder


def test_a_table_shows_every_name_as_it_is(place: Path) -> None:
    result = mtgan("data", "info", "odd [set].npz", "--picture", "p.png", cwd=place)
    assert result.returncode == 0, result.stderr
    for name in [*CLASSES, "red\\x1b[31m"]:
        assert name in result.stdout
    assert "\x1b" not in result.stdout + result.stderr


def test_json_keeps_every_name(place: Path) -> None:
    result = mtgan(*("data", "info", "odd [set].npz", "--picture", "q.png", "--json"), cwd=place)
    assert "\x1b" not in result.stdout
    counts = json.loads(result.stdout)["counts"]
    assert set(next(iter(counts.values()))) == {*CLASSES, "red\x1b[31m"}


@pytest.mark.parametrize("name", [*CLASSES, "red\x1b[31m"])
def test_every_class_can_be_asked_for(name: str, place: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "x.npz")
    asked = ("--label", f"fine={name}", "--n", "2", "--out", out)
    result = mtgan("sample", "my run", *asked, cwd=place)
    assert result.returncode == 0, result.stderr
    with np.load(out) as saved:
        assert {saved["class_names_fine"][i] for i in saved["labels"][:, 0]} == {name}


def test_an_unknown_class_is_named_without_its_escapes(place: Path) -> None:
    asked = ("--label", "fine=\x1b[2Jnone", "--out", "x.npz")
    result = mtgan("sample", "my run", *asked, cwd=place)
    assert result.returncode == 2
    assert "\\x1b[2Jnone" in result.stderr
    assert "\x1b" not in result.stderr


def test_the_page(place: Path) -> None:
    result = mtgan("report", "my run", cwd=place)
    assert result.returncode == 0, result.stderr
    page = (place / "my run" / "report.html").read_text()
    assert "mtgan sample &#39;my run&#39; --n 1000" in page
    assert "\x1b" not in page
    assert "<i>b" not in page
