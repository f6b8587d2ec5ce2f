"""Fashion-MNIST: the embedded files, the whole set from a folder, and broken files."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

import mtgan.data.idx
from mtgan.data import load_dataset
from mtgan.data.sources import fashion_mnist
from mtgan.errors import UserError
from toys import classes_within

FINGERPRINT_OF_TEST = "6c737cb1f2777b031165aa95b44c23b461f01580e2ed4afa8d29153f2e6e9b4f"


def idx(values: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return head + values.astype(np.uint8).tobytes()


@pytest.fixture
def official(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the four official names, of 30 and 20 images; no system package."""
    monkeypatch.setattr(fashion_mnist, "_SYSTEM", tmp_path / "no-package")
    folder = tmp_path / "official"
    folder.mkdir()
    for part, count in (("train", 30), ("t10k", 20)):
        random = np.random.default_rng(count)
        images = random.integers(0, 256, (count, 28, 28))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        labels = np.arange(count) % 10
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return folder


def load(folder: Path, split: str = "train"):
    return load_dataset("fashion-mnist", split, root=folder, download=False)


def test_embedded_split_is_stratified_disjoint_and_covering() -> None:
    train, test, whole = (load_dataset("fashion-mnist-10k", s) for s in ("train", "test", "all"))
    assert (len(train), len(test), len(whole)) == (8000, 2000, 10000)
    assert train.shape == (1, 28, 28)
    assert set(train.class_counts()["fine"].values()) == {800}
    assert set(test.class_counts()["fine"].values()) == {200}
    rows = {
        name: sorted(
            sample.tobytes() + bytes(labels) for sample, labels in zip(*arrays, strict=True)
        )
        for name, arrays in {
            "parts": (
                np.concatenate([train.samples, test.samples]),
                np.concatenate([train.labels, test.labels]).astype(np.uint8),
            ),
            "whole": (whole.samples, whole.labels.astype(np.uint8)),
        }.items()
    }
    assert rows["parts"] == rows["whole"]


def test_embedded_split_is_the_same_everywhere() -> None:
    """A changed split would silently change every published figure."""
    one, two = (load_dataset("fashion-mnist-10k", "test") for _ in range(2))
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint == FINGERPRINT_OF_TEST


def test_embedded_images_are_the_official_ones() -> None:
    """The first of the official test images is an ankle boot, the second a pullover."""
    whole = load_dataset("fashion-mnist-10k", "all")
    names = [whole.taxonomy.classes["fine"][i] for i in whole.labels[:4, 0]]
    assert names == ["Ankle boot", "Pullover", "Trouser", "Trouser"]
    assert whole.samples.mean() == pytest.approx(73.15, abs=0.01)


def test_taxonomy() -> None:
    taxonomy = fashion_mnist.TAXONOMY
    assert taxonomy.chain == taxonomy.levels == ("fine", "coarse", "top")
    assert [taxonomy.num_classes(level) for level in taxonomy.levels] == [10, 6, 2]
    assert classes_within(taxonomy, "coarse", "shoes") == ["Sandal", "Sneaker", "Ankle boot"]
    assert classes_within(taxonomy, "top", "goods") == ["Sandal", "Sneaker", "Bag", "Ankle boot"]


def test_whole_set_from_a_folder(official: Path) -> None:
    assert [len(load(official, split)) for split in ("train", "test", "all")] == [30, 20, 50]
    data = load(official, "test")
    expected = np.random.default_rng(20).integers(0, 256, (20, 28, 28))
    np.testing.assert_array_equal(data.samples[:, 0], expected)
    assert data.labels[:, 0].tolist() == [i % 10 for i in range(20)]


def test_whole_set_from_the_system_package(official: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "_SYSTEM", official)
    assert len(load_dataset("fashion-mnist", download=False)) == 30


def test_a_missing_file(official: Path, cache: Path) -> None:
    (official / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError) as caught:
        load(official)
    sentence = str(caught.value)
    assert sentence.startswith("The files of fashion-mnist (train-images-idx3-ubyte.gz, ")
    assert str(official) in sentence
    assert f"put them into {cache / 'datasets' / 'fashion-mnist'}" in sentence
    assert "downloads are switched off" in sentence


def damage_middle(content: bytes) -> bytes:
    middle = len(content) // 2
    return (
        content[:middle]
        + bytes(b ^ 0x5A for b in content[middle : middle + 60])
        + content[middle + 60 :]
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"<html>Not found</html>",
        damage_middle,
        lambda content: content[:10] + b"\xff" * 40 + content[50:],
        lambda content: gzip.compress(b""),
        lambda content: gzip.compress(b"\0\0"),
        lambda content: gzip.compress(b"\0\0\x0d\x01" + bytes(40)),
        lambda content: gzip.compress(gzip.decompress(content)[:-5]),
    ],
    ids=["cut", "empty", "page", "flipped", "blocks", "nothing", "short", "floats", "shape"],
)
@pytest.mark.parametrize("name", ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"])
def test_a_damaged_file(official: Path, name: str, damage) -> None:
    path = official / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=f"{name} is missing, truncated or corrupt .*fetch it anew"):
        load(official)


def test_a_file_that_unpacks_to_too_much(official: Path, monkeypatch) -> None:
    monkeypatch.setattr(mtgan.data.idx, "_LARGEST_BYTES", 1 << 20)
    load(official)
    path = official / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.zeros((3, 1024, 1024)))))
    with pytest.raises(UserError, match=r"corrupt \(it says that it holds 3,145,728 bytes\)"):
        load(official)
    path.write_bytes(gzip.compress(idx(np.zeros((30, 28, 28))) + bytes(9)))
    with pytest.raises(UserError, match="it says that it holds 23,520 bytes, and has more"):
        load(official)


def test_files_that_do_not_fit_together(official: Path) -> None:
    path = official / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.zeros(29))))
    with pytest.raises(UserError, match=r"hold \[30, 28, 28\] images and \[29\] labels"):
        load(official)


def test_labels_outside_the_taxonomy(official: Path) -> None:
    path = official / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx(np.full(30, 10))))
    with pytest.raises(UserError, match="label 10 of level 'fine' is outside the taxonomy"):
        load(official)
