"""What a survey's answers say."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.correction import holm
from mtgan.errors import UserError
from mtgan.files import write_json, write_text
from mtgan.surveys.answers import read_answers
from mtgan.surveys.bradley_terry import Strengths, strengths
from mtgan.surveys.database import Database, has_database
from mtgan.surveys.estimates import Difference, Estimate
from mtgan.surveys.exclusions import Exclusions, answered, exclude
from mtgan.surveys.folder import RESULTS, Survey
from mtgan.surveys.measures import Agreement, agreements_with
from mtgan.surveys.models import (
    Coefficient,
    against_first,
    alpha,
    learning,
    self_agreement,
)
from mtgan.surveys.returned import Returned, table_of
from mtgan.surveys.schema import REAL
from mtgan.surveys.simulation import SIMULATED
from mtgan.surveys.table import Answers

_PACKAGES = ("statsmodels", "krippendorff")
_FEW_RATERS = 5  # below, an interval is called uncertain


@dataclass(frozen=True)
class Question:
    """A question of the plan, its answer, and p after Holm's correction over all of them."""

    answer: Difference
    p_holm: float
    sentence: str


@dataclass(frozen=True, repr=False)
class SurveyResults:
    """Attributes:
    survey: Whose they are.
    rows: All answers, also of those who are left out.
    kept: bool [n]: those that count.
    exclusions: Who is left out, and why.
    estimates: Of each model, and by class.
    strengths: Of pairs, Bradley-Terry's; None where there are none, or none finite.
    questions: Those of the plan.
    odds: Each model against the first, by GEE.
    learning: What changes over a session.
    alpha: Krippendorff's; None where it means nothing.
    repeated: How often repeated trials were answered as before.
    measures: How the scorecards' measures agree with people.
    notes: Sentences about what is odd.
    """

    survey: Survey
    rows: Answers
    kept: np.ndarray
    exclusions: Exclusions
    estimates: list[Estimate]
    strengths: Strengths | None
    questions: list[Question]
    odds: list[Coefficient]
    learning: list[Coefficient]
    alpha: float | None
    repeated: Estimate | None
    measures: list[Agreement]
    notes: list[str]

    @property
    def path(self) -> Path:
        return self.survey.path

    @property
    def people(self) -> dict[str, float]:
        """What people say of each model; larger is better."""
        return _people(self.estimates, self.strengths, self.survey.design.outcome)

    @property
    def sentences(self) -> list[str]:
        """The answers to the questions."""
        return [question.sentence for question in self.questions]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        survey, raters = self.survey, len(self.rows.raters)
        return {
            "survey": survey.id,
            "design": survey.settings.design,
            "wording": survey.wording_hash,
            "settings": survey.settings.model_dump(mode="json"),
            "raters": raters,
            "excluded": {k: list(v) for k, v in self.exclusions.by_rater.items()},
            "excluded_by": self.exclusions.counts,
            "answers": int((self.kept & (self.rows.kind == "main")).sum()),
            "estimates": [asdict(one) for one in self.estimates],
            "strengths": None if self.strengths is None else asdict(self.strengths),
            "questions": [
                {**asdict(one.answer), "p_holm": one.p_holm, "sentence": one.sentence}
                for one in self.questions
            ],
            "against_first": [asdict(one) for one in self.odds],
            "learning": [asdict(one) for one in self.learning],
            "alpha": self.alpha,
            "repeated": None if self.repeated is None else asdict(self.repeated),
            "measures": [asdict(one) for one in self.measures],
            "notes": self.notes,
        }


def require_packages() -> None:
    """UserError where what results need is not installed; before anything is computed."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise UserError(
            f"Results of surveys need {', '.join(missing)}; install them with "
            "pip install 'mtgan[survey]'."
        )


def results_of(survey: Survey, more: Sequence[Path] = (), database: str = "") -> SurveyResults:
    """The results of the answers in a survey's folder, its database among them, and in further
    files and folders; database: the address of another one.

    UserError as of mtgan.surveys.answers.read_answers, and where nobody's answers count.
    """
    require_packages()
    stored = []
    if database or has_database(survey):
        opened = Database(survey, database)
        stored = opened.returned()
        opened.close()
    returned, notes = read_answers(survey, more, stored)
    return conclude(survey, returned, notes)


def conclude(
    survey: Survey, returned: Sequence[Returned], notes: Sequence[str] = ()
) -> SurveyResults:
    """What answers say; UserError where all raters are left out."""
    plan, design = survey.plan, survey.design
    rows = table_of(plan, returned)
    exclusions = exclude(rows, plan.settings.rules)
    left_out = [rows.raters.index(name) for name in exclusions.by_rater]
    kept = (rows.answer != "") & ~np.isin(rows.rater, left_out)
    main = rows.where(kept).of_kind("main")
    if not len(main):
        counts = ", ".join(f"{name} {n}" for name, n in exclusions.counts.items() if n)
        raise UserError(
            f"All {len(rows.raters)} raters of {survey.path} are left out by its rules ({counts}), "
            "so there is nothing to tell."
        )
    estimates = design.measures(main)
    fitted = strengths(main) if design.compares else None
    measures, why = agreements_with(survey, _people(estimates, fitted, design.outcome))
    return SurveyResults(
        survey=survey,
        rows=rows,
        kept=kept,
        exclusions=exclusions,
        estimates=estimates,
        strengths=fitted,
        questions=_questions(survey, main),
        odds=[] if design.compares else against_first(main, design),
        learning=learning(main, design),
        alpha=alpha(main, design),
        repeated=self_agreement(answered(rows.where(kept))),
        measures=measures,
        notes=[*notes, *_notes(survey, returned, main, fitted), *([why] if why else [])],
    )


def _people(
    estimates: Sequence[Estimate], fitted: Strengths | None, outcome: str
) -> dict[str, float]:
    if fitted is not None:
        found = dict(zip(fitted.names, fitted.values, strict=True))
    else:
        own = [one for one in estimates if one.what == outcome and not one.of_class]
        found = {one.arm: one.value for one in own}
    return {name: value for name, value in found.items() if name != REAL}


def _questions(survey: Survey, main: Answers) -> list[Question]:
    """The plan's questions that have answers, corrected for all of these."""
    design, judged = survey.design, set(main.judged)
    asked = [pair for pair in survey.settings.questions if set(pair) <= judged]
    found = [
        design.question(*pair, main)
        for pair in asked
        if not design.compares or main.of_pair(*pair).any()
    ]
    corrected = holm(np.array([one.p for one in found])) if found else np.array([])
    return [
        Question(one, float(p), _sentence(survey, one, float(p)))
        for one, p in zip(found, corrected, strict=True)
    ]


