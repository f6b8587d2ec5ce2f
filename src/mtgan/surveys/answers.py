"""Files of answers that came back, read strictly: nothing in them is believed that does not fit."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from mtgan.errors import UserError
from mtgan.files import read_json, read_text
from mtgan.recipes.ranges import Number
from mtgan.recipes.records import Record, validated
from mtgan.surveys.folder import ANSWERS, Survey
from mtgan.surveys.returned import Given, Returned

ASIDE = "move it out of the folder of answers"
_UNKNOWN = "it is no file of answers of a survey"
_LONGEST_MS = 86_400_000  # a day
_MTURK, _WORKER, _STATUS = "Answer.answers", "WorkerId", "AssignmentStatus"
_TABLE = ("seat", "trial", "answer")


class GivenRecord(Record):
    """One answer as a page writes it."""

    trial: str
    answer: str
    ms: Annotated[int, Number, Field(ge=0, le=_LONGEST_MS)]


class AnswersRecord(Record):
    """A file of answers as a page saves it."""

    format: Literal["mtgan-answers-1"]
    survey: str
    wording: str
    seat: str
    answers: tuple[GivenRecord, ...]
    check: str


def read_answers(
    survey: Survey, more: Sequence[Path] = (), stored: Sequence[Returned] = ()
) -> tuple[list[Returned], list[str]]:
    """All answers in the survey's folder, in further files and folders, and those that are stored
    in a database; and sentences about what is odd and does no harm.

    UserError, which names the file, for one that is broken, edited, or of another survey, for an
    answer that cannot be, and where there are no answers.
    """
    found = {(one.rater, one.seat): one for one in stored}
    notes: list[str] = []
    for path in _files([survey.path / ANSWERS, *more]):
        for one in _READERS[path.suffix.lower()](survey, path):
            _add(found, one, notes)
    if not found:
        raise UserError(
            f"{survey.path} has no answers yet: put the files that came back into "
            f"{survey.path / ANSWERS}, or name them."
        )
    return list(found.values()), notes


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        if not place.exists():
            raise UserError(f"There are no answers at {place}.")
        paths = sorted(place.iterdir()) if place.is_dir() else [place]
        for path in paths:
            if path.name.startswith("."):
                continue
            if path.suffix.lower() not in _READERS:
                raise UserError(f"{path} is neither .json nor .csv; {ASIDE}.")
            yield path


def _add(found: dict[tuple[str, str], Returned], one: Returned, notes: list[str]) -> None:
    """Take what a rater gave; of two files of hers, the one that goes on from the other."""
    key = one.rater, one.seat
    before = found.get(key)
    if before is None:
        found[key] = one
        return
    longer, shorter = (one, before) if len(one.answers) > len(before.answers) else (before, one)
    if longer.answers[: len(shorter.answers)] != shorter.answers:
        raise UserError(
            f"{before.source} and {one.source} hold unlike answers of the rater {one.rater} in the "
            f"seat {one.seat}; keep the one that counts, and move the other out of the folder."
        )
    found[key] = longer
    same = len(longer.answers) == len(shorter.answers)
    what = "came twice" if same else "came in part before"
    notes.append(f"{one.source}: the answers of {one.rater} {what}, and count once.")


# Readers, by ending


def _of_page(survey: Survey, path: Path) -> list[Returned]:
    return [returned_of(survey, read_json(path, "The answers"), str(path))]


def _of_table(survey: Survey, path: Path) -> list[Returned]:
    """A results file of Mechanical Turk, or a table of one's own."""
    rows = csv.DictReader(io.StringIO(read_text(path, "The answers")))
    columns = rows.fieldnames or []
    if _MTURK in columns and _WORKER in columns:
        return _of_mturk(survey, list(rows), path)
    if lacking := [name for name in _TABLE if name not in columns]:
        raise UserError(
            f"{path} has no column {lacking[0]!r}: it should have seat, trial and answer, or be a "
            "results file of Mechanical Turk."
        )
    return _of_rows(survey, list(rows), path)


