"""Anything that holds images becomes a Dataset; sets that cannot be compared are refused."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.errors import UserError

Images = Dataset | np.ndarray | str | Path
"""A Dataset, uint8 [N, C, H, W], a folder of images, an .npz with `images` (and `labels`)."""
