"""Tables of labels beside images: what they say, and what contradicts itself."""

import codecs
import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError


@pytest.fixture
def flat(tmp_path: Path, paint) -> Path:
    """Four pictures, 0.png to 3.png."""
    folder = tmp_path / "flat"
    for i in range(4):
        paint(folder / f"{i}.png")
    return folder


def named(data: Dataset) -> list[tuple[str, ...]]:
    """Class names of each sample, '-' where missing."""
    taxonomy = data.taxonomy
    return [
        tuple(
            taxonomy.classes[level][i] if i >= 0 else "-"
            for level, i in zip(taxonomy.levels, row, strict=True)
        )
        for row in data.labels
    ]


def column(*cells: str) -> str:
    """A table with one level `n` for 0.png, 1.png, ..."""
    return "file,n\n" + "".join(f"{i}.png,{cell}\n" for i, cell in enumerate(cells))


def read(folder: Path, text: str | bytes, name: str = "labels.csv") -> Dataset:
    """The folder with a table in it."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_dataset(folder, "all")


def refusal(folder: Path, text: str | bytes, name: str = "labels.csv") -> str:
    with pytest.raises(UserError) as caught:
        read(folder, text, name)
    return str(caught.value)


# Which tables are read


@pytest.mark.parametrize(
    "name", ["labels.csv", "labels.CSV", "Labels.Tsv", "metadata.csv", "any name.csv", "x.tsv"]
)
def test_names_of_tables(flat: Path, name: str) -> None:
    assert named(read(flat, column("cat", "dog"), name))[:2] == [("cat",), ("dog",)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_delimiters_and_encodings(flat: Path, delimiter: str, encoding: str) -> None:
    text = column("crane", "Zürich", "猫").replace(",", delimiter).replace("\n", "\r\n")
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
    data = read(flat, mark + text.encode(encoding))
    assert named(data) == [("crane",), ("Zürich",), ("猫",), ("-",)]


def test_tables_that_are_not_read_are_named(flat: Path) -> None:
    for name in ("notes.csv", "labels.xlsx", "metadata.jsonl", "._labels.csv"):
        (flat / name).write_bytes(b"?")
    (flat / "folder.csv").mkdir()
    data = read(flat, column("a", "b"))
    told = " ".join(data.notes)
    assert "notes.csv is not read: labels.csv has the labels." in told
    assert "labels.xlsx is not read; save it as labels.csv" in told
    assert "metadata.jsonl is not read" in told
    assert "._labels" not in told
    assert "folder.csv" not in told


def test_several_tables(flat: Path) -> None:
    for name in ("one", "two"):
        (flat / f"{name}.csv").write_text("file,a\n0.png,x\n")
    with pytest.raises(UserError, match=r"several tables \(one.csv, two.csv\); call the one"):
        load_dataset(flat)
    assert read(flat, "file,mine\n0.png,x\n").taxonomy.levels == ("mine",)
    assert "several tables (labels.csv, labels.tsv); keep one" in refusal(flat, "", "labels.tsv")


@pytest.mark.parametrize("kind", ["pipe", "link", "loop"])
def test_a_table_that_is_no_file(flat: Path, kind: str) -> None:
    """A named pipe would be waited for without end."""
    path = flat / "labels.csv"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nowhere" if kind == "link" else "labels.csv")
    with pytest.raises(
        UserError, match=r"labels.csv cannot be read: it(s links| is no reg| does n)"
    ):
        load_dataset(flat)


def test_tables_in_the_folders_of_splits(tmp_path: Path, paint) -> None:
    for split, count in (("train", 3), ("test", 2)):
        for i in range(count):
            paint(tmp_path / "set" / split / "images" / f"{i}.png")
        rows = "".join(f"images/{i}.png,{'ab'[i % 2]}\n" for i in range(count))
        (tmp_path / "set" / split / "metadata.csv").write_text("file_name,label\n" + rows)
    assert named(load_dataset(tmp_path / "set")) == [("a",), ("b",), ("a",)]
    assert named(load_dataset(tmp_path / "set", "test")) == [("a",), ("b",)]
    (tmp_path / "set" / "test" / "metadata.csv").write_text("file_name,kind\nimages/0.png,a\n")
    with pytest.raises(UserError, match=r"has the columns \['label'\], and .*test"):
        load_dataset(tmp_path / "set")
    (tmp_path / "set" / "labels.csv").write_text("file,label\ntrain/images/1.png,c\n")
    data = load_dataset(tmp_path / "set")
    assert named(data) == [("-",), ("c",), ("-",)]
    assert "test/metadata.csv is not read: labels.csv has the labels." in data.notes


def test_a_table_in_one_split_alone(tmp_path: Path, paint) -> None:
    for name in ("train/0.png", "test/0.png"):
        paint(tmp_path / "set" / name)
    (tmp_path / "set" / "train" / "metadata.csv").write_text("file_name,label\n0.png,a\n")
    assert named(load_dataset(tmp_path / "set")) == [("a",)]
    assert named(load_dataset(tmp_path / "set", "test")) == [("-",)]


def test_names_as_seen_from_the_folder_that_wraps_all(tmp_path: Path, paint) -> None:
    for i in range(2):
        paint(tmp_path / "set" / "images" / "all" / f"{i}.png")
    for prefix in ("", "all/", "images/all/"):
        text = f"file,n\n{prefix}0.png,a\n{prefix}1.png,b\n"
        assert named(read(tmp_path / "set", text)) == [("a",), ("b",)]
    assert "the first: x/0.png" in refusal(tmp_path / "set", "file,n\nx/0.png,a\n")


def test_a_table_in_one_class_folder_alone(tmp_path: Path, paint) -> None:
    for name in ("cat", "dog"):
        paint(tmp_path / "set" / name / "0.png")
    for table in ("cat/labels.csv", "dog/labels.csv"):
        (tmp_path / "set" / table).write_text("file,n\n0.png,x\n")
    data = load_dataset(tmp_path / "set", "all")
    assert named(data) == [("cat", "x"), ("dog", "x")]
    (tmp_path / "set" / "dog" / "labels.csv").unlink()
    data = load_dataset(tmp_path / "set", "all")
    assert named(data) == [("cat",), ("dog",)]
    assert "cat/labels.csv is not read: other folders of images have no table." in data.notes


# What they say


def test_csv_of_several_levels_and_missing_cells(flat: Path) -> None:
    data = read(
        flat,
        "filename,animal,kind,color\n0.png,cat,pet,red\n1.png,dog,pet,\n2.png,fox,wild,blue\n",
    )
    assert data.taxonomy.levels == ("animal", "kind", "color")
    # The kind follows from the animal; the color follows from nothing.
    assert data.taxonomy.parents == {"animal": ("kind", (0, 0, 1))}
    assert named(data) == [
        ("cat", "pet", "red"),
        ("dog", "pet", "-"),
        ("fox", "wild", "blue"),
        ("-", "-", "-"),
    ]


def test_independent_attributes_have_no_parents(flat: Path) -> None:
    data = read(flat, "file,a,b\n0.png,x,p\n1.png,x,q\n2.png,y,p\n3.png,z,q\n")
    assert data.taxonomy.parents == {}


def test_csv_beside_split_folders(tmp_path: Path, paint) -> None:
    for name in ("train/0.png", "train/1.png", "test/0.png"):
        paint(tmp_path / "set" / name)
    rows = "file,a\ntrain/0.png,x\n./train\\1.png,y\ntest/0.png,y\n"
    (tmp_path / "set" / "labels.csv").write_text(rows)
    assert named(load_dataset(tmp_path / "set")) == [("x",), ("y",)]
    assert named(load_dataset(tmp_path / "set", "test")) == [("y",)]


def test_blanks_quotes_and_empty_lines(flat: Path) -> None:
    text = ' name , file \n\n crane , 0.png \n"crane, bird", 1.png\n"5"" pipe",2.png\n,,\n'
    assert "line 6: 3 cells under 2 columns" in refusal(flat, text + "a,b,c\n").replace(
        "line 7", "line 6"
    )
    data = read(flat, text.replace(",,\n", ",\n"))
    assert named(data) == [("crane",), ("crane, bird",), ('5" pipe',), ("-",)]


def test_minus_one_means_missing_as_in_arrays(flat: Path) -> None:
    for text, name in (
        (column("10", "-1", "9", "-1"), "labels.csv"),
        (json.dumps({"labels": [["0.png", 10], ["1.png", -1], ["2.png", 9]]}), "dataset.json"),
        (column("10.0", "-1.0", "9.0", ""), "labels.csv"),
    ):
        data = read(flat, text, name)
        (flat / name).unlink()
        assert [float(n.replace("-", "nan")) > 0 for (n,) in named(data)] == [True, False] * 2
        assert any("-1 in the column" in note for note in data.notes)


def test_accents_in_two_spellings(tmp_path: Path, paint) -> None:
    for form, other in (("NFD", "NFC"), ("NFC", "NFD")):
        folder = tmp_path / form
        for i in range(2):
            paint(folder / unicodedata.normalize(form, f"café{i}.png"))
        rows = "".join(unicodedata.normalize(other, f"café{i}.png,é{i}\n") for i in range(2))
        assert named(read(folder, "file,n\n" + rows)) == [("é0",), ("é1",)]
    paint(tmp_path / "NFC" / unicodedata.normalize("NFD", "café1.png"))
    with pytest.raises(UserError, match="with composed and with decomposed accents"):
        load_dataset(tmp_path / "NFC")


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("file,cat,dog,fox\n0.png,1,0,0\n1.png,0,0,1\n2.png,1,0,0\n", ("fine",)),
        ("file,fine,dog\n0.png,1,0\n1.png,0,1\n", ("fine",)),
        ("file,cat,dog\n0.png,True,False\n1.png,False,True\n", ("fine",)),
        ("file,fine,cat,dog\n0.png,x,1.0,0.0\n1.png,y,0.0,1.0\n", ("fine", "class")),
    ],
)
def test_one_hot_columns_are_one_level(flat: Path, text: str, levels: tuple[str, ...]) -> None:
    data = read(flat, text)
    assert data.taxonomy.levels == levels
    header = text.splitlines()[0].split(",")
    for row, line in zip(named(data), text.splitlines()[1:], strict=False):
        cells = line.split(",")
        assert row[-1] in {header[i] for i, c in enumerate(cells) if c in {"1", "True", "1.0"}}
    assert any("one-hot" in note for note in data.notes)


# What contradicts itself


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,a\n0.png,x\n7.png,y\n8.png,y\n", "names 2 files that are not in"),
        ("file,a\n0.png,x\n7.png,y\n", "(the first: 7.png, in"),
        ("file,a\n0.png,x\n7.png,y\n", "labels.csv, line 3)"),
        ("file,a\n0,x\n1,y\n", "write their endings, as in 0.png"),
        ("file,a\n../flat/0.png,x\n", "(the first: ../flat/0.png"),
        ("file\n0.png\n", "one per label level; found the columns ['file']"),
        ("", "found the columns []"),
        ("\n \n", "found the columns []"),
        (b"file,a\n0.png,\xff\xfe\n", "labels.csv is not in UTF-8 (line 2"),
        (b"file,a\n0.png,caf\xe9\n", "labels.csv is not in UTF-8 (line 2"),
        ("file,a\n0.png,crane, bird\n", "line 2: 3 cells under 2 columns"),
        ("file,a,b\n0.png,x,y\n1.png,x\n", "line 3: 2 cells under 3 columns"),
        ("file,a\n0.png;x\n", "line 2: 1 cells under 2 columns"),
        (",file,a\n0,0.png,x\n", "line 1: the 1. column cannot be called '': it has no name"),
        ("Unnamed: 0,file,a\n0,0.png,x\n", "line 1: the 1. column cannot be called 'Unnamed: 0'"),
        ("file,a,\n0.png,x,\n", "line 1: the 3. column"),
        ("file,a, a \n0.png,x,y\n", "line 1: two columns are called 'a'"),
        ("0.png,cat\n1.png,dog\n", "line 1: the 1. column cannot be called '0.png': it looks"),
        ("9.png,cat\n1.png,dog\n", "give the table a header, such as file,label"),
        ("file,a/b\n0.png,x\n", "line 1: the 2. column cannot be called 'a/b'"),
        ("file,a\x1b[31m\n0.png,x\n", "cannot be called 'a\\x1b[31m': it holds control"),
        ('file,a\n0.png,"cat\n1.png,dog\n', "line 2: a quotation mark seems to have no partner"),
        ('file,a\n0.png,x\n1.png,"cat\n2.png,"dog\n', "line 3: a quotation mark"),
        ('file,a\n0.png,"cat\n1.png,dog"\n', "line 2: a quotation mark"),
        ("file,a\n,x\n", "line 2: the row names no file"),
        ("file," + "c" * 200_000 + "\n0.png,x\n", "line 1: a quotation mark seems"),
        ("sep=;\nfile;a\n0.png;x\n", "line 1: the 2. column cannot be called '': it has no name"),
        ("file,a\n0.png,x\n./0.png,y\n", "line 3 names the file './0.png' twice, after"),
        ("file,a\n./0.png,x\n.\\0.png,y\n", "line 3 names the file '0.png' twice, after"),
        ("file,a\n0.png,x\0y\n", "line 2: a class cannot be called 'x\\x00y'"),
        (column("10.0", "2"), "line 2: the column 'n' holds '10.0', and '2' in"),
    ],
)  # fmt: skip
def test_a_table_that_contradicts_itself(flat: Path, text: str | bytes, words: str) -> None:
    assert words in refusal(flat, text)


def test_utf16_without_its_mark_is_refused(flat: Path) -> None:
    assert "labels.csv" in refusal(flat, column("a", "b").encode("utf-16-le"))


def test_a_file_that_is_there_and_not_read_is_no_contradiction(flat: Path) -> None:
    (flat / "x.heic").write_bytes(b"?")
    (flat / "y").mkdir()
    assert "(the first: y, in" in refusal(flat, "file,a\n0.png,x\ny,y\n")
    data = read(flat, "file,a\n0.png,x\nx.heic,y\n1.png,y\n")
    assert named(data)[:2] == [("x",), ("y",)]


# dataset.json


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"labels": [["0.png", 3], ["1.png", 12], ["2.png", 3]]},
            [("3",), ("12",), ("3",), ("-",)],
        ),
        (
            {"labels": [["0.png", [3, 1]], ["1.png", [4, None]]]},
            [("3", "1"), ("4", "-"), ("-", "-"), ("-", "-")],
        ),
        (
            {"0.png": {"animal": "cat", "color": "red"}, "2.png": {"color": None, "animal": "dog"}},
            [("cat", "red"), ("-", "-"), ("dog", "-"), ("-", "-")],
        ),
        ({"0.png": "cat", "3.png": "dog"}, [("cat",), ("-",), ("-",), ("dog",)]),
        ({"labels": [["0.png", [0, 1, 0]], ["1.png", [1, 0, 0]]]}, [("1",), ("0",), ("-",)]),
        ({"labels": None}, [(), (), (), ()]),
        ({"labels": {"0.png": 3, "2.png": -1}}, [("3",), ("-",), ("-",), ("-",)]),
        ({"labels": [["0.png", 1000000000], ["1.png", 0]]}, [("1000000000",), ("0",)]),
    ],
)
def test_dataset_json(flat: Path, content, expected) -> None:
    assert named(read(flat, json.dumps(content), "dataset.json"))[: len(expected)] == expected


def test_labels_that_are_null_are_said(flat: Path) -> None:
    assert (
        "dataset.json says that there are no labels."
        in read(flat, '{"labels": null}', "dataset.json").notes
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "dataset.json is not valid JSON"),
        ("[]", 'dataset.json should be {"labels"'),
        ("{}", 'dataset.json should be {"labels"'),
        ('{"labels": [1, 2]}', 'dataset.json should be {"labels"'),
        ('{"labels": [["0.png"]]}', 'dataset.json should be {"labels"'),
        ('{"labels": [[["0.png"], 1]]}', 'dataset.json should be {"labels"'),
        ('{"labels": [["9.png", 1]]}', "names 1 files that are not in"),
        ('{"labels": [["0.png", [[1]]]]}', "entry 1: the 'fine' label should be one name"),
        ('{"labels": [["0.png", [1, 2]], ["1.png", [1]]]}', "entry 2: 1 labels, and entry 1 has 2"),
        ('{"0.png": {"a/b": 1}}', "entry 1: a label level cannot be called 'a/b'"),
        ('{"0.png": "cat", "0.png": "dog"}', "'0.png' twice"),
        ('{"labels": [["0.png", 1], ["0.png", 2]]}', "entry 2 names the file '0.png' twice"),
        ('{"labels": [["0.png", 1], ["1.png", "1.0"]]}', "entry 2: the column 'fine' holds '1.0'"),
        ("[" * 100_000, "dataset.json is not valid JSON"),
    ],
)
def test_bad_dataset_json(flat: Path, content: str, words: str) -> None:
    assert words in refusal(flat, content, "dataset.json")


def test_every_label_of_many_rows_arrives(tmp_path: Path, paint) -> None:
    """What is read is what was written, whatever the order of rows."""
    order = np.random.default_rng(0).permutation(60)
    for i in range(60):
        paint(tmp_path / f"{i}.png")
    rows = "".join(f"{i}.png,c{i % 7}\n" for i in order)
    data = read(tmp_path, "file,n\n" + rows)
    files = sorted(f"{i}.png" for i in range(60))
    assert [name for (name,) in named(data)] == [f"c{int(f[:-4]) % 7}" for f in files]
