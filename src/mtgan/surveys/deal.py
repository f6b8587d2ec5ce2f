"""Who judges what: balanced incomplete blocks, the blocks being raters.

Legend: R raters, T main trials of each, K treatments (a model, or a pair of models), C classes.
"""

from collections.abc import Sequence

import numpy as np

Dealt = list[list[tuple[int, int]]]
"""For each rater, (treatment, class) of each main trial, by their places."""


def deal(
    raters: int, trials: int, treatments: int, classes: int, random: np.random.Generator
) -> Dealt:
    """T trials for each of R raters.

    Of any two treatments, a rater's numbers of trials differ by one at most, and so do those of all
    raters together; of a treatment, the numbers of any two classes by one at most, over all raters.
    Where T < K, treatments that have met least in one rater meet next (a balanced incomplete block
    design, where there is one that chance and this rule find).
    """
    overall = np.zeros(treatments, dtype=int)
    together = np.zeros((treatments, treatments), dtype=int)
    cells = np.zeros((treatments, classes), dtype=int)
    dealt: Dealt = []
    for _ in range(raters):
        own, own_classes = np.zeros(treatments, dtype=int), np.zeros(classes, dtype=int)
        chosen: list[tuple[int, int]] = []
        for _ in range(trials):
            met = together[:, np.flatnonzero(own)].sum(axis=1)
            treatment = _least(random, met, overall, own)
            of_class = _least(random, own_classes, cells[treatment])
            together[treatment, np.flatnonzero(own)] += 1
            together[np.flatnonzero(own), treatment] += 1
            own[treatment] += 1
            overall[treatment] += 1
            own_classes[of_class] += 1
            cells[treatment, of_class] += 1
            chosen.append((treatment, of_class))
        dealt.append(chosen)
    return dealt


def _least(random: np.random.Generator, *keys: np.ndarray) -> int:
    """Where the last key is least, then the one before it, and so on; among equals by chance."""
    return int(np.lexsort((random.random(len(keys[0])), *keys))[0])


def share_out(raters: Sequence[int], judged: int) -> np.ndarray:
    """Which thing each of n occurrences shows, from 0 on, where each is to be judged by about
    `judged` raters and none twice by the same.

    raters: of each occurrence the rater, in ascending order.
    """
    counts = np.bincount(raters)
    things = max(-(-len(raters) // judged), int(counts.max()))
    return np.arange(len(raters)) % things


def session_order(
    main: int, catch: int, repeats: int, random: np.random.Generator
) -> list[tuple[str, int]]:
    """A session's (kind, index): main and catch trials mixed; repeats of main trials of its first
    half among its last third."""
    order = [("main", i) for i in range(main)] + [("catch", i) for i in range(catch)]
    order = [order[i] for i in random.permutation(len(order))]
    half = [index for kind, index in order[: max(1, len(order) // 2)] if kind == "main"]
    again = random.permutation(half)[:repeats]
    for index in again:
        place = int(random.integers(len(order) - len(order) // 3, len(order) + 1))
        order.insert(place, ("repeat", int(index)))
    return order


def flips(count: int, random: np.random.Generator) -> np.ndarray:
    """bool [count]: sides by turns, the first by chance, so that both are as often within one."""
    return (np.arange(count) + random.integers(2)) % 2 == 1
