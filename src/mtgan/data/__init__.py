"""Sources -> Dataset(samples uint8 [N, C, H, W], labels int64 [N, L], Taxonomy)."""

from mtgan.data.dataset import Dataset
from mtgan.data.held_out import hold_out
from mtgan.data.load import load_dataset, prepare_dataset
from mtgan.data.registry import list_datasets, register_dataset, register_format
from mtgan.data.taxonomy import Taxonomy

__all__ = [
    "Dataset",
    "Taxonomy",
    "hold_out",
    "list_datasets",
    "load_dataset",
    "prepare_dataset",
    "register_dataset",
    "register_format",
]
