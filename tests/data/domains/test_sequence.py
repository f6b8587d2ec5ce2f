"""Reading strings: sources, tokens, and what is left out."""

import gzip

import pytest

from mtgan.data.domains.sequence import SequenceOptions, read_sequences, sequence_options
from mtgan.errors import UserError


def write(tmp_path, text, name="x.txt"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def read(source, split="all", **options):
    return read_sequences(source, "words", SequenceOptions(**options), split)


def texts(sequences):
    return ["".join(tokens) for tokens in sequences.samples]


def test_one_string_per_line_with_an_alphabet_of_what_occurs(tmp_path):
    found = read(write(tmp_path, "cab\nab\n"))
    assert texts(found) == ["cab", "ab"]
    assert found.domain.tokens == ("|", "a", "b", "c")
    assert found.domain.length == 3
    assert found.classes == ("words",)
    assert found.labels.tolist() == [0, 0]


def test_a_column_of_a_csv_file_with_labels(tmp_path):
    path = write(tmp_path, 'id,text,kind\n1,"a,b",x\n2,ba,y\n3,aa,x\n', "x.csv")
    found = read(path, column="text", labels="kind")
    assert texts(found) == ["a,b", "ba", "aa"]
    assert found.classes == ("x", "y")
    assert found.labels.tolist() == [0, 1, 0]
    assert texts(read(path)) == ["a,b", "ba", "aa"]  # by its name, and not the first
    with pytest.raises(UserError, match="no column 'txt'; it has id, text, kind"):
        read(path, column="txt")


def test_a_smi_file_gives_its_first_words(tmp_path):
    assert texts(read(write(tmp_path, "CCO 1\nCC two words\n", "x.smi"))) == ["CCO", "CC"]


@pytest.mark.parametrize(
    ("options", "kept", "reason"),
    [
        ({}, ["abc", "ad", "abcd"], "2 strings left out that are empty"),
        ({"length": 3}, ["abc", "ad"], "1 strings left out that are longer than 3 tokens"),
        ({"alphabet": "abc"}, ["abc"], "2 strings left out that are with tokens outside"),
        ({"padding": "d"}, ["abc"], "with the padding symbol 'd'"),
    ],
)
def test_what_does_not_fit_is_left_out_and_counted_or_refused(tmp_path, options, kept, reason):
    path = write(tmp_path, "abc\n\nad\n \nabcd\n")
    found = read(path, **options)
    assert texts(found) == kept
    assert any(reason in note for note in found.notes)
    with pytest.raises(UserError, match="strict"):
        read(path, **options, strict=True)


def test_a_domain_without_a_string_is_refused(tmp_path):
    with pytest.raises(UserError, match="'words' is empty: of 2 strings none"):
        read(write(tmp_path, "abc\nabd\n"), length=2)
    with pytest.raises(UserError, match="is empty: of 0 strings"):
        read(write(tmp_path, ""))
    with pytest.raises(UserError, match="no string in its test split"):
        read(write(tmp_path, "abc\n"), split="test")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read(str(tmp_path / "none.txt"))
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UserError, match="not in UTF-8"):
        read(str(tmp_path / "x.txt"))


def test_splits_are_disjoint_share_an_alphabet_and_make_up_all(tmp_path):
    path = write(tmp_path, "\n".join(f"{i:03d}" for i in range(50)))
    parts = {split: read(path, split) for split in ("train", "test", "all")}
    assert len(parts["test"].samples) == 10
    assert sorted(texts(parts["train"]) + texts(parts["test"])) == texts(parts["all"])
    assert len({part.domain for part in parts.values()}) == 1


def test_a_count_draws_the_same_strings_every_time(tmp_path):
    path = write(tmp_path, "\n".join(f"{i:03d}" for i in range(50)))
    assert len(texts(read(path, count=7))) == 7
    assert texts(read(path, count=7)) == texts(read(path, count=7))


