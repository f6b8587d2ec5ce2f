"""Splits, classes and folders that wrap others, told apart by the paths of pictures alone."""

import pytest

from mtgan.data.folders.splits import Layout, read_layout, split_word
from mtgan.data.folders.tree import Place


def layout(*names: str, empty: tuple[str, ...] = ()) -> Layout:
    """Of pictures at these paths, and empty folders."""
    pictures: list[Place] = [tuple(name.split("/")) for name in sorted(names)]
    folders = {p[:depth] for p in pictures for depth in range(1, len(p))}
    return read_layout(pictures, folders | {tuple(name.split("/")) for name in empty})


def each(folder: str, *classes: str, count: int = 2) -> list[str]:
    return [f"{folder}/{name}/{i}.png" for name in classes for i in range(count)]


def classes_of(found: Layout) -> set[str]:
    return {"-" if place is None else "/".join(place) for place in found.places}


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Training", "Testing"),
        ("training_set", "test_set"),
        ("training-set", "test-set"),
        ("TrainSet", "TestSet"),
        ("train", "val"),
        ("TRAIN", "VALID"),
        ("training", "validation"),
        ("training data", "validation data"),
        ("train_images", "test_images"),
        ("train", "dev"),
        ("train", "eval"),
        ("train", "evaluation"),
        ("train", "hold-out"),
        ("train", "holdout"),
        ("train2017", "val2017"),
        ("train1", "test1"),
        ("1_train", "2_test"),
        ("seg_train", "seg_test"),
        ("asl_alphabet_train", "asl_alphabet_test"),
    ],
)
def test_words_for_splits(train: str, test: str) -> None:
    found = layout(*each(train, "cat", "dog"), *each(test, "cat", "dog", count=1))
    assert classes_of(found) == {"cat", "dog"}
    assert sorted(found.splits) == ["test"] * 2 + ["train"] * 4
    assert found.doubts == []


@pytest.mark.parametrize(
    "name",
    [
        "trainer",
        "trains",
        "contest",
        "latest",
        "testimony",
        "devil",
        "value",
        "bullettrain",
        "testa",
    ],
)
def test_words_that_are_none(name: str) -> None:
    assert split_word(name) is None


def test_a_class_called_train() -> None:
    found = layout("bus/0.png", "car/0.png", "train/0.png")
    assert classes_of(found) == {"bus", "car", "train"}
    assert found.splits == [""] * 3
    assert "Folders called train are read as classes, and not as splits" in found.doubts[0]


def test_superclasses_one_of_which_is_called_train() -> None:
    found = layout(*each("bus", "city", "school"), *each("train", "steam", "diesel"))
    assert classes_of(found) == {"bus/city", "bus/school", "train/steam", "train/diesel"}
    assert "called train" in found.doubts[0]


@pytest.mark.parametrize("name", ["bullet_train", "dev", "Test"])
def test_other_classes_with_a_word_for_a_split(name: str) -> None:
    found = layout(f"{name}/0.png", "bus/0.png", "car/0.png")
    assert classes_of(found) == {name, "bus", "car"}


def test_splits_with_a_class_in_their_names() -> None:
    found = layout("trainA/0.png", "trainB/0.png", "testA/0.png", "testB/0.png")
    assert [*zip(found.places, found.splits, strict=True)] == [
        (("A",), "test"),
        (("B",), "test"),
        (("A",), "train"),
        (("B",), "train"),
    ]
    assert classes_of(layout("train_HR/0.png", "valid_HR/0.png")) == {""}
    found = layout("cat_train/0.png", "cat_test/0.png", "dog_train/0.png", "dog_test/0.png")
    assert classes_of(found) == {"cat", "dog"}


@pytest.mark.parametrize("folder", ["test1", "test1/images"])
def test_a_test_set_without_classes(folder: str) -> None:
    found = layout(*each("train", "cat/images", "dog/images"), f"{folder}/0.png", f"{folder}/1.png")
    assert [*zip(found.places, found.splits, strict=True)] == [
        *[(None, "test")] * 2,
        *[(("cat",), "train")] * 2,
        *[(("dog",), "train")] * 2,
    ]
    assert found.notes == [
        "The images of test lie in no folders of classes: their labels are missing "
        f"({folder}/0.png, {folder}/1.png)."
    ]
    assert found.doubts == []


def test_a_stray_image_among_the_classes_is_no_set_without_classes() -> None:
    found = layout(*each("train", "cat", "dog"), "train/0.png", *each("test", "cat", "dog"))
    assert None not in found.places
    assert () in found.places


