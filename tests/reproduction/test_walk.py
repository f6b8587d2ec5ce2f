"""The real way of a handful of entries, at the scale tiny, and the command's messages."""

import json
from pathlib import Path

import pytest

import printed
from mtgan.cli import main

WALKED = [
    "thesis/5.19",
    "thesis/5.21",
    "thesis/claim-equal-inception-score",
    "thesis/3.1",
    "thesis/claim-real-sets",
]


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        main(["reproduce", *words])
    shown = capsys.readouterr()
    return int(end.value.code or 0), shown.out + shown.err


def test_an_unknown_id_is_told_by_its_nearest(capsys, tmp_path: Path) -> None:
    code, text = said(capsys, "thesis/5.99", "--out", str(tmp_path / "r"))
    assert code == 2
    assert "no entry 'thesis/5.99': did you mean 'thesis/5.9'?" in text
    assert not (tmp_path / "r").exists()


def test_what_is_not_built_says_why(capsys, tmp_path: Path) -> None:
    code, text = said(capsys, "review/claim-sound", "--out", str(tmp_path / "r"))
    assert code == 2
    assert "review/claim-sound is not built: there is no domain of sound yet." in text


def test_a_table_without_runs_by_the_command(capsys, tmp_path: Path) -> None:
    code, text = said(capsys, "thesis/table-4.2", "--out", str(tmp_path / "r"), "--json")
    assert code == 0
    [found] = json.loads(text)
    assert (found["id"], found["verdict"]) == ("thesis/table-4.2", "holds")
    assert found["counts"] == {"rows": 12, "columns": 5}


def test_what_cannot_be_drawn_ends_in_a_failure(capsys, tmp_path: Path, flat_data: Path) -> None:
    options = ("--data", str(flat_data), "--out", str(tmp_path / "r"))
    code, text = said(capsys, "thesis/1.4", "thesis/3.3", *options)
    assert code == 2
    assert "thesis/1.4 needs a second label level" in text
    assert "thesis/3.3: holds" in text
    assert "0 runs failed, and 1 of 2 entries could not be drawn" in text


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore")
def test_a_handful_is_walked_and_nothing_is_run_twice(tmp_path: Path) -> None:
    words = ["reproduce", *WALKED, "--scale", "tiny", "--seeds", "1", "--jobs", "2", "--out", "r"]
    printed.run(words, tmp_path)
    results = sorted(tmp_path.glob("r/tiny/studies/resnet/runs/*/result.json"))
    assert len(results) == 3
    before = [file.stat().st_mtime_ns for file in results]
    printed.run(words, tmp_path)
    assert [file.stat().st_mtime_ns for file in results] == before
    for name in WALKED:
        folder = tmp_path / "r/tiny" / name
        values = json.loads((folder / "entry.json").read_text())
        assert values["verdict"] == "not decided", values["reason"]
        assert values["counts"]
        assert all((folder / file).is_file() for file in values["files"])
    printed.run(["reproduce", "report", "--scale", "tiny", "--out", "r"], tmp_path)
    page = (tmp_path / "r/tiny/reproduction.md").read_text()
    assert "| resnet | 3 | 1 |" in page
