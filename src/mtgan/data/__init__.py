"""Sources -> Dataset(samples uint8 [N, C, H, W], labels int64 [N, L], Taxonomy)."""

import importlib
import pkgutil

from mtgan.data.dataset import Dataset
from mtgan.data.sources import list_datasets, load_dataset, prepare_dataset, register_dataset
from mtgan.data.taxonomy import Taxonomy

# Every file here may register a source.
for _info in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_info.name}")

__all__ = [
    "Dataset",
    "Taxonomy",
    "list_datasets",
    "load_dataset",
    "prepare_dataset",
    "register_dataset",
]
