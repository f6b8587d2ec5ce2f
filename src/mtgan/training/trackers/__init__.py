"""Programs that follow trainings beside TensorBoard (--log): a file each, found by lying here."""

from mtgan.training.trackers.base import TRACKERS, Ending, Tracked, Tracker
from mtgan.training.trackers.followed import TOLD, Trackers, chosen_trackers

__all__ = [
    "TOLD",
    "TRACKERS",
    "Ending",
    "Tracked",
    "Tracker",
    "Trackers",
    "chosen_trackers",
]
