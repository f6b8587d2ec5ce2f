"""What `mtgan evaluate` wrote, on the page: scores, axes, intervals; and what cannot be read."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from mtgan.evaluation.protocol import Protocol
from mtgan.evaluation.scorecard import Axis, Entry, Scorecard
from mtgan.reports import write_report
from mtgan.reports.evaluations import evaluation_tables
from mtgan.training import Run, train
from toys import make_data, small_recipe

CARD = Scorecard(
    protocol=Protocol(
        *("default", 90, 80, "toys <b>", "train", "0" * 16, "pixels", "1" * 16, "none", "uint8")
    ),
    entries={
        "frechet_distance": Entry(
            12.5, "lower", "distribution", "pixels", 90, (12.0, 13.0), 1.5, 80.0, 0.75
        ),
        "vendi_score": Entry(float("nan"), "like real", "", "pixels", 90),
    },
    axes={"distribution": Axis(0.75, (0.70, 0.81), "like blur, 2 px")},
    overall=0.66,
    interval=(0.6, 0.7),
    gate=1.0,
    notes=("96 samples are few",),
    judge=("judge: pixels; it is not known what it recognizes",),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "a $(run)"
    return train(small_recipe("wgan-gp", training__steps=1), make_data(), out, quiet=True)


def test_the_page_keeps_axes_scores_and_intervals(run: Run) -> None:
    (run.path / "evaluation.json").write_text(CARD.to_json())
    page = write_report(run).read_text()
    for text in ("distribution", "0.75", "[0.70, 0.81]", "like blur, 2 px", "overall", "0.66"):
        assert text in page
    for text in ("[0.60, 0.70]", "authenticity gate 1.00", "96 samples are few", "0.5", "1.5"):
        assert text in page
    assert "toys &lt;b&gt;" in page
    judge = page.index("judge: pixels; it is not known")
    assert page.index("<h2>Evaluation</h2>") < judge < page.index("like blur, 2 px")
    assert "nan" not in page.lower().split("<h2>pictures")[0].replace("finance", "")


def test_measures_of_a_run_over_domains(run: Run) -> None:
    measures = {"smiles/ngram_distance/1": {"value": 0.123, "better": "lower"}}
    (run.path / "evaluation.json").write_text(json.dumps(measures))
    page = write_report(run).read_text()
    assert "smiles/ngram distance/1" in page
    assert "0.123" in page


def edited(**changes: object) -> str:
    values = json.loads(CARD.to_json())
    for key, value in changes.items():
        *path, last = key.split("__")
        here = values
        for part in path:
            here = here[part]
        here[last] = value
    return json.dumps(values)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "3",
        "[]",
        "null",
        "{}",
        '{"format": "other"}',
        '{"a": 1}',
        '{"a": {"value": "x", "better": "lower"}}',
        '{"a": {"value": true, "better": "lower"}}',
        '{"a": {"value": 1}}',
        edited(entries__frechet_distance__value="many"),
        edited(entries__frechet_distance__samples=None),
        edited(entries__frechet_distance__interval=[1]),
        edited(entries__frechet_distance__more=1),
        edited(axes__distribution__score=[]),
        edited(protocol__generated="x"),
        edited(overall="high"),
        edited(notes=[3]),
        edited(details={"a": {"b": "c"}}),
        "[" * 100_000,
        b"\xff\xfe{}".decode("latin-1"),
    ],
)
def test_what_cannot_be_read_is_left_out_and_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(text)
    tables, notes = evaluation_tables(path, tmp_path / "r un")
    assert tables == []
    assert len(notes) == 1
    assert str(path) in notes[0]
    assert f"Write it anew by: mtgan evaluate '{tmp_path}/r un'" in notes[0]


def test_the_page_is_written_all_the_same(run: Run) -> None:
    (run.path / "evaluation.json").write_text("{")
    assert "evaluation.json is left out here" in write_report(run).read_text()
    (run.path / "evaluation.json").unlink()
    (run.path / "evaluation.json").mkdir()
    assert "it is a folder" in write_report(run).read_text()
    (run.path / "evaluation.json").rmdir()
    assert "left out here" not in write_report(run).read_text()


def test_the_card_of_these_tests_is_one() -> None:
    again = Scorecard.from_json(CARD.to_json())
    assert asdict(again)["axes"] == asdict(CARD)["axes"]
