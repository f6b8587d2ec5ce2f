"""`mtgan survey new`: what is asked for, what it takes, and the folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mtgan.errors import UserError
from mtgan.recipes.sentences import sentence
from mtgan.surveys.arms import DataArm, ModelArm, open_arms, real_arm
from mtgan.surveys.designs import DESIGNS
from mtgan.surveys.folder import Survey, read_wording, write_survey
from mtgan.surveys.plan import make_plan
from mtgan.surveys.power import (
    USUAL_RHO,
    Needed,
    answers_each,
    effect_of,
    power_with,
    raters_needed,
)
from mtgan.surveys.schema import Plan, Settings
from mtgan.training.run import Step


@dataclass(frozen=True)
class Size:
    """What a survey should find, and what its answers take and cost.

    Attributes:
        detect: The difference to be found, as the design means it; None where none is named.
        power: With which probability.
        rho: Correlation of one rater's answers (mtgan.surveys.power).
        seconds: That one answer takes.
        price: Of one answer.
    """

    detect: float | None = None
    power: float = 0.8
    rho: float = USUAL_RHO
    seconds: float = 5.0
    price: float | None = None


@dataclass(frozen=True)
class Planned:
    """A survey that is planned, and what it takes; its folder, unless it was only planned."""

    plan: Plan
    needed: Needed
    survey: Survey | None = None


def new_survey(
    out: Path,
    sources: Sequence[str],
    settings: Mapping[str, Any],
    *,
    data: str | None = None,
    root: Path | None = None,
    size: Size | None = None,
    wording: Path | None = None,
    step: Step = None,
    write: bool = True,
    progress: Callable[[str], None] = lambda text: None,
) -> Planned:
    """Plan a survey of runs and sets of samples, and write its folder (where `write`).

    settings: keys of mtgan.surveys.schema.Settings. Without raters among them, so many are taken as
    `size` needs to find its difference. UserError for what cannot be asked so.
    """
    size = size or Size()
    if write and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} exists already; name another folder, or remove it first.")
    chosen = _settings(settings)
    arms = open_arms(sources, step)
    real = _real(chosen, arms, data, root)
    chosen, power = _sized(chosen, arms, size, asked="raters" in settings)
    plan, wanted, everyone = make_plan(chosen, arms, real)
    needed = _needed(plan, size, power)
    if not write:
        return Planned(plan, needed)
    words = read_wording(wording) if wording else None
    return Planned(plan, needed, write_survey(out, plan, wanted, everyone, words, progress))


def _settings(values: Mapping[str, Any]) -> Settings:
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        raise UserError(f"The survey's settings: {sentence(error, Settings)}") from error


def _real(
    settings: Settings,
    arms: "Mapping[str, ModelArm | DataArm]",
    data: str | None,
    root: Path | None,
) -> DataArm | None:
    """Real samples, where there are any; sets of samples alone may do without."""
    of_run = any(isinstance(arm, ModelArm) for arm in arms.values())
    if data is None and not of_run:
        if DESIGNS.get(settings.design).needs_real or settings.with_real:
            return real_arm(list(arms.values()), data)  # which says what to do
        return None
    return real_arm(list(arms.values()), data, root)


def _sized(
    settings: Settings, arms: Mapping[str, Any], size: Size, asked: bool
) -> tuple[Settings, float | None]:
    """The settings with as many raters as it takes, where none are named; and the power."""
    if size.detect is None:
        return settings, None
    if not 0 < size.power < 1:
        raise UserError(f"--power is a probability between 0 and 1, as 0.8; found {size.power:g}.")
    if not 0 <= size.rho < 1:
        raise UserError(f"--rho is a correlation from 0 to below 1; found {size.rho:g}.")
    design = DESIGNS.get(settings.design)
    effect_of(design, size.detect)
    each = answers_each(design, len(arms), settings.with_real, settings.trials)
    questions = len(settings.questions) or max(1, len(arms) * (len(arms) - 1) // 2)
    alpha = settings.alpha / questions
    if asked:
        import numpy as np

        effect = effect_of(design, size.detect)
        found = power_with(effect, np.array([settings.raters]), each, alpha, size.rho)
        return settings, float(found[0])
    raters, power = raters_needed(design, size.detect, size.power, each, alpha, size.rho)
    return settings.model_copy(update={"raters": raters}), power


def _needed(plan: Plan, size: Size, power: float | None) -> Needed:
    answers = sum(map(len, plan.seats.values()))
    money = None if size.price is None else answers * size.price
    return Needed(len(plan.seats), power, answers, answers * size.seconds / 3600, money)
