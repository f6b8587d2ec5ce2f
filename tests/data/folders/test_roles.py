"""Columns that say a split, or that an image was generated."""

from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Dataset, load_dataset, prepare_dataset
from mtgan.errors import UserError


@pytest.fixture
def write(tmp_path: Path, paint):
    """A function that writes 0.png, ... and a table of them; it returns the folder."""

    def make(header: str, *cells: str, more: int = 0) -> Path:
        for i in range(len(cells) + more):
            paint(tmp_path / "set" / f"{i}.png", i)
        lines = [f"{i}.png,{cell}" for i, cell in enumerate(cells)]
        (tmp_path / "set" / "labels.csv").write_text("\n".join([f"file,{header}", *lines]))
        return tmp_path / "set"

    return make


def shown(data: Dataset) -> list[int]:
    """Which pictures there are, by their color."""
    return data.samples[:, 0, 0, 0].tolist()


# Splits


@pytest.mark.parametrize("header", ["split", "Split", "partition", "phase"])
@pytest.mark.parametrize("words", [("train", "test"), ("Training", "test_set"), ("trn", "val")])
def test_a_column_of_splits_is_obeyed(write, header: str, words: tuple[str, str]) -> None:
    cells = [f"{'ab'[i % 2]},{words[i in (1, 4)]}" for i in range(6)]
    folder = write(f"a,{header}", *cells)
    train, test = load_dataset(folder), load_dataset(folder, "test")
    assert (shown(train), shown(test)) == ([0, 2, 3, 5], [1, 4])
    assert shown(load_dataset(folder, "all")) == [0, 1, 2, 3, 4, 5]
    assert train.taxonomy.levels == ("a",)
    assert (
        f"The column {header!r} says which rows are for training and which for test." in train.notes
    )
    assert not any("a fifth" in note for note in train.notes)


def test_splits_that_are_not_read_are_told(write) -> None:
    folder = write("split,a", "train,x", "test,y", "val,x", "train,y", ",x", "val,y", more=1)
    data = load_dataset(folder, "all")
    assert shown(data) == [0, 1, 3]
    assert "Not read are the images of the split 'val': 2." in data.notes
    assert "Not read are the images without a split in the table: 2." in data.notes


def test_a_column_of_train_alone_has_a_fifth_held_out(write) -> None:
    folder = write("a,split", *["x,train"] * 10)
    assert (len(load_dataset(folder)), len(load_dataset(folder, "test"))) == (8, 2)


def test_a_column_that_only_looks_like_splits_is_labels(write) -> None:
    data = load_dataset(write("split", "train", "ship", "train", "ship"), "all")
    assert data.taxonomy.classes == {"split": ("ship", "train")}
    assert any("'split' is read as labels, as it holds 'ship'" in note for note in data.notes)
    folds = load_dataset(write("split", "0", "1", "0", "1"), "all")
    assert folds.taxonomy.classes == {"split": ("0", "1")}


def test_folders_and_a_column_of_splits_agree_or_it_is_said(tmp_path: Path, paint) -> None:
    for name in ("train/0.png", "train/1.png", "test/2.png"):
        paint(tmp_path / name)
    table = tmp_path / "labels.csv"
    table.write_text("file,split\ntrain/0.png,train\ntest/2.png,test\n")
    assert (len(load_dataset(tmp_path)), len(load_dataset(tmp_path, "test"))) == (2, 1)
    table.write_text("file,split\ntrain/0.png,train\ntrain/1.png,test\ntest/2.png,test\n")
    with pytest.raises(UserError, match=r"line 3: its split is 'test', and the file lies in the "):
        load_dataset(tmp_path)


