"""Data that the tests of classifiers share."""

import pytest

from mtgan.data import Dataset
from toys import make_data


@pytest.fixture
def data() -> Dataset:
    return make_data(40)
