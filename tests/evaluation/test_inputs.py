"""Samples of any form, with labels in the reference's classes; what does not fit is refused."""

import numpy as np
import pytest
from PIL import Image

from mtgan.data import Dataset, Taxonomy
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.evaluation import evaluate
from mtgan.evaluation.inputs import apart, as_dataset, fitting_labels, in_classes_of


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
    ("bad", "message"),
    [
        (np.zeros((4, 3, 8, 8), np.float32), "samples: images should be uint8, 0 to 255; found fl"),
        (np.zeros((4, 8, 8), np.uint8), r"samples: \[4, 8, 8\] may be one image with channels"),
        (np.zeros((0, 3, 8, 8), np.uint8), r"shape \[0, 3, 8, 8\] holds no images"),
        (np.zeros((2, 8, 8, 9), np.uint8), "with 1, 3 or 4 channels"),
    ],
)
def test_no_image_set(bad, message):
    with pytest.raises(UserError, match=message):
        as_dataset(bad, "samples")


def test_arrays_are_recognized_as_in_files(tiny):
    last = tiny.samples.transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(as_dataset(last, "samples").samples, tiny.samples)
    gray = tiny.samples[:, :1]
    for form in (gray, gray[:, 0], gray.transpose(0, 2, 3, 1)):
        np.testing.assert_array_equal(as_dataset(form, "samples").samples, gray)
    with pytest.raises(UserError, match="channels last"):
        Dataset(last, tiny.labels, tiny.taxonomy)


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
    notes: list[str] = []
    found = fitting_labels(labeled([2, 0], ("0", "1", "2")), tiny, None, notes)
    np.testing.assert_array_equal(found, [[2, 1], [0, 0]])
    assert notes == [
        "the classes of 'fine' of the samples are numbers without names: 0 is taken for 'a', and "
        "so on in the order of tiny"
    ]
    with pytest.raises(UserError, match="run from 4 to 4, but tiny has classes 0 to 3"):
        fitting_labels(labeled([4], ("0", "1", "2", "3", "4")), tiny, None)


NUMBERED = tuple(sorted(map(str, range(12))))
"""0, 1, 10, 11, 2, ...: as an older run keeps them."""


def test_numbers_are_names_where_the_reference_has_them():
    real = labeled([0], NUMBERED)
    wanted = [3, 10, -1, 2]
    notes: list[str] = []
    for names in (tuple(map(str, range(12))), NUMBERED, ("-5", *map(str, range(15)))):
        labels = [names.index(str(k)) if k >= 0 else -1 for k in wanted]
        found = fitting_labels(labeled(labels, names), real, None, notes)
        assert [NUMBERED[i] if i >= 0 else "-1" for i in found[:, 0]] == list(map(str, wanted))
    assert notes == []
    with pytest.raises(UserError, match=r"that given has not \(0\)"):  # they count from 1
        fitting_labels(labeled([0], ("0", "1")), labeled([0], ("1", "2")), None)


def test_levels_of_other_names_are_matched_by_their_place(tiny):
    notes: list[str] = []
    found = fitting_labels(labeled([0, 1], ("b", "a"), level="label"), tiny, None, notes)
    np.testing.assert_array_equal(found, [[1, 0], [0, 0]])
    assert notes == [
        "the samples have the label level 'label', which is taken for 'fine', in the same place in "
        "tiny"
    ]
    coarse = Taxonomy(("label", "kind"), {"label": ("c", "d"), "kind": ("y", "x")}, {})
    images = np.zeros((2, 3, 16, 16), np.uint8)
    samples = Dataset(images, np.array([[1, 0], [-1, 1]]), coarse, name="given", split="all")
    np.testing.assert_array_equal(fitting_labels(samples, tiny, None), [[3, 1], [-1, 0]])


def test_levels_that_fit_none(tiny):
    with pytest.raises(
        UserError,
        match=r"classes of level 'color' \(there 'fine'\) that tiny has not \(red, blue\)",
    ):
        fitting_labels(labeled([0, 1], ("red", "blue"), level="color"), tiny, None)
    taxonomy = Taxonomy(("fine", "color"), {"fine": ("a", "b"), "color": ("red",)}, {})
    samples = Dataset(tiny.samples[:1], np.array([[1, 0]]), taxonomy, name="given", split="all")
    notes: list[str] = []
    np.testing.assert_array_equal(fitting_labels(samples, tiny, None, notes), [[1, 0]])
    assert notes == ["the label level 'color' of the samples is not used: it fits none there"]


def test_labels_that_are_all_missing_are_none(tiny):
    assert fitting_labels(labeled([-1, -1], ("a",)), tiny, None) is None


def test_strange_classes(tiny):
    with pytest.raises(
        UserError,
        match=r"classes of level 'fine' that tiny has not \(zebra\): .*for 'zebra', known",
    ):
        fitting_labels(labeled([0, 1], ("a", "zebra")), tiny, None)
    # A name that no sample has does no harm.
    np.testing.assert_array_equal(fitting_labels(labeled([0], ("a", "z")), tiny, None), [[0, 0]])


def test_held_out_data_are_brought_into_the_references_classes(tiny):
    other = in_classes_of(tiny, labeled([1, -1], ("d", "c")), [])
    assert other.taxonomy == tiny.taxonomy
    np.testing.assert_array_equal(other.labels, [[2, 1], [-1, -1]])
    plain = in_classes_of(tiny, as_dataset(tiny.samples[:2], "held-out data"), [])
    np.testing.assert_array_equal(plain.labels, [[-1, -1], [-1, -1]])
    with pytest.raises(UserError, match="the held-out data have classes of level 'fine' that tiny"):
        in_classes_of(tiny, labeled([0], ("zebra",)), [])


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


def test_samples_of_a_run_bring_their_labels(digits, unseen):
    """One argument is enough: the conditioning axis is not lost on the way."""
    latents = np.zeros((len(unseen), 2), np.float32)
    made = Samples.of(unseen.samples, unseen.labels, unseen.taxonomy, 0, latents, [])
    card = evaluate(made, digits, protocol="training", metrics="conditional_accuracy")
    assert card["conditional_accuracy/fine"] > 0.9
    assert type(made[:2]) is type(made + 1) is np.ndarray
    assert (made == unseen.samples).all() is np.True_