def test_splits_of_class_folders(tmp_path: Path, paint) -> None:
    lines = ["file,split"]
    for i in range(8):
        paint(tmp_path / "ab"[i % 2] / f"{i}.png", i)
        lines.append(f"{'ab'[i % 2]}/{i}.png,{'test' if i > 5 else 'train'}")
    (tmp_path / "list.csv").write_text("\n".join(lines))
    data = load_dataset(tmp_path, "test")
    assert (shown(data), data.labels.tolist()) == ([6, 7], [[0], [1]])
    assert data.taxonomy.levels == ("fine",)


# Provenance


@pytest.mark.parametrize(
    ("header", "yes", "no"),
    [
        ("source", "generated", "real"),
        ("source", "generated", ""),
        ("Provenance", "synthetic", "original"),
        ("generated", "yes", "no"),
        ("generated", "1", "0"),
    ],
)
def test_generated_images_are_trained_on_and_never_held_out(write, header, yes, no) -> None:
    cells = [f"{'ab'[i % 2]},{yes if i < 10 else no}" for i in range(20)]
    folder = write(f"a,{header}", *cells)
    train, test = load_dataset(folder), load_dataset(folder, "test")
    assert (len(train), len(test)) == (18, 2)
    assert min(shown(test)) >= 10
    assert train.taxonomy.levels == ("a",)
    assert train.generated is not None
    assert train.generated.tolist() == [i < 10 for i in shown(train)]
    assert any(note.startswith("10 of 18 images were generated") for note in train.notes)
    kept = train.subset(0.5, seed=1)
    assert kept.generated.tolist() == [i < 10 for i in shown(kept)]


def test_images_of_one_kind_alone_are_held_out_as_ever(write) -> None:
    for word in ("generated", "real"):
        folder = write("a,source", *[f"{'ab'[i % 2]},{word}" for i in range(10)])
        train = load_dataset(folder)
        assert (len(train), len(load_dataset(folder, "test"))) == (8, 2)
        assert not train.apart.any()
        (folder / "labels.csv").write_text(
            "\n".join(["file,a", *(f"{i}.png,{'ab'[i % 2]}" for i in range(10))])
        )
        assert shown(load_dataset(folder)) == shown(train)


def test_a_source_that_says_something_else_is_a_label(write) -> None:
    data = load_dataset(write("source", "camera", "scanner", "generated"), "all")
    assert data.taxonomy.classes == {"source": ("camera", "generated", "scanner")}
    assert any("'source' is read as labels, as it holds 'camera'" in note for note in data.notes)


def test_a_split_of_test_images_is_real(write) -> None:
    cells = ["train,real", "train,generated", "test,real", "test,generated", "test,real"]
    folder = write("split,source", *cells)
    test = load_dataset(folder, "test")
    assert shown(test) == [2, 4]
    assert "Test images are real: 1 generated ones are not read." in test.notes


def test_provenance_is_kept_by_arrays_and_prepared_folders(write, tmp_path: Path) -> None:
    cells = [f"{'ab'[i % 2]},{'generated' if i < 5 else 'real'}" for i in range(20)]
    folder = write("a,source", *cells)
    prepare_dataset(folder, tmp_path / "out")
    for split in ("train", "test"):
        whole, prepared = load_dataset(folder, split), load_dataset(tmp_path / "out", split)
        assert prepared.fingerprint == whole.fingerprint
        assert np.array_equal(prepared.apart, whole.apart)
    images = np.arange(20, dtype=np.uint8)[:, None, None, None].repeat(8, 1).repeat(8, 2)
    made = np.arange(20) < 5
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(20) % 2, generated=made)
    train, test = load_dataset(tmp_path / "a.npz"), load_dataset(tmp_path / "a.npz", "test")
    assert (len(train), len(test), min(shown(test)) >= 5) == (17, 3, True)
    assert int(train.apart.sum()) == 5
    np.savez(tmp_path / "b.npz", images=images, generated=np.arange(19))
    with pytest.raises(UserError, match=r"b.npz: 'generated' should be truth values \[20\]"):
        load_dataset(tmp_path / "b.npz")
