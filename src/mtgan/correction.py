"""p-values of several comparisons, corrected for their number."""

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """p-values [k] in [0, 1] corrected for k comparisons (Holm 1979)."""
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.maximum.accumulate(p_values[order] * factors).clip(max=1.0)
    return corrected
