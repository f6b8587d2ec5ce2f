"""Seeds of whatever is random, each a function of names and numbers."""

import numpy as np


def mix_seed(*parts: int | str) -> int:
    """A 63-bit seed from integers and names, by a hash that is the same on every machine."""
    words = [
        part if isinstance(part, int) else int.from_bytes(part.encode(), "little") for part in parts
    ]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)