def _of_mturk(survey: Survey, rows: list[dict[str, Any]], path: Path) -> list[Returned]:
    """Each row is an assignment; those that were rejected are passed over."""
    found = []
    for line, row in enumerate(rows, 2):
        if row.get(_STATUS) == "Rejected":
            continue
        where = f"{path}, line {line}"
        try:
            values = json.loads(row[_MTURK] or "")
        except ValueError:
            raise UserError(f"{where} holds no answers of this survey's page; {ASIDE}.") from None
        found.append(returned_of(survey, values, where, rater=row[_WORKER]))
    return found


def _of_rows(survey: Survey, rows: list[dict[str, Any]], path: Path) -> list[Returned]:
    given: dict[tuple[str, str], list[Given]] = {}
    for line, row in enumerate(rows, 2):
        where = f"{path}, line {line}"
        seat = row["seat"] or ""
        own = given.setdefault((row.get("rater") or seat, seat), [])
        own.append(Given(row["trial"] or "", row["answer"] or "", _ms(row.get("ms"), where)))
        check_answers(survey, seat, own[-1:], where)
    for (_, seat), own in given.items():
        check_answers(survey, seat, own, str(path))
    return [
        Returned(rater, seat, "", in_order(survey, seat, own), str(path))
        for (rater, seat), own in given.items()
    ]


def _ms(text: str | None, where: str) -> float:
    if not text:
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _LONGEST_MS:
        raise UserError(f"{where}: ms should be a time from 0 to {_LONGEST_MS:,}; found {text!r}.")
    return value


_READERS: Mapping[str, Callable[[Survey, Path], list[Returned]]] = {
    ".json": _of_page,
    ".csv": _of_table,
}


# What is believed


def returned_of(survey: Survey, values: Any, where: str, rater: str = "") -> Returned:
    """What a page wrote, checked against the survey; rater: whoever answered, her seat if "".

    UserError that begins with `where`.
    """
    if not isinstance(values, dict) or "format" not in values:
        raise UserError(f"{where}: {_UNKNOWN}; {ASIDE}.")
    found = validated(AnswersRecord, values, where, ASIDE)
    if found.survey != survey.id:
        raise UserError(
            f"{where} holds answers to another survey ({found.survey[:20]!r}, and this one is "
            f"{survey.id}); {ASIDE}."
        )
    if check_sum(found.survey, found.wording, found.seat, found.answers) != found.check:
        raise UserError(
            f"{where} was changed after its rater had saved it (its check sum is another); {ASIDE}."
        )
    answers = [Given(one.trial, one.answer, float(one.ms)) for one in found.answers]
    check_answers(survey, found.seat, answers, where)
    ordered = in_order(survey, found.seat, answers)
    return Returned(rater or found.seat, found.seat, found.wording, ordered, where)


def check_sum(survey: str, wording: str, seat: str, answers: Sequence[GivenRecord]) -> str:
    """As the page computes it: it tells an accident or an editor, and no forger."""
    told = [f"{one.trial}:{one.answer}:{one.ms}" for one in answers]
    return hashlib.sha256("|".join([survey, wording, seat, *told]).encode()).hexdigest()


def check_answers(survey: Survey, seat: str, answers: Sequence[Given], where: str) -> None:
    """UserError for a seat that there is not, a trial that was not shown there, an answer that
    cannot be given, and a trial that is answered twice."""
    known = survey.trials.get(seat)
    if known is None:
        raise UserError(f"{where} names the seat {seat!r}, and this survey has none of that name.")
    seen = set()
    for one in answers:
        if one.trial not in known:
            raise UserError(
                f"{where} answers the trial {one.trial!r}, which was never shown in the seat "
                f"{seat}."
            )
        if one.answer not in survey.plan.answers:
            raise UserError(
                f"{where} answers {one.answer!r}, which is none of: "
                f"{', '.join(survey.plan.answers)}."
            )
        if one.trial in seen:
            raise UserError(f"{where} answers the trial {one.trial} twice.")
        seen.add(one.trial)


def in_order(survey: Survey, seat: str, answers: Sequence[Given]) -> tuple[Given, ...]:
    """Answers in the order of the session."""
    places = {name: place for place, name in enumerate(survey.trials[seat])}
    return tuple(sorted(answers, key=lambda one: places[one.trial]))
