"""How often runs fail, arm by arm: shares with their intervals, compared by exact tests."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scipy import stats

from mtgan.studies.collect import StudyResult
from mtgan.studies.statistics import Interval, share_interval

_PARTS = ("recipe", "variant", "data")
_Run = tuple[Any, ...]
"""By what runs of two arms are paired."""


@dataclass(frozen=True)
class FailureShare:
    """The runs of one arm: failed of so many, and Wilson's 95 % interval of the share (Wilson
    1927). unknown: runs that are not finished, or failed of something else than their training.
    diverged: those of the failed ones that were stopped by values that are not finite."""

    arm: str
    failed: int
    runs: int
    diverged: int
    unknown: int
    interval: Interval

    @property
    def share(self) -> float:
        return self.failed / self.runs if self.runs else math.nan


@dataclass(frozen=True)
class FailureComparison:
    """Two arms, and the exact p of their shares being equal: McNemar's test where runs of the same
    other settings and seed are paired (only: failed in the first alone, in the second alone), else
    Fisher's."""

    first: str
    second: str
    test: str
    only: tuple[int, int] | None
    p: float
    p_holm: float = 1.0


def failed_runs(result: StudyResult, label: str) -> dict[int, bool]:
    """Whether the runs of a cell failed, by seed; those of which that is not known are left out."""
    part = result.study.failure
    limits = part.beyond if part else {}
    found = {}
    for seed, run in result.runs_of(label).items():
        if run in result.results:
            values = result.results[run]["values"]
            found[seed] = any(
                limit.passed(values.get(name, {"value": math.nan})["value"])
                for name, limit in limits.items()
            )
        elif result.diverged(run):
            found[seed] = True
    return found


def failure_shares(result: StudyResult) -> list[FailureShare]:
    """Of every arm; none where the study does not say when a run has failed."""
    arms = result.study.failure.arms if result.study.failure else []
    found = []
    for by in arms:
        for arm, labels in _arms(result, by).items():
            known = [failed_runs(result, label) for label in labels]
            runs = sum(map(len, known))
            failed = sum(sum(one.values()) for one in known)
            names = [run for label in labels for run in result.runs_of(label).values()]
            diverged = sum(map(result.diverged, names))
            share = FailureShare(
                arm, failed, runs, diverged, len(names) - runs, share_interval(failed, runs)
            )
            found.append(share)
    return found


def failure_comparisons(result: StudyResult) -> list[FailureComparison]:
    """Each arm against that of the baseline, or the first; not yet corrected."""
    arms = result.study.failure.arms if result.study.failure else []
    found = []
    for by in arms:
        runs = {arm: _runs(result, labels, by) for arm, labels in _arms(result, by).items()}
        runs = {arm: of_arm for arm, of_arm in runs.items() if of_arm}
        named = getattr(result.study.baseline, by, None) if by in _PARTS else None
        base = str(named) if named in runs else next(iter(runs), "")
        found += [compare_shares(arm, runs[arm], base, runs[base]) for arm in runs if arm != base]
    return found


def compare_shares(
    first: str, ours: Mapping[_Run, bool], second: str, theirs: Mapping[_Run, bool]
) -> FailureComparison:
    """Whether runs failed, by what pairs them, of two arms."""
    shared = ours.keys() & theirs.keys()
    if shared == ours.keys() == theirs.keys():
        only = (
            sum(ours[run] and not theirs[run] for run in shared),
            sum(theirs[run] and not ours[run] for run in shared),
        )
        p = float(stats.binomtest(only[0], sum(only)).pvalue) if any(only) else 1.0
        return FailureComparison(first, second, "McNemar's exact", only, p)
    table = [[sum(side.values()), len(side) - sum(side.values())] for side in (ours, theirs)]
    p = float(stats.fisher_exact(table).pvalue)
    return FailureComparison(first, second, "Fisher's exact", None, p)


def failure_sentences(
    shares: Sequence[FailureShare], comparisons: Sequence[FailureComparison], alpha: float
) -> list[str]:
    """Shares of all arms in one sentence, and what the tests support."""
    if not shares:
        return []
    parts = [
        f"{one.failed} of {one.runs} runs of {one.arm}{_aside(one)} "
        f"({one.interval[0]:.0%} to {one.interval[1]:.0%})"
        for one in shares
    ]
    found = [f"failed: {'; '.join(parts)}."]
    by_arm = {one.arm: one for one in shares}
    for row in comparisons:
        first, second = by_arm[row.first], by_arm[row.second]
        figures = (
            f"{first.share:.0%} against {second.share:.0%} ({row.test} test, {p_words(row.p_holm)})"
        )
        if row.p_holm < alpha:
            word = "more" if first.share > second.share else "less"
            found.append(f"{row.first} fails {word} often than {row.second}: {figures}.")
        else:
            found.append(
                f"no difference was found in how often {row.first} and {row.second} fail: "
                f"{figures}."
            )
    return found


def unfinished_sentences(result: StudyResult) -> list[str]:
    """How many runs have no result, and of which cells those are that failed."""
    runs = {run for label in result.labels for run in result.runs_of(label).values()}
    missing = len(runs) - len(result.results) - len(result.failures)
    found = []
    if result.failures:
        parts = []
        for label in result.labels:
            mine = set(result.runs_of(label).values())
            if failed := mine & result.failures.keys():
                parts.append(f"{len(failed)} of {len(mine)} of {label}")
        found.append(
            f"{len(result.failures)} of {len(runs)} runs failed and count in no measure below "
            f"({'; '.join(parts)}); where failing depends on the cell, comparisons flatter it."
        )
    if missing:
        found.append(f"{missing} of {len(runs)} runs are not finished yet.")
    return found


def p_words(value: float) -> str:
    return "p < 0.0001" if value < 1e-4 else f"p = {value:.2g}"


def _aside(share: FailureShare) -> str:
    return f" (and {share.unknown} of which it is not known)" if share.unknown else ""


def _arms(result: StudyResult, by: str) -> dict[str, list[str]]:
    """Labels of the cells of every arm, by its name."""
    found: dict[str, list[str]] = {}
    for cell in result.plan["cells"]:
        if by in _PARTS:
            arm = cell[by] or cell["label"]
        elif by in cell["settings"]:
            arm = f"{by} = {cell['settings'][by]}"
        else:
            continue
        found.setdefault(arm, []).append(cell["label"])
    return found


def _runs(result: StudyResult, labels: Sequence[str], by: str) -> dict[_Run, bool]:
    """Whether the runs of an arm failed, by all that they have beside what makes the arm."""
    found = {}
    cells = {cell["label"]: cell for cell in result.plan["cells"]}
    for label in labels:
        cell = cells[label]
        rest = [
            cell[part] for part in ("recipe", "variant", "setting", "data", "mark") if part != by
        ]
        if by not in _PARTS:  # whose value is in the names of variant and setting
            others = {key: value for key, value in cell["settings"].items() if key != by}
            rest = [cell["recipe"], cell["data"], cell["mark"], repr(sorted(others.items()))]
        for seed, failed in failed_runs(result, label).items():
            found[(*rest, seed)] = failed
    return found
