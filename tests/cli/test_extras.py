"""What is missing and which extra brings it: the name of the extra is printed whole, before any
work."""

import io
import re
import sys
import tomllib
from pathlib import Path

import pytest
from rich.console import Console

import mtgan
from cli.test_commands import mtgan as command
from mtgan.evaluation import evaluate
from mtgan.text import console

SOURCE = Path(mtgan.__file__).parent
EXTRAS = tomllib.loads((SOURCE.parent.parent / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]


def test_every_extra_that_a_sentence_names_exists() -> None:
    texts = {file: file.read_text() for file in SOURCE.rglob("*.py")}
    named = {x for text in texts.values() for x in re.findall(r"mtgan\[([\w-]+)\]", text)}
    assert len(named) >= 4
    assert named <= set(EXTRAS)
    asked = {
        name for text in texts.values() for name in re.findall(r'import_extra\([^)]*"(\w+)",', text)
    }
    assert asked <= set(EXTRAS)


@pytest.mark.parametrize("terminal", [console, Console], ids=["ours", "rich"])
def test_a_card_prints_the_extra_of_a_measure_that_is_missing(
    digits, monkeypatch, terminal
) -> None:
    monkeypatch.setitem(sys.modules, "gudhi", None)
    options = {"features": "pixels", "protocol": "training", "n": 70}
    names = "frechet_distance,geometry_score"
    card = evaluate(digits.load_split("test"), digits, metrics=names, **options)
    shown = terminal()
    shown.file = io.StringIO()
    shown.print(card.table())
    assert "pip install 'mtgan[topology]': geometry_score" in shown.file.getvalue()


@pytest.mark.parametrize("option", [["--dry-run"], []])
def test_a_study_refuses_before_it_shows_a_plan(tmp_path: Path, monkeypatch, option) -> None:
    monkeypatch.setattr("mtgan.studies.study.find_spec", lambda name: None)
    result = command("study", "bifurcation", "--scale", "tiny", *option, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.strip().endswith("install them with pip install 'mtgan[study]'.")
    assert len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_study_on_a_cluster_refuses_before_it_begins(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    options = ("--scale", "tiny", "--executor", "ray")
    for more in ((), ("--dry-run",)):
        result = command("study", "bifurcation", *options, *more, cwd=tmp_path)
        assert (result.returncode, result.stdout) == (2, "")
        assert "pip install 'mtgan[cluster]'" in result.stderr
        assert list(tmp_path.iterdir()) == []
