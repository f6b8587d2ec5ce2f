"""Recipe + Dataset -> Game -> Run."""

from mtgan.errors import Interrupted
from mtgan.training.loop import TrainingDiverged, count_parameters, train
from mtgan.training.run import Run

__all__ = ["Interrupted", "Run", "TrainingDiverged", "count_parameters", "train"]
