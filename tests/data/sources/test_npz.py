"""Arrays: .npz files, and prepared folders that stay on the disk."""

import errno
import json
import os
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy, load_dataset, prepare_dataset
from mtgan.data.images import as_samples
from mtgan.data.sources import npz
from mtgan.data.sources import prepared as module
from mtgan.data.sources.prepared import write_prepared
from mtgan.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 6, 5, 3)).astype(np.uint8)


def write(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


# .npz


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (IMAGES, IMAGES.transpose(0, 3, 1, 2)),
        (IMAGES.transpose(0, 3, 1, 2), IMAGES.transpose(0, 3, 1, 2)),
        (IMAGES[..., :1], IMAGES[:, None, :, :, 0]),
        (IMAGES[..., 0], IMAGES[:, None, :, :, 0]),
    ],
    ids=["NHWC", "NCHW", "NHW1", "NHW"],
)
def test_forms_of_images(tmp_path: Path, images: np.ndarray, expected: np.ndarray) -> None:
    data = load_dataset(write(tmp_path / "set.npz", images=images), "all")
    np.testing.assert_array_equal(data.samples, expected)
    assert (data.name, data.taxonomy.levels) == ("set", ())


def test_one_label_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", images=IMAGES, labels=np.arange(10, dtype=np.uint8) % 3)
    data = load_dataset(path, "all")
    assert data.taxonomy.classes == {"fine": ("0", "1", "2")}
    assert data.labels.ravel().tolist() == [i % 3 for i in range(10)]
    assert (len(load_dataset(path)), len(load_dataset(path, "test"))) == (8, 2)


