"""Strings of known quality: what marks 0 of each axis, and the corruptions that are read aloud.

All are made of the real strings: 32 of them over and over (distribution, diversity), their
characters shuffled (fidelity), training strings (authenticity). Random letters mark nothing: beside
them whatever has the right letters looks good.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mtgan.evaluation.calibration.corruptions import Corruption
from mtgan.evaluation.sets import DomainRealData, DomainSet

_FEW = 32  # real strings that are repeated, as many as of images


def _repeated(real: DomainRealData, distinct: int) -> DomainSet:
    """So many held-out strings again and again."""
    return real.held_out.take(np.arange(len(real.held_out)) % distinct)


def _with_copies(real: DomainRealData, share: float) -> DomainSet:
    """Held-out strings, a share of them replaced by training strings."""
    count = round(share * len(real.held_out))
    random, training = real.random(3), real.context.training
    copies = training.take(random.integers(len(training), size=count))
    return copies.joined(real.held_out.take(random.permutation(len(real.held_out))[count:]))


def _shuffled(real: DomainRealData, share: float) -> DomainSet:
    """Held-out strings, a share of whose characters changed places within each."""
    random = real.random(5)

    def shuffle(text: str) -> str:
        letters = np.array(list(text), dtype=object)
        places = np.flatnonzero(random.random(len(letters)) < share)
        letters[places] = letters[random.permutation(places)]
        return "".join(letters)

    return DomainSet([shuffle(text) for text in real.held_out.samples])


CORRUPTIONS = (
    Corruption(
        "shuffled characters",
        _shuffled,
        lambda real, share: f"{share:.0%} of the characters shuffled",
        levels=(0.05, 0.1, 0.25, 0.5),
        reads=("distribution", "fidelity"),
    ),
    Corruption(
        "repeats",
        lambda real, share: _repeated(real, max(1, round((1 - share) * len(real.held_out)))),
        lambda real, share: f"every string {1 / (1 - share):.0f} times",
        levels=(0.5, 0.75, 0.9),
        reads=("diversity",),
    ),
    Corruption(
        "copies",
        _with_copies,
        lambda real, share: f"{share:.0%} copies of training strings",
        levels=(0.1, 0.25, 0.5, 0.75),
        reads=("authenticity",),
    ),
)
FLOORS: dict[str, Sequence[Callable[[Any], DomainSet]]] = {
    "distribution": (lambda real: _repeated(real, _FEW),),
    "fidelity": (lambda real: _shuffled(real, 1.0),),
    "diversity": (lambda real: _repeated(real, _FEW),),
    "authenticity": (lambda real: _with_copies(real, 1.0),),
}
