"""Real training images once more, so that classes have as many as with generated ones."""

import numpy as np

from mtgan.data import Dataset
from mtgan.studies.additions import ADDITIONS, AdditionRequest
from mtgan.training.seeds import mix_seed


@ADDITIONS.register("oversampling")
def oversampled(request: AdditionRequest) -> Dataset:
    """Those of each class in turn, whole rounds first."""
    random = np.random.default_rng(mix_seed(request.seed, "oversampling"))
    labels = request.real.labels_of(request.level)
    chosen = [
        repeated(np.flatnonzero(labels == k), count, random)
        for k, count in enumerate(request.wanted)
    ]
    return request.real.select(np.concatenate(chosen))


def repeated(rows: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """int64 [count]: rows in shuffled rounds, so that none comes twice more often than another."""
    if not count or not len(rows):
        return np.empty(0, dtype=np.int64)
    rounds = -(-count // len(rows))
    return np.concatenate([random.permutation(rows) for _ in range(rounds)])[:count]
