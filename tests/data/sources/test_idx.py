"""MNIST and its kin in IDX files."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.testing import check_source

RANDOM = np.random.default_rng(0)


def idx(values: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return head + values.astype(np.uint8).tobytes()


def put(folder: Path, part: str, count: int, packed: bool = True, first: int = 0) -> np.ndarray:
    """Pictures and labels of a part; returns the pictures."""
    folder.mkdir(exist_ok=True)
    images = RANDOM.integers(0, 256, (count, 9, 8))
    ending, pack = (".gz", gzip.compress) if packed else ("", bytes)
    for kind, values in (("images-idx3", images), ("labels-idx1", first + np.arange(count) % 3)):
        (folder / f"{part}-{kind}-ubyte{ending}").write_bytes(pack(idx(values)))
    return images


@pytest.mark.parametrize("packed", [True, False])
def test_a_folder_of_mnist(tmp_path: Path, packed: bool) -> None:
    shown = put(tmp_path / "mnist", "train", 12, packed)
    put(tmp_path / "mnist", "t10k", 6, packed)
    train, test, whole = (load_dataset(tmp_path / "mnist", s) for s in ("train", "test", "all"))
    assert (len(train), len(test), len(whole), train.name) == (12, 6, 18, "mnist")
    assert np.array_equal(train.samples[:, 0], shown)
    assert train.taxonomy.classes == {"fine": ("0", "1", "2")}
    assert train.labels[:4, 0].tolist() == [0, 1, 2, 0]
    check_source(str(tmp_path / "mnist"))
    ending = ".gz" if packed else ""
    one = load_dataset(tmp_path / "mnist" / f"t10k-images-idx3-ubyte{ending}", "train")
    assert one.fingerprint == train.fingerprint  # either file means the set


def test_one_part_holds_a_fifth_out_and_classes_are_those_that_are_there(tmp_path: Path) -> None:
    put(tmp_path, "emnist-letters-train", 30, first=1)
    data = load_dataset(tmp_path / "emnist-letters-train-images-idx3-ubyte.gz")
    assert (data.name, len(data), len(data.load_split("test"))) == ("emnist-letters", 24, 6)
    assert data.taxonomy.classes["fine"] == ("1", "2", "3")


def test_a_dot_in_the_name_and_no_labels(tmp_path: Path) -> None:
    for part in ("train", "t10k"):
        put(tmp_path, part, 9)
        old = tmp_path / f"{part}-images-idx3-ubyte.gz"
        old.rename(tmp_path / f"{part}-images.idx3-ubyte.gz")
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    data = load_dataset(tmp_path)
    assert data.labels.shape == (9, 0)
    assert "no labels beside it" in " ".join(data.notes)


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    put(tmp_path, "train", 9)
    labels = tmp_path / "train-labels-idx1-ubyte.gz"
    labels.write_bytes(gzip.compress(idx(np.zeros(8))))
    with pytest.raises(UserError, match=r"\[9, 9, 8\] pictures and the file beside it \[8\]"):
        load_dataset(tmp_path)
    labels.write_bytes(gzip.compress(idx(np.zeros(9)))[:-3])
    with pytest.raises(UserError, match="missing, truncated or corrupt"):
        load_dataset(tmp_path)


def test_a_folder_of_several_sets(tmp_path: Path) -> None:
    put(tmp_path, "emnist-letters-train", 9)
    put(tmp_path, "emnist-digits-train", 9)
    with pytest.raises(UserError, match="several sets"):
        load_dataset(tmp_path)
    assert len(load_dataset(tmp_path / "emnist-digits-train-images-idx3-ubyte.gz", "all")) == 9


def test_as_a_domain_on_a_canvas_of_a_chosen_size(tmp_path: Path) -> None:
    put(tmp_path / "mnist", "train", 12)
    put(tmp_path / "mnist", "t10k", 6)
    words = tmp_path / "words.txt"
    words.write_text("ab\nba\n" * 20)
    name = f"image={tmp_path / 'mnist'}+text={words}"
    data = load_dataset(name, size=(16, 128))
    assert data.shape == (1, 16, 128)
    assert data.load_split("test").shape == data.shape
    image = data.samples[data.labels[:, 1] == 0]
    assert not image[:, :, 9:].any()
    assert not image[:, :, :, 8:].any()
    with pytest.raises(
        UserError, match=r"4 x 4 does not hold the domain 'image', which needs 9 x 8"
    ):
        load_dataset(name, size=4)
