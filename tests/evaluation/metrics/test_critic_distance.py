"""An independent critic, where the Wasserstein distance is known: a shift of all images."""

import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.evaluation import critic_distance, evaluate

RANDOM = np.random.default_rng(0)


def noise(count: int) -> np.ndarray:
    return RANDOM.integers(60, 120, (count, 1, 8, 8)).astype(np.uint8)


def test_a_shift_is_its_own_length_and_one_distribution_is_near_zero() -> None:
    real = noise(400)
    shifted = noise(400) + np.uint8(60)
    length = 60 / 127.5 * 8  # of 64 pixels in [-1, 1]; the plan that moves each by it is the best
    found = critic_distance(shifted, real)
    assert 0.8 * length < found < 1.05 * length
    assert abs(critic_distance(noise(400), real, steps=100)) < 0.1 * length


def test_it_is_the_same_again_and_leaves_its_inputs_alone() -> None:
    a, b = noise(40), noise(30)
    kept = a.copy()
    values = {critic_distance(a, b, steps=3, seed=4) for _ in range(2)}
    assert len(values) == 1
    assert values != {critic_distance(a, b, steps=3, seed=5)}
    assert np.array_equal(a, kept)


def test_on_a_card(tiny) -> None:
    options = {"features": "pixels", "protocol": "training"}
    card = evaluate(tiny, tiny, metrics="critic_distance", **options)
    assert list(card) == ["critic_distance"]
    assert card.entries["critic_distance"].space == "pixels"


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [(noise(15), noise(30), "at least 16"), (noise(20), noise(20)[:, :, :4], "one shape")],
)
def test_what_cannot_be_judged(a, b, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        critic_distance(a, b)
