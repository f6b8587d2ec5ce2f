"""Samples that are written are read back by name, whole, or are not there at all."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.data.domains.base import write_lines
from mtgan.data.domains.image import ImageDomain
from mtgan.data.export import check_target, export_samples
from mtgan.errors import UserError
from mtgan.evaluation.inputs import as_dataset, fitting_labels

# As an older run keeps them, and as hostile folders are called.
ODD = ("0", "1", "10", "11", "2", "crane, bird", 'a "b"', "[/b]", "é", "a/b", "yes", "\x1b[31m")
TAXONOMY = Taxonomy(
    ("fine", "file"),
    {"fine": ODD, "file": ("x", "y")},
    {"fine": ("file", tuple(i % 2 for i in range(len(ODD))))},
)
IMAGES = np.random.default_rng(0).integers(0, 256, (24, 3, 4, 6)).astype(np.uint8)


def rows() -> np.ndarray:
    fine = np.random.default_rng(1).integers(0, len(ODD), 24)
    fine[5] = -1
    return TAXONOMY.label_rows(fine)


@pytest.mark.parametrize("form", ["samples.npz", "samples.NPZ", "samples"])
def test_classes_are_read_back_by_name(tmp_path: Path, form: str) -> None:
    """Whatever the order of classes in the form, and in the reference."""
    labels = rows()
    export_samples(IMAGES, labels, TAXONOMY, tmp_path / form)
    assert os.listdir(tmp_path) == [form]
    found = as_dataset(tmp_path / form, "samples")
    np.testing.assert_array_equal(found.samples, IMAGES)
    random = np.random.default_rng(2).permutation(len(ODD))
    shuffled = Taxonomy(("fine",), {"fine": tuple(ODD[i] for i in random)}, {})
    for taxonomy in (TAXONOMY, shuffled):
        none = np.full((1, len(taxonomy.levels)), -1)
        real = Dataset(IMAGES[:1], none, taxonomy, name="real", split="all")
        asked = fitting_labels(found, real, None)
        assert asked is not None
        names = taxonomy.classes["fine"]
        for was, now in zip(labels[:, 0], asked[:, 0], strict=True):
            assert (now == was == -1) or ODD[was] == names[now]


def test_samples_without_labels(tmp_path: Path) -> None:
    for form in ("a.npz", "a"):
        export_samples(IMAGES, None, TAXONOMY, tmp_path / form)
        data = load_dataset(tmp_path / form, "all")
        assert (len(data), data.taxonomy.levels) == (24, ())


@pytest.mark.parametrize("form", ["a.npz", "a.png", "a", "a.txt", "d.png"])
@pytest.mark.parametrize("place", ["when it is brought to the disk", "when it is renamed"])
def test_nothing_half_written_is_left(
    tmp_path: Path, form: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / form
    renaming = "rename" if form == "a" else "replace"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write() -> None:
        if form == "a.txt":
            write_lines(["CC"], out)
        elif form == "d.png":
            ImageDomain("d", (1, 4, 4)).preview(IMAGES[:, :1]).save(tmp_path / "d")
        else:
            export_samples(IMAGES, rows(), TAXONOMY, out)

    with monkeypatch.context() as patch:
        patch.setattr(os, renaming if "renamed" in place else "fsync", full)
        with pytest.raises(UserError, match="could not be written: there is no space left"):
            write()
        assert list(tmp_path.iterdir()) == []
    write()  # and it goes, once there is room
    assert [path.name for path in tmp_path.iterdir()] == [form]


def test_a_domain_is_written_under_its_whole_name(tmp_path: Path) -> None:
    ImageDomain("d", (1, 4, 4)).preview(IMAGES[:, :1]).save(tmp_path / "step.10")
    assert [path.name for path in tmp_path.iterdir()] == ["step.10.png"]


def test_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x.npz", "x.NPZ", "x.png", "x", "new/x"):
        check_target(tmp_path / name)
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(UserError, match="link exists already"):
        check_target(tmp_path / "link")
    monkeypatch.chdir(tmp_path)
    for name in (".", "/"):
        with pytest.raises(UserError, match=r"takes FILE.npz, FILE.png or a folder; found"):
            check_target(Path(name))
