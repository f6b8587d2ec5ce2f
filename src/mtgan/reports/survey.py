"""A survey's results as one page, and as Markdown and LaTeX tables for papers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import mtgan
from mtgan.errors import UserError
from mtgan.files import read_text, write_text
from mtgan.reports.rendering import ENDINGS, document_environment
from mtgan.reports.study_charts import dot_chart
from mtgan.reports.study_tables import NONE, short_p
from mtgan.surveys.estimates import Estimate, Interval
from mtgan.surveys.folder import RESULTS
from mtgan.surveys.measures import Agreement
from mtgan.surveys.models import Coefficient
from mtgan.surveys.results import SurveyResults, write_results
from mtgan.text import command

_MARK = "ade by mtgan "


@dataclass(frozen=True)
class Table:
    """A table of a page: titles of its columns but the first, rows of a label and values."""

    title: str
    titles: tuple[str, ...]
    rows: list[tuple[str, list[str]]]
    note: str = ""
    chart: str = ""


def write_survey_report(results: SurveyResults, out: Path | None = None) -> tuple[Path, ...]:
    """Write a survey's page and tables, and return their paths.

    out: a .html, .md or .tex file; report.html, report.md and report.tex in the survey's folder
    `results` when None, with results.json and answers.csv beside them. UserError for another
    ending, and where `out` is a file of somebody else's.
    """
    folder = write_results(results)
    paths = [out] if out else [folder / f"report.{kind}" for kind in ENDINGS]
    for path in paths:
        if path.suffix[1:] not in ENDINGS:
            raise UserError(f"{path}: a survey is written as .html, .md or .tex; name it so.")
        if path.is_file() and _MARK not in (read_text(path, "The page") or _MARK):
            raise UserError(
                f"{path} exists already, and mtgan did not write it; give another --out."
            )
    content = survey_content(results)
    for path in paths:
        kind = path.suffix[1:]
        template = document_environment(kind).get_template(f"survey.{kind}.j2")
        write_text(path, template.render(**content))
    return tuple(paths)


def survey_content(results: SurveyResults) -> dict[str, Any]:
    """What the templates show, as plain values."""
    return {
        "version": mtgan.__version__,
        "title": results.survey.wording.title,
        "conclusions": results.sentences,
        "notes": results.notes,
        "family": len(results.questions),
        "alpha": results.survey.settings.alpha,
        "facts": _facts(results),
        "tables": [table for table in _tables(results) if table.rows],
        "words": _words(results),
        "commands": [
            ("The results again", command("mtgan", "survey", "results", results.path)),
            ("All answers", str(results.path / RESULTS / "answers.csv")),
        ],
    }


def _facts(results: SurveyResults) -> list[tuple[str, str]]:
    survey, rows = results.survey, results.rows
    settings = survey.settings
    kept = rows.where(results.kept)
    raters, counted = len(rows.raters), len(np.unique(kept.rater))
    known = kept.ms[~np.isnan(kept.ms)]
    catch = rows.right[~np.isnan(rows.right)]
    left_out = ", ".join(f"{name} {n}" for name, n in results.exclusions.counts.items() if n)
    facts = [
        (
            "design",
            settings.design + (f", each shown {settings.limit_ms} ms" if settings.limit_ms else ""),
        ),
        ("question", survey.wording.question),
        ("models", ", ".join(f"{name} ({survey.plan.arms[name]})" for name in survey.plan.models)),
        ("raters", f"{raters} answered, of {len(survey.plan.seats)} seats; {counted} count"),
        ("left out", f"{raters - counted}: {left_out}" if left_out else "nobody"),
        ("answers", f"{int((kept.kind == 'main').sum()):,} that count, of main trials"),
        ("time", f"{np.median(known) / 1000:.1f} s an answer, the median" if len(known) else ""),
        ("catch trials", f"{catch.mean():.0%} right, of all raters" if len(catch) else "none"),
        ("agreement", _agreement(results)),
        ("rules", ", ".join(f"{k} {v:g}" for k, v in settings.rules.model_dump().items())),
        ("survey, words", f"{survey.id}, {survey.wording_hash}"),
    ]
    return [(name, value) for name, value in facts if value]


def _agreement(results: SurveyResults) -> str:
    told = [] if results.alpha is None else [f"Krippendorff's alpha {results.alpha:.2f}"]
    if one := results.repeated:
        told.append(f"repeated trials answered as before: {_value(one, binary=True)}")
    return "; ".join(told)


def _tables(results: SurveyResults) -> list[Table]:
    binary = results.survey.design.binary
    by_class = [one for one in results.estimates if one.of_class]
    title = "odds against the first model" if binary else "difference from the first model"
    note = "Generalized estimating equations; answers of one rater are exchangeable."
    changes = "What changes over a session: a difference, of times a factor."
    return [
        _questions(results),
        *model_tables(results),
        _by_class(by_class, binary),
        _coefficients(title, results.odds, note),
        _coefficients("from the first trial to the last", results.learning, changes),
        measure_rows(results.measures),
    ]


def model_tables(results: SurveyResults) -> list[Table]:
    """What people say of each model: of pairs first the strengths, then the shares and means."""
    whole = [one for one in results.estimates if not one.of_class]
    tables = [] if results.strengths is None else [_strengths(results)]
    return tables + [
        _of_models(what, [one for one in whole if one.what == what], results.survey.design.binary)
        for what in dict.fromkeys(one.what for one in whole)
    ]


def _questions(results: SurveyResults) -> Table:
    binary = results.survey.design.binary
    rows = []
    for question in results.questions:
        one = question.answer
        sign = "" if one.equal else "+"
        size = _number(one.value, one.interval, binary, sign)
        tested = [short_p(one.p), short_p(question.p_holm)]
        rows.append((f"{one.first} : {one.second}", [size, *tested, f"{one.answers:,}"]))
    equal = results.questions[0].answer.equal if results.questions else 0
    what = "share of the first" if equal else "first minus second"
    return Table(
        "the questions",
        (what, "p", "p Holm", "answers"),
        rows,
        "95 % intervals in brackets, by clusters of raters and of stimuli.",
    )


def _strengths(results: SurveyResults) -> Table:
    found = results.strengths
    assert found is not None
    values = dict(zip(found.names, found.values, strict=True))
    intervals = dict(zip(found.names, found.intervals, strict=True))
    order = sorted(values, key=lambda name: -values[name])
    rows = [(name, [_number(values[name], intervals[name], False, "+")]) for name in order]
    chart = dot_chart(
        {name: [values[name]] for name in order}, {n: intervals[n] for n in order}, "log odds"
    )
    return Table(
        "Bradley-Terry strengths",
        ("log odds",),
        rows,
        "Differences of strengths are log odds of being chosen; they sum to 0.",
        chart,
    )


def _of_models(what: str, estimates: Sequence[Estimate], binary: bool) -> Table:
    rows = [
        (one.arm, [_value(one, binary), f"{one.answers:,}", str(one.raters), f"{one.stimuli:,}"])
        for one in estimates
    ]
    chart = dot_chart(
        {one.arm: [one.value] for one in estimates},
        {one.arm: one.interval for one in estimates},
        what,
    )
    return Table(what, ("value", "answers", "raters", "stimuli"), rows, "", chart)


def _by_class(estimates: Sequence[Estimate], binary: bool) -> Table:
    arms = tuple(dict.fromkeys(one.arm for one in estimates))
    cells = {(one.of_class, one.arm): _value(one, binary) for one in estimates}
    classes = dict.fromkeys(one.of_class for one in estimates)
    rows = [(name, [cells.get((name, arm), NONE) for arm in arms]) for name in classes]
    return Table("by class", arms, rows)


def _coefficients(title: str, found: Sequence[Coefficient], note: str) -> Table:
    rows = [(one.name, [_number(one.value, one.interval, False), short_p(one.p)]) for one in found]
    return Table(title, ("value", "p"), rows, note)


def measure_rows(agreements: Sequence[Agreement]) -> Table:
    """How measures agree with people, a row each."""
    rows = []
    for one in agreements:
        rank = NONE if one.correlation is None else f"{one.correlation:+.2f}"
        p = NONE if one.p is None else short_p(one.p)
        rows.append((one.measure, [f"{one.same} of {one.pairs}", rank, p]))
    return Table(
        "which measures agree with people",
        ("pairs in the same order", "Spearman", "p"),
        rows,
        "Of pairs of models, in how many a measure prefers the one that people prefer; rank "
        "correlations from four models on. With few models, chance alone agrees often.",
    )


def _value(one: Estimate, binary: bool) -> str:
    return _number(one.value, one.interval, binary)


def _number(value: float, interval: Interval | None, binary: bool, sign: str = "") -> str:
    style = f"{sign}.1%" if binary else f"{sign}.2f"
    text = format(value, style)
    if interval is None:
        return text
    return f"{text} [{format(interval[0], style)}, {format(interval[1], style)}]"


def _words(results: SurveyResults) -> list[tuple[str, str]]:
    """What raters read."""
    words = results.survey.wording
    told = ("consent", "instructions", "question")
    return [(name, getattr(words, name)) for name in told] + list(words.answers.items())