def _sentence(survey: Survey, one: Difference, p: float) -> str:
    design = survey.design
    ahead = one.value > one.equal
    first, second = (one.first, one.second) if ahead else (one.second, one.first)
    p_words = "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
    told = "" if len(survey.settings.questions) == 1 else " after Holm's correction"
    size = _size(one, design.binary)
    if not design.compares:
        size = f"{design.outcome}: {size}"
    if p >= survey.settings.alpha:
        return (
            f"No difference between {one.first} and {one.second} is shown ({size}; "
            f"{p_words}{told}, {one.raters} raters)."
        )
    verb = "is chosen over" if design.compares else "is ahead of"
    return f"{first} {verb} {second} ({size}; {p_words}{told}, {one.raters} raters)."


def _size(one: Difference, binary: bool) -> str:
    """A difference, first against second, with its interval."""
    scale, unit = (100, " %" if one.equal else " points") if binary else (1, "")
    digits = 0 if one.equal else (1 if binary else 2)
    sign = "" if one.equal else "+"
    named = f"{one.first} {'in' if one.equal else 'minus ' + one.second} "
    text = f"{named}{one.value * scale:{sign}.{digits}f}{unit}"
    if one.interval is None:
        return text
    low, high = (f"{bound * scale:{sign}.{digits}f}" for bound in one.interval)
    return f"{text} [{low}, {high}]"


def _notes(
    survey: Survey, returned: Sequence[Returned], main: Answers, fitted: Strengths | None
) -> list[str]:
    notes = []
    words = {one.wording for one in returned if one.wording} - {SIMULATED}
    if words - {survey.wording_hash}:
        notes.append(
            f"Answers were given under other words than those of now: "
            f"{', '.join(sorted(words))}, and now {survey.wording_hash}."
        )
    if simulated := sum(one.wording == SIMULATED for one in returned):
        notes.append(f"{simulated} of {len(returned)} raters are simulated: nobody was asked.")
    raters = len(np.unique(main.rater))
    if raters < _FEW_RATERS:
        notes.append(
            f"Only {raters} raters count, and how people differ is hardly known: do not rely on "
            "the intervals."
        )
    if survey.design.compares and fitted is None:
        notes.append(
            "Bradley-Terry strengths are not finite: some models were never chosen over any of the "
            "others."
        )
    if fitted is not None and fitted.side_p < 0.05:
        side = "left" if fitted.side > 0 else "right"
        notes.append(
            f"People lean to the {side} (log odds {abs(fitted.side):.2f}, p = "
            f"{fitted.side_p:.2g}); sides were even, and strengths are freed of it."
        )
    return notes


def write_results(results: SurveyResults) -> Path:
    """results.json and answers.csv in the survey's folder; the path of the folder."""
    folder = results.path / RESULTS
    write_json(folder / "results.json", results.to_dict())
    write_text(folder / "answers.csv", _answers_csv(results))
    return folder


_COLUMNS = (
    *("rater", "place", "kind", "first", "second", "class", "flipped", "answer", "outcome"),
    *("right", "ms", "counts"),
)


def _answers_csv(results: SurveyResults) -> str:
    """All answers, a row each; what is not known is empty."""
    rows = results.rows
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    for i in np.flatnonzero(rows.answer != ""):
        first, second = (rows.names[arm] if arm >= 0 else "" for arm in rows.arms[i])
        told = (rows.raters[rows.rater[i]], rows.place[i], rows.kind[i], first, second)
        numbers = ["" if np.isnan(v) else f"{v:g}" for v in (rows.right[i], rows.ms[i])]
        shown = (rows.of_class[i], int(rows.flipped[i]), rows.answer[i], f"{rows.outcome[i]:g}")
        table.writerow([*told, *shown, *numbers, int(results.kept[i])])
    return text.getvalue()