@pytest.mark.parametrize(
    "values", [{"length": "long"}, {"length": 0}, {"count": -1}, {"strict": "yes"}]
)
def test_options_of_another_kind_are_refused(values):
    with pytest.raises(UserError, match=next(iter(values))):
        sequence_options(values)


def test_moses_is_read_from_its_files_with_its_own_splits(tmp_path):
    for part, smiles in (("train", ["CC", "CCO", "CCN"]), ("test", ["CCC"])):
        with gzip.open(tmp_path / f"{part}.csv.gz", "wt") as file:
            file.write("SMILES\n" + "\n".join(smiles) + "\n")

    def read_split(split, **options):
        return read_sequences("moses", "smiles", SequenceOptions(**options), split, tmp_path)

    assert texts(read_split("train")) == ["CC", "CCO", "CCN"]
    assert texts(read_split("test")) == ["CCC"]
    assert texts(read_split("train", length=2)) == ["CC"]
    assert read_split("test").domain.tokens == ("|", "C", "N", "O")
    (tmp_path / "test.csv.gz").write_bytes(b"no")
    with pytest.raises(UserError, match="molsets"):
        read_split("train")


class TestMolecules:
    @pytest.fixture(autouse=True)
    def _need(self):
        pytest.importorskip("rdkit")
        pytest.importorskip("selfies")

    def test_nci_up_to_its_usual_length(self):
        found = read("nci-smiles")
        assert len(found.samples) == 2964
        assert found.domain.length == 32
        assert texts(found)[0] == "CC1=CC(=O)C=CC1=O"
        assert "2035 strings left out that are longer than 32 tokens" in found.notes[0]

    def test_selfies_keep_the_molecule(self, tmp_path):
        from rdkit import Chem

        smiles = ["CC1=CC(=O)C=CC1=O", "OC1=C(Cl)C=CC=C1", "N#N"]
        path = write(tmp_path, "\n".join([*smiles, "no molecule ("]))
        found = read(path, tokens="selfies")
        assert any("1 strings left out that are no molecules" in note for note in found.notes)
        canvases = found.domain.encode(found.samples, found.domain.least_size)
        back = found.domain.decode(canvases)
        assert [Chem.CanonSmiles(s) for s in back] == [Chem.CanonSmiles(s) for s in smiles]

    def test_canonical_rewrites_and_leaves_out_what_is_no_molecule(self, tmp_path):
        found = read(write(tmp_path, "OCC\nC(\nC(O)C\n"), canonical=True)
        assert texts(found) == ["CCO", "CCO"]
        assert any("no molecules" in note for note in found.notes)

    def test_text_after_a_blank_is_part_of_a_string(self, tmp_path):
        """A line of a .txt file is one string; what has names is a .smi file."""
        path = write(tmp_path, "OCC\nCC this is junk\nC C\nCCl₂\n")
        for options in ({"canonical": True}, {"tokens": "selfies"}):
            found = read(path, **options)
            assert len(found.samples) == 1
            assert any("3 strings left out that are no molecules" in n for n in found.notes)

    def test_an_alphabet_of_selfies_is_cut_into_its_tokens(self, tmp_path):
        found = read(write(tmp_path, "CCO\nCCN\n"), tokens="selfies", alphabet="[C][O]")
        assert found.domain.tokens == ("|", "[C]", "[O]")
        assert len(found.samples) == 1


def test_a_missing_extra_says_what_to_install(tmp_path, monkeypatch):
    import sys

    for name in ("selfies", "rdkit", "rdkit.Chem"):
        monkeypatch.setitem(sys.modules, name, None)
    path = write(tmp_path, "CC\n")
    for options in ({"tokens": "selfies"}, {"canonical": True}):
        with pytest.raises(UserError, match=r"pip install 'mtgan\[chem\]'"):
            read(path, **options)
    assert texts(read(path)) == ["CC"]
