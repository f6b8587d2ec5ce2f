"""A study as one page, and as Markdown and LaTeX tables for papers."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import mtgan
from mtgan.errors import UserError
from mtgan.files import write_text, writing
from mtgan.limits import MOST_SEEDS
from mtgan.reports.rendering import ENDINGS, document_environment
from mtgan.reports.study_charts import dot_chart
from mtgan.reports.study_people import people_tables
from mtgan.reports.study_pictures import (
    study_pictures,
    write_curve_pictures,
    write_gallery,
)
from mtgan.reports.study_tables import NONE, failure_tables, short_p, time_tables
from mtgan.studies.collect import StudyResult
from mtgan.studies.conclusions import Row, Statistics, runs_without_value
from mtgan.studies.jobs import data_words, run_folder
from mtgan.studies.kinds import KINDS
from mtgan.studies.load import dump_study
from mtgan.studies.measures import Measure
from mtgan.studies.schema import Study
from mtgan.studies.statistics import LEAST_FOR_INTERVALS, Interval, Summary, student_half_width
from mtgan.studies.study import write_results
from mtgan.text import command
from mtgan.training.folders import is_run_folder

# By which a page of ours is known again, in each form.
_MARKS = (b"ade by mtgan ", b"95 % bootstrap intervals in brackets, from ")


def write_study_report(result: StudyResult, out: Path | None = None) -> tuple[Path, ...]:
    """Write a study's page and tables, and return their paths.

    out: a .html, .md or .tex file; report.html, report.md and report.tex in the study's folder when
    None. The table and the statistics are written anew, as the study's runs stand now. The .md has
    its pictures (curves, and a gallery's samples) in a folder of its name beside it. Raises
    UserError for another ending, where `out` is a file of somebody else's, and where no run has
    finished.
    """
    paths = [out] if out else [result.path / f"report.{kind}" for kind in ENDINGS]
    for path in paths:
        if path.suffix[1:] not in ENDINGS:
            raise UserError(f"{path}: a study is written as .html, .md or .tex; name the page so.")
    if out is not None and out.is_file() and not _is_ours(out):
        raise UserError(f"{out} exists already, and mtgan did not write it; give another --out.")
    content = study_content(result, write_results(result))
    for path in paths:
        kind = path.suffix[1:]
        content["curves"] = (
            write_curve_pictures(result, path.with_suffix("")) if kind == "md" else []
        )
        if kind == "md" and result.study.gallery and content["overview"]:
            files = write_gallery(result, path.with_suffix(""))
            for row in content["overview"]["rows"]:
                row["picture"] = files.get(row["label"], "")
        template = document_environment(kind).get_template(f"study.{kind}.j2")
        write_text(path, template.render(**content))
    return tuple(paths)


def _is_ours(path: Path) -> bool:
    """Whether a file is one of a study's pages, or empty."""
    with writing(path):
        content = path.read_bytes()
    return not content or any(mark in content for mark in _MARKS)


def study_content(result: StudyResult, statistics: Statistics) -> dict[str, Any]:
    """What the templates show, as plain values."""
    study = result.study
    pictures, notes = study_pictures(result)
    return {
        "version": mtgan.__version__,
        "study": study,
        "title": study.title or study.name,
        "yaml": dump_study(study),
        "facts": _facts(result),
        "conclusions": [*statistics.sentences, *notes],
        "failures": [(run, reason) for run, reason in sorted(result.failures.items()) if reason],
        "measures": [
            {
                "title": measure.title,
                "arrow": {"lower": " ↓", "higher": " ↑"}.get(result.better(measure), ""),
                "better": result.better(measure),
                "chart": _chart(result, measure, statistics),
                "missing": runs_without_value(result, measure),
                "cells": [
                    _summary_row(label, statistics.summaries[measure.name].get(label))
                    for label in result.labels
                ],
                "comparisons": [
                    comparison_row(row) for row in statistics.rows if row.measure == measure
                ],
            }
            for measure in study.measures
        ],
        "family": statistics.rows[0].family if statistics.rows else 0,
        "least_for_intervals": LEAST_FOR_INTERVALS,
        "pictures": pictures,
        "overview": _overview(result),
        "tables": [
            *people_tables(result),
            *failure_tables(statistics),
            *time_tables(result, statistics),
        ],
        "commands": _commands(result),
    }


def _facts(result: StudyResult) -> list[tuple[str, str]]:
    study, cells = result.study, result.plan["cells"]
    runs = {run for cell in cells for run in cell["runs"].values()}
    seconds = sum(done["seconds"] for done in result.results.values())
    iterations = sorted({cell["iterations"] for cell in cells} - {0})
    protocols = [done["protocol"] for done in result.results.values()]
    kind = KINDS.get(study.kind)
    data = dict.fromkeys(data_words(cell["loading"]) for cell in cells)
    rows = [
        ("source", study.source),
        ("cells", ", ".join(dict.fromkeys(_cell_words(cell) for cell in cells))),
        ("settings", "; ".join(_setting_words(study))),
        ("data", "; ".join(data)),
        ("scale", _scale_words(study)),
        (kind.unit, ", ".join(f"{number:,}" for number in iterations)),
        ("seeds", ", ".join(map(str, study.seeds))),
        ("runs", f"{len(result.results)} of {len(runs)} finished"),
        ("training time", f"{seconds / 60:.1f} minutes, all runs one after another"),
        ("measured", kind.measured(study, protocols)),
    ]
    return [(name, value) for name, value in rows if value]


def _setting_words(study: Study) -> list[str]:
    """What was drawn, draw by draw; settings of a grid are called by their values already."""
    if study.space is None or study.space.draws is None:
        return []
    return [
        f"{name}: {', '.join(f'{key} {value}' for key, value in settings.items())}"
        for name, settings in study.settings.items()
    ]


def _cell_words(cell: Mapping[str, Any]) -> str:
    """A cell's label, and its recipe where the label does not begin with that."""
    label, recipe = cell["label"], cell["recipe_name"]
    return label if label.split(" / ")[0] == recipe else f"{label} ({recipe})"


def _scale_words(study: Study) -> str:
    """The study's scale, and that to which its recipes are shrunk where it is another one."""
    sizes = study.budget.scale
    return study.scale if sizes in {study.scale, "full"} else f"{study.scale}; recipes at {sizes}"


def _overview(result: StudyResult) -> dict[str, Any] | None:
    """All measures of all cells: mean over seeds, and half of its 95 % interval by Student's t;
    None where there is one measure alone."""
    measures = result.study.measures
    if len(measures) < 2:
        return None
    rows = [
        {
            "label": label,
            "picture": "",
            "values": [_mean(result, label, measure) for measure in measures],
        }
        for label in result.labels
    ]
    return {"titles": [measure.title for measure in measures], "rows": rows}


def _mean(result: StudyResult, label: str, measure: Measure) -> str:
    values = np.array(list(result.values(label, measure.name).values()))
    if not len(values):
        return NONE
    half = student_half_width(values)
    return _number(values.mean()) + ("" if math.isnan(half) else f" ± {half:.2g}")


def _chart(result: StudyResult, measure: Measure, statistics: Statistics) -> str | None:
    values = {
        label: list(runs.values())
        for label in result.labels
        if (runs := result.values(label, measure.name))
    }
    if not values:
        return None
    summaries = statistics.summaries[measure.name]
    intervals = {label: summaries[label].mean_interval for label in values}
    return dot_chart(values, intervals, measure.title)


def _summary_row(label: str, summary: Summary | None) -> dict[str, str]:
    if summary is None:
        return {"label": label, "count": "0", **dict.fromkeys(("median", "mean", "iqm"), NONE)}
    spread = f"{_number(summary.low)} … {_number(summary.high)}"
    few = "" if summary.count == 1 else f" (range {spread})"
    return {
        "label": label,
        "count": str(summary.count),
        "median": _with_interval(summary.median, summary.median_interval),
        "mean": _with_interval(summary.mean, summary.mean_interval)
        + (few if summary.mean_interval is None else ""),
        "iqm": _with_interval(summary.interquartile_mean, summary.interquartile_interval),
    }


def comparison_row(row: Row) -> dict[str, str]:
    """One comparison of two cells, as its table shows it."""
    c = row.comparison
    tested = c.enough
    return {
        "pair": f"{row.first} against {row.second}",
        "count": f"{c.count[0]}" + ("" if c.count[0] == c.count[1] else f", {c.count[1]}"),
        "difference": _with_interval(c.difference, c.interval, sign=True),
        "effect": _number(c.effect, sign=True),
        "p_welch": short_p(c.p_welch) if tested else NONE,
        "p_paired": short_p(c.p) if tested and c.paired else NONE,
        "p_permutation": short_p(c.p_permutation) if tested else NONE,
        "p_holm": short_p(row.p_holm) if tested else NONE,
        "improvement": _improvement(row),
        "needed": str(c.seeds_needed) if c.seeds_needed else "over 1,000",
        "verdict": row.verdict,
    }


def _improvement(row: Row) -> str:
    value, interval = row.improves, row.comparison.improvement_interval
    if value is None or interval is None:
        return NONE
    low, high = interval
    if row.better == "lower":
        low, high = 1 - high, 1 - low
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _with_interval(value: float | None, interval: Interval | None, sign: bool = False) -> str:
    if value is None:
        return NONE
    text = _number(value, sign)
    if interval is None:
        return text
    return f"{text} [{_number(interval[0], sign)}, {_number(interval[1], sign)}]"


def _number(value: float, sign: bool = False) -> str:
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:+.3g}" if sign else f"{value:.4g}"


def _commands(result: StudyResult) -> Sequence[tuple[str, str]]:
    folder = result.path
    again = ("mtgan", "study", folder / "study.yaml", "--out", folder)
    more = min(MOST_SEEDS, max(10, 2 * len(result.study.seeds)))
    table = f"import pandas; print(pandas.read_csv({str(folder / 'table.csv')!r}))"
    runs = (run_folder(folder, run) for run in result.results)
    kept = [("One run", command("mtgan", "report", run)) for run in runs if is_run_folder(run)]
    return [
        ("This study again, or on with it", command(*again)),
        ("More seeds; finished runs are kept", command(*again, "--seeds", more)),
        ("The table", command("python", "-c", table)),
        *kept[:1],
        ("Tables for a paper", command("mtgan", "report", folder, "--out", "tables.tex")),
    ]
