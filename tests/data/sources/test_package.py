"""What moved out of the package of sources."""

import pytest

import mtgan.data.sources
from mtgan.data import hold_out


def test_the_old_place_of_hold_out_says_the_new_one():
    with pytest.warns(DeprecationWarning, match=r"is called mtgan\.data\.hold_out"):
        assert mtgan.data.sources.hold_out is hold_out
    with pytest.raises(AttributeError, match="no attribute 'hold_in'"):
        mtgan.data.sources.hold_in  # noqa: B018
