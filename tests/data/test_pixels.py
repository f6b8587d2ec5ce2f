"""Bytes to floats and back."""

import numpy as np
import torch

from mtgan.data.pixels import to_bytes, to_floats


def every_byte() -> np.ndarray:
    return np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)


def test_black_is_minus_one_and_white_is_one():
    values = to_floats(every_byte()).flatten()
    assert values.dtype == torch.float32
    assert values[[0, 255]].tolist() == [-1.0, 1.0]
    assert torch.equal(values, torch.arange(256).float() / 127.5 - 1)


def test_every_byte_comes_back():
    assert np.array_equal(to_bytes(to_floats(every_byte())).numpy(), every_byte())
    assert torch.equal(
        to_bytes(to_floats(torch.from_numpy(every_byte()))), torch.from_numpy(every_byte())
    )


def test_floats_lie_as_the_networks_have_them():
    floats = to_floats(np.zeros((2, 3, 4, 5), dtype=np.uint8)[:, :, ::-1])
    assert floats.is_contiguous(memory_format=torch.channels_last)


def test_what_lies_outside_is_cut_off():
    values = torch.tensor([-3.0, -1.0, 0.0, 1.001, 7.0]).view(1, 1, 1, 5)
    assert to_bytes(values).flatten().tolist() == [0, 0, 128, 255, 255]
