"""Class folders and a table of attributes in one tree: both say labels, and none is lost."""

from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError


def make(folder: Path, paint, table: str, name: str = "attributes.csv", count: int = 4) -> Path:
    """cat/0.png ..., dog/4.png ..., and a table."""
    for i in range(2 * count):
        paint(folder / "set" / ("cat" if i < count else "dog") / f"{i}.png")
    (folder / "set" / name).write_text(table)
    return folder / "set"


def rows(header: str, *cells: str) -> str:
    """A table of cat/0.png to cat/3.png and dog/4.png to dog/7.png."""
    places = ["cat"] * 4 + ["dog"] * 4
    lines = [f"{p}/{i}.png,{c}" for i, (p, c) in enumerate(zip(places, cells, strict=False))]
    return "\n".join([f"file,{header}", *lines, ""])


def named(data: Dataset) -> list[str]:
    """The class names of each sample, with blanks between them, '-' where missing."""
    taxonomy = data.taxonomy
    return [
        " ".join(
            taxonomy.classes[level][i] if i >= 0 else "-"
            for level, i in zip(taxonomy.levels, row, strict=True)
        )
        for row in data.labels
    ]


TONES = ("red", "blue", "red", "blue", "red", "blue", "red", "")


@pytest.mark.parametrize("name", ["attributes.csv", "labels.csv", "metadata.tsv"])
def test_folders_and_attributes(tmp_path: Path, paint, name: str) -> None:
    text = rows("tone", *TONES)
    data = load_dataset(make(tmp_path, paint, text, name), "all")
    assert data.taxonomy.levels == ("fine", "tone")
    assert data.taxonomy.parents == {}
    assert named(data) == [f"{'cat' if i < 4 else 'dog'} {t or '-'}" for i, t in enumerate(TONES)]
    assert "The folders say the labels of 'fine', and the table those of 'tone'." in data.notes


def test_the_table_may_name_files_without_their_folders(tmp_path: Path, paint) -> None:
    text = "file,tone\n" + "".join(f"{i}.png,{tone}\n" for i, tone in enumerate(TONES))
    folder = make(tmp_path, paint, text)
    data = load_dataset(folder, "all")
    assert named(data)[0] == "cat red"
    assert named(data)[5] == "dog blue"
    paint(folder / "dog" / "0.png")
    with pytest.raises(UserError, match=r"'0.png', and there are several of it \(cat/0.png, dog"):
        load_dataset(folder)


def test_superclasses_and_splits_stay(tmp_path: Path, paint) -> None:
    lines = ["file,tone"]
    for split in ("train", "test"):
        for place in ("pet/cat", "pet/dog", "car/bus"):
            for i in range(2):
                paint(tmp_path / "set" / split / place / f"{i}.png")
                lines.append(f"{split}/{place}/{i}.png,{'ab'[i]}")
    (tmp_path / "set" / "tones.csv").write_text("\n".join(lines))
    data = load_dataset(tmp_path / "set", "test")
    assert data.taxonomy.levels == ("fine", "coarse", "tone")
    assert data.taxonomy.parents == {"fine": ("coarse", (0, 1, 1))}
    assert named(data)[:3] == ["bus car a", "bus car b", "cat pet a"]


def test_a_table_in_each_class_folder(tmp_path: Path, paint) -> None:
    for place in ("cat", "dog"):
        for i in range(2):
            paint(tmp_path / "set" / place / f"{i}.png")
        (tmp_path / "set" / place / "labels.csv").write_text("file,n\n0.png,x\n1.png,y\n")
    assert named(load_dataset(tmp_path / "set", "all")) == ["cat x", "cat y", "dog x", "dog y"]


# Columns that say what folders say


def test_a_column_of_the_same_classes_is_the_same_level(tmp_path: Path, paint) -> None:
    cells = [f"{'Cat' if i < 4 else 'dog'},{tone}" for i, tone in enumerate(TONES)]
    data = load_dataset(make(tmp_path, paint, rows("animal,tone", *cells[:6])), "all")
    assert data.taxonomy.levels == ("animal", "tone")
    assert named(data)[0] == "cat red"
    assert named(data)[7] == "dog -"
    assert "The column 'animal' and the folders say the same: one level, animal." in data.notes