def test_what_stands_beside_splits_is_named() -> None:
    """The same classes in train and test show what they are."""
    found = layout(
        *(path for split in ("train", "test", "extra") for path in each(split, "cat", "dog")),
        "cover.png",
    )
    assert classes_of(found) == {"cat", "dog"}
    assert len(found.kept) == 8
    assert found.notes == [
        "Folders beside test and train are not read: 4 images (extra/cat/0.png, extra/cat/1.png, "
        "extra/dog/0.png and 1 more).",
        "Images beside test and train are not read: 1 image (cover.png).",
    ]


def test_classes_in_train_beside_a_flat_folder() -> None:
    found = layout(*each("train", "cat", "dog"), "figures/1.png")
    assert classes_of(found) == {"cat", "dog"}
    assert found.notes == ["Folders beside train are not read: 1 image (figures/1.png)."]


def test_flat_folders_beside_flat_splits_are_classes() -> None:
    found = layout("train/0.png", "test/0.png", "extra/0.png")
    assert classes_of(found) == {"train", "test", "extra"}
    assert "called test, train are read as classes" in found.doubts[0]


def test_validation_beside_test() -> None:
    found = layout(*each("train", "a", "b"), *each("val", "a", "b"), *each("test", "a", "b"))
    assert sorted(found.splits) == ["test"] * 4 + ["train"] * 4
    assert found.notes == [
        "As test serves as test, splits beside it and train are not read (name the folder of one "
        "as a data set to use it): 4 images (val/a/0.png, val/a/1.png, val/b/0.png and 1 more)."
    ]


@pytest.mark.parametrize("empty", [(), ("test",)])
def test_validation_without_test(empty: tuple[str, ...]) -> None:
    found = layout(*each("train", "a", "b"), *each("val", "a", "b"), empty=empty)
    assert sorted(found.splits) == ["test"] * 4 + ["train"] * 4
    assert found.notes == ["What serves as test: val (4 images)."]


def test_two_folders_of_one_split() -> None:
    found = layout(*each("train1", "a"), *each("train2", "a"), *each("test", "a"))
    assert sorted(found.splits) == ["test"] * 2 + ["train"] * 4


def test_train_alone() -> None:
    found = layout(*each("train", "a", "b"))
    assert (classes_of(found), set(found.splits)) == ({"a", "b"}, {"train"})


def test_test_alone_is_the_whole_set() -> None:
    found = layout(*each("test", "a", "b"))
    assert (classes_of(found), set(found.splits)) == ({"a", "b"}, {""})
    assert found.notes == ["The folder test is all there is, and the whole set."]


def test_an_empty_train_folder_is_a_split() -> None:
    found = layout(*each("test", "a", "b"), empty=("train",))
    assert set(found.splits) == {"test"}


def test_wrappers() -> None:
    found = layout(*each("a/b/train", "cat", "dog"), *each("a/b/test", "cat", "dog"), "logo.png")
    assert classes_of(found) == {"cat", "dog"}
    assert found.notes == ["Images beside the folder a are not read: 1 image (logo.png)."]


def test_the_only_class_is_no_wrapper() -> None:
    assert classes_of(layout("cat/0.png", "cat/1.png")) == {"cat"}


def test_splits_named_twice_and_folders_inside_the_classes() -> None:
    found = layout(
        *each("seg_train/seg_train", "sea/images", "ice/images"),
        *each("seg_test/seg_test", "sea/images", "ice/images"),
    )
    assert classes_of(found) == {"sea", "ice"}
    assert set(found.splits) == {"train", "test"}


def test_splits_inside_the_classes() -> None:
    found = layout(*each("cat", "train", "test", "val"), *each("dog", "train", "test", "val"))
    assert classes_of(found) == {"cat", "dog"}
    assert sorted(found.splits) == ["test"] * 4 + ["train"] * 4
    assert "4 images (cat/val/0.png" in found.notes[0]


def test_classes_that_repeat_the_children_of_one_another() -> None:
    found = layout(*each("old", "cat", "dog"), *each("new", "cat", "dog"))
    assert classes_of(found) == {"old/cat", "old/dog", "new/cat", "new/dog"}
    assert found.doubts == [
        "Folders of one name (cat, dog) lie in several others (as new, old), and are a class of "
        "its own in each."
    ]


def test_many_classes_take_no_longer_each() -> None:
    """Ten thousand classes, of which one is called train."""
    found = layout(*(f"c{i}/0.png" for i in range(10_000)), "train/0.png")
    assert len(classes_of(found)) == 10_001
