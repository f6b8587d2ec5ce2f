"""Recipe + Dataset -> Game -> Run."""

from mtgan.training.loop import Interrupted, TrainingDiverged, train
from mtgan.training.run import Run

__all__ = ["Interrupted", "Run", "TrainingDiverged", "train"]
