"""Domains on a shared canvas, there and back."""

import json

import numpy as np
import pytest

from mtgan.data.domains.base import canvas_size, domain_from_dict, domain_to_dict
from mtgan.data.domains.image import ImageDomain
from mtgan.data.domains.sequence import SequenceDomain

RANDOM = np.random.default_rng(0)
LETTERS = SequenceDomain("letters", "characters", ("|", "a", "b", "c"), 5)


def test_a_string_is_one_hot_rows_with_padding_to_the_end_of_the_canvas():
    canvas = LETTERS.encode(["ab"], (7, 6))
    expected = np.zeros((7, 6))
    expected[[0, 1, 2, 3, 4, 5, 6], [1, 2, 0, 0, 0, 0, 0]] = 255
    assert canvas.dtype == np.uint8
    np.testing.assert_array_equal(canvas, expected[None, None])


@pytest.mark.parametrize("size", [(5, 4), (9, 12)])
def test_strings_come_back_exactly(size):
    strings = ["abcab", "", "c", "bb"]
    assert LETTERS.decode(LETTERS.encode(strings, size)) == strings


def test_reading_takes_the_likeliest_token_up_to_the_first_padding():
    rows = LETTERS.encode(["abcab"], (5, 6)).astype(float) * 0.5
    rows[0, 0, 2] = [10, 9, 0, 0, 200, 200]  # the channels beyond the alphabet are not looked at
    assert LETTERS.decode(rows) == ["ab"]
    assert LETTERS.decode(np.zeros((1, 1, 5, 4))) == [""]


@pytest.mark.parametrize("shape", [(1, 4, 3), (3, 4, 3)])
def test_padded_images_come_back_exactly_with_zeros_around(shape):
    domain = ImageDomain("image", shape)
    images = RANDOM.integers(1, 256, (6, *shape), dtype=np.uint8)
    canvas = domain.encode(images, (7, 11))
    assert canvas.shape == (6, 1, 7, 11)
    assert not canvas[:, :, 4:].any()
    assert not canvas[:, :, :, 3 * shape[0] :].any()
    np.testing.assert_array_equal(domain.decode(canvas), images)


@pytest.mark.parametrize("shape", [(1, 8, 6), (3, 8, 6)])
def test_resized_images_fill_the_canvas_and_come_back_nearly(shape):
    domain = ImageDomain("image", shape, placement="resize")
    rise = np.linspace(0, 250, shape[1])[:, None] + np.zeros(shape[2])
    images = np.broadcast_to(rise, (2, *shape)).astype(np.uint8)
    canvas = domain.encode(images, (16, 21))
    assert canvas.shape == (2, 1, 16, 21)
    assert canvas[0, 0, 15, : 20 - 20 % shape[0]].min() > 200
    assert np.abs(domain.decode(canvas).astype(int) - images).max() <= 12


def test_the_canvas_holds_the_largest_of_all_but_resized_images():
    small = ImageDomain("a", (1, 28, 28))
    assert canvas_size([LETTERS, small]) == (28, 28)
    assert canvas_size([LETTERS, ImageDomain("a", (3, 4, 3))]) == (5, 9)
    assert canvas_size([LETTERS, ImageDomain("a", (1, 28, 28), "resize")]) == (5, 4)
    assert canvas_size([ImageDomain("a", (3, 8, 8), "resize")]) == (8, 24)


@pytest.mark.parametrize("domain", [LETTERS, ImageDomain("image", (3, 4, 5), "resize")])
def test_descriptions_survive_json(domain):
    assert domain_from_dict(json.loads(json.dumps(domain_to_dict(domain)))) == domain
