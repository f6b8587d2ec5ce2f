"""Recipe + Dataset -> Game -> Run."""

from mtgan.errors import Interrupted
from mtgan.training.run import Run
from mtgan.training.snapshots import TrainingDiverged
from mtgan.training.train import count_parameters, train

__all__ = ["Interrupted", "Run", "TrainingDiverged", "count_parameters", "train"]
