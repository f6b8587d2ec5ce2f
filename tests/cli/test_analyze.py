"""`mtgan analyze` as a user types it, and the report that shows the answers."""

import contextlib
import inspect
import io
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from mtgan.analysis import ANALYSES, Options
from mtgan.cli import main
from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.training import train
from toys import small_recipe


def mtgan(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(list(arguments))
        except SystemExit as stop:
            code = int(stop.code or 0)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = small_recipe("wgan-gp", training__steps=4)
    target = tmp_path_factory.mktemp("runs") / "a"
    return train(recipe, load_dataset("digits"), target, quiet=True).path


def test_the_analyses_are_registered() -> None:
    assert set(ANALYSES.names()) == {
        *("neighbors", "interpolate", "evolution", "conditioning"),
        *("probe", "losses", "distance", "weights", "diagnose"),
    }


OTHERS = {"n": 20, "seed": 1, "step": 1, "features": "pixels", "data": "digits"}
OTHERS |= {"label": ("3",), "dimension": 0}


@pytest.mark.parametrize("name", ANALYSES.names())
def test_every_option_is_read_or_refused(name: str) -> None:
    found = ANALYSES.get(name)
    # Which twin, the run that is asked says already.
    assert {*OTHERS, "twin", "progress"} == {each.name for each in fields(Options)}
    asked = inspect.getsource(found.ask)
    for option, value in OTHERS.items():
        if option in found.takes:
            read = "count" if option == "n" else option
            assert re.search(rf"\boptions\.{read}\b", asked), f"{name} ignores --{option}"
            found.check(name, Options(**{option: value}))
        else:
            with pytest.raises(UserError, match=f"analysis {name} takes no --{option};"):
                found.check(name, Options(**{option: value}))


def test_a_picture_a_file_and_a_table(folder: Path) -> None:
    code, out, err = mtgan("analyze", "weights", str(folder))
    assert code == 0, err
    assert "none dead, exploding or vanishing" in " ".join(out.split())
    assert "wrote " in out
    values = json.loads((folder / "analysis" / "weights.json").read_text())
    assert values["analysis"] == "weights"
    assert values["step"] == 4
    assert (folder / "analysis" / "weights.png").read_bytes()[:4] == b"\x89PNG"


def test_json_alone_on_standard_output(folder: Path, tmp_path: Path) -> None:
    code, out, _ = mtgan("analyze", "losses", str(folder), "--json", "--out", str(tmp_path))
    assert code == 0
    assert (
        json.loads(out)["verdict"] == json.loads((tmp_path / "losses.json").read_text())["verdict"]
    )


def test_the_same_question_again_replaces_the_answer_and_nothing_else(
    folder: Path, tmp_path: Path
) -> None:
    again = ("analyze", "losses", str(folder), "--quiet", "--out", str(tmp_path))
    assert mtgan(*again) == (0, "", "")
    assert mtgan(*again) == (0, "", "")
    (tmp_path / "losses.json").write_text('{"mine": 1}')
    code, _, err = mtgan(*again)
    assert code == 2
    assert "did not write" in err
    assert (tmp_path / "losses.json").read_text() == '{"mine": 1}'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("neighbours", None), "did you mean 'neighbors'?"),
        (("losses", "nowhere"), "not a run folder"),
        (("conditioning", None), "without labels"),
    ],
    ids=["name", "folder", "recipe"],
)
def test_mistakes_are_one_sentence(arguments: tuple, message: str, folder: Path) -> None:
    name, where = arguments
    code, _, err = mtgan("analyze", name, where or str(folder))
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_the_report_shows_the_answers(folder: Path) -> None:
    mtgan("analyze", "weights", str(folder), "--quiet")
    code, _, err = mtgan("report", str(folder))
    assert code == 0, err
    page = (folder / "report.html").read_text()
    assert "<h2>Analyses</h2>" in page
    assert "none dead, exploding or vanishing" in page
    assert f"mtgan analyze diagnose {folder}" in page
