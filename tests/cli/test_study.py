"""`mtgan study` and `mtgan report STUDY` as a user types them."""

import json
import sys
from pathlib import Path

import pytest
import yaml

from cli.test_commands import mtgan
from mtgan.cli.study import _EXECUTORS
from mtgan.studies.execute import LocalExecutor
from studies.test_worker import Here
from studies_toys import TINY


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder in which a small study, one of whose recipes cannot be trained, has been run."""
    folder = tmp_path_factory.mktemp("study")
    # The batch is larger than the 40 images, which is found when training begins.
    recipes = ["gan", {"name": "wide <b>", "recipe": "gan", "set": {"latent.dim": 9}}]
    variants = {"": {}, "broken": {"training.batch_size": 64}}
    values = {
        **TINY,
        "recipes": recipes,
        "variants": variants,
        "datasets": {"few": {"name": "digits", "subset": 40}},
        "seeds": 1,
        "curves": ["generator/loss"],
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(values))
    result = mtgan("study", "mine.yaml", "--jobs", "2", "--out", "s", cwd=folder)
    assert result.returncode == 2, result.stderr  # runs failed, for reasons of the user's own
    assert "fewer than one batch of 64" in result.stderr
    assert "2 of the study's runs failed" in result.stderr
    assert "2 of 4 runs failed" in result.stdout
    return folder


def test_the_page_stands_alone(place: Path) -> None:
    page = (place / "s" / "report.html").read_text()
    assert "wide &lt;b&gt;" in page
    assert "no significance is claimed" in page
    assert "fewer than one batch" in page
    assert (
        page.count('src="data:image/') == 4
    )  # distances, losses over training, samples of two cells
    for remote in ('src="http', "<script", "@import", "url("):
        assert remote not in page


def test_reports_in_every_form(place: Path) -> None:
    for name in ("x.html", "x.md", "x.tex"):
        result = mtgan("report", "s", "--out", name, cwd=place)
        assert result.returncode == 0, result.stderr
    table = (place / "x.tex").read_text()
    assert r"\toprule" in table
    assert r"wide $<$b$>$" in table
    assert "| gan |" in (place / "x.md").read_text()
    wrong = mtgan("report", "s", "--out", "x.pdf", cwd=place)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert ".html, .md or .tex" in wrong.stderr


def test_a_crash_of_ours_ends_with_1_and_all_finished_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(TINY))
    command = ("study", "mine.yaml", "--out", "s", "--quiet")
    crash = (sys.executable, "-c", "raise SystemExit(3)")
    with monkeypatch.context() as patch:
        patch.setitem(
            _EXECUTORS, "local", lambda out, *_: LocalExecutor(out / "logs", command=crash)
        )
        broken = mtgan(*command, cwd=tmp_path)
    assert broken.returncode == 1
    assert "exit code 3" in broken.stderr
    assert "1 of the study's runs failed" in broken.stderr
    # Nothing is there to be told, and that is said with the reason.
    nothing = mtgan("report", "s", cwd=tmp_path)
    assert (nothing.returncode, len(nothing.stderr.splitlines())) == (2, 1)
    assert "1 failed at the last attempt" in nothing.stderr
    monkeypatch.setitem(_EXECUTORS, "local", lambda *_: Here())
    fine = mtgan(*command, cwd=tmp_path)
    assert (fine.returncode, fine.stdout) == (0, "")
    assert json.loads((tmp_path / "s" / "failures.json").read_text()) == {}


def test_a_plan_without_running(place: Path) -> None:
    result = mtgan("study", "mine.yaml", "--dry-run", "--out", "s", "--seeds", "1", cwd=place)
    # Timing the broken recipe says what is wrong with it.
    assert result.returncode == 2
    assert "fewer than one batch" in result.stderr
    assert not (place / "studies").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bifurcatoin"], "did you mean 'bifurcation'?"),
        (["resnet", "--scale", "tinny"], "did you mean 'tiny'?"),
        (["resnet", "--executor", "rai"], "did you mean 'ray'?"),
        (["nowhere.yaml"], "no study file nowhere.yaml"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_2(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    result = mtgan("study", *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert sentence in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
