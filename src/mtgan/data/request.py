"""What a loader of data is asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """What a loader is asked for.

    name: the registered name or the path; split: train, test or all; root: where the files lie;
    size: (H, W) and channels: 1 or 3, where the user chose (a loader of folders applies them while
    it reads; for the others load_dataset does); download: whether the network may be asked.
    """

    name: str
    split: str
    root: Path | None
    size: tuple[int, int] | None
    channels: int | None
    download: bool
