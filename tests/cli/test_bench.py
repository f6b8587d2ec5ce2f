"""`mtgan bench quality` as a user types it; nothing is trained."""

from pathlib import Path

import pytest

from mtgan.cli import main


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "")  # to which the command adds
    return tmp_path


def test_a_part_of_it_is_planned(place: Path, capsys) -> None:
    part = ["--recipe", "DCGAN script", "--recipe", "dcgan", "--marks", "15,30", "--seeds", "5..6"]
    with pytest.raises(SystemExit) as end:
        main(["bench", "quality", "--dry-run", "--half", "reporting", *part])
    assert end.value.code == 0
    said = capsys.readouterr().out
    assert "seeds: 5, 6; compared: dcgan / 15 s against DCGAN script / 15 s, dcgan / 30 s" in said
    # The script has one training for both marks, and dcgan, whose rates fall at tiny, one for each.
    assert "6 runs, 0 of them finished; folder: studies/quality-reporting" in said
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--marks", "15,x"], "--marks takes numbers, as 15,30,60; found 'x'"),
        (["--marks", "30,15"], "marks should rise; found 30, 15"),
        (["--seeds", "a..9"], "--seeds takes numbers"),
        (["--half", "third"], "tuning"),
        (["--recipe", "dcgn"], "did you mean 'dcgan'"),
        (["--root", "x"], "--root belongs to a data set"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], sentence: str, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(["bench", "quality", "--dry-run", *arguments])
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
