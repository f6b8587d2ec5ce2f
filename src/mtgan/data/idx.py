"""IDX files of bytes, the form of MNIST (LeCun et al. 1998) and of those after it."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from mtgan.errors import UserError

_LARGEST_BYTES = 8 << 30
_MOST_DIMENSIONS = 4


def read_idx(path: Path, remedy: str = "give the whole file") -> np.ndarray:
    """A file of unsigned bytes, plain or gzipped: 0, 0, 8, the number of dimensions, sizes as
    big-endian uint32, and the values.

    UserError, which ends in `remedy`, for a file that is missing, truncated or something else.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(4)
            if head[:3] != b"\x00\x00\x08" or not 1 <= head[3] <= _MOST_DIMENSIONS:
                raise ValueError("it is not an IDX file of bytes")
            shape = np.frombuffer(file.read(4 * head[3]), ">u4", count=head[3]).tolist()
            size = math.prod(shape)
            if size > _LARGEST_BYTES:
                raise ValueError(f"it says that it holds {size:,} bytes")
            content = file.read(size + 1)
        if len(content) != size:
            more = "more" if len(content) > size else f"{len(content):,}"
            raise ValueError(f"it says that it holds {size:,} bytes, and has {more}")
        return np.frombuffer(content, np.uint8).reshape(shape).copy()
    except (OSError, EOFError, ValueError, IndexError, zlib.error) as error:
        raise UserError(f"{path} is missing, truncated or corrupt ({error}); {remedy}.") from error
