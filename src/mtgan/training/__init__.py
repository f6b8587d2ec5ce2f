"""Recipe + Dataset -> Game -> Run."""

from mtgan.errors import Interrupted
from mtgan.training.critic import load_critic_features
from mtgan.training.layers import count_parameters, network_layers
from mtgan.training.run import Run
from mtgan.training.snapshots import TrainingDiverged
from mtgan.training.train import train

__all__ = [
    "Interrupted",
    "Run",
    "TrainingDiverged",
    "count_parameters",
    "load_critic_features",
    "network_layers",
    "train",
]
