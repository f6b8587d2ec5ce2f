"""Sharpness, seen in pixels: the share of every spatial frequency.

Source: Durall, Keuper & Keuper 2020, arXiv 2003.01826 (generators fail to reproduce the radial
power spectrum of real images); here the distance is the root mean square over radial frequencies
of the difference of mean log powers. Precision and density reward blur, this cannot.

Range [0, inf), lower is better.
"""

import math

import numpy as np

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.metrics.base import PIXELS, Outcome, Output, register_metric


def log_power_spectrum(powers: np.ndarray) -> np.ndarray:
    """Mean log power by radial frequency, float64 [R], of band_powers [N, R]: the logarithm,
    floored at that of rounding to whole grey levels (1/12)."""
    return np.log(np.maximum(powers.mean(axis=0), 1 / 12))


def band_powers(images: np.ndarray) -> np.ndarray:
    """Power per pixel of each mean-free image uint8 [N, C, H, W] in each radial frequency band,
    float64 [N, R], R = half the smaller side."""
    height, width = images.shape[2:]
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    bands = min(height, width) // 2
    band = np.rint(np.sqrt(fy**2 + fx**2) * 2 * bands).astype(int)
    inside = (band >= 1) & (band <= bands)
    members = (band[inside][:, None] == np.arange(1, bands + 1)).astype(np.float64)
    members /= np.maximum(members.sum(axis=0), 1) * images.shape[1] * height * width
    powers = []
    for start in range(0, len(images), 1_000):
        waves = np.fft.rfft2(images[start : start + 1_000].astype(np.float32))
        power = (waves.real**2 + waves.imag**2).sum(axis=1, dtype=np.float64)
        powers.append(power[:, inside] @ members)
    return np.concatenate(powers)


def _gap(mine: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.sqrt(np.mean((log_power_spectrum(mine) - log_power_spectrum(theirs)) ** 2)))


def spectrum_distance(samples: np.ndarray, reference: np.ndarray) -> float:
    """Root mean square gap of mean log powers of images uint8 [M, C, H, W] and [N, C, H, W]."""
    return _gap(band_powers(samples), band_powers(reference))


@register_metric(
    "spectrum_distance",
    Output("spectrum_distance", "lower", "fidelity", "linear", range=(0, math.inf)),
    space=PIXELS,
    source="after Durall et al. 2020, pixels",
    function=spectrum_distance,
)
def of_comparison(comparison: Comparison) -> Outcome:
    """Root mean square gap of log powers over spatial frequencies: blur and noise alike."""
    mine, theirs = (
        side.per_sample("band powers", lambda whole: band_powers(whole.images))
        for side in (comparison.generated, comparison.reference)
    )
    return Outcome({"spectrum_distance": _gap(mine, theirs)})
