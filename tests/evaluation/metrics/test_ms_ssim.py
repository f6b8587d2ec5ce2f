import importlib

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from mtgan.errors import UserError
from mtgan.evaluation.metrics.ms_ssim import ms_ssim, ms_ssim_pairs

module = importlib.import_module("mtgan.evaluation.metrics.ms_ssim")


def pictures(n: int, side: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Smooth random images uint8 [n, C, side, side]."""
    generator = np.random.default_rng(seed)
    waves = generator.normal(size=(n, channels, side, side)).cumsum(2).cumsum(3)
    low, high = waves.min((2, 3), keepdims=True), waves.max((2, 3), keepdims=True)
    return (255 * (waves - low) / (high - low)).astype(np.uint8)


def noisy(images: np.ndarray, sigma: float, seed: int = 1) -> np.ndarray:
    noise = sigma * np.random.default_rng(seed).standard_normal(images.shape)
    return (images + noise).clip(0, 255).astype(np.uint8)


def plain(a: np.ndarray, b: np.ndarray, scales: int) -> float:
    """The definition for one channel [H, W], in float64, with a two-dimensional window."""
    weights = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])[:scales]
    if scales < 5:
        weights /= weights.sum()
    a, b, result = a.astype(float), b.astype(float), 1.0
    for scale, weight in enumerate(weights):
        size = min(11, *a.shape)
        x = np.arange(size) - (size - 1) / 2
        window = np.exp(-(x[:, None] ** 2 + x**2) / (2 * 1.5**2))
        window /= window.sum()

        def smooth(image: np.ndarray, window: np.ndarray = window, size: int = size) -> np.ndarray:
            out = correlate(image, window, mode="constant")
            first = size // 2
            rows, columns = (n - size + 1 for n in image.shape)
            return out[first : first + rows, first : first + columns]

        ma, mb = smooth(a), smooth(b)
        va, vb, cov = (smooth(p) - q for p, q in ((a * a, ma**2), (b * b, mb**2), (a * b, ma * mb)))
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        term = (2 * cov + c2) / (va + vb + c2)
        if scale == scales - 1:
            term = term * (2 * ma * mb + c1) / (ma**2 + mb**2 + c1)
        result *= max(term.mean(), 0) ** weight
        a, b = (
            (z[::2, ::2] + z[1::2, ::2] + z[::2, 1::2] + z[1::2, 1::2]) / 4
            if min(z.shape) > 1 and z.shape[0] % 2 == 0
            else z
            for z in (a, b)
        )
    return result


@pytest.mark.parametrize(("side", "scales"), [(28, 3), (32, 3), (64, 5), (192, 5)])
def test_equals_definition(side, scales):
    a = pictures(3, side)
    b = noisy(a, 20)
    expected = [plain(x[0], y[0], scales) for x, y in zip(a, b, strict=True)]
    assert ms_ssim_pairs(a, b).tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("unlike", [False, True])
def test_equals_pytorch_msssim(unlike):
    """Also for negative images, whose negative contrast terms count as zero."""
    oracle = pytest.importorskip("pytorch_msssim")
    a = pictures(4, 192, 3)
    b = 255 - a if unlike else noisy(a, 30)
    images = [torch.from_numpy(each).double() for each in (a, b)]
    expected = oracle.ms_ssim(*images, data_range=255, size_average=False)
    torch.testing.assert_close(ms_ssim_pairs(a, b), expected, atol=5e-6, rtol=0)


def test_flat_images_differ_in_luminance_alone():
    """Flat images of value 1, 0.7 and 0 of 255 at 64 pixels, as in the field's oldest test."""
    one, zero = (np.full((1, 1, 64, 64), value, np.uint8) for value in (1, 0))
    assert float(ms_ssim_pairs(one, one)) == pytest.approx(1, abs=1e-6)
    luminance = (0.01 * 255) ** 2 / (1 + (0.01 * 255) ** 2)
    assert float(ms_ssim_pairs(one, zero)) == pytest.approx(luminance**0.1333, abs=1e-9)


def test_identity_symmetry_and_noise():
    a = pictures(3, 64, 3)
    assert ms_ssim_pairs(a, a).tolist() == pytest.approx([1, 1, 1], abs=1e-9)
    b = noisy(a, 30)
    torch.testing.assert_close(ms_ssim_pairs(a, b), ms_ssim_pairs(b, a))
    means = [float(ms_ssim_pairs(a, noisy(a, s)).mean()) for s in (0, 10, 40, 120)]
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.7 < means[1]


def test_batches_do_not_matter(monkeypatch):
    from mtgan.evaluation.metrics.ms_ssim import ms_ssim as function

    a = pictures(7, 32)
    b = noisy(a, 30)
    whole = ms_ssim_pairs(a, b)
    monkeypatch.setitem(function.__globals__, "PIXELS_AT_ONCE", 2 * 32 * 32)
    torch.testing.assert_close(ms_ssim_pairs(a, b), whole)


def test_collapse_of_one_class_shows_in_that_class():
    images, labels = pictures(60, 32), np.arange(60) % 3
    before = ms_ssim(images, labels)
    images[labels == 1] = noisy(np.repeat(images[1:2], 20, axis=0), 3)
    after = ms_ssim(images, labels)
    assert after.per_class[1] > 0.9 > 0.8 > before.per_class[1]
    assert after.per_class[0] == before.per_class[0]
    assert after.mean > before.mean
    assert ms_ssim(images).mean is None
    assert float(ms_ssim(images)) == ms_ssim(images).value


def test_all_pairs_when_there_are_few():
    images = pictures(4, 32)
    first, second = np.triu_indices(4, 1)
    expected = float(ms_ssim_pairs(images[first], images[second]).double().mean())
    assert ms_ssim(images, pairs=6).value == pytest.approx(expected, abs=1e-7)
    assert ms_ssim(images, pairs=5, seed=0).value != pytest.approx(expected, abs=1e-7)


def test_random_pairs_never_pair_an_image_with_itself():
    """Six flat images of far apart brightness: a pair of one with itself would be exactly 1."""
    unlike = np.stack([pictures(1, 32, seed=s)[0] for s in range(6)])
    for seed in range(20):
        assert ms_ssim(unlike, pairs=1, seed=seed).value < 0.9


def test_bad_input():
    with pytest.raises(UserError, match="uint8 images"):
        ms_ssim(np.zeros((4, 1, 32, 32)))
    with pytest.raises(UserError, match="at least 2"):
        ms_ssim(pictures(1, 32))
    with pytest.raises(UserError, match="Class 1 has one image"):
        ms_ssim(pictures(4, 32), np.array([0, 0, 0, 1]))
    with pytest.raises(UserError, match="one shape"):
        ms_ssim_pairs(pictures(2, 32), pictures(2, 28))
    with pytest.raises(UserError, match="below 8"):
        ms_ssim_pairs(pictures(2, 6), pictures(2, 6))
    with pytest.raises(UserError, match="3 entries for 4 samples"):
        ms_ssim(pictures(4, 32), np.zeros(3, int))


@pytest.mark.parametrize("tile", [1, 7, 500])
def test_tiles_do_not_matter(monkeypatch, tile):
    """Neither for sides that tiles do not fill, nor for images that are wider than high."""
    a = pictures(3, 90, 2)[:, :, :61]
    b = noisy(a, 20)
    expected = ms_ssim_pairs(a, b)
    monkeypatch.setattr(module, "TILE", tile)
    module._window.cache_clear()
    found = ms_ssim_pairs(a, b)
    turned = ms_ssim_pairs(a.swapaxes(2, 3).copy(), b.swapaxes(2, 3).copy())
    module._window.cache_clear()
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(turned, expected, atol=1e-12, rtol=0)
