"""Several runs on one page."""

from html import unescape
from pathlib import Path

import pytest

from cli.test_commands import mtgan
from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.reports import write_comparison
from mtgan.runs import evaluate_run, store
from mtgan.training import Run, train
from toys import make_data, small_recipe


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Run]:
    """Two runs on digits, one of them conditional with another seed, and one on other data."""
    folder = tmp_path_factory.mktemp("runs")
    digits = load_dataset("digits", subset=100)
    made = [
        train(small_recipe("wgan-gp"), digits, folder / "plain", quiet=True),
        train(small_recipe("cwgan-a"), digits, folder / "told", seed=3, quiet=True),
        train(small_recipe("wgan-gp"), make_data(), folder / "toy", quiet=True),
    ]
    options = {"features": "pixels", "protocol": "training"}
    for run, n in zip(made[:2], (80, 80), strict=True):
        store(run, evaluate_run(run, n=n, **options))
    return made


def test_one_page_says_what_differs_and_shows_both(runs: list[Run], tmp_path: Path) -> None:
    page = unescape(write_comparison(runs[:2], tmp_path / "c.html").read_text())
    differences = page.split("<h2>What differs</h2>")[1].split("<h2>")[0]
    for key in ("generator.conditioning", "discriminator.conditioning", "seed"):
        assert f">{key}</th>" in differences
    assert "learning_rate" not in differences
    assert ">frechet distance ↓</th>" in page
    assert "80 generated against 80 of digits" in page
    assert 'alt="plain: Samples"' in page
    assert 'alt="told: Samples by fine"' in page


def test_numbers_made_in_unlike_ways_are_not_put_side_by_side(
    runs: list[Run], tmp_path: Path
) -> None:
    kept = (runs[1].path / "evaluation.json").read_text()
    store(runs[1], evaluate_run(runs[1], n=70, features="pixels", protocol="training"))
    page = unescape(write_comparison(runs[:2], tmp_path / "c.html").read_text())
    (runs[1].path / "evaluation.json").write_text(kept)
    assert "measured in unlike ways, so their numbers do not compare (generated: 80 and 70" in page
    assert "frechet distance ↓" not in page


def test_a_run_without_an_evaluation_says_how_to_get_one(runs: list[Run], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    kept = (runs[0].path / "evaluation.json").rename(tmp_path / "empty" / "card.json")
    page = unescape(write_comparison(runs[:2], tmp_path / "c.html").read_text())
    kept.rename(runs[0].path / "evaluation.json")
    assert f"plain has no evaluation that can be read: mtgan evaluate {runs[0].path}" in page


def test_the_command_writes_one_page_and_spares_others(runs: list[Run], tmp_path: Path) -> None:
    paths = [str(run.path) for run in runs[:2]]
    assert mtgan("compare", *paths, cwd=tmp_path).stdout == "wrote comparison.html\n"
    assert mtgan("compare", *paths, "--quiet", cwd=tmp_path).returncode == 0
    (tmp_path / "mine.html").write_text("my own notes")
    for arguments, sentence in (
        ((*paths, "--out", "mine.html"), "exists already, and mtgan did not write it"),
        (paths[:1], "compare takes 2 to 8 runs; found 1"),
        ((paths[0], paths[0]), "the same run twice"),
    ):
        result = mtgan("compare", *arguments, cwd=tmp_path)
        assert result.returncode == 2
        assert sentence in result.stderr


def test_a_run_on_arrays_can_be_compared(runs: list[Run], tmp_path: Path) -> None:
    page = unescape(write_comparison([runs[0], runs[2]], tmp_path / "c.html").read_text())
    assert "toy" in page
    with pytest.raises(UserError, match=r"is a \.html file"):
        write_comparison(runs[:2], tmp_path / "c.pdf")
