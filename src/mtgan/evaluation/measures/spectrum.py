"""Sharpness, seen in pixels: the share of every spatial frequency.

Source: Durall, Keuper & Keuper 2020, arXiv 2003.01826 (generators fail to reproduce the radial
power spectrum of real images); here the distance is the root mean square over radial frequencies
of the difference of mean log powers. Precision and density reward blur, this cannot.
"""

import numpy as np

from mtgan.evaluation.comparison import Comparison
from mtgan.evaluation.measures.base import PIXELS, Outcome, Output, measure


def log_power_spectrum(images: np.ndarray) -> np.ndarray:
    """Mean log power by radial frequency.

    Args:
        images: uint8 [N, C, H, W].

    Returns:
        float64 [R], R = half the smaller side; natural logarithm of the power of the mean-free
        image per pixel, floored at that of rounding to whole grey levels (1/12).
    """
    height, width = images.shape[2:]
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    bands = min(height, width) // 2
    band = np.rint(np.sqrt(fy**2 + fx**2) * 2 * bands).astype(int)
    inside = (band >= 1) & (band <= bands)
    power = np.zeros(band.shape)
    for start in range(0, len(images), 1_000):
        part = images[start : start + 1_000].astype(np.float32)
        power += (np.abs(np.fft.rfft2(part)) ** 2).sum(axis=(0, 1))
    power /= images.shape[0] * images.shape[1] * height * width
    total = np.bincount(band[inside] - 1, weights=power[inside], minlength=bands)
    count = np.bincount(band[inside] - 1, minlength=bands)
    return np.log(np.maximum(total / np.maximum(count, 1), 1 / 12))


@measure(Output("spectrum_distance", "lower", "fidelity", "linear"), space=PIXELS)
def spectrum_distance(comparison: Comparison) -> Outcome:
    """Root mean square gap of log powers over spatial frequencies: blur and noise alike."""
    mine = log_power_spectrum(comparison.generated.images)
    gap = mine - log_power_spectrum(comparison.reference.images)
    return Outcome({"spectrum_distance": float(np.sqrt(np.mean(gap**2)))})
