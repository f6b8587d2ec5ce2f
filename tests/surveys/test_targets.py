"""What is handed out: pages that hold all and tell nothing, and what a marketplace takes."""

import base64
import csv
import json
import re
from pathlib import Path

import pytest

from cli.test_commands import mtgan as command
from mtgan.errors import UserError
from mtgan.surveys import Survey
from mtgan.surveys.session import in_script, session_of
from mtgan.surveys.targets import TARGETS, Options, export
from surveys.conftest import make_survey


def session_in(page: Path) -> dict:
    found = re.search(
        r'<script type="application/json" id="session">(.*?)</script>', page.read_text()
    )
    assert found is not None
    return json.loads(found[1])


def test_a_page_holds_all_and_tells_nothing(pairs: Survey, tmp_path: Path) -> None:
    folder, sentence = export(pairs, "static", tmp_path / "out", Options())
    assert sorted(path.name for path in folder.iterdir()) == [
        f"rater-{seat}.html" for seat in pairs.plan.seats
    ]
    assert str(pairs.path / "answers") in sentence
    for seat, trials in pairs.plan.seats.items():
        page = folder / f"rater-{seat}.html"
        session = session_in(page)
        assert [one["id"] for one in session["trials"]] == [trial.id for trial in trials]
        for told, trial in zip(session["trials"], trials, strict=True):
            assert set(told) == {"id", "images", "of_class"}
            images = pairs.stimulus(trial).images
            assert told["images"] == list(images[::-1] if trial.flipped else images)
            for name in told["images"]:
                content = session["pictures"][name].removeprefix("data:image/png;base64,")
                assert base64.b64decode(content) == pairs.image(name).read_bytes()
        text = page.read_text()
        assert not re.findall(r"https?://|(?:src|href)=", text)
        del session["words"], session["pictures"]
        assert not re.findall(r"\bone\b|\btwo\b|noise|catch|real|right\"\]", json.dumps(session))


def test_words_are_no_markup(tmp_path: Path, sets: dict[str, str]) -> None:
    made = make_survey(tmp_path / "x", sets)
    path = made.path / "wording.yaml"
    path.write_text(path.read_text().replace("Left", "'</script><b>&'"))
    folder, _ = export(Survey.open(made.path), "static", None, Options())
    assert folder == made.path / "static"
    page = folder / "rater-r1.html"
    assert "</script><b>" not in page.read_text()
    assert session_in(page)["answers"][0]["label"] == "</script><b>&"
    assert json.loads(in_script("<&>")) == "<&>"


def test_mechanical_turk_gets_layout_batch_and_images(pairs: Survey, tmp_path: Path) -> None:
    folder, sentence = export(
        pairs, "mturk", tmp_path / "out", Options(image_url="https://example.org/faces")
    )
    assert "https://example.org/faces/" in sentence
    layout = (folder / "layout.html").read_text()
    assert re.findall(r"\$\{(.*?)\}", layout) == ["session"]
    assert "<crowd-form>" in layout
    assert 'name="answers"' in layout
    with open(folder / "batch.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seat"] for row in rows] == list(pairs.plan.seats)
    for row in rows:
        session = json.loads(base64.b64decode(row["session"]))
        assert session == session_of(pairs, row["seat"], base="https://example.org/faces/")
        assert session["pictures"] == {}
    names = {path.name for path in (folder / "images").iterdir()}
    assert names == {path.name for path in (pairs.path / "images").iterdir()}


def test_the_table_has_every_trial(pairs: Survey, tmp_path: Path) -> None:
    folder, _ = export(pairs, "csv", tmp_path / "out", Options())
    with open(folder / "trials.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 17
    for row in rows:
        trial = pairs.trials[row["seat"]][row["trial"]]
        assert (row["left"], row["right"]) == pairs.shown(trial)
        named = dict(zip(pairs.stimulus(trial).images, pairs.stimulus(trial).arms, strict=True))
        assert (named[row["left"]], named[row["right"]]) == (row["left_model"], row["right_model"])


REFUSED = {
    "mturk": "say by --image-url where the images will lie",
    "mturk --image-url somewhere": "--image-url should be an address like https://host/path",
    "mturk --image-url https://x/ --post https://y/": "--post is for static",
    "static --image-url https://x/": "--image-url is for mturk",
    "static --post ftp://x": "--post should be an address",
    "csv --post https://x/": "for other targets than csv",
    "statc": "did you mean 'static'",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_cannot_be_is_said_in_a_sentence(options: str, pairs: Survey, tmp_path: Path) -> None:
    words = ("survey", "export", str(pairs.path), "--out", "out", "--to", *options.split())
    done = command(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert REFUSED[options] in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_hit_that_is_too_large_is_refused(tmp_path: Path, sets: dict[str, str]) -> None:
    made = make_survey(tmp_path / "x", sets, raters=2, trials=390, repeats=100, judged=5)
    with pytest.raises(UserError, match="bytes, and Mechanical Turk takes 65,535; plan"):
        export(made, "mturk", None, Options(image_url="https://x/"))
    assert not (made.path / "mturk").exists()


def test_no_target_overwrites(pairs: Survey, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    for target in TARGETS.names():
        with pytest.raises(UserError, match="exists already; name another by --out"):
            export(pairs, target, tmp_path, Options(image_url="https://x/"))
