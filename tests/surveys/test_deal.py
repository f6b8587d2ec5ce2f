"""Who judges what: the counts that a balanced design has."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from mtgan.surveys.deal import deal, flips, session_order, share_out


def spread(counts: np.ndarray) -> int:
    return int(counts.max() - counts.min())


@pytest.mark.parametrize(
    ("raters", "trials", "treatments", "classes"),
    [(7, 10, 3, 4), (20, 60, 6, 10), (5, 3, 7, 1), (9, 4, 4, 3), (1, 50, 1, 7)],
)
def test_all_margins_are_even(raters: int, trials: int, treatments: int, classes: int) -> None:
    dealt = deal(raters, trials, treatments, classes, np.random.default_rng(0))
    assert [len(own) for own in dealt] == [trials] * raters
    table = np.zeros((raters, treatments, classes), dtype=int)
    for rater, own in enumerate(dealt):
        for treatment, of_class in own:
            table[rater, treatment, of_class] += 1
    assert max(spread(own) for own in table.sum(axis=2)) <= 1
    assert spread(table.sum(axis=(0, 2))) <= 1
    assert max(spread(cell) for cell in table.sum(axis=0)) <= 1


def test_incomplete_blocks_meet_evenly() -> None:
    """7 treatments in blocks of 3: with 70 raters each pair would meet 70 * 3 / 21 = 10 times."""
    dealt = deal(70, 3, 7, 1, np.random.default_rng(1))
    met: Counter[tuple[int, int]] = Counter()
    for own in dealt:
        met.update(combinations(sorted(treatment for treatment, _ in own), 2))
    assert len(met) == 21
    assert sum(met.values()) == 210
    assert all(8 <= count <= 12 for count in met.values())


def test_nobody_judges_a_thing_twice_and_all_are_judged_as_often() -> None:
    raters = np.repeat(np.arange(10), 6)
    things = share_out(raters, judged=3)
    assert Counter(Counter(things).values()) == {3: 20}
    pairs = list(zip(raters, things, strict=True))
    assert len(set(pairs)) == len(pairs)
    # One rater alone sees each once, whatever is asked for.
    assert sorted(share_out(np.zeros(8, dtype=int), judged=5)) == list(range(8))


def test_a_session_has_every_trial_and_repeats_come_late() -> None:
    for seed in range(20):
        order = session_order(30, 6, 5, np.random.default_rng(seed))
        kinds = Counter(kind for kind, _ in order)
        assert kinds == {"main": 30, "catch": 6, "repeat": 5}
        assert sorted(index for kind, index in order if kind == "main") == list(range(30))
        first = {index: place for place, (kind, index) in enumerate(order) if kind == "main"}
        repeats = [(place, index) for place, (kind, index) in enumerate(order) if kind == "repeat"]
        assert len({index for _, index in repeats}) == 5
        assert all(place - first[index] >= 6 for place, index in repeats)


def test_sides_take_turns() -> None:
    for seed in range(5):
        found = flips(7, np.random.default_rng(seed))
        assert found.sum() in {3, 4}
        assert (found[1:] != found[:-1]).all()
