"""Seconds of what is done per file, row, string or class, at n, 4 n and 16 n of them.

`python -m benchmarks.growth [NAME ...]`. The exponent is log(t2 / t1) / log(n2 / n1) of the two
largest sizes: 1 is linear; 2, that sixteen times as much takes 256 times as long.
"""

import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from mtgan.data import Dataset, Taxonomy
from mtgan.data.domains.sequence import SequenceOptions, read_sequences
from mtgan.data.folders.labels import find_tables, read_labels
from mtgan.data.folders.listing import list_folder
from mtgan.data.held_out import held_out_rows
from mtgan.evaluation.inputs import fitting_labels

Task = Callable[[], object]
FACTOR = 4


def table(n: int, folder: Path) -> Task:
    """A labels.csv of n rows and n / 10 classes."""
    rows = "".join(f"{i}.png,class {i // 10},{i % 7}\n" for i in range(n))
    (folder / "labels.csv").write_text(f"file,fine,color\n{rows}")
    files = [folder / f"{i}.png" for i in range(n)]
    return lambda: read_labels(find_tables(folder, files, False)[0], folder, files)


def folders(n: int, folder: Path) -> Task:
    """n files in n / 10 class folders."""
    picture = BytesIO()
    Image.new("L", (1, 1)).save(picture, "png")
    for i in range(n):
        (folder / str(i // 10)).mkdir(exist_ok=True)
        (folder / str(i // 10) / f"{i}.png").write_bytes(picture.getvalue())
    return lambda: list_folder(folder)


def classes(n: int, folder: Path) -> Task:
    """A taxonomy of n classes under n / 10: grouped, written, read, compared."""
    flat = Taxonomy(("fine",), {"fine": tuple(map(str, range(n)))}, {})
    tree = {"coarse": {str(i): f"group {i // 10}" for i in range(n)}}

    def work() -> object:
        taxonomy = flat.with_hierarchy(tree)
        return Taxonomy.from_dict(taxonomy.to_dict()).by_names() == taxonomy.by_names()

    return work


def splits(n: int, folder: Path) -> Task:
    """A fifth of n samples of n / 10 classes held out."""
    labels = np.random.default_rng(0).integers(0, n // 10, (n, 1))
    return lambda: held_out_rows(labels, "train")


def samples(n: int, folder: Path) -> Task:
    """Labels of n samples brought into another order of n / 10 classes, and counted."""
    names = tuple(map(str, range(n // 10)))
    labels = np.random.default_rng(0).integers(0, len(names), (n, 1))
    images = np.broadcast_to(np.uint8(0), (n, 1, 1, 1))
    mine, theirs = (
        Dataset(images, labels, Taxonomy(("fine",), {"fine": each}, {}), split="all")
        for each in (names, names[::-1])
    )
    return lambda: (fitting_labels(mine, theirs, None), mine.class_counts(), mine.warnings())


def strings(n: int, folder: Path) -> Task:
    """A CSV of n strings and n / 10 classes."""
    path = folder / "strings.csv"
    path.write_text("text,label\n" + "".join(f"C{'CO' * (i % 9)},{i // 10}\n" for i in range(n)))
    options = SequenceOptions(column="text", labels="label")
    return lambda: read_sequences(str(path), "strings", options, "all")


CASES: dict[str, tuple[Callable[[int, Path], Task], int]] = {
    "table": (table, 8_000),
    "folders": (folders, 1_000),
    "classes": (classes, 1_000),
    "splits": (splits, 10_000),
    "samples": (samples, 10_000),
    "strings": (strings, 8_000),
}
"""What is measured, and the smallest n."""


def measure(name: str, smallest: int | None = None, sizes: int = 3) -> dict[int, float]:
    """Seconds by n of one case, the best of three."""
    prepare, usual = CASES[name]
    found: dict[int, float] = {}
    for n in [(smallest or usual) * FACTOR**i for i in range(sizes)]:
        with tempfile.TemporaryDirectory() as folder:
            task = prepare(n, Path(folder))
            times = []
            for _ in range(3):
                began = time.perf_counter()
                task()
                times.append(time.perf_counter() - began)
        found[n] = min(times)
    return found


def exponent(seconds: dict[int, float]) -> float:
    """log(t2 / t1) / log(n2 / n1) of the two largest sizes."""
    (n1, t1), (n2, t2) = sorted(seconds.items())[-2:]
    return math.log(t2 / t1) / math.log(n2 / n1)


def line(name: str, seconds: dict[int, float]) -> str:
    """One case for the terminal."""
    shown = "  ".join(f"{n:>9,}: {t:8.4f} s" for n, t in seconds.items())
    return f"{name:10} {shown}   exponent {exponent(seconds):.2f}"


def main(names: Sequence[str]) -> None:
    for name in names or CASES:
        print(line(name, measure(name)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
