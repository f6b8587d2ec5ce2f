"""Files of strings: which column, which lines, and what is said of them."""

import os

import pytest

from mtgan.data import load_dataset
from mtgan.data.domains.strings import is_text, read_strings
from mtgan.errors import UserError
from toys import real_strings

SMILES = ["CCO", "C=O", "c1ccccc1", "C#N", "CC(=O)O", "[Na+].[Cl-]", "N[C@@H](C)C(=O)O", "BrCl"]


@pytest.fixture
def write(tmp_path):
    def to(name, text):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return to


def lines(*rows):
    return "".join(f"{row}\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qm9.csv", lines("mol_id,smiles,A", *(f"gdb_{i},{s},1.5" for i, s in enumerate(SMILES)))),
        ("index.csv", lines(",SMILES", *(f"{i},{s}" for i, s in enumerate(SMILES)))),
        ("semicolon.csv", lines("logp; smiles", *(f"{i};{s}" for i, s in enumerate(SMILES)))),
        ("tabs.csv", lines("id\tsmiles", *(f"{i}\t{s}" for i, s in enumerate(SMILES)))),
        ("tabs.TSV", lines("id\tsmiles", *(f"{i}\t{s}" for i, s in enumerate(SMILES)))),
        ("canonical.CSV", lines("id,canonical_smiles", *(f"1,{s}" for s in SMILES))),
        ("two.csv", lines("iso_smiles,smiles", *(f"N,{s}" for s in SMILES))),
        ("quotes.csv", lines("smiles,x", *(f'"{s}\n",1' for s in SMILES))),
        ("one.csv", lines("smiles", *SMILES)),
        ("header.smi", lines("smiles zinc_id", *(f"{s} ZINC{i}" for i, s in enumerate(SMILES)))),
        ("comment.smi", lines("#SMILES\tname", *(f"{s}\tn" for s in SMILES))),
        ("other.smi", lines("Structure", *SMILES)),
        ("hash.smi", lines("# made by hand", *SMILES)),
        ("names.smi", lines(*(f"{s} acetic acid" for s in SMILES))),
        ("mark.txt", b"\xef\xbb\xbf" + "\r\n".join(SMILES).encode()),
        ("header.txt", lines("SMILES", *SMILES)),
    ],
)
def test_molecules_are_found_and_nothing_else(write, name, text):
    path = write(name, text)
    assert [s.strip() for s in read_strings(path).texts] == SMILES
    assert real_strings(str(path), "all") == SMILES


def test_what_was_chosen_or_left_out_is_said(write):
    table = write("a.csv", lines("id,SMILES,", "1,CC,x", "2,CO,y"))
    (note,) = read_strings(table).notes
    assert note == (
        "a.csv: its strings are the column 'SMILES', beside id, one without a name; column=NAME "
        "chooses another."
    )
    assert read_strings(table, column="id").notes == ()
    words = write("b.csv", lines("word,kind", "ab,x", "ba,y"))
    assert read_strings(words).texts == ["ab", "ba"]
    assert "the column 'word'" in read_strings(words).notes[0]
    header = write("c.smi", lines("smiles id", "CC 1"))
    assert "'smiles id', is no molecule and is left out" in read_strings(header).notes[0]
    assert read_strings(write("d.smi", lines("CC 1", "CO 2"))).notes == ()
    tabs = write("e.txt", lines("CC\ta", "CO\tb"))
    assert read_strings(tabs).texts == ["CC\ta", "CO\tb"]
    assert "2 lines hold a tab" in read_strings(tabs).notes[0]
    assert any("header" in note for note in load_dataset(str(header), "all").notes)


def test_words_are_no_headers(write):
    """A list of English words may begin with one; a header stands above SMILES."""
    for words in (["smiles", "laughs", "grins"], ["smiles"]):
        for name in ("a.txt", "a.smi"):
            found = read_strings(write(name, lines(*words)))
            assert found.texts == words
            assert found.notes == ()
    commas = ["CCO,ethanol", "CN,methylamine"]
    assert read_strings(write("b.smi", lines(*commas))).texts == commas


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_line_ends_end_a_line(write, mark):
    assert read_strings(write("a.txt", f"a{mark}b\nc\n")).texts == [f"a{mark}b", "c"]


@pytest.mark.parametrize(
    ("name", "text", "options", "said"),
    [
        ("a.csv", "smiles,x\nCC,1\nCO,2,3\n", {}, r"line 3: 3 cells for 2 columns"),
        ("a.csv", 'smiles,x\n"CC,1\nCO,2\n', {}, "no table"),
        ("a.csv", "", {}, "first line should name"),
        ("a.csv", ",,\n1,2,3\n", {}, "first line should name"),
        ("a.csv", "CCO,1\nCN,2\n", {}, "'CCO' looks like the strings below it"),
        ("a.csv", "CCO\nCN\nC#N\n", {}, "'CCO' looks like the strings below it"),
        ("a.csv", "my_smiles,your_smiles\nC,N\n", {}, "several columns of SMILES .*column=NAME"),
        ("a.csv", "smiles,SMILES\nC,N\n", {}, "several columns of SMILES"),
        ("a.csv", "x,x\nC,N\n", {"column": "x"}, "more than one column 'x'"),
        ("a.csv", "x,y\nC,N\n", {"labels": "z"}, "no column 'z'; it has x, y"),
        ("a.txt", "a\n", {"column": "x"}, r"no \.csv or \.tsv file"),
        ("a.txt", b"caf\xe9\n", {}, "not in UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(write, name, text, options, said):
    with pytest.raises(UserError, match=said):
        read_strings(write(name, text), **options)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.txt")
    (tmp_path / "b.csv").mkdir()
    for name, said in (("a.txt", "no regular file"), ("b.csv", "a folder"), ("c.smi", "not exist")):
        with pytest.raises(UserError, match=said):
            read_strings(tmp_path / name)
    assert is_text(tmp_path / "a.SMI")
    assert not is_text(tmp_path / "b.csv")


def test_lines_of_generated_molecules_have_no_titles(write):
    path = write("made.smi", lines("smiles", "CC this is junk", "CO"))
    assert read_strings(path, titles=False).texts == ["CC this is junk", "CO"]
