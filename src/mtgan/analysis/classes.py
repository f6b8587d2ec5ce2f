"""Class by class: is the label followed, and with how much variety?

N: samples; D: features.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import fisher_exact

from mtgan.analysis.base import (
    Images,
    spread_rows,
)
from mtgan.correction import holm
from mtgan.evaluation.metrics.ms_ssim import ms_ssim

ALPHA = 0.01
FOLLOWED = 0.5
"""A class is conditioned when its accuracy is at least this share of real images' accuracy."""
MISSING = 0.1
"""A class is missing when samples show it less often than this share of what real images do."""
COLLAPSED_SPREAD = 0.5
"""Pairwise feature distance, as a share of the real class's, below which variety is lost ..."""
COLLAPSED_SIMILARITY = 0.5
"""... if MS-SSIM has gone further than this share of the way from the real class's to 1."""
COLLAPSED_SIBLINGS = 0.2
"""Distance to the nearest sibling, as a share of the real class's: below it, samples repeat."""
PER_CLASS = 100


@dataclass(frozen=True)
class Variety:
    """Of one class, each figure relative to real images of it.

    Attributes:
        spread: Mean pairwise feature distance over the real one; 1 is as real.
        similarity: (MS-SSIM - real) / (1 - real): 0 is as real, 1 is one image repeated; None
            for images too small for it.
        siblings: Median distance to the nearest sample of the class over the real one.
    """

    spread: float
    similarity: float | None
    siblings: float

    @property
    def collapsed(self) -> bool:
        alike = self.similarity is None or self.similarity > COLLAPSED_SIMILARITY
        return (self.spread < COLLAPSED_SPREAD and alike) or self.siblings < COLLAPSED_SIBLINGS


@dataclass(frozen=True)
class ClassReport:
    """One class.

    Attributes:
        status: conditioned, weak (followed, by less than half of real accuracy), uncontrolled (the
            label makes no difference) or missing (hardly ever shown).
        accuracy, real_accuracy: Of the classifier, on samples asked for it and on held-out images.
        control_p: Fisher's exact test that asking for the class matters, Holm-corrected.
        variety: None where fewer than eight samples or real images are there to compare.
        shown_as: The class that its samples are taken for most often.
    """

    name: str
    samples: int
    status: str
    accuracy: float
    real_accuracy: float
    control_p: float
    variety: Variety | None
    shown_as: str

    @property
    def collapsed(self) -> bool:
        return self.variety is not None and self.variety.collapsed


Predictions = tuple[Images, np.ndarray, np.ndarray, np.ndarray]
"""Images, their features, the classes requested (of real images the true ones) and predicted."""


def class_reports(
    mine: Predictions, real: Predictions, names: tuple[str, ...], seed: int
) -> list[ClassReport]:
    """A report of each class that is requested, under its name in `names`."""
    _, _, requested, predicted = mine
    _, _, true, predicted_real = real
    present = np.unique(requested[requested >= 0]).tolist()
    p_values = holm(np.array([control_p(requested, predicted, index) for index in present]))
    reports = []
    for index, p in zip(present, p_values, strict=True):
        rows, real_rows = requested == index, true == index
        accuracy = float((predicted[rows] == index).mean())
        real_accuracy = (
            float((predicted_real[real_rows] == index).mean()) if real_rows.any() else 1.0
        )
        usual = float((predicted_real == index).mean())
        share = float((predicted == index).mean())
        status = class_status(accuracy, real_accuracy, p, share, usual)
        reports.append(
            ClassReport(
                name=names[index],
                samples=int(rows.sum()),
                status=status,
                accuracy=accuracy,
                real_accuracy=real_accuracy,
                control_p=float(p),
                variety=variety_of(
                    (mine[0][rows], mine[1][rows]), (real[0][real_rows], real[1][real_rows]), seed
                ),
                shown_as=names[int(np.bincount(predicted[rows]).argmax())],
            )
        )
    return reports


def class_status(accuracy: float, real: float, p: float, share: float, usual: float) -> str:
    """The status of a class; see ClassReport. share, usual: of samples and of real images."""
    if share < MISSING * usual:
        return "missing"
    if p >= ALPHA:
        return "uncontrolled"
    return "conditioned" if accuracy >= FOLLOWED * real else "weak"


def control_p(requested: np.ndarray, predicted: np.ndarray, index: int) -> float:
    """Fisher's exact test: is the class predicted more often when it is requested than when not?"""
    hit, mine = predicted == index, requested == index
    table = [
        [int((hit & mine).sum()), int((~hit & mine).sum())],
        [int((hit & ~mine).sum()), int((~hit & ~mine).sum())],
    ]
    return float(fisher_exact(table, alternative="greater")[1])


def variety_of(
    mine: tuple[Images, np.ndarray], real: tuple[Images, np.ndarray], seed: int
) -> Variety | None:
    """Of one class at equal counts of both sides; None below eight."""
    count = min(len(mine[0]), len(real[0]), PER_CLASS)
    if count < 8:
        return None
    figures = []
    for images, features in (mine, real):
        rows = spread_rows(len(images), count, seed)
        distances = squareform(pdist(features[rows].astype(np.float64)))
        spread = distances.sum() / (count * (count - 1))
        np.fill_diagonal(distances, np.inf)
        similarity = ms_ssim(images[rows], pairs=100, seed=seed).value if _fits(images) else None
        figures.append((spread, similarity, float(np.median(distances.min(axis=1)))))
    (spread, alike, sibling), (usual, real_alike, real_sibling) = figures
    tiny = np.finfo(float).tiny
    similarity = None
    if alike is not None and real_alike is not None:
        similarity = (alike - real_alike) / max(1 - real_alike, 1e-9)
    return Variety(spread / max(usual, tiny), similarity, sibling / max(real_sibling, tiny))


def _fits(images: Images) -> bool:
    """Whether MS-SSIM is defined."""
    return min(images.shape[2:]) >= 8
