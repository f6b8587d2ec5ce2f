"""A folder of pictures: what its folders say, and what is passed over."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan.data import load_dataset
from mtgan.data.folders.listing import list_folder
from mtgan.data.folders.pictures import Header
from mtgan.data.held_out import held_out_rows
from mtgan.data.request import Request
from mtgan.data.sources.folder import LazyImages, _fit, open_folder
from mtgan.errors import UserError


@pytest.fixture
def nested(tmp_path: Path, paint) -> Path:
    """superclass/class/x.png, five of each class."""
    folder = tmp_path / "nested"
    for place in ("pet/cat", "pet/dog", "vehicle/car"):
        for i in range(5):
            paint(folder / place / f"{i}.png")
    return folder


def named(data) -> list[tuple[str, ...]]:
    """Class names of each sample, '-' where missing."""
    taxonomy = data.taxonomy
    return [
        tuple(
            taxonomy.classes[level][i] if i >= 0 else "-"
            for level, i in zip(taxonomy.levels, row, strict=True)
        )
        for row in data.labels
    ]


# Labels from folders


def test_class_folders(tmp_path: Path, paint) -> None:
    for i, name in enumerate(["red", "blue"]):
        for j in range(3):
            paint(tmp_path / "set" / name / f"{j}.png", color=(255 * (1 - i), 0, 255 * i))
    data = load_dataset(tmp_path / "set", "all")
    assert (data.name, data.shape) == ("set", (3, 8, 8))
    assert data.taxonomy.classes == {"fine": ("blue", "red")}
    for sample, (name,) in zip(data.samples, named(data), strict=True):
        assert sample[:, 0, 0].tolist() == ([255, 0, 0] if name == "red" else [0, 0, 255])


def test_nested_folders_are_a_taxonomy(nested: Path) -> None:
    data = load_dataset(nested, "all")
    assert data.taxonomy.levels == data.taxonomy.chain == ("fine", "coarse")
    assert data.taxonomy.classes == {"fine": ("cat", "dog", "car"), "coarse": ("pet", "vehicle")}
    assert data.taxonomy.parents == {"fine": ("coarse", (0, 0, 1))}
    assert set(named(data)) == {("cat", "pet"), ("dog", "pet"), ("car", "vehicle")}


def test_three_levels(tmp_path: Path, paint) -> None:
    for place in ("alive/pet/cat", "alive/wild/fox", "thing/vehicle/car"):
        paint(tmp_path / "set" / place / "x.png")
    data = load_dataset(tmp_path / "set", "all")
    assert data.taxonomy.chain == ("fine", "coarse", "top")
    assert ("fox", "wild", "alive") in named(data)


def test_ambiguous_names_are_told_apart(tmp_path: Path, paint) -> None:
    for place in ("cat/young", "cat/old", "dog/young"):
        paint(tmp_path / "set" / place / "x.png")
    data = load_dataset(tmp_path / "set", "all")
    assert data.taxonomy.classes["fine"] == ("cat/old", "cat/young", "dog/young")
    assert set(named(data)) == {
        ("cat/old", "cat"),
        ("cat/young", "cat"),
        ("dog/young", "dog"),
    }


def test_classes_of_numbers_are_in_their_order(tmp_path: Path, paint) -> None:
    for i in range(12):
        paint(tmp_path / "set" / f"{i}" / "x.png")
        paint(tmp_path / "nested" / ("even", "odd")[i % 2] / f"{i}" / "x.png")
    assert load_dataset(tmp_path / "set", "all").taxonomy.classes["fine"] == tuple(
        str(i) for i in range(12)
    )
    nested = load_dataset(tmp_path / "nested", "all").taxonomy
    assert nested.classes["fine"] == tuple(str(i) for i in (*range(0, 12, 2), *range(1, 12, 2)))
    assert nested.parents["fine"] == ("coarse", (0,) * 6 + (1,) * 6)


def test_names_of_folders_in_any_writing(tmp_path: Path, paint) -> None:
    """Accents in two spellings are one class; bytes that are no UTF-8 are shown as escapes."""
    for name in ("train/caf\u00e9", "test/cafe\u0301", "train/" + os.fsdecode(b"th\xe9")):
        paint(tmp_path / "set" / name / "x.png")
    data = load_dataset(tmp_path / "set", "all")
    assert data.taxonomy.classes == {"fine": ("caf\u00e9", "th\\xe9")}
    assert sorted(named(data)) == [("caf\u00e9",), ("caf\u00e9",), ("th\\xe9",)]


def test_flat_folder_has_no_labels(tmp_path: Path, paint) -> None:
    for i in range(10):
        paint(tmp_path / "set" / f"{i}.png")
    data = load_dataset(tmp_path / "set")
    assert (len(data), data.labels.shape, data.taxonomy.levels) == (8, (8, 0), ())
    assert len(data.load_split("test")) == 2


def test_mixed_depths(nested: Path, paint) -> None:
    paint(nested / "pet" / "stray.png")
    with pytest.raises(UserError, match=r"different depths, as pet/stray.png and deeper ones"):
        load_dataset(nested)


def test_held_out_fifth_is_stratified(nested: Path) -> None:
    train, test = load_dataset(nested), load_dataset(nested, "test")
    assert set(train.class_counts()["fine"].values()) == {4}
    assert set(test.class_counts()["fine"].values()) == {1}


@pytest.mark.parametrize("form", ["folders", "table"])
def test_the_held_out_fifth_does_not_hang_on_the_order_of_classes(
    tmp_path: Path, paint, form: str
) -> None:
    """It has always been drawn with the classes in the order of the alphabet: a run that was
    trained before numbers inside of names counted as numbers keeps its split."""
    names = [f"class{i}" for i in range(12)]
    rows = "file,fine\n"
    for i in range(60):
        name = names[i % 12]
        paint(tmp_path / "set" / (name if form == "folders" else "") / f"{i:02}.png", color=i)
        rows += f"{i:02}.png,{name}\n"
    if form == "table":
        (tmp_path / "set" / "labels.csv").write_text(rows)
    listing = list_folder(tmp_path / "set")
    alphabet = sorted(names)
    labels = [[alphabet.index(names[int(file.stem) % 12])] for file in listing.files]
    test = held_out_rows(np.array(labels), "test")
    data = load_dataset(tmp_path / "set", "test")
    assert data.samples[:, 0, 0, 0].tolist() == [int(listing.files[i].stem) for i in test]
    assert data.taxonomy.classes["fine"] == tuple(names)


def test_a_single_image(tmp_path: Path, paint) -> None:
    paint(tmp_path / "set" / "a" / "x.png")
    assert len(load_dataset(tmp_path / "set")) == 1
    assert len(load_dataset(tmp_path / "set", "test")) == 0


# Splits of the folder's own


@pytest.mark.parametrize("test_name", ["test", "val", "Valid"])
def test_split_folders(tmp_path: Path, paint, test_name: str) -> None:
    for split, count in (("train", 3), (test_name, 2)):
        for name in ("a", "b"):
            for i in range(count):
                paint(tmp_path / "set" / split / name / f"{i}.png")
    parts = [load_dataset(tmp_path / "set", split) for split in ("train", "test", "all")]
    assert [len(part) for part in parts] == [6, 4, 10]
    assert {part.taxonomy.classes["fine"] for part in parts} == {("a", "b")}


def test_split_folders_inside_the_only_folder(tmp_path: Path, paint) -> None:
    for split in ("train", "test"):
        paint(tmp_path / "set" / "inner" / split / "a" / "x.png")
    assert len(load_dataset(tmp_path / "set")) == 1
    assert load_dataset(tmp_path / "set").taxonomy.levels == ("fine",)


@pytest.mark.parametrize("company", ["README.txt", "__MACOSX/data/train/a/._0.png", "Thumbs.db"])
def test_split_folders_inside_a_folder_with_company(tmp_path: Path, paint, company: str) -> None:
    for split in ("train", "test"):
        paint(tmp_path / "set" / "data" / split / "a" / "0.png")
    (tmp_path / "set" / company).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "set" / company).write_bytes(b"\0\5\26\7")
    data = load_dataset(tmp_path / "set")
    assert (len(data), data.taxonomy.classes) == (1, {"fine": ("a",)})


def test_a_validation_folder_beside_test_is_not_read_and_named(tmp_path: Path, paint) -> None:
    for split, count in (("train", 3), ("val", 2), ("test", 1)):
        for i in range(count):
            paint(tmp_path / "set" / split / "a" / f"{i}.png")
    parts = {split: load_dataset(tmp_path / "set", split) for split in ("train", "test", "all")}
    assert [len(part) for part in parts.values()] == [3, 1, 4]
    assert all("2 images (val/a/0.png, val/a/1.png)" in part.notes[0] for part in parts.values())


def test_a_test_folder_without_classes(tmp_path: Path, paint) -> None:
    for name in ("train/a/0.png", "train/b/0.png", "test/0.png", "test/1.png"):
        paint(tmp_path / "set" / name)
    data = load_dataset(tmp_path / "set", "all")
    assert named(data) == [("-",), ("-",), ("a",), ("b",)]
    assert "The images of test lie in no folders of classes" in data.notes[0]


def test_a_class_called_train(tmp_path: Path, paint) -> None:
    for name in ("bus", "car", "train"):
        for i in range(5):
            paint(tmp_path / "set" / name / f"{i}.png")
    data = load_dataset(tmp_path / "set", "all")
    assert (len(data), data.taxonomy.classes) == (15, {"fine": ("bus", "car", "train")})
    assert "Folders called train are read as classes" in data.notes[0]


def test_a_train_folder_alone_is_held_out_from(tmp_path: Path, paint) -> None:
    for i in range(10):
        paint(tmp_path / "set" / "train" / "ab"[i % 2] / f"{i}.png")
    data = load_dataset(tmp_path / "set")
    assert data.taxonomy.classes == {"fine": ("a", "b")}
    assert (len(data), len(data.load_split("test"))) == (8, 2)


def test_an_empty_split(tmp_path: Path, paint) -> None:
    paint(tmp_path / "set" / "test" / "a" / "x.png")
    (tmp_path / "set" / "train").mkdir()
    with pytest.raises(UserError, match="set has the splits test, and no images for 'train'"):
        load_dataset(tmp_path / "set")


# Tables in folders of splits; for all else see test_labels.py


@pytest.fixture
def flat(tmp_path: Path, paint) -> Path:
    folder = tmp_path / "flat"
    for i in range(4):
        paint(folder / f"{i}.png")
    return folder


def test_csv_beside_split_folders(tmp_path: Path, paint) -> None:
    for name in ("train/0.png", "train/1.png", "test/0.png"):
        paint(tmp_path / "set" / name)
    rows = "file,a\ntrain/0.png,x\ntrain/1.png,y\ntest/0.png,y\n"
    (tmp_path / "set" / "labels.csv").write_text(rows)
    assert named(load_dataset(tmp_path / "set")) == [("x",), ("y",)]
    assert named(load_dataset(tmp_path / "set", "test")) == [("y",)]


@pytest.mark.parametrize("base", ["", "train/"])
def test_csv_inside_the_folders_that_hold_the_images(tmp_path: Path, paint, base: str) -> None:
    """Beside the images of each split, or in the folder that wraps all, as seen from there."""
    outer = tmp_path / "set" / "inner"
    for name in ("train/0.png", "train/1.png", "test/0.png"):
        paint(outer / name)
    if base:
        (outer / "train" / "metadata.csv").write_text("file_name,a\n0.png,x\n1.png,y\n")
        (outer / "test" / "metadata.csv").write_text("file_name,a\n0.png,y\n")
    else:
        (outer / "labels.csv").write_text("file,a\ntrain/0.png,x\ntrain/1.png,y\ntest/0.png,y\n")
    data = load_dataset(tmp_path / "set")
    assert named(data) == [("x",), ("y",)]
    assert named(data.load_split("test")) == [("y",)]
    assert data.notes == ()


def test_csv_of_something_else_inside_a_split(tmp_path: Path, paint) -> None:
    for name in ("train/a/0.png", "train/b/0.png", "test/a/0.png"):
        paint(tmp_path / "set" / name)
    (tmp_path / "set" / "train" / "boxes.csv").write_text("image,x,y\nnone.png,1,2\n")
    data = load_dataset(tmp_path / "set")
    assert data.taxonomy.classes == {"fine": ("a", "b")}
    assert "1 .csv): train/boxes.csv." in data.notes[0]


def test_csv_beside_the_only_folder_of_images(tmp_path: Path, paint) -> None:
    for i in range(3):
        paint(tmp_path / "set" / "images" / "all" / f"{i}.png")
    (tmp_path / "set" / "labels.csv").write_text("file,a\nall/0.png,x\nall/1.png,y\nall/2.png,y\n")
    assert named(load_dataset(tmp_path / "set", "all")) == [("x",), ("y",), ("y",)]


def test_csv_that_names_files_which_are_left_out(flat: Path, paint) -> None:
    (flat / "4.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (flat / "labels.csv").write_text("file,a\n0.png,x\n1.png,y\n4.heic,y\n")
    data = load_dataset(flat, "all")
    assert named(data) == [("x",), ("y",), ("-",), ("-",)]
    assert "1 .heic): 4.heic." in data.notes[0]


# What cannot be read


def test_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "notes.txt").write_text("hello")
    with pytest.raises(UserError, match=r"set holds no images; name .*1 \.txt\): notes\.txt"):
        load_dataset(tmp_path / "set")


def test_unreadable_files_are_passed_over_and_counted(nested: Path) -> None:
    whole = load_dataset(nested, "all")
    for i in range(2):
        (nested / "pet" / "cat" / f"bad{i}.jpg").write_bytes(b"no picture")
    (nested / "pet" / "dog" / "empty.png").write_bytes(b"")
    cut = nested / "vehicle" / "car" / "cut.png"
    cut.write_bytes((nested / "vehicle" / "car" / "0.png").read_bytes()[:90])
    data = load_dataset(nested, "all")
    assert data.fingerprint == whole.fingerprint
    assert data.notes[-1] == (
        "Left out 4 files (unreadable): pet/cat/bad0.jpg, pet/cat/bad1.jpg, "
        "pet/dog/empty.png and 1 more."
    )


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, of damaged TIFF files
@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "gif", "webp", "tif", "ppm", "pgm"])
def test_damage_of_any_kind_is_passed_over(tmp_path: Path, paint, suffix: str) -> None:
    """Wherever a file is cut or overwritten, it is read or passed over, and never raises."""
    folder = tmp_path / "set"
    good = paint(folder / f"good.{suffix}", size=(24, 24)).read_bytes()
    random = np.random.default_rng(0)
    for i in range(25):
        (folder / f"cut{i}.{suffix}").write_bytes(good[: len(good) * i // 25])
        noisy = bytearray(good)
        start = int(random.integers(0, min(len(good), 200)))
        noisy[start : start + 4] = random.bytes(4)
        (folder / f"noisy{i}.{suffix}").write_bytes(bytes(noisy))
    data = load_dataset(folder, "all", size=24)
    note = next(note for note in data.notes if "unreadable" in note)
    assert len(data) + int(note.split()[2]) == 51


def test_what_is_left_out_is_counted_by_reasons(nested: Path) -> None:
    os.mkfifo(nested / "pet" / "cat" / "pipe.png")
    (nested / "pet" / "cat" / "up").symlink_to("..")
    (nested / "README").write_text("hello")
    (nested / "pet" / "dog" / "bad.png").write_bytes(b"no picture")
    data = load_dataset(nested, "all")
    assert len(data) == 15
    assert data.notes == (
        "Left out 1 file (links to folders that are read already, or lead in a circle): "
        "pet/cat/up.",
        "Left out 1 file (no pictures of a format that is read: 1 no ending): README.",
        "Left out 1 file (pipes, sockets or devices): pet/cat/pipe.png.",
        "Left out 1 file (unreadable): pet/dog/bad.png.",
    )


def test_nothing_readable(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "x.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"None of the 1 image files in .*set can be read"):
        load_dataset(tmp_path / "set")


def test_hidden_files_are_left_out(nested: Path, paint) -> None:
    count = len(load_dataset(nested, "all"))
    paint(nested / ".thumbnails" / "x.png")
    paint(nested / "pet" / "cat" / "._x.png")
    assert len(load_dataset(nested, "all")) == count


# Sizes and channels


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(20, 20), (20, 20)], (20, 20)),  # one size: it is kept
        ([(64, 128), (64, 128)], (64, 128)),
        ([(512, 512), (512, 512)], (128, 128)),  # too large
        ([(30, 40), (33, 33), (31, 90)], (32, 32)),
        ([(60, 120), (66, 132)], (64, 128)),  # various sizes of one shape
        ([(120, 60), (132, 66)], (128, 64)),
        ([(9, 9), (10, 10)], (28, 28)),
    ],
)
def test_size_of_mixed_images(tmp_path: Path, paint, sizes, expected) -> None:
    for i, size in enumerate(sizes):
        paint(tmp_path / "set" / f"{i}.png", size=size)
    data = load_dataset(tmp_path / "set", "all")
    assert data.shape == (3, *expected)
    assert bool(data.notes) == (expected not in sizes)
    if data.notes:
        assert f"brought to {expected[0]} x {expected[1]} (choose with" in data.notes[0]


def test_size_of_choice(tmp_path: Path, paint) -> None:
    for i, size in enumerate([(100, 100), (70, 90)]):
        paint(tmp_path / "set" / f"{i}.png", size=size)
    data = load_dataset(tmp_path / "set", "all", size="64x128")
    assert (data.shape, data.notes) == ((3, 64, 128), ())


def test_gray_and_colored_folders(tmp_path: Path, paint) -> None:
    for i in range(2):
        paint(tmp_path / "gray" / f"{i}.png", color=100, mode="L")
        paint(tmp_path / "mixed" / f"{i}.png", color=100, mode="L")
    paint(tmp_path / "mixed" / "c.png", color=(9, 8, 7))
    assert load_dataset(tmp_path / "gray", "all").shape == (1, 8, 8)
    mixed = load_dataset(tmp_path / "mixed", "all")
    assert mixed.samples[:, :, 0, 0].tolist() == [[100] * 3, [100] * 3, [9, 8, 7]]
    assert load_dataset(tmp_path / "mixed", "all", channels=1).shape == (1, 8, 8)


def test_color_and_size_are_those_of_all_images() -> None:
    """None of many is overlooked."""
    request = Request("x", "all", None, None, None, False)
    headers = [Header(8, 8, color=False)] * 4999
    assert _fit(headers, request)[0].channels == 1
    fit, notes = _fit([*headers, Header(8, 9, color=True)], request)
    assert (fit.channels, fit.size) == (3, (28, 28))
    assert notes[0].startswith("1 of 5,000 images are in color: all are read as RGB")


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0.0, 0.5), (0.1, 0.9)], (0, 1)),
        ([(0, 1), (7, 200)], (0, 255)),
        ([(0, 300)], (0, 65535)),
        ([(0, 70000)], (0, 70000)),
        ([(-1, 0.5), (0, 1)], (-1, 1)),
    ],
)
def test_black_and_white_of_wide_pixels_are_one_for_all(spans, expected) -> None:
    headers = [Header(8, 8, False, span) for span in spans]
    fit, notes = _fit(headers, Request("x", "all", None, None, None, False))
    assert fit.span == expected
    assert f"{expected[0]:g} is taken for black, {expected[1]:g} for white" in notes[0]


def test_wide_pixels_are_scaled_alike(tmp_path: Path) -> None:
    """32 bits: the darker picture stays the darker one."""
    (tmp_path / "set").mkdir()
    for i, value in enumerate((0.25, 1.0)):
        Image.new("F", (8, 8), value).save(tmp_path / "set" / f"{i}.tif")
    data = load_dataset(tmp_path / "set", "all")
    assert data.samples[:, 0, 0, 0].tolist() == [64, 255]
    assert "found are 0.25 to 1" in data.notes[0]


def test_more_than_the_memory_holds(tmp_path: Path, paint, monkeypatch) -> None:
    paint(tmp_path / "set" / "0.png")
    monkeypatch.setattr("mtgan.limits.memory_bytes", lambda: 100)
    with pytest.raises(
        UserError, match=r"1 images of 3 x 8 x 8 at once \(mtgan data prepare reads"
    ):
        load_dataset(tmp_path / "set", "all")
    assert lazily(tmp_path / "set").samples.shape == (1, 3, 8, 8)


def test_transparency_lies_on_white(tmp_path: Path, paint) -> None:
    paint(tmp_path / "set" / "0.png", color=(0, 0, 0, 0), mode="RGBA")
    paint(tmp_path / "set" / "1.png", color=(0, 0, 0, 255), mode="RGBA")
    data = load_dataset(tmp_path / "set", "all")
    assert data.samples[:, :, 0, 0].tolist() == [[255] * 3, [0] * 3]


# Larger than memory


def lazily(folder: Path, split: str = "all"):
    return open_folder(Request(str(folder), split, None, None, None, False))


@pytest.mark.parametrize("split", ["train", "test", "all"])
def test_opened_folder_is_the_loaded_one(nested: Path, split: str) -> None:
    (nested / "pet" / "cat" / "bad.png").write_bytes(b"no picture")
    lazy, loaded = lazily(nested, split), load_dataset(nested, split)
    assert isinstance(lazy.samples, LazyImages)
    assert lazy.notes == loaded.notes
    np.testing.assert_array_equal(lazy.samples[:], loaded.samples)
    np.testing.assert_array_equal(lazy.samples[1], loaded.samples[1])
    np.testing.assert_array_equal(lazy.labels, loaded.labels)


def test_a_file_that_breaks_after_it_was_opened(nested: Path) -> None:
    samples = lazily(nested).samples
    samples.files[0].write_bytes(b"")
    with pytest.raises(UserError, match=r"0.png could be read before, and cannot be now \(unread"):
        samples[:3]


def test_only_what_is_sliced_is_decoded(nested: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = lazily(nested).samples
    decoded = []
    monkeypatch.setattr(
        "mtgan.data.sources.folder.decode",
        lambda file, size, channels, span: (
            decoded.append(file) or np.zeros((channels, *size), np.uint8)
        ),
    )
    assert samples.shape == (15, 3, 8, 8)
    picked = samples[np.array([3, 4, 9])]
    assert isinstance(picked, LazyImages)
    assert decoded == []
    assert samples[2:6].shape == (4, 3, 8, 8)
    assert sorted(decoded) == sorted(samples.files[2:6])


def test_listing(nested: Path) -> None:
    listing = list_folder(nested)
    assert len(listing.files) == len(listing.rows) == len(listing.splits) == 15
    assert listing.files == sorted(listing.files)