def test_levels_with_names_and_a_found_hierarchy(tmp_path: Path) -> None:
    fine = np.arange(10) % 4
    labels = np.stack([fine, fine // 2, np.arange(10) % 3], axis=1)
    labels[0, 2] = -1
    data = load_dataset(
        write(
            tmp_path / "a.npz",
            images=IMAGES,
            labels=labels,
            level_names=np.array(["animal", "kind", "color"]),
            class_names_animal=np.array(["cat", "dog", "car", "bus"]),
        ),
        "all",
    )
    assert data.taxonomy.levels == ("animal", "kind", "color")
    assert data.taxonomy.classes["animal"] == ("cat", "dog", "car", "bus")
    assert data.taxonomy.classes["color"] == ("0", "1", "2")
    assert data.taxonomy.parents == {"animal": ("kind", (0, 0, 1, 1))}
    np.testing.assert_array_equal(data.labels, labels)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"pictures": IMAGES}, "a.npz has no array 'images'; it holds pictures"),
        ({}, "it holds nothing"),
        ({"images": IMAGES / 255}, "a.npz: images should be uint8, 0 to 255; found float64"),
        ({"images": IMAGES[0, 0]}, r"with 1, 3 or 4 channels; found \[5, 3\]"),
        ({"images": np.zeros((2, 8, 8, 5), np.uint8)}, r"3 or 4 channels; found \[2, 8, 8, 5\]"),
        ({"images": IMAGES[:0]}, "a.npz holds no images"),
        ({"images": IMAGES[:, :0]}, "a.npz holds no images"),
        (
            {"images": IMAGES, "labels": np.zeros(9, int)},
            r"labels should be integers \[10\] or \[10, L\]; found int64 \[9\]",
        ),
        ({"images": IMAGES, "labels": np.zeros(10)}, r"found float64 \[10\]"),
        ({"images": IMAGES, "labels": np.array(["a"] * 10)}, r"found <U1 \[10\]"),
        ({"images": IMAGES, "labels": np.zeros((10, 1, 1), int)}, r"found int64 \[10, 1, 1\]"),
        (
            {"images": IMAGES, "labels": np.zeros(10, int), "level_names": np.array(["a", "b"])},
            "2 level_names for 1 label columns",
        ),
        (
            {"images": IMAGES, "labels": np.arange(10), "class_names_fine": np.array(["a", "b"])},
            "the label 2 of level 'fine' is outside the taxonomy, which has classes 0 to 1",
        ),
        ({"images": IMAGES, "labels": np.arange(10) - 5}, "label -5 of level 'fine' is outside"),
        ({"images": IMAGES[0]}, r"\[6, 5, 3\] may be one image with channels or several gray ones"),
        ({"images": IMAGES[0].transpose(2, 0, 1)}, r"\[3, 6, 5\] may be one image with channels"),
        (
            {"images": IMAGES, "labels": np.array([0] * 9 + [10**9])},
            "the label 1000000000 of level 'fine' would be the last of 1,000,000,001 classes",
        ),
        (
            {"images": IMAGES, "labels": np.array([0] * 9 + [2**64 - 1], dtype=np.uint64)},
            "the label 18446744073709551615 is too large",
        ),
        ({"images": IMAGES, "labels": np.eye(10)}, r"labels.argmax\(axis=1\)"),
        (
            {"images": IMAGES, "labels": np.zeros(10, int), "class_names_fien": np.array(["a"])},
            "has class_names_fien, and no label level 'fien': did you mean 'fine'",
        ),
        (
            {"images": IMAGES, "labels": np.zeros(10, int), "level_names": np.array(["a/b"])},
            "a label level cannot be called 'a/b': it holds a \"/\"",
        ),
        (
            {
                "images": IMAGES,
                "labels": np.zeros((10, 2), int),
                "level_names": np.array(["a"] * 2),
            },
            "a label level cannot be called 'a': another one is called so",
        ),
        (
            {
                "images": IMAGES,
                "labels": np.zeros(10, int),
                "class_names_fine": np.array(["a"] * 2),
            },
            r"a.npz: The label level 'fine' names the class 'a' twice",
        ),
        (
            {"images": IMAGES[:1], "labels": np.zeros((1, 3_000_000), int)},
            r"'labels' takes 24,000,128 bytes, more than the 1,600,000 that would make sense",
        ),
        (
            {"images": IMAGES, "labels": np.zeros(10, int), "level_names": np.array([""])},
            "a label level cannot be called '': it is empty",
        ),
        (
            {"images": IMAGES, "labels": np.zeros(10, int), "level_names": np.array("fine")},
            r"'level_names' should be a list of names; found <U4 \[\]",
        ),
        (
            {"images": IMAGES, "labels": np.zeros(10, int), "class_names_fine": np.zeros(1)},
            r"'class_names_fine' should be a list of names; found float64 \[1\]",
        ),
        (
            {
                "images": IMAGES,
                "labels": np.zeros(10, int),
                "class_names_fine": np.array([b"\xe9"]),
            },
            "'class_names_fine' holds bytes that are not in UTF-8",
        ),
    ],
)
def test_bad_npz(tmp_path: Path, arrays, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_dataset(write(tmp_path / "a.npz", **arrays))


def test_pickles_in_an_npz_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", images=np.array([IMAGES[0], None], dtype=object))
    with pytest.raises(UserError, match=r"a.npz: 'images' holds Python objects, which are never"):
        load_dataset(path)


def test_arrays_that_nobody_asked_for_are_not_read(tmp_path: Path) -> None:
    about = np.array([{"tool": "x"}], dtype=object)
    path = write(tmp_path / "a.npz", images=IMAGES, about=about, latents=np.zeros(3))
    data = load_dataset(path, "all")
    assert len(data) == 10
    assert data.notes == ("Other arrays of a.npz are not read: about, latents.",)


def test_names_as_bytes_and_in_other_accents(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.NPZ.npz",
        images=IMAGES,
        labels=np.arange(10) % 2,
        level_names=np.array([b"kind"]),
        class_names_kind=np.array(["cafe\u0301".encode(), b" the "]),
    ).rename(tmp_path / "A.NPZ")
    assert load_dataset(path, "all").taxonomy.classes == {"kind": ("café", "the")}


@pytest.mark.parametrize("kind", [np.int64, np.uint8])
def test_one_hot_rows_are_one_level(tmp_path: Path, kind: type) -> None:
    which = np.arange(10) % 3  # none is of the last class
    path = write(tmp_path / "a.npz", images=IMAGES, labels=np.eye(4, dtype=kind)[which])
    data = load_dataset(path, "all")
    assert data.taxonomy.classes == {"fine": ("0", "1", "2", "3")}
    assert data.labels[:, 0].tolist() == which.tolist()
    assert data.notes == ("The labels are one-hot: their 4 columns are read as one level 'fine'.",)


def test_one_hot_rows_with_names(tmp_path: Path) -> None:
    names, which = np.array(["a", "b", "c", "d"]), np.arange(10) % 3
    for more, level in (
        ({"class_names_fine": names}, "fine"),
        ({"level_names": np.array(["kind"]), "class_names_kind": names}, "kind"),
    ):
        labels = np.eye(4, dtype=int)[which]
        data = load_dataset(write(tmp_path / "a.npz", images=IMAGES, labels=labels, **more), "all")
        assert data.taxonomy.classes == {level: ("a", "b", "c", "d")}
        assert data.labels[:, 0].tolist() == which.tolist()


def test_two_levels_that_happen_to_be_one_hot(tmp_path: Path) -> None:
    """Names say that they are levels: as a run's samples may be."""
    arrays = {
        "images": IMAGES,
        "labels": np.eye(2, dtype=int)[np.arange(10) % 2],
        "level_names": np.array(["a", "b"]),
    }
    with pytest.raises(UserError, match="are one-hot, and level_names calls each a level; give"):
        load_dataset(write(tmp_path / "a.npz", **arrays))
    for level in ("a", "b"):
        arrays[f"class_names_{level}"] = np.array(["no", "yes"])
    assert load_dataset(write(tmp_path / "a.npz", **arrays), "all").taxonomy.levels == ("a", "b")


def test_a_member_that_is_no_array(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", b"hello")
    with pytest.raises(UserError, match=r"a.npz is truncated.*: its array 'images' cannot be read"):
        load_dataset(tmp_path / "a.npz")


def bomb(path: Path, claimed: int) -> Path:
    """A file whose directory says that its images unpack to so many bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", bytes(1000))
    content, size = path.read_bytes(), struct.pack("<I", 1000)
    start = content.index(b"PK\1\2")
    directory = content[start:].replace(size, struct.pack("<I", claimed), 1)
    path.write_bytes(content[:start] + directory)
    return path


@pytest.mark.parametrize("shape", [(6, 5, 3), (4, 7, 1), (4, 6, 5), (3, 6, 5)])
def test_as_many_labels_as_rows_say_that_images_are_gray(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    images = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    labels = np.arange(len(images)) % 2
    data = load_dataset(write(tmp_path / "a.npz", images=images, labels=labels), "all")
    np.testing.assert_array_equal(data.samples[:, 0], images)


def test_bombs_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bomb(tmp_path / "a.npz", 3_000_000_000)
    with pytest.raises(UserError, match=r"'images' unpacks from \d+ bytes to 3,000,000,000, which"):
        load_dataset(path)
    monkeypatch.setattr(npz, "memory_bytes", lambda: 500)
    with pytest.raises(UserError, match=r"'images' takes 1,028 bytes, and this machine has 500;"):
        load_dataset(write(tmp_path / "b.npz", images=np.zeros((1, 30, 30, 1), np.uint8)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"no archive",
        lambda content: content[:200] + b"\xff" * 200 + content[400:],
    ],
    ids=["cut", "empty", "text", "blocks"],
)
def test_damaged_npz(tmp_path: Path, damage) -> None:
    path = write(tmp_path / "a.npz", images=IMAGES)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"a.npz is truncated, corrupt or no .npz file"):
        load_dataset(path)


def test_channels_last_where_both_readings_fit() -> None:
    both = np.zeros((2, 3, 8, 3), np.uint8)
    assert as_samples(both, "x").shape == (2, 3, 3, 8)


# Prepared folders


@pytest.fixture
def pictures(tmp_path: Path, paint) -> Path:
    folder = tmp_path / "pictures"
    for place in ("pet/cat", "pet/dog", "vehicle/car"):
        for i in range(5):
            paint(folder / place / f"{i}.png", size=(8, 12))
    return folder


def is_mapped(array: np.ndarray) -> bool:
    return isinstance(array, np.memmap) or isinstance(array.base, np.memmap)


@pytest.mark.parametrize("kind", ["folder", "name", "npz"])
def test_prepared_set_is_the_same_set(tmp_path: Path, pictures: Path, kind: str) -> None:
    source = {
        "folder": pictures,
        "name": "digits",
        "npz": write(tmp_path / "a.npz", images=IMAGES, labels=np.arange(10) % 2),
    }[kind]
    out = prepare_dataset(source, tmp_path / "out")
    for split in ("train", "test"):
        prepared, loaded = load_dataset(out, split), load_dataset(source, split)
        assert is_mapped(prepared.samples)
        np.testing.assert_array_equal(prepared.samples, loaded.samples)
        np.testing.assert_array_equal(prepared.labels, loaded.labels)
        assert prepared.taxonomy == loaded.taxonomy
        assert prepared.name == loaded.name
        assert prepared.split == split
        assert prepared.fingerprint == loaded.fingerprint
    whole = load_dataset(out, "all")
    assert len(whole) == len(load_dataset(source, "all"))
    # The fingerprints that were stored are those of what is there.
    assert whole.fingerprint == whole.select(np.arange(len(whole))).fingerprint


def test_subset_of_a_prepared_set(tmp_path: Path) -> None:
    out = prepare_dataset("digits", tmp_path / "out")
    assert load_dataset(out, subset=50).fingerprint == load_dataset("digits", subset=50).fingerprint


def test_options_of_prepare(tmp_path: Path, pictures: Path) -> None:
    own = {"kind": {"cat": "a", "dog": "b", "car": "a"}}
    options = {"size": "16x8", "channels": 1, "taxonomy": own}
    out = prepare_dataset(pictures, tmp_path / "out", **options)
    prepared, loaded = load_dataset(out), load_dataset(pictures, **options)
    assert prepared.shape == (1, 16, 8)
    assert prepared.taxonomy.levels == ("fine", "kind")
    assert prepared.fingerprint == loaded.fingerprint
    # And from a prepared folder another one.
    again = load_dataset(prepare_dataset(out, tmp_path / "again", size=8))
    assert again.shape == (1, 8, 8)


def test_notes_are_kept(tmp_path: Path, pictures: Path) -> None:
    (pictures / "pet" / "cat" / "bad.png").write_bytes(b"no picture")
    out = prepare_dataset(pictures, tmp_path / "out")
    assert load_dataset(out).notes == load_dataset(pictures).notes
    assert "Left out 1 file (unreadable): pet/cat/bad.png." in load_dataset(out).notes


class Watched:
    """Samples that note what is sliced."""

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(self, count: int) -> None:
        self.shape = (count, 1, 2, 2)
        self.asked: list[int] = []

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: slice) -> np.ndarray:
        rows = np.arange(len(self))[index]
        self.asked.append(len(rows))
        return np.broadcast_to(rows[:, None, None, None] % 256, (len(rows), 1, 2, 2)).astype(
            np.uint8
        )


def test_no_more_than_a_block_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 16)
    samples = Watched(50)
    none = Taxonomy((), {}, {})
    train = Dataset(samples, np.empty((50, 0), dtype=int), none)  # type: ignore[arg-type]
    test = Dataset(np.zeros((3, 1, 2, 2), np.uint8), np.empty((3, 0), dtype=int), none)
    write_prepared(train, test, tmp_path / "out")
    assert samples.asked == [16, 16, 16, 2]
    prepared = load_dataset(tmp_path / "out", "all")
    assert prepared.samples[:, 0, 1, 1].tolist() == [*range(50), 0, 0, 0]


def test_existing_folder_is_left_alone(tmp_path: Path, pictures: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="out exists already; name another folder, or remove it"):
        prepare_dataset(pictures, out)
    with pytest.raises(UserError, match="out exists already"):
        write_prepared(load_dataset("digits"), load_dataset("digits"), out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_full_disk_leaves_nothing(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.iterdir())

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(module.np.lib.format, "write_array_header_1_0", full)
        with pytest.raises(
            UserError, match=r"out could not be written: there is no space left on the device; make"
        ):
            prepare_dataset(pictures, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before
    prepare_dataset(pictures, tmp_path / "out")


def test_samples_that_do_not_fit_on_the_disk(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the samples themselves break it."""
    code = (
        "import resource, sys; from mtgan.data import load_dataset, prepare_dataset\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "prepare_dataset('fashion-mnist-10k', sys.argv[1])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "out")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert "out could not be written: file too large; name another place" in result.stderr
    assert not list(tmp_path.glob("*out*"))


def test_samples_are_not_written_through_a_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write through a memory map kills the process where the disk is full (SIGBUS)."""
    modes = []
    original = np.memmap.__new__

    def watch(cls, filename, dtype=np.uint8, mode="r+", *rest, **options):
        modes.append(mode)
        return original(cls, filename, dtype, mode, *rest, **options)

    monkeypatch.setattr(np.memmap, "__new__", watch)
    prepare_dataset("digits", tmp_path / "out")
    load_dataset(tmp_path / "out")
    assert modes
    assert set(modes) == {"r"}


def test_leftovers_of_a_killed_attempt_do_not_matter(tmp_path: Path, pictures: Path) -> None:
    leftover = tmp_path / ".partial-0123abcd-out"
    leftover.mkdir()
    (leftover / "samples.npy").write_bytes(b"half")
    hours_ago = time.time() - 10_000
    os.utime(leftover, (hours_ago, hours_ago))
    prepare_dataset(pictures, tmp_path / "out")
    assert not leftover.exists()


def corrupt(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("name", ["samples.npy", "labels.npy", "mtgan-data.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x93NUMPY\x01\0", None])
def test_broken_prepared_folder(tmp_path: Path, pictures: Path, name: str, content) -> None:
    out = prepare_dataset(pictures, tmp_path / "out")
    corrupt(out / name, content)
    # Without its mark, it is a folder like any other: one without images.
    sentence = "is incomplete or corrupt .*prepare it anew|out holds no images"
    with pytest.raises(UserError, match=sentence):
        load_dataset(out)


@pytest.mark.parametrize("key", ["name", "splits", "taxonomy"])
def test_prepared_folder_without_a_key(tmp_path: Path, pictures: Path, key: str) -> None:
    out = prepare_dataset(pictures, tmp_path / "out")
    about = json.loads((out / "mtgan-data.json").read_text())
    del about[key]
    (out / "mtgan-data.json").write_text(json.dumps(about))
    with pytest.raises(UserError, match=f"is incomplete or corrupt .*{key}.*prepare it anew"):
        load_dataset(out)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("name",), 3),
        (("notes",), [1]),
        (("notes",), 5),
        (("splits", "train", "first"), -1),
        (("splits", "train", "last"), 10**12),
        (("splits", "train", "last"), "12"),
        (("splits", "train", "fingerprint"), None),
        (("splits",), []),
        (("taxonomy", "classes"), []),
        (("taxonomy", "classes", "fine"), "abc"),
        (("taxonomy", "classes", "fine"), ["cat", "cat", 3]),
        (("taxonomy", "parents"), {"fine": 1}),
        (("taxonomy", "parents"), {"fine": {"level": "coarse", "index": [0, 0.5, 1]}}),
        (("taxonomy", "parents"), {"fine": {"level": [], "index": [0, 0, 1]}}),
        (("taxonomy", "levels"), [["fine"], "coarse"]),
        (("domains",), [{"type": "x"}]),
        (("domains",), [{"type": "image", "name": "a", "shape": "x", "placement": "pad"}]),
        (("domains",), [{"type": "image", "name": "a", "shape": [1, 9, 9**9]}]),
        (
            ("domains",),
            [{"type": "sequence", "name": "a", "kind": "x", "tokens": [1], "length": 1}],
        ),
        (("domains",), 7),
    ],
)
def test_prepared_folder_that_was_edited(tmp_path: Path, pictures: Path, place, value) -> None:
    out = prepare_dataset(pictures, tmp_path / "out")
    about = json.loads((out / "mtgan-data.json").read_text())
    inner = about
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (out / "mtgan-data.json").write_text(json.dumps(about))
    with pytest.raises(UserError, match=r"out is incomplete or corrupt .*prepare it anew"):
        load_dataset(out)


@pytest.mark.parametrize("name", ["samples.npy", "labels.npy", "mtgan-data.json"])
def test_prepared_folder_with_a_pipe_in_it(tmp_path: Path, pictures: Path, name: str) -> None:
    out = prepare_dataset(pictures, tmp_path / "out")
    (out / name).unlink()
    os.mkfifo(out / name)
    with pytest.raises(UserError, match=r"is incomplete or corrupt .*prepare it anew|holds no im"):
        load_dataset(out)


def test_cut_samples_of_a_prepared_folder(tmp_path: Path, pictures: Path) -> None:
    out = prepare_dataset(pictures, tmp_path / "out")
    path = out / "samples.npy"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match="is incomplete or corrupt"):
        load_dataset(out)


def test_opacity_is_laid_over_white(tmp_path: Path) -> None:
    pixels = np.zeros((1, 1, 3, 4), np.uint8)
    pixels[0, 0, :, 0] = 200
    pixels[0, 0, :, 3] = (0, 51, 255)
    np.savez(tmp_path / "a.npz", images=pixels)
    data = load_dataset(tmp_path / "a.npz", split="all")
    np.testing.assert_array_equal(data.samples[0, 0, 0], [255, 244, 200])
    np.testing.assert_array_equal(data.samples[0, 1, 0], [255, 204, 0])
