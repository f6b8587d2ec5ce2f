"""Simulated answers as files, so that a survey can be tried before anybody is asked."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import new_folder, write_text
from mtgan.registry import nearest
from mtgan.surveys.answers import GivenRecord, check_sum
from mtgan.surveys.folder import Survey
from mtgan.surveys.simulation import SIMULATED, Crowd, simulate


def rehearse(
    survey: Survey, out: Path, strengths: Sequence[str], shares: Mapping[str, float], seed: int
) -> int:
    """Write a file of answers for each seat into a new folder; return how many.

    strengths: MODEL=NUMBER. shares: keys of mtgan.surveys.simulation.Crowd. UserError for a model
    or a number that there is not, and for a folder that is there.
    """
    for name, value in shares.items():
        if name != "side" and not 0 <= value <= 1:
            raise UserError(f"--{name} is a share from 0 to 1; found {value:g}.")
    crowd = Crowd(_strengths(survey, strengths), **shares)
    if out.exists():
        raise UserError(f"{out} exists already; name another folder, or remove it first.")
    returned = simulate(survey.plan, crowd, seed)
    with new_folder(out) as folder:
        for one in returned:
            given = [GivenRecord(trial=a.trial, answer=a.answer, ms=int(a.ms)) for a in one.answers]
            values = {
                "format": "mtgan-answers-1",
                "survey": survey.id,
                "wording": SIMULATED,
                "seat": one.seat,
                "answers": [answer.model_dump() for answer in given],
                "check": check_sum(survey.id, SIMULATED, one.seat, given),
            }
            write_text(folder / f"answers-{one.seat}.json", json.dumps(values, indent=1))
    return len(returned)


def _strengths(survey: Survey, texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            equals, value = "", 0.0
        if not equals or not abs(value) <= 100:
            raise UserError(f"--strength takes MODEL=NUMBER, from -100 to 100; found {text!r}.")
        if name not in survey.plan.arms:
            raise UserError(f"--strength names {name!r}: {nearest(name, list(survey.plan.arms))}")
        found[name] = value
    return found
