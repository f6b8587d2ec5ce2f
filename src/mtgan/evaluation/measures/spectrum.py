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
    return _log_mean(band_powers(images))


def _log_mean(powers: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(powers.mean(axis=0), 1 / 12))


def band_powers(images: np.ndarray) -> np.ndarray:
    """Power per pixel of each image in each radial frequency band, float64 [N, R]."""
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


@measure(Output("spectrum_distance", "lower", "fidelity", "linear"), space=PIXELS)
def spectrum_distance(comparison: Comparison) -> Outcome:
    """Root mean square gap of log powers over spatial frequencies: blur and noise alike."""
    mine, theirs = (
        _log_mean(each.per_sample("band powers", lambda whole: band_powers(whole.images)))
        for each in (comparison.generated, comparison.reference)
    )
    return Outcome({"spectrum_distance": float(np.sqrt(np.mean((mine - theirs) ** 2)))})