@pytest.mark.parametrize(
    ("header", "cells"),
    [("animal", ["cat", "cat", "dog"]), ("fine", ["tabby"]), ("kind", ["cat", "cat", "cta"])],
)
def test_a_conflict_is_named(tmp_path: Path, paint, header: str, cells: list[str]) -> None:
    folder = make(tmp_path, paint, rows(header, *cells))
    odd = len(cells) - 1
    with pytest.raises(UserError) as caught:
        load_dataset(folder)
    said = str(caught.value)
    assert f"attributes.csv, line {odd + 2}: the column {header!r} says {cells[odd]!r}" in said
    assert f"of cat/{odd}.png, which lies in the folder of 'cat' (1 image of " in said


def test_numbers_are_no_names_of_folders(tmp_path: Path, paint) -> None:
    """Folders 0 and 1, and an attribute of noes and yeses."""
    for i in range(8):
        paint(tmp_path / "set" / str(i // 4) / f"{i}.png")
    text = "file,smiles\n" + "".join(f"{i // 4}/{i}.png,{i % 2}\n" for i in range(8))
    (tmp_path / "set" / "labels.csv").write_text(text)
    data = load_dataset(tmp_path / "set", "all")
    assert data.taxonomy.levels == ("fine", "smiles")
    assert named(data)[:2] == ["0 0", "0 1"]


def test_shared_names_that_say_otherwise_are_told(tmp_path: Path, paint) -> None:
    cells = ["dog", "hat", "hat", "ball", "hat", "ball", "cat", "hat"]
    data = load_dataset(make(tmp_path, paint, rows("toy", *cells)), "all")
    assert data.taxonomy.levels == ("fine", "toy")
    assert any("shares names of classes with the folders, and says the" in n for n in data.notes)


def test_a_column_may_label_images_outside_of_class_folders(tmp_path: Path, paint) -> None:
    for name in ("train/cat/0.png", "train/dog/1.png", "test/2.png", "test/3.png"):
        paint(tmp_path / "set" / name)
    table = tmp_path / "set" / "labels.csv"
    table.write_text("file,animal\ntest/2.png,dog\ntrain/cat/0.png,cat\n")
    assert named(load_dataset(tmp_path / "set", "test")) == ["dog", "-"]
    table.write_text("file,animal\ntest/2.png,fox\ntrain/cat/0.png,cat\n")
    with pytest.raises(UserError, match=r"says 'fox' of test/2.png, and no folder is called so"):
        load_dataset(tmp_path / "set")


# Columns that lie above or below the folders


def test_finer_and_coarser_columns_find_their_place(tmp_path: Path, paint) -> None:
    lines = ["file,tone,breed,wild"]
    for i in range(24):
        place = ("cat", "dog", "fox")[i // 8]
        paint(tmp_path / "set" / place / f"{i}.png")
        breed = f"{place}{i % 8 // 4}"
        lines.append(f"{place}/{i}.png,{'ab'[i % 2]},{breed},{'yes' if place == 'fox' else 'no'}")
    (tmp_path / "set" / "labels.csv").write_text("\n".join(lines))
    taxonomy = load_dataset(tmp_path / "set", "all").taxonomy
    assert taxonomy.levels == ("breed", "fine", "wild", "tone")
    assert taxonomy.parents == {
        "breed": ("fine", (0, 0, 1, 1, 2, 2)),
        "fine": ("wild", (0, 0, 1)),
    }


def test_attributes_that_refine_one_another_beside_folders(tmp_path: Path, paint) -> None:
    """The tone has a warmth of its own, and so has the animal a kingdom: each keeps its parent."""
    lines, upper = ["file,tone,warm,wild"], {"red": "y", "blue": "n", "green": "n"}
    for i in range(24):
        place, tone = ("cat", "dog", "fox")[i // 8], ("red", "blue", "green")[i % 3]
        paint(tmp_path / "set" / place / f"{i}.png")
        wild = "yes" if place == "fox" else "no"
        lines.append(f"{place}/{i}.png,{tone},{upper[tone]},{wild}")
    (tmp_path / "set" / "labels.csv").write_text("\n".join(lines))
    taxonomy = load_dataset(tmp_path / "set", "all").taxonomy
    assert taxonomy.levels == ("fine", "wild", "tone", "warm")
    assert taxonomy.parents == {"fine": ("wild", (0, 0, 1)), "tone": ("warm", (0, 0, 1))}


def test_a_column_that_refines_a_parent_of_folders_is_an_attribute(tmp_path: Path, paint) -> None:
    """Zones lie in zoos, as animals do, but neither in the other."""
    lines = ["file,zone,zoo"]
    for i in range(24):
        place, zoo = ("cat", "dog", "fox")[i // 8], "ab"[i // 16]
        paint(tmp_path / "set" / place / f"{i}.png")
        lines.append(f"{place}/{i}.png,{zoo}{i % 2},{zoo}")
    (tmp_path / "set" / "labels.csv").write_text("\n".join(lines))
    taxonomy = load_dataset(tmp_path / "set", "all").taxonomy
    assert taxonomy.levels == ("fine", "zoo", "zone")
    assert taxonomy.parents == {"fine": ("zoo", (0, 0, 1))}


def test_an_index_refines_nothing(tmp_path: Path, paint) -> None:
    data = load_dataset(make(tmp_path, paint, rows("id", *map(str, range(8)))), "all")
    assert data.taxonomy.levels == ("fine", "id")


# Folders that are no classes


@pytest.mark.parametrize("stem", ["images_00", "HAM10000_images_part_", "shard", "img-"])
def test_folders_that_only_divide_the_images(tmp_path: Path, paint, stem: str) -> None:
    for i in range(4):
        paint(tmp_path / "set" / f"{stem}{i % 2 + 1}" / f"{i}.png")
    (tmp_path / "set" / "labels.csv").write_text("file,n\n0.png,a\n1.png,b\n2.png,a\n3.png,b\n")
    data = load_dataset(tmp_path / "set", "all")
    assert data.taxonomy.levels == ("n",)
    assert any("not the names of folders: these only divide the images" in n for n in data.notes)


def test_a_list_of_all_labels_as_of_stylegan_replaces_folders(tmp_path: Path, paint) -> None:
    text = '{"labels": [["cat/0.png", 3], ["dog/4.png", 5]]}'
    data = load_dataset(make(tmp_path, paint, text, "dataset.json"), "all")
    assert (data.taxonomy.levels, named(data)[0], named(data)[4]) == (("fine",), "3", "5")
    assert any("it lists all labels that there are" in note for note in data.notes)
    (tmp_path / "set" / "dataset.json").write_text('{"cat/0.png": {"tone": "red"}}')
    assert load_dataset(tmp_path / "set").taxonomy.levels == ("fine", "tone")


def test_images_at_different_depths_are_labeled_by_the_table_alone(tmp_path: Path, paint) -> None:
    folder = make(tmp_path, paint, rows("tone", *TONES) + "8.png,red\n")
    paint(folder / "8.png")
    data = load_dataset(folder, "all")
    assert data.taxonomy.levels == ("tone",)
    assert any("images lie at different depths" in note for note in data.notes)


def test_prepared_and_loaded_are_the_same(tmp_path: Path, paint) -> None:
    from mtgan.data import prepare_dataset

    folder = make(tmp_path, paint, rows("tone", *TONES))
    prepare_dataset(folder, tmp_path / "out")
    whole = load_dataset(folder, "all")
    prepared = load_dataset(tmp_path / "out", "all")
    assert prepared.taxonomy == whole.taxonomy
    assert sorted(map(tuple, prepared.labels)) == sorted(map(tuple, np.asarray(whole.labels)))
