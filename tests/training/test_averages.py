"""Means of logged values between two readings."""

import pytest
import torch

from mtgan.training.logs import Averages, as_vector


def test_each_name_is_averaged_over_the_times_it_was_added() -> None:
    averages = Averages()
    assert averages.read() == {}
    weight = torch.tensor(3.0, requires_grad=True)
    averages.add(*as_vector({"a": weight * 1, "b": torch.tensor(10.0, dtype=torch.float64)}))
    averages.add(*as_vector({"a": weight * 2, "b": torch.tensor(20.0)}))
    averages.add(*as_vector({"b": torch.tensor(60)}))  # a whole number, and "a" was not computed
    assert averages.read() == {"a": pytest.approx(4.5), "b": pytest.approx(30.0)}
    averages.clear()
    assert averages.read() == {}


def test_what_was_added_is_left_alone() -> None:
    averages = Averages()
    values = [torch.tensor(1.0), torch.tensor(2.0)]
    for value in values:
        averages.add(*as_vector({"a": value}))
    averages.read()
    assert [value.item() for value in values] == [1.0, 2.0]
