"""Judge generated samples, of this library or any other, against real data."""

from mtgan.evaluation.quick import QuickEvaluator

__all__ = ["QuickEvaluator"]
