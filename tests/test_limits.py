"""Numbers have ranges, and the sentence says them."""

import re

import numpy as np
import pytest

from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.evaluation import evaluate
from mtgan.limits import LARGEST_SEED, check_memory, check_number, check_seed


def test_both_ends_are_inside() -> None:
    for seed in (0, LARGEST_SEED):
        check_seed(seed)
    for seed in (-1, LARGEST_SEED + 1, 2**64, float("nan"), float("inf")):
        with pytest.raises(UserError, match="The seed should be from 0 to 2,147,483,647; found"):
            check_seed(seed)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=re.escape("N should be from 1 to 2; found -0.0.")):
        check_number("N", -0.0, 1, 2)


def test_what_no_memory_holds_is_refused_before_it_is_asked_for() -> None:
    check_memory("10 images of 1 x 8 x 8", 10, (1, 8, 8))
    with pytest.raises(UserError, match=r"take 5,600,000\.0 GiB, and this machine has"):
        check_memory("Many", 2_800_000, (1024, 1024, 1024))


def test_a_size_that_no_machine_holds(digits: Dataset, monkeypatch) -> None:
    monkeypatch.setattr("mtgan.limits.memory_bytes", lambda: 10**9)
    with pytest.raises(UserError, match=r"1,438 images of 1 x 4000 x 4000 take 42\.9 GiB"):
        load_dataset("digits", size=4000)


@pytest.mark.parametrize("n", [0, -1, 10**11])
def test_an_evaluation_of_no_samples(digits: Dataset, n: int) -> None:
    with pytest.raises(UserError, match="of each set should be from 1 to 10,000,000; found"):
        evaluate(np.asarray(digits.samples[:100]), digits, n=n, features="pixels")
