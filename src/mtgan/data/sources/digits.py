"""scikit-learn's digits: small enough for tests."""

import numpy as np

from mtgan.data.dataset import Dataset
from mtgan.data.held_out import hold_out
from mtgan.data.registry import register_dataset
from mtgan.data.request import Request
from mtgan.data.taxonomy import Taxonomy

_FINE = tuple(str(digit) for digit in range(10))
TAXONOMY = Taxonomy(("fine",), {"fine": _FINE}, {}).with_hierarchy(
    {"coarse": {digit: "odd" if int(digit) % 2 else "even" for digit in _FINE}}
)


@register_dataset(
    "digits", "1,797 handwritten digits of scikit-learn, 8 x 8 grey, 10/2 classes.", files=False
)
def load_digits(request: Request) -> Dataset:
    from sklearn.datasets import load_digits as load

    bunch = load()
    # Sixteenths of black, 0 to 16, as bytes.
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = TAXONOMY.label_rows(bunch.target.astype(np.int64))
    return hold_out(Dataset(images, labels, TAXONOMY, "digits", "all"), request.split)
