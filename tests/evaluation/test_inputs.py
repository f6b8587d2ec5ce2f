"""Samples of any form, with labels in the reference's classes; what does not fit is refused."""

import numpy as np
import pytest
from PIL import Image

from mtgan.data import Dataset, Taxonomy
from mtgan.errors import UserError
from mtgan.evaluation.inputs import apart, as_dataset, fitting_labels


def labeled(fine: list[int], names: tuple[str, ...], level: str = "fine") -> Dataset:
    images = np.zeros((len(fine), 3, 16, 16), np.uint8)
    taxonomy = Taxonomy((level,), {level: names}, {})
    return Dataset(images, np.array(fine)[:, None], taxonomy, name="given", split="all")


def test_arrays_and_datasets(tiny):
    assert as_dataset(tiny, "x") is tiny
    made = as_dataset(tiny.samples, "samples")
    assert made.labels.shape == (64, 0)
    assert made.samples is tiny.samples


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((4, 3, 8, 8), np.float32),
        np.zeros((4, 8, 8), np.uint8),
        np.zeros((0, 3, 8, 8), np.uint8),
    ],
)
def test_no_image_set(bad):
    with pytest.raises(UserError, match=r"samples must be a uint8 array \[N, C, H, W\]"):
        as_dataset(bad, "samples")


def test_npz_and_folder(tiny, tmp_path):
    images = tiny.samples.transpose(0, 2, 3, 1)
    np.savez(tmp_path / "samples.npz", images=images, labels=tiny.labels)
    found = as_dataset(tmp_path / "samples.npz", "samples")
    assert len(found) == 64, "all of a file, not a split of it"
    np.testing.assert_array_equal(fitting_labels(found, tiny, None), tiny.labels)
    folder = tmp_path / "folder"
    folder.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:03d}.png")
    np.testing.assert_array_equal(as_dataset(str(folder), "samples").samples, tiny.samples)
    with pytest.raises(UserError):
        as_dataset(str(tmp_path / "nothing"), "samples")


def test_labels_by_name(tiny):
    found = fitting_labels(labeled([0, 1, -1], ("d", "a")), tiny, None)
    np.testing.assert_array_equal(found, [[3, 1], [0, 0], [-1, -1]])


def test_labels_by_number_where_classes_have_no_names(tiny):
    found = fitting_labels(labeled([2, 0], ("0", "1", "2")), tiny, None)
    np.testing.assert_array_equal(found, [[2, 1], [0, 0]])


def test_other_levels_are_no_labels(tiny):
    assert fitting_labels(labeled([0, 1], ("a", "b"), level="color"), tiny, None) is None


def test_strange_classes(tiny):
    with pytest.raises(UserError, match=r"classes of level 'fine' that tiny has not \(zebra\)"):
        fitting_labels(labeled([0, 1], ("a", "zebra")), tiny, None)


def test_given_labels(tiny):
    three = as_dataset(tiny.samples[:3], "samples")
    expected = [[3, 1], [0, 0], [-1, -1]]
    for labels in ([3, 0, -1], [[3], [0], [-1]], expected):
        np.testing.assert_array_equal(fitting_labels(three, tiny, np.array(labels)), expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([4, 0, 0], r"run from 0 to 4, but tiny has classes 0 to 3"),
        ([-2, 0, 0], r"run from -2 to 0"),
        ([0, 1], r"shape \(3, 2\), one column for each of fine, coarse"),
        ([[0.5, 0.5]] * 3, r"these are float64"),
        ([[0, 0, 0]] * 3, r"these are int64 of shape \(3, 3\)"),
    ],
)
def test_labels_that_do_not_fit(tiny, labels, message):
    three = as_dataset(tiny.samples[:3], "samples")
    with pytest.raises(UserError, match=message):
        fitting_labels(three, tiny, np.array(labels))


def test_a_pair_of_images_and_labels() -> None:
    images, labels = np.zeros((2, 1, 8, 8), np.uint8), np.zeros((2, 1), np.int64)
    assert apart((images, labels), None) == (images, labels)
    assert apart((images, None), None) == (images, None)
    assert apart(images, labels) == (images, labels)
    with pytest.raises(UserError, match="given twice"):
        apart((images, labels), labels)
    with pytest.raises(UserError, match="found 3 parts"):
        apart((images, labels, labels), None)  # type: ignore[arg-type]
