"""Shares of failed runs: by hand, and from runs that finished, diverged, or did neither."""

import math
import shutil

import pytest

from mtgan.errors import UserError
from mtgan.reports.study import write_study_report
from mtgan.studies.collect import StudyResult, write_failures
from mtgan.studies.conclusions import conclude
from mtgan.studies.failures import compare_shares, failed_runs
from mtgan.studies.jobs import run_folder
from mtgan.studies.measures import Limit
from mtgan.studies.schema import Study
from mtgan.studies.statistics import share_interval
from studies_toys import TINY

LIMIT = {"beyond": {"frechet_distance": {"above": 50.0}}}


def wilson_by_hand(failed: int, runs: int) -> tuple[float, float]:
    z, share = 1.959963984540054, failed / runs
    middle = (share + z * z / (2 * runs)) / (1 + z * z / runs)
    half = z / (1 + z * z / runs) * math.sqrt(share * (1 - share) / runs + z * z / (4 * runs**2))
    return middle - half, middle + half


@pytest.mark.parametrize(("failed", "runs"), [(0, 5), (3, 20), (20, 20), (1, 2)])
def test_wilsons_interval(failed: int, runs: int) -> None:
    assert share_interval(failed, runs) == pytest.approx(wilson_by_hand(failed, runs))
    assert share_interval(0, 0) == (0.0, 1.0)


def test_pairs_are_compared_by_those_that_differ() -> None:
    """7 pairs in which the first alone fails, one in which the second does: p is twice the chance
    of at most one of 8 coins, 2 * 9 / 256."""
    first = {(i,): i < 9 for i in range(12)}
    second = {(i,): i in {0, 1, 10} for i in range(12)}
    row = compare_shares("a", first, "b", second)
    assert (row.test, row.only) == ("McNemar's exact", (7, 1))
    assert row.p == pytest.approx(2 * 9 / 256)
    assert compare_shares("a", second, "b", second).p == 1


def test_runs_without_partners_are_compared_by_fishers_test() -> None:
    """Of 4 and 4 runs all and none fail: two of the 70 tables are as far apart."""
    first, second = ({(name, i): name == "a" for i in range(4)} for name in "ab")
    row = compare_shares("a", first, "b", second)
    assert (row.test, row.only) == ("Fisher's exact", None)
    assert row.p == pytest.approx(2 / math.comb(8, 4))


def test_what_fails(fake) -> None:
    """Beyond the limit, not finite, and diverged; what was killed or not begun is not known."""
    good, bad = 5.0, 80.0
    values = {
        "old": {"frechet_distance": [bad, math.nan, good, good, good, good]},
        "new": {"frechet_distance": [good, good, good, good, good, good]},
    }
    result = fake(values, failure=LIMIT)
    runs = result.runs_of("old")
    for seed in (2, 3, 4):
        shutil.rmtree(run_folder(result.path, runs[seed]))
    (run_folder(result.path, runs[2]) / "checkpoints" / "diverged-7").mkdir(parents=True)
    write_failures(result.path, {runs[2]: "not finite", runs[3]: "ended by SIGKILL"})
    result = StudyResult.open(result.path)
    assert failed_runs(result, "old") == {0: True, 1: True, 2: True, 5: False}
    statistics = conclude(result)
    old, new = statistics.failures
    assert (old.failed, old.runs, old.diverged, old.unknown) == (3, 4, 1, 2)
    assert (new.failed, new.runs, new.share) == (0, 6, 0)
    [row] = statistics.failure_comparisons
    # 3 of 4 against 0 of 6: of the 210 ways to place 4 in 10, those with as many or more.
    assert (row.first, row.second, row.test) == ("new", "old", "Fisher's exact")
    assert row.p == pytest.approx(math.comb(4, 3) * math.comb(6, 0) / math.comb(10, 3))
    tested = len([r for r in statistics.rows if r.comparison.enough])
    assert all(r.family == tested + 1 for r in statistics.rows)
    assert any(
        "3 of 4 runs of old (and 2 of which it is not known)" in s for s in statistics.sentences
    )
    assert statistics.to_dict()["failures"][0]["share"] == 0.75


def test_the_page_has_the_shares(fake) -> None:
    column = {"frechet_distance": [5.0, 60.0, 70.0]}
    result = fake({"old": column, "new": {"frechet_distance": [5.0, 6.0, 7.0]}}, failure=LIMIT)
    paths = {path.suffix: path.read_text() for path in write_study_report(result)}
    row = "| old | 3 | 2 | 0 | 67% [21%, 94%] | – | – | – | – |"
    assert row in paths[".md"].replace("\\", "")
    assert "## Failed runs" in paths[".md"]
    assert "<h2>Failed runs</h2>" in paths[".html"]
    assert "failed runs. A run failed that diverged" in paths[".tex"]
    [share] = [one for one in conclude(result).failures if one.arm == "old"]
    assert share.interval == pytest.approx(wilson_by_hand(2, 3))


def test_arms_by_a_key_are_paired_by_all_else(fake) -> None:
    values = {"gan": {"frechet_distance": [5.0]}}
    space = {"axes": {"optimizer.beta1": [0.0, 0.5], "generator.kernel": [3, 5, 7]}}
    result = fake(values, space=space, failure={**LIMIT, "arms": ["optimizer.beta1"]})
    statistics = conclude(result)
    assert [(one.arm, one.runs) for one in statistics.failures] == [
        ("optimizer.beta1 = 0.0", 3),
        ("optimizer.beta1 = 0.5", 3),
    ]
    [row] = statistics.failure_comparisons
    assert (row.only, row.p) == ((0, 0), 1.0)


def test_limits() -> None:
    low = Limit(below=0.1)
    assert [low.passed(x) for x in (0.05, 0.1, 2.0)] == [True, False, False]
    assert low.passed(math.nan)
    assert low.passed(math.inf)


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        ({"beyond": {"frechet": {"above": 1.0}}}, "failure.beyond names 'frechet'.*did you mean"),
        ({"beyond": {"frechet_distance": {}}}, "should say above or below which value"),
        ({"arms": []}, "at least 1"),
        ({"arms": ["optimizer.beta"]}, "failure.arms names 'optimizer.beta': known: data"),
    ],
)
def test_what_is_refused(failure: dict, sentence: str) -> None:
    with pytest.raises((UserError, ValueError), match=sentence):
        Study.model_validate({**TINY, "failure": failure})
