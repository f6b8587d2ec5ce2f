"""Whose turn it is, and at which learning rate."""

import numpy as np
import pytest

from mtgan.classification.schedule import epoch_turns, learning_rate

COUNTS = {"main": 50, "auxiliary": 23}


@pytest.mark.parametrize("together", [False, True])
def test_every_task_sees_each_of_its_samples_once_per_epoch(together) -> None:
    for epoch in range(3):
        updates = epoch_turns(COUNTS, 8, 0, epoch, together)
        for task, count in COUNTS.items():
            seen = [turn.rows for update in updates for turn in update if turn.task == task]
            assert sorted(np.concatenate(seen)) == list(range(count))
            assert {len(rows) for rows in seen} <= {7, 8}
        assert len(updates) == (7 if together else 7 + 3)


def test_tasks_alternate_in_random_order() -> None:
    counts = {"main": 400, "auxiliary": 400}
    owners = ["".join(t[0].task[0] for t in epoch_turns(counts, 8, 0, e)) for e in range(2)]
    assert owners[0] != owners[1]
    changes = sum(a != b for a, b in zip(owners[0], owners[0][1:], strict=False))
    assert 30 < changes < 70  # 49.5 expected of 99, standard deviation 5
    assert owners[0] == "".join(t[0].task[0] for t in epoch_turns(counts, 8, 0, 0))
    assert owners[0] != "".join(t[0].task[0] for t in epoch_turns(counts, 8, 1, 0))


def test_the_order_of_one_task_does_not_depend_on_another() -> None:
    alone = np.concatenate([u[0].rows for u in epoch_turns({"main": 50}, 8, 0, 1)])
    both = [u[0].rows for u in epoch_turns(COUNTS, 8, 0, 1) if u[0].task == "main"]
    assert (np.concatenate(both) == alone).all()


def test_the_learning_rate_steps_of_the_thesis() -> None:
    """Thesis 2017, 2.0.1: 0.001 at epoch 66 and 0.0001 at epoch 133 of 200."""
    rates = [learning_rate((0.01, 0.001, 0.0001), epoch, 200) for epoch in range(200)]
    assert rates == [0.01] * 66 + [0.001] * 67 + [0.0001] * 67
    assert {learning_rate((0.1,), epoch, 7) for epoch in range(7)} == {0.1}
