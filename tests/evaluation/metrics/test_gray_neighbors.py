import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.evaluation.metrics.gray_neighbors import gray_neighbors


def images(n: int, seed: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, channels, 8, 8)).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("flips", [False, True])
def test_equals_definition(channels, flips):
    x, train = images(40, 1, channels), images(60, 2, channels)

    def gray(each: np.ndarray) -> np.ndarray:
        weights = [0.299, 0.587, 0.114] if channels == 3 else [1.0]
        return np.tensordot(each.astype(float), weights, (1, 0)).reshape(len(each), -1)

    straight, mirror = (
        np.linalg.norm(gray(each)[:, None] - gray(train)[None], axis=2)
        for each in (x, x[..., ::-1])
    )
    best = np.minimum(straight, mirror) if flips else straight
    found = gray_neighbors(x, train, flips=flips)
    np.testing.assert_allclose(found.distances, best.min(1), rtol=1e-5)
    np.testing.assert_array_equal(found.indices, best.argmin(1))
    np.testing.assert_array_equal(found.mirrored, (mirror.min(1) < straight.min(1)) & flips)
    assert found.ratio is None


def test_copies_and_mirror_images_are_found():
    train, held_out = images(100, 1), images(200, 2)
    x = np.concatenate([images(30, 3), train[:10], train[20:30, :, :, ::-1]])
    found = gray_neighbors(x, train, held_out)
    np.testing.assert_array_equal(found.indices[30:], [*range(10), *range(20, 30)])
    assert float(found.distances[30:].max()) == 0
    assert found.mirrored[40:].all()
    assert found.copies == pytest.approx(20 / 50, abs=0.021)
    assert found.ratio < 1.05
    straight = gray_neighbors(x, train, held_out, flips=False)
    assert straight.copies == pytest.approx(10 / 50, abs=0.021)


def test_fresh_images_are_as_far_as_held_out_ones():
    found = gray_neighbors(images(200, 1), images(300, 2), images(200, 3))
    assert found.ratio == pytest.approx(1, abs=0.03)
    assert found.copies <= 0.02


def test_bad_input():
    with pytest.raises(UserError, match="one size"):
        gray_neighbors(images(5, 1, 1), images(5, 2, 3))
    with pytest.raises(UserError, match="2 channels"):
        gray_neighbors(images(5, 1, 2), images(5, 2, 2))
    with pytest.raises(UserError, match="uint8"):
        gray_neighbors(images(5, 1) / 255, images(5, 2))
    with pytest.raises(UserError, match="unseen"):
        gray_neighbors(images(5, 1), images(5, 2), images(5, 2))
