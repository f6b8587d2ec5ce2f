"""Real images alone."""

import numpy as np

from mtgan.data import Dataset
from mtgan.studies.additions import ADDITIONS, AdditionRequest


@ADDITIONS.register("nothing")
def nothing(request: AdditionRequest) -> Dataset:
    """None."""
    return request.real.select(np.empty(0, dtype=np.int64))
