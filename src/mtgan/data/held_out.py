"""The part of a set without splits of its own that serves as its test split."""

from dataclasses import replace

import numpy as np

from mtgan.data.dataset import Dataset, stratified_choice

HELD_OUT = 0.2
"""Share of a set without splits of its own that is held out as "test"."""
HELD_OUT_NOTE = (
    "The set has no splits of its own: a fifth, always the same one, is held out as test "
    "(stratified by the finest labels)."
)


def hold_out(data: Dataset, split: str) -> Dataset:
    """The train or test part of a set that has no splits of its own; always the same one.

    Among real samples, generated ones are for training alone.
    """
    apart = data.apart
    told = [] if split == "all" else [HELD_OUT_NOTE]
    if split != "all":
        data = data.select(held_out_rows(data.labels, split, apart))
    if split != "test" and apart.any():
        told.append(generated_note(int(apart.sum()), len(data)))
    return replace(data, split=split, notes=(*data.notes, *told))


def held_out_rows(labels: np.ndarray, split: str, apart: np.ndarray | None = None) -> np.ndarray:
    """The positions that belong to a split, of a set with labels [N, L] and no own splits.

    apart: bool [N], samples that are never held out.
    """
    pool = np.arange(len(labels)) if apart is None else np.flatnonzero(~apart)
    held = round(HELD_OUT * len(pool))
    random = np.random.default_rng(0)
    if labels.shape[1]:
        test = stratified_choice(labels[pool, 0], held, random)
    else:
        test = random.permutation(len(pool))[:held]
    mask = np.zeros(len(labels), dtype=bool)
    mask[pool[test]] = True
    return np.flatnonzero({"test": mask, "train": ~mask, "all": mask | ~mask}[split])


def generated_note(count: int, total: int) -> str:
    """What is said of generated images among real ones."""
    return (
        f"{count:,} of {total:,} images were generated: they are trained on, and images for tests "
        "and validation are taken from the real ones alone."
    )
