"""One table: which column names files; and the path of a table as a data set."""

from pathlib import Path

import pytest

from mtgan.data import load_dataset, prepare_dataset
from mtgan.data.folders.tables import names_images
from mtgan.data.sources.joined import is_domains
from mtgan.errors import UserError


@pytest.fixture
def photos(tmp_path: Path, paint) -> Path:
    """Five pictures and a table of four."""
    for i in range(5):
        paint(tmp_path / "photos" / f"{i}.jpg")
    rows = "".join(
        f"{i}.jpg,{'cat' if i % 2 else 'dog'},{'red' if i < 2 else 'blue'}\n" for i in range(4)
    )
    (tmp_path / "photos" / "attributes.csv").write_text("file,animal,tone\n" + rows)
    return tmp_path / "photos"


def test_a_table_of_images_is_the_set_of_the_images_that_it_names(photos: Path) -> None:
    data = load_dataset(photos / "attributes.csv", "all")
    assert data.shape == (3, 8, 8)
    assert data.taxonomy.levels == ("animal", "tone")
    assert data.labels.tolist() == [[1, 1], [0, 1], [1, 0], [0, 0]]
    assert data.name == "photos"
    assert not data.domains
    assert "attributes.csv does not name 4.jpg: not read." in data.notes
    assert load_dataset(**data.spec).fingerprint == data.fingerprint
    assert data.load_split("test").taxonomy == data.taxonomy


def test_images_are_looked_for_in_the_folders_below(photos: Path) -> None:
    (photos / "all" / "of").mkdir(parents=True)
    for i in range(5):
        (photos / f"{i}.jpg").rename(photos / "all" / "of" / f"{i}.jpg")
    data = load_dataset(photos / "attributes.csv", "all")
    assert data.labels.tolist() == [[1, 1], [0, 1], [1, 0], [0, 0]]
    (photos / "all" / "of" / "1.jpg").unlink()
    with pytest.raises(UserError, match=r"names 1 files that are not in .*\(the first: 1.jpg"):
        load_dataset(photos / "attributes.csv")


@pytest.mark.parametrize("prefix", ["photos/", "/", "./", "../photos/", "more/photos/"])
def test_names_as_seen_from_folders_around(photos: Path, prefix: str) -> None:
    """As a script at the root of a project writes them, or one that knows whole paths."""
    first = str(photos) + "/" if prefix == "/" else prefix.replace("more", photos.parent.name)
    (photos / "attributes.csv").write_text(f"file,a\n{first}0.jpg,x\n{first}1.jpg,y\n")
    if prefix == "../photos/":
        with pytest.raises(UserError, match=r"names 2 files that are not in"):
            load_dataset(photos)
    else:
        assert load_dataset(photos / "attributes.csv", "all").labels.tolist() == [[0], [1]]


def test_a_table_without_any_image(photos: Path) -> None:
    for i in range(5):
        (photos / f"{i}.jpg").unlink()
    with pytest.raises(UserError, match=r"names image files, and there are none .*,column=NAME"):
        load_dataset(photos / "attributes.csv")


def test_other_tables_beside_it_do_not_matter(photos: Path) -> None:
    (photos / "mine.tsv").write_text("photo\tkind\n4.jpg\tx\n0.jpg\ty\n")
    assert load_dataset(photos / "mine.tsv", "all").labels.tolist() == [[1], [0]]


def test_a_table_can_be_prepared(photos: Path, tmp_path: Path) -> None:
    prepare_dataset(photos / "attributes.csv", tmp_path / "out")
    whole = load_dataset(photos / "attributes.csv")
    assert load_dataset(tmp_path / "out").fingerprint == whole.fingerprint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file,a\n0.png,x\n", True),
        ("id;Image Index;a\n1;00.JPG;x\n", True),
        ("smiles,image\nCCO,mol/1.png\n", True),
        ("id,a\n1,x\n", False),
        ("smiles,a\nCCO,1\n", False),
        ("text\nlook at a.png and b\nhello there\n", False),
        ("", False),
    ],
)
def test_whether_a_table_names_images(tmp_path: Path, text: str, expected: bool) -> None:
    table = tmp_path / "t.csv"
    table.write_text(text)
    assert names_images(table) is expected
    assert is_domains(str(table)) is not expected


def test_the_column_of_files_is_known_by_what_stands_in_it(photos: Path) -> None:
    (photos / "attributes.csv").write_text("id,photo,animal\n7,0.jpg,cat\n8,1.jpg,dog\n")
    assert load_dataset(photos / "attributes.csv").taxonomy.levels == ("id", "animal")


def test_strings_of_a_table_are_asked_for_or_unmistakable(photos: Path, tmp_path: Path) -> None:
    asked = load_dataset(f"{photos}/attributes.csv,column=animal", "all")
    assert asked.domains[0].decode(asked.samples) == ["dog", "cat", "dog", "cat"]
    table = tmp_path / "t.csv"
    table.write_text("id,texture\na,b\nc,d\ne,f\n")
    with pytest.raises(UserError) as caught:
        load_dataset(table)
    said = str(caught.value)
    assert "none of its columns (id, texture) is called as strings are" in said
    assert f"as '{table},column=id'" in said
    assert load_dataset(f"{table},column=id", "all").domains[0].type == "sequence"
    assert load_dataset(f"text={table}", "all").domains[0].type == "sequence"
    for header in ("id,smiles", "id,my_text", "word,id", "names"):
        table.write_text(f"{header}\na,b\nc,d\n" if "," in header else "names\na\nb\n")
        assert load_dataset(table, "all").domains
