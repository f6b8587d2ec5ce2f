"""Are samples new, or copies of training images? Compared with all training data, not a draw."""

import numpy as np

from mtgan.evaluation.comparison import Comparison, SampleSet, Setting
from mtgan.evaluation.measures.base import PIXELS, Outcome, Output, measure
from mtgan.evaluation.metrics.data_copying import data_copying as copying
from mtgan.evaluation.metrics.distances import TIE, nearest
from mtgan.evaluation.metrics.frechet import frechet_from_statistics
from mtgan.evaluation.metrics.gray_neighbors import gray_pixel_neighbors
from mtgan.evaluation.metrics.memorization import memorization_distance, penalized

INCEPTION_THRESHOLD = 0.1
"""The published threshold of MiFID; other spaces take half the held-out data's own distance."""


@measure(Output("authenticity", "higher", "authenticity", "linear"))
def authenticity(comparison: Comparison) -> Outcome:
    """Share of samples farther from their nearest training image than that is from its own."""
    flags = comparison.generated.per_sample(
        "authentic", lambda whole: authentic_flags(whole, comparison.setting)
    )
    return Outcome({"authenticity": float(flags.mean())})


def authentic_flags(judged: SampleSet, setting: Setting) -> np.ndarray:
    """Whether each sample is authentic, bool [N], as in `metrics.authenticity`.

    Only training images that are somebody's nearest are given a neighbor of their own, so that
    the cost is N times the training set and not its square.
    """
    distances, indices = (
        each[:, 0].cpu() for each in nearest(judged.points, setting.training.points)
    )
    gaps = setting.training_gaps(indices)
    return (distances.square() > gaps.square() * (1 + TIE)).numpy()


@measure(
    Output("memorization_fid", "lower"),
    Output("memorization_distance", "higher"),
    slow=True,
)
def memorization_fid(comparison: Comparison) -> Outcome:
    """Frechet distance to all training data, divided by the memorization distance where small."""
    setting, judged = comparison.setting, comparison.generated

    def memorized(images: SampleSet) -> float:
        return images.once(
            "memorized", lambda: memorization_distance(images.points, setting.training.points)
        )

    threshold = INCEPTION_THRESHOLD
    if setting.held_out is not None and not setting.is_inception:
        threshold = memorized(setting.held_out) / 2
    plain = frechet_from_statistics(judged.statistics, setting.training.statistics)
    found = penalized(plain, memorized(judged), threshold)
    return Outcome(
        {
            "memorization_fid": found.value,
            "memorization_distance": found.memorization_distance,
        }
    )


@measure(Output("data_copying", "like real"), slow=True, needs=[Comparison.without_held_out])
def data_copying(comparison: Comparison) -> Outcome:
    """C_T, a z value: far below that of real data warns of copies, and of blur as well."""
    setting = comparison.setting
    assert setting.held_out is not None
    found = copying(
        comparison.generated.points,
        setting.training.points,
        setting.held_out.points,
        seed=setting.seed,
    )
    judged = sum(score is not None for score in found.by_cell)
    notes = []
    if judged < len(found.by_cell):
        notes.append(
            f"data_copying is over {judged} of {len(found.by_cell)} cells; the others hold too few "
            "samples"
        )
    return Outcome({"data_copying": found.value}, notes=notes)


@measure(
    Output("pixel_copies", "lower"),
    Output("pixel_distance_ratio", "like real"),
    slow=True,
    needs=[Comparison.without_held_out],
    space=PIXELS,
)
def gray_neighbors(comparison: Comparison) -> Outcome:
    """Nearest training image by gray pixels or their mirror image, beside that of unseen images."""
    setting = comparison.setting
    assert setting.held_out is not None
    found = gray_pixel_neighbors(
        comparison.generated.images, setting.training.images, setting.held_out.images
    )
    assert found.copies is not None
    assert found.ratio is not None
    return Outcome({"pixel_copies": found.copies, "pixel_distance_ratio": found.ratio})
