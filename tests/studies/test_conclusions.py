"""What is said follows from the numbers, and no more than that."""

import json

import numpy as np
import pandas as pd
import pytest

from mtgan.errors import UserError
from mtgan.reports.study import write_study_report
from mtgan.studies.collect import StudyResult, table, write_failures, write_plan
from mtgan.studies.conclusions import conclude
from mtgan.studies.plan import make_plan
from mtgan.studies.schema import Study
from mtgan.studies.study import write_results

BASE = [4.0, 4.2, 3.9, 4.1, 4.05]
BETTER = [3.0, 3.15, 2.95, 3.05, 3.1]
NOISY = [4.3, 3.6, 4.4, 3.9, 4.1]


def said(fake, values, **keys) -> tuple[list[str], list[str]]:
    """(verdicts, sentences)."""
    statistics = conclude(fake(values, **keys))
    return [row.verdict for row in statistics.rows], statistics.sentences


def distances(**cells: list[float]) -> dict:
    return {name: {"frechet_distance": values} for name, values in cells.items()}


def test_a_planted_difference_is_told(fake) -> None:
    verdicts, sentences = said(fake, distances(base=BASE, new=BETTER, noisy=NOISY))
    assert verdicts == ["better", "no difference found"]
    best, claim, none = sentences
    assert best.startswith(
        "Frechet distance: new has the best median, 3.05, and is better than base"
    )
    assert claim.startswith("Frechet distance: new is lower (better) than base: 3.05 against 4.05")
    assert "5 seeds each; paired t test" in claim
    assert "Holm's correction for 2 comparisons" in claim
    assert none.startswith("Frechet distance: no difference was found between noisy and base")
    assert "seeds would be needed" in none


def test_direction_decides_what_is_better(fake) -> None:
    values = {name: {"accuracy/fine": column} for name, column in (("a", BASE), ("b", BETTER))}
    verdicts, sentences = said(fake, values)
    assert verdicts == ["worse"]
    assert "a has the best median, 4.05, a baseline itself" in sentences[0]


def test_without_a_direction_nothing_is_better(fake) -> None:
    values = {name: {"log_loss_ratio": column} for name, column in (("a", BASE), ("b", BETTER))}
    verdicts, sentences = said(fake, values)
    assert verdicts == ["lower"]
    assert len(sentences) == 1
    assert "better" not in sentences[0]


def test_two_seeds_claim_nothing(fake) -> None:
    verdicts, sentences = said(fake, distances(base=[4.0, 4.001], new=[1.0, 1.001]))
    assert verdicts == ["too few seeds"]
    assert "no significance is claimed" in sentences[1]
    assert "p =" not in " ".join(sentences)


def test_the_correction_counts_every_comparison(fake) -> None:
    cells = {f"c{i}": NOISY[i:] + NOISY[:i] for i in range(5)}
    values = {
        name: {"frechet_distance": column, "accuracy/fine": column}
        for name, column in {"base": BASE, **cells}.items()
    }
    statistics = conclude(fake(values))
    assert {row.family for row in statistics.rows} == {10}
    smallest = min(statistics.rows, key=lambda row: row.comparison.p)
    assert smallest.p_holm == pytest.approx(min(1.0, 10 * smallest.comparison.p))
    assert not any(row.significant for row in statistics.rows)


def test_what_a_run_took_is_shown_and_not_tested(fake) -> None:
    values = {
        name: {"frechet_distance": column, "iterations": [9.0, 8.0, 9.5, 7.0, 8.5], "recall": BASE}
        for name, column in {"base": BASE, "new": BETTER}.items()
    }
    measures = ["frechet_distance", "iterations", {"name": "recall", "compared": False}]
    statistics = conclude(fake(values, measures=measures))
    assert [(row.measure.name, row.family) for row in statistics.rows] == [("frechet_distance", 1)]
    assert statistics.summaries["iterations"]["new"].mean == pytest.approx(8.4)
    assert statistics.summaries["recall"]["base"].count == 5


def test_what_a_run_took_is_tested_where_that_is_asked_for(fake) -> None:
    values = {name: {"iterations": column} for name, column in {"a": BASE, "b": BETTER}.items()}
    asked = [{"name": "iterations", "compared": True}]
    assert len(conclude(fake(values, measures=asked)).rows) == 1


def test_only_shared_seeds_are_paired(fake) -> None:
    statistics = conclude(fake(distances(base=BASE, new=BETTER[:3])))
    [row] = statistics.rows
    assert row.comparison.count == (3, 3)
    assert row.comparison.paired
    assert row.means == (pytest.approx(np.mean(BETTER[:3])), pytest.approx(np.mean(BASE[:3])))


