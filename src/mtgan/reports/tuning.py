"""The page of a tuning: what was tried, what mattered, and the winner against the default."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mtgan
from mtgan.files import write_text
from mtgan.reports.rendering import document_environment
from mtgan.reports.study import comparison_row, write_study_report
from mtgan.reports.study_tables import NONE
from mtgan.studies.collect import StudyResult
from mtgan.studies.conclusions import Row, conclude
from mtgan.studies.measures import title_of
from mtgan.studies.tuning import TuningResult
from mtgan.studies.tuning.settings import DEFAULT, TRIALS, WINNER
from mtgan.text import command

_KINDS = ("html", "md")


def write_tuning_report(result: TuningResult) -> tuple[Path, ...]:
    """report.html and report.md in a tuning's folder, and the pages of its two studies."""
    for study in (StudyResult.open(result.path / TRIALS), result.comparison):
        if study is not None and study.results:
            write_study_report(study)
    content, paths = _content(result), []
    for kind in _KINDS:
        path = result.path / f"report.{kind}"
        write_text(
            path, document_environment(kind).get_template(f"tuning.{kind}.j2").render(**content)
        )
        paths.append(path)
    return tuple(paths)


def _content(result: TuningResult) -> dict[str, Any]:
    rows, sentences = _compared(result.comparison)
    return {
        "version": mtgan.__version__,
        "title": f"{result.tuning.label} on {result.tuning.data.name}, tuned",
        "conclusions": [_counted(result), _won(result), *sentences],
        "measure": title_of(result.tuning.measure),
        "keys": [*result.tuning.space.axes],
        "trials": [_trial(result, name) for name in [DEFAULT, *(t.name for t in result.trials)]],
        "importances": [(key, f"{share:.2f}") for key, share in result.importances.items()],
        "comparisons": rows,
        "commands": _commands(result),
    }


def _counted(result: TuningResult) -> str:
    found = [
        result.outcomes[trial.name] for trial in result.trials if trial.name in result.outcomes
    ]
    counts = dict.fromkeys(("complete", "pruned", "failed"), 0)
    for outcome in found:
        counts[outcome.state] += 1
    low = sum(o.state == "complete" and not o.feasible for o in found)
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    share = f"{result.tuning.axis_share:.0%} of the default's score"
    return (
        f"{len(found)} trials: {told}; {low} of the complete ones fall below {share} on an axis of "
        "the scorecard, and cannot win."
    )


def _won(result: TuningResult) -> str:
    name = title_of(result.tuning.measure)
    if result.winner is None:
        return "Nothing can win: no run is complete and has what is asked on every axis."
    best = result.outcomes[result.winner].value
    if result.winner == DEFAULT:
        return f"No trial is better than the default recipe ({name} {best:.4g})."
    default = result.outcomes[DEFAULT].value
    against = "the default failed" if default is None else f"{default:.4g} of the default"
    return (
        f"The best is {result.winner}: {name} {best:.4g}, {against}, one run each. A number by "
        "which something was chosen flatters it; what follows is of fresh seeds."
    )


def _compared(study: StudyResult | None) -> tuple[list[dict[str, str]], Sequence[str]]:
    """The winner against the default: a row a measure, and what the statistics support."""
    if study is None:
        return [], []
    if not study.results:
        return [], ["No run of the comparison has finished."]
    statistics = conclude(study)

    def row(one: Row) -> dict[str, str]:
        means = {f"mean_{i}": f"{mean:.4g}" for i, mean in enumerate(one.means)}
        return {"measure": one.measure.title, **means, **comparison_row(one)}

    return [row(one) for one in statistics.rows], statistics.sentences


def _trial(result: TuningResult, name: str) -> dict[str, Any]:
    outcome, settings = result.outcomes.get(name), result.settings(name)
    value = None if outcome is None else outcome.value
    return {
        "name": name,
        "values": [_setting(settings.get(key)) for key in result.tuning.space.axes],
        "measure": NONE if value is None else f"{value:.4g}",
        "state": WINNER if name == result.winner else str(outcome or "not finished"),
    }


def _setting(value: Any) -> str:
    return NONE if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _commands(result: TuningResult) -> list[tuple[str, str]]:
    out, data = result.path, result.tuning.data.name
    found = [("The page of all trials", command("mtgan", "report", out / TRIALS))]
    if result.comparison is not None:
        recipe = out / f"{WINNER}.yaml"
        train = command("mtgan", "train", recipe, "--data", data, "--out", "runs/tuned")
        found = [("Train with the winner's settings", train), *found]
    return found
