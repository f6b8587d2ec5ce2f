"""The old name of `Evaluator`, for one release."""

import warnings
from typing import Any

import numpy as np

from mtgan.data import Dataset
from mtgan.evaluation.evaluator import Evaluator


class QuickEvaluator:
    """An Evaluator by what training watches, which gives a dictionary."""

    def __init__(
        self, reference: Dataset, n: int = 1_000, features: str = "auto", **options: Any
    ) -> None:
        warnings.warn(
            "mtgan.evaluation.QuickEvaluator(data, n, features) is now "
            "mtgan.evaluation.Evaluator(data, n=n, features=features), which gives scorecards.",
            DeprecationWarning,
            stacklevel=2,
        )
        self._evaluator = Evaluator(reference, n=n, features=features, **options)
        self.n = self._evaluator.n
        self.protocol = self._evaluator.protocol

    def __call__(self, samples: np.ndarray, labels: np.ndarray | None = None) -> dict[str, float]:
        return dict(self._evaluator(samples, labels))