def test_failed_and_missing_runs_are_said(fake) -> None:
    result = fake(distances(base=BASE, new=BETTER[:3]))
    runs = list(result.runs_of("new").values())
    write_failures(result.path, {runs[3]: "it diverged", runs[0]: "has finished since"})
    sentences = conclude(StudyResult.open(result.path)).sentences
    assert "1 of 10 runs failed and count in no measure below (1 of 5 of new)" in sentences[0]
    assert sentences[1] == "1 of 10 runs are not finished yet."


def test_seeds_without_a_value_are_counted_and_named(fake) -> None:
    nan, infinite = float("nan"), float("inf")
    gaps = [3.0, nan, 2.95, infinite, 3.1]
    values = {
        "base": {"frechet_distance": BASE, "accuracy/fine": BASE},
        # The last two runs have recorded no accuracy at all.
        "b": {"frechet_distance": gaps, "accuracy/fine": BASE[:3]},
    }
    result = fake(values)
    statistics = conclude(result)
    distance, accuracy = statistics.sentences[:2]
    assert distance == (
        "Frechet distance: 2 of 5 runs of b have no value of this measure (seeds 1, 3). What is "
        "absent or not finite counts nowhere."
    )
    assert "2 of 5 runs of b have no value of this measure (seeds 3, 4)" in accuracy
    assert statistics.without_value == {
        "frechet_distance": {"b": [1, 3]},
        "accuracy/fine": {"b": [3, 4]},
    }
    assert statistics.summaries["frechet_distance"]["b"].count == 3
    assert not any("runs of base have" in sentence for sentence in statistics.sentences)
    for page in write_study_report(result):
        assert "2 of 5 runs of b have no value of this measure (seeds 1, 3)" in page.read_text()
    written = json.loads((result.path / "statistics.json").read_text())
    assert written["without_value"]["frechet_distance"] == {"b": [1, 3]}
    assert distance in written["conclusions"]


def test_a_run_without_any_value_leaves_an_empty_row(fake) -> None:
    nothing = [float("nan")] * 3
    statistics = conclude(fake(distances(base=BASE[:3], dead=nothing)))
    assert "3 of 3 runs of dead have no value of this measure" in statistics.sentences[0]
    assert statistics.rows == []


def test_a_measure_that_no_run_has_names_the_nearest(fake) -> None:
    result = fake(distances(a=BASE, b=BETTER), measures=["frechet_distanse"])
    first = conclude(result).sentences[0]
    assert first.startswith("No run has the measure 'frechet_distanse': did you mean 'frechet_dist")


def test_the_probability_is_of_being_better(fake) -> None:
    [row] = conclude(fake(distances(base=BASE, new=BETTER))).rows
    assert row.comparison.improvement == 0.0  # never larger
    assert row.improves == 1.0  # always better


def test_the_table_is_tidy(fake) -> None:
    values = {
        name: {"frechet_distance": column, "inception_score": [1.0, 2.0]}
        for name, column in (("a", [4.0, float("nan")]), ("b", [3.0, 5.0]))
    }
    result = fake(values)
    frame = table(result)
    assert len(frame) == 8
    assert list(frame[frame.cell == "b"]["set.latent.dim"].unique()) == ["11"]
    assert set(frame.seed) == {0, 1}
    assert dict(zip(frame.measure, frame.better, strict=True)) == {
        "frechet_distance": "lower",
        "inception_score": "higher",
    }
    write_results(result)
    from_csv = pd.read_csv(result.path / "table.csv")
    from_parquet = pd.read_parquet(result.path / "table.parquet")
    assert list(from_csv.columns) == list(from_parquet.columns) == list(frame.columns)
    assert from_parquet.value.equals(frame.value)
    assert from_csv.value.equals(frame.value)
    # What is not finite stands in the table, and is compared with nothing.
    assert result.values("a", "frechet_distance") == {0: 4.0}
    written = json.loads((result.path / "statistics.json").read_text())
    assert written["comparisons"][0]["verdict"] == "too few seeds"


def test_runs_measured_otherwise_do_not_count(fake) -> None:
    result = fake(distances(a=BASE, b=BETTER))
    study = result.study.model_dump()
    study["evaluation"]["samples"] = 77
    write_plan(make_plan(Study.model_validate(study)), result.path)
    assert StudyResult.open(result.path).results == {}
    with pytest.raises(UserError, match=r"No run of .* has finished"):
        write_results(StudyResult.open(result.path))


def test_many_comparisons_of_too_few_runs_are_one_sentence_for_each_measure(fake) -> None:
    names = ("a", "b", "c", "d", "e")
    result = fake({name: {"frechet_distance": [1.0], "x": [2.0]} for name in names})
    few = [text for text in conclude(result).sentences if "no significance" in text]
    assert few == [
        f"{title}: 4 comparisons have fewer than 3 seeds, and no significance is claimed."
        for title in ("Frechet distance", "X")
    ]
