"""Settings of a recipe, searched for: every trial is a run of a study."""

from mtgan.studies.tuning.settings import Tuning, open_tuning
from mtgan.studies.tuning.space import TuningSpace, default_space, read_space
from mtgan.studies.tuning.tune import TuningResult, tune

__all__ = [
    "Tuning",
    "TuningResult",
    "TuningSpace",
    "default_space",
    "open_tuning",
    "read_space",
    "tune",
]
