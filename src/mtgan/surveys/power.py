"""How many people it takes, how long, and what it costs.

Answers of one rater are alike. With m answers of each about a question, whose correlation within
raters is rho, n answers tell as much as n / (1 + (m - 1) rho) independent ones (Kish 1965). The
number of clusters, R raters, gives the test its degrees of freedom, R - 1. Of several questions,
each is tested at alpha over their number, as the first of Holm's steps is.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from mtgan.errors import UserError
from mtgan.surveys.designs import Design
from mtgan.surveys.designs.base import Effect

_MOST = 100_000
USUAL_RHO = 0.05


@dataclass(frozen=True)
class Needed:
    """Attributes:
    raters: People; the fewest with which the power is reached.
    power: To find the difference with so many of them; None where none is named.
    answers: Of all raters, catch trials and repeats included.
    hours: Of all raters together.
    money: What the answers cost at the price given; None without one.
    """

    raters: int
    power: float | None
    answers: int
    hours: float
    money: float | None

    def to_dict(self) -> dict[str, float | None]:
        return {key: getattr(self, key) for key in ("raters", "power", "answers", "hours", "money")}


def power_with(
    effect: Effect, raters: np.ndarray, each: float, alpha: float, rho: float = USUAL_RHO
) -> np.ndarray:
    """The probability of finding an effect with so many raters [k], each giving `each` answers
    (about each side) to the question: two-sided, at level alpha."""
    design_effect = 1 + max(each - 1, 0) * rho
    answers = raters * each / design_effect
    needed = stats.t.ppf(1 - alpha / 2, raters - 1) * np.sqrt(effect.variance_without / answers)
    spread = np.sqrt(effect.variance_with / answers)
    return stats.norm.cdf((effect.difference - needed) / spread)


def raters_needed(
    design: Design, detect: float, power: float, each: float, alpha: float, rho: float
) -> tuple[int, float]:
    """The fewest raters with which `detect` is found with this power, and the power that they give;
    see power_with. UserError where no number up to 100,000 does, or `detect` means nothing."""
    counts = np.arange(2, _MOST + 1)
    reached = power_with(effect_of(design, detect), counts, each, alpha, rho)
    if not (reached >= power).any():
        raise UserError(
            f"To find {detect:g} with power {power:g} takes more than {_MOST:,} raters of "
            f"{each:.3g} answers to each question; look for a larger difference (--detect), or ask "
            "each for more (--trials)."
        )
    first = int((reached >= power).argmax())
    return int(counts[first]), float(reached[first])


def effect_of(design: Design, detect: float) -> Effect:
    """What `detect` means in a design; UserError where it means nothing."""
    try:
        return design.effect(detect)
    except ValueError as error:
        raise UserError(f"{error}; found {detect:g}.") from None


def answers_each(design: Design, models: int, with_real: bool, trials: int) -> float:
    """Answers of one rater to each question (about each side of it), where each is about two models
    or about one and the real samples."""
    names = [str(index) for index in range(models)]
    judged = with_real or design.needs_real
    treatments = design.treatments(names, "real" if judged else None)
    return trials / len(treatments)
