"""What a column of cells means: its classes in order, what is missing, what is said twice."""

import pytest

from mtgan.data.folders.columns import join_one_hot, read_column
from mtgan.errors import UserError


def read(*cells: str) -> tuple[list[str], list[str], list[str]]:
    """Class names, the name of each cell's class ("-" where missing), and notes."""
    notes: list[str] = []
    names, labels = read_column("n", cells, "line {}".format, notes)
    return names, [names[i] if i >= 0 else "-" for i in labels], notes


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (("10", "9", "100", "9"), ["9", "10", "100"]),
        (("class10", "class2", "b", "class1"), ["b", "class1", "class2", "class10"]),
        (("10.0", "2.0", "1.0", "2.0"), ["1.0", "2.0", "10.0"]),
        (("2.5", "1", "10", "-3"), ["-3", "1", "10", "2.5"]),
        (("²", "三", "x", "1"), ["1", "x", "²", "三"]),
        (("yes", "no", "007", "[/b]"), ["007", "[/b]", "no", "yes"]),
        (("9" * 400, "8" * 400, "1", "2"), ["1", "2", "8" * 400, "9" * 400]),
    ],
)
def test_classes_are_in_the_natural_order(cells: tuple[str, ...], classes: list[str]) -> None:
    assert read(*cells) == (classes, list(cells), [])


@pytest.mark.parametrize("minus_one", ["-1", "-1.0"])
@pytest.mark.parametrize("others", [("9", "10"), ("cat", "dog"), ("0", "1")])
def test_minus_one_means_missing(minus_one: str, others: tuple[str, str]) -> None:
    names, found, notes = read(others[0], minus_one, others[1], "")
    assert names == list(others)
    assert found == [others[0], "-", others[1], "-"]
    assert notes == ["-1 in the column 'n' means a missing label."]


@pytest.mark.parametrize("cells", [("-1", "1", "1"), ("-2", "-1", "0"), ("-1",), ("-1.0", "1.0")])
def test_minus_one_that_looks_like_a_class_is_asked_about(cells: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match=r"line \d: the column 'n' holds -1, which means a missing"):
        read(*cells)


def test_words_for_nothing() -> None:
    names, found, notes = read("1.0", "nan", "2.0", "1.0")
    assert (names, found) == (["1.0", "2.0"], ["1.0", "-", "2.0", "1.0"])
    assert notes == ["nan in the column 'n' means a missing label."]
    _, found, notes = read("cat", "None", "dog", "cat")
    assert found == ["cat", "None", "dog", "cat"]
    assert "None in the column 'n' is read as a class; where it means" in notes[0]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (("10.0", "2"), "line 0: the column 'n' holds '10.0', and '2' in line 1; write"),
        (("1", "01"), "line 1: the column 'n' holds '01', and '1' in line 0"),
        (("x", "2", "2.0"), "line 2: the column 'n' holds '2.0', and '2' in line 1"),
        (("1", "+1"), r"holds '\+1', and '1'"),
        (("1", "１"), "holds '１', and '1'"),
        (("file", "ﬁle"), "holds 'ﬁle', and 'file'"),
        (("caf\udce9",), r"line 0: a class cannot be called 'caf\\udce9': it is not in UTF-8"),
    ],
)
def test_what_contradicts_itself(cells: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        read(*cells)


def test_a_column_that_numbers_the_files_is_noted() -> None:
    assert "class of its own in the column 'n'" in read(*map(str, range(12)))[2][0]
    assert read(*map(str, range(9)))[2] == []


@pytest.mark.parametrize(
    ("hat", "glasses"), [("11", "01"), ("10", "00"), ("11", "00"), ("1x", "01"), ("1 ", "01")]
)
def test_attributes_are_not_one_hot(hat: str, glasses: str) -> None:
    notes: list[str] = []
    cells = {"hat": hat, "glasses": glasses}
    columns = {
        level: read_column(level, [cell.strip() for cell in given], str, [])
        for level, given in cells.items()
    }
    assert join_one_hot(columns, notes) is columns
    assert notes == []
