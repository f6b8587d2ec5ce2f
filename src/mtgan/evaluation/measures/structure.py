"""Pictures alike (MS-SSIM), and holes alike (geometry score)."""

import importlib.util

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.measures.base import PIXELS, Outcome, Output, listed, measure
from mtgan.evaluation.metrics.geometry import geometry_score as geometry
from mtgan.evaluation.metrics.ms_ssim import ms_ssim as similarity

SMALLEST_SIDE = 8


def too_small(comparison: Comparison) -> str:
    """Why the structural similarity cannot be had."""
    side = min(comparison.generated.images.shape[2:])
    return "" if side >= SMALLEST_SIDE else f"images below {SMALLEST_SIDE} pixels on a side"


def without_gudhi(comparison: Comparison) -> str:
    """Why the geometry score cannot be had."""
    found = importlib.util.find_spec("gudhi") is not None
    return "" if found else "it needs pip install 'mtgan[topology]'"


@measure(
    Output("ms_ssim", "like real"),
    Output("ms_ssim_within", "like real"),
    resampled=False,
    needs=[too_small],
    space=PIXELS,
)
def ms_ssim(comparison: Comparison) -> Outcome:
    """Mean structural similarity of random pairs: of all samples, and within predicted classes."""
    setting, generated = comparison.setting, comparison.generated
    values = {"ms_ssim": similarity(generated.images, seed=setting.seed).value}
    details: dict[str, dict[str, float]] = {}
    notes = []
    for level in setting.levels:
        shown, names = setting.shown(level, generated), setting.taxonomy.classes[level]
        key = f"ms_ssim_within/{level}"
        details[key] = {}
        if (shown >= 0).any():
            found = similarity(generated.images, shown, seed=setting.seed)
            assert found.mean is not None
            values[key] = found.mean
            details[key] = {names[index]: value for index, value in found.per_class.items()}
        if absent := [name for name in names if name not in details[key]]:
            notes.append(
                f"{key} is over {len(details[key])} of {len(names)} classes of {level}: too few "
                f"samples show {listed(absent)} to tell them from the classifier's mistakes"
            )
    return Outcome(values, {key: within for key, within in details.items() if within}, notes)


@measure(Output("geometry_score", "lower"), slow=True, needs=[without_gudhi])
def geometry_score(comparison: Comparison) -> Outcome:
    """Difference of mean relative living times of one-dimensional holes."""
    found = geometry(
        comparison.generated.points,
        comparison.reference.points,
        seed=comparison.setting.seed,
    )
    return Outcome({"geometry_score": found.value})
