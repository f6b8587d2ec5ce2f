"""Sources -> Dataset(samples uint8 [N, C, H, W], labels int64 [N, L], Taxonomy)."""

from mtgan.data.dataset import Dataset
from mtgan.data.sources import (
    list_datasets,
    load_dataset,
    prepare_dataset,
    register_dataset,
    register_format,
)
from mtgan.data.taxonomy import Taxonomy

__all__ = [
    "Dataset",
    "Taxonomy",
    "list_datasets",
    "load_dataset",
    "prepare_dataset",
    "register_dataset",
    "register_format",
]
