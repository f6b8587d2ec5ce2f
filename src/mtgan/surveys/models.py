"""Agreement of raters, models over all answers, and how people change while they answer.

The models are generalized estimating equations (Liang & Zeger 1986) by statsmodels: answers of one
rater are exchangeable, and the covariance is that of Mancl & DeRouen (2001), for few raters.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats

from mtgan.errors import import_extra
from mtgan.surveys.designs import Design
from mtgan.surveys.estimates import Estimate, Interval, mean
from mtgan.surveys.exclusions import agreements
from mtgan.surveys.table import Answers

_FEWEST = 3  # raters, for a model


@dataclass(frozen=True)
class Coefficient:
    """Attributes:
    name: Of what.
    value, interval: With its 95 % interval.
    p: Of none.
    """

    name: str
    value: float
    interval: Interval
    p: float


def alpha(rows: Answers, design: Design) -> float | None:
    """Krippendorff's alpha of main trials: 1 where raters who judge the same stimulus agree, 0
    where they agree as by chance. None where no stimulus was judged by two, or all said the
    same."""
    krippendorff = import_extra("krippendorff", "survey", "Krippendorff's alpha")
    raters, stimuli = (
        np.unique(one, return_inverse=True)[1] for one in (rows.rater, rows.stimulus)
    )
    values = rows.outcome
    if not design.compares and design.measurement == "nominal":
        values = np.unique(rows.answer.astype(str), return_inverse=True)[1].astype(float)
    table = np.full((raters.max() + 1, stimuli.max() + 1), np.nan)
    table[raters, stimuli] = values
    shared = (~np.isnan(table)).sum(axis=0) > 1
    if not shared.any() or len(np.unique(table[:, shared][~np.isnan(table[:, shared])])) < 2:
        return None
    return float(
        krippendorff.alpha(reliability_data=table, level_of_measurement=design.measurement)
    )


def self_agreement(rows: Answers) -> Estimate | None:
    """The share of repeated trials that were answered as before; None without any."""
    found = agreements(rows)
    repeats = rows.of_kind("repeat")
    repeats = repeats.where(repeats.answer != "")
    known = ~np.isnan(found)
    if not known.any():
        return None
    return mean("answered as before", "", repeats.where(known), found[known], binary=True)


def against_first(rows: Answers, design: Design) -> list[Coefficient]:
    """Each model against the first: odds ratios where outcomes are 0 or 1, else differences."""
    names = rows.judged
    columns = [np.ones(len(rows)), *(rows.of_arm(name).astype(float) for name in names[1:])]
    fitted = _fit(rows, rows.outcome, np.stack(columns, axis=1), design.binary)
    if fitted is None:
        return []
    scale = np.exp if design.binary else np.asarray
    return [
        Coefficient(name, float(scale(value)), (float(scale(low)), float(scale(high))), p)
        for name, (value, low, high, p) in zip(names[1:], fitted[1:], strict=True)
    ]


def learning(rows: Answers, design: Design) -> list[Coefficient]:
    """What changes from the first trial of a session to the last: the design's outcome (or error),
    and the time of an answer, as a factor."""
    last = max(int(rows.place.max()), 1)
    time = rows.place / last
    kinds = np.unique(rows.arms, axis=0, return_inverse=True)[1].ravel()
    dummies = np.eye(kinds.max() + 1)[kinds]
    exog = np.column_stack([dummies, time])
    found = []
    what, values = design.learned(rows)
    if fitted := _fit(rows, values, exog, binary=False):
        value, low, high, p = fitted[-1]
        found.append(Coefficient(what, value, (low, high), p))
    known = rows.ms > 0
    if known.any() and (fitted := _fit(rows.where(known), np.log(rows.ms[known]), exog[known])):
        value, low, high, p = fitted[-1]
        reach = float(np.exp(low)), float(np.exp(high))
        found.append(Coefficient("time of an answer, factor", float(np.exp(value)), reach, p))
    return found


def _fit(
    rows: Answers, values: np.ndarray, exog: np.ndarray, binary: bool = False
) -> list[tuple[float, float, float, float]] | None:
    """(value, low, high, p) of each coefficient; None where the model cannot be fitted."""
    models = import_extra("statsmodels.api", "survey", "The models of a survey")
    raters = len(np.unique(rows.rater))
    if raters < _FEWEST or np.ptp(values) == 0:
        return None
    family = models.families.Binomial() if binary else models.families.Gaussian()
    model = models.GEE(
        values, exog, groups=rows.rater, family=family, cov_struct=models.cov_struct.Exchangeable()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = model.fit(cov_type="bias_reduced")
        except (ValueError, np.linalg.LinAlgError):
            return None
    if not (np.isfinite(fitted.params).all() and np.isfinite(fitted.bse).all()):
        return None
    if binary and np.abs(fitted.params).max() > 15:  # one was always answered alike
        return None
    reach = stats.t.ppf(0.975, raters - 1)
    pulls = np.abs(fitted.params) / np.where(fitted.bse > 0, fitted.bse, np.inf)
    found = zip(fitted.params, fitted.bse, 2 * stats.t.sf(pulls, raters - 1), strict=True)
    return [(float(v), float(v - reach * s), float(v + reach * s), float(p)) for v, s, p in found]
