"""The demo trains its control beside it, and goes on with both."""

from pathlib import Path

import pytest

import printed
from mtgan.training import Run


@pytest.mark.slow
def test_the_demo_trains_both_and_goes_on_with_both(tmp_path: Path) -> None:
    for arguments in (["--steps", "6"], ["--steps", "12", "--resume"]):
        printed.run(["demo", "--out", "demo", *arguments], tmp_path)
    both = [Run.open(tmp_path / name) for name in ("demo", "demo-one-task")]
    assert [run.steps[-1] for run in both] == [12, 12]
    assert [[task.labels for task in run.recipe.tasks] for run in both] == [
        ["fine", "coarse"],
        ["fine"],
    ]
    page = (tmp_path / "demo" / "report.html").read_text()
    assert "tasks: fine, coarse" in page
