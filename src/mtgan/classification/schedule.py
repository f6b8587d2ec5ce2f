"""Whose turn it is, on which samples, and at which learning rate."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from mtgan.training.seeds import mix_seed


@dataclass(frozen=True)
class Turn:
    """One batch of one task: positions int64 [B] in its training part."""

    task: str
    rows: np.ndarray


def epoch_turns(
    counts: Mapping[str, int], batch_size: int, seed: int, epoch: int, together: bool = False
) -> list[tuple[Turn, ...]]:
    """The updates of one epoch; each task sees each of its samples exactly once.

    counts: training samples by task. The tasks take turns in random order (thesis, 2.0.1); or,
    `together`, each update has a batch of every task that has one left. A task's batches are of
    equal size (but for one sample), at most batch_size, so that none is too small for batch
    normalization.
    """
    turns = {}
    for task, count in counts.items():
        order = np.random.default_rng(mix_seed(seed, "order", task, epoch)).permutation(count)
        batches = np.array_split(order, math.ceil(count / batch_size))
        turns[task] = [Turn(task, rows) for rows in batches]
    if together:
        return [tuple(turn for turn in update if turn) for update in zip_longest(*turns.values())]
    owners = [task for task, batches in turns.items() for _ in batches]
    random = np.random.default_rng(mix_seed(seed, "alternation", epoch))
    return [(turns[owners[i]].pop(0),) for i in random.permutation(len(owners))]


def learning_rate(rates: Sequence[float], epoch: int, epochs: int) -> float:
    """The rate of an epoch, counted from 0: n rates change at floor(epochs k / n), k = 1 ... n - 1.

    Of 200 epochs and three rates: at 66 and 133 (thesis, 2.0.1).
    """
    changes = [epochs * k // len(rates) for k in range(1, len(rates))]
    return rates[sum(epoch >= change for change in changes)]
