"""Real training images under labels of others, as of a generator that heeds none. A planted
"no"."""

from dataclasses import replace

import numpy as np

from mtgan.data import Dataset
from mtgan.studies.additions import ADDITIONS, AdditionRequest
from mtgan.studies.additions.oversampling import oversampled
from mtgan.training.seeds import mix_seed


@ADDITIONS.register("shuffled")
def shuffled(request: AdditionRequest) -> Dataset:
    """As by oversampling, with the rows of labels in another order."""
    found = oversampled(request)
    random = np.random.default_rng(mix_seed(request.seed, "shuffled"))
    rows = found.labels[random.permutation(len(found))]
    return replace(found, labels=rows, stored_fingerprint=None)
