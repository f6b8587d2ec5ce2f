"""Taxonomies: what fits together, lifting labels, and putting other hierarchies in place."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Taxonomy, load_dataset
from mtgan.data.names import chain_name, class_map, natural_order
from mtgan.errors import UserError


def test_what_a_fine_label_implies() -> None:
    taxonomy = Taxonomy(
        ("animal", "kind", "top", "tone"),
        {"animal": ("cat", "dog"), "kind": ("pet",), "top": ("thing",), "tone": ("red",)},
        {"animal": ("kind", (0, 0)), "kind": ("top", (0,))},
    )
    assert taxonomy.above("animal") == ("kind", "top")
    assert taxonomy.above("tone") == ()
    rows = np.array([[1, -1, -1, -1], [-1, 0, -1, 0], [-1, -1, -1, -1]])
    assert taxonomy.with_implied(rows).tolist() == [[1, 0, 0, -1], [-1, 0, 0, 0], [-1] * 4]
    assert rows[0, 1] == -1


@pytest.fixture
def animals() -> Taxonomy:
    """Four classes in two, in one; and the independent attribute color."""
    return Taxonomy(
        ("fine", "coarse", "top", "color"),
        {
            "fine": ("cat", "dog", "car", "bus"),
            "coarse": ("pet", "vehicle"),
            "top": ("thing",),
            "color": ("red", "blue"),
        },
        {"fine": ("coarse", (0, 0, 1, 1)), "coarse": ("top", (0, 0))},
    )


def test_chain_names() -> None:
    assert [chain_name(i) for i in range(5)] == ["fine", "coarse", "top", "level4", "level5"]


def test_chain_leaves_attributes_out(animals: Taxonomy) -> None:
    assert animals.chain == ("fine", "coarse", "top")
    assert Taxonomy((), {}, {}).chain == ()


def test_lift_keeps_missing_labels(animals: Taxonomy) -> None:
    labels = np.array([0, 3, -1, 2, 1])
    assert animals.ancestors(labels, "fine", "coarse").tolist() == [0, 1, -1, 1, 0]
    assert animals.ancestors(labels, "fine", "top").tolist() == [0, 0, -1, 0, 0]
    assert animals.ancestors(labels, "fine", "fine").tolist() == labels.tolist()


def test_lift_along_no_edge(animals: Taxonomy) -> None:
    with pytest.raises(UserError, match="'top' is not refined from 'color'"):
        animals.ancestors(np.array([0]), "fine", "color")


def test_label_rows(animals: Taxonomy) -> None:
    rows = animals.label_rows(np.array([2, -1, 0]))
    assert rows.tolist() == [[2, 1, 0, -1], [-1, -1, -1, -1], [0, 0, 0, -1]]
    assert rows.dtype == np.int64
    assert Taxonomy((), {}, {}).label_rows(np.array([-1, -1])).shape == (2, 0)


@pytest.mark.parametrize("label", [4, 77, -2])
def test_label_rows_outside_the_taxonomy(animals: Taxonomy, label: int) -> None:
    with pytest.raises(UserError, match=rf"label {label} of level 'fine' is outside the taxonomy"):
        animals.label_rows(np.array([0, label]))


def test_names_and_the_nearest(animals: Taxonomy) -> None:
    assert animals.class_index("coarse", "vehicle") == 1
    with pytest.raises(UserError, match=r"no class 'vehicl': did you mean 'vehicle'\?"):
        animals.class_index("coarse", "vehicl")
    with pytest.raises(UserError, match=r"no label level 'corse': did you mean 'coarse'\?"):
        animals.num_classes("corse")
    with pytest.raises(UserError, match="no label level 'zzz': known: coarse, color, fine, top"):
        animals.num_classes("zzz")
    many = Taxonomy(("a",), {"a": tuple(map(str, range(1000)))}, {})
    with pytest.raises(UserError, match=r"no class '#': known: 0, 1, 10, .* and 950 more\."):
        many.class_index("a", "#")


def test_names_are_the_same_in_either_spelling() -> None:
    composed, decomposed = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")
    taxonomy = Taxonomy(("a",), {"a": (f" {decomposed}", "x")}, {})
    assert taxonomy == Taxonomy(("a",), {"a": (composed, "x")}, {})
    assert taxonomy.class_index("a", decomposed) == 0
    with pytest.raises(UserError, match="names the class 'é' twice"):
        Taxonomy(("a",), {"a": (composed, decomposed)}, {})


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["10", "9", "1", "-2", "-10"], ["-10", "-2", "1", "9", "10"]),
        (["b", "class10", "class9", "a"], ["a", "b", "class9", "class10"]),
        (["x2y10", "x2y9", "x10y1", "x"], ["x", "x2y9", "x2y10", "x10y1"]),
        (["a", "10", "2"], ["2", "10", "a"]),
        (["2.0", "10.0", "1.5"], ["1.5", "2.0", "10.0"]),
        (["01", "1", "007"], ["01", "1", "007"]),
        (["²", "٣", "3", "１"], ["3", "²", "٣", "１"]),
        (["9" * 5000, "1"], ["1", "9" * 5000]),
        (["B", "a", "A"], ["A", "B", "a"]),
    ],
)
def test_natural_order(names: list[str], ordered: list[str]) -> None:
    assert natural_order(names) == natural_order(reversed(names)) == ordered
    assert natural_order(set(names)) == ordered


def test_one_order_for_folders_tables_json_and_strings(tmp_path: Path, paint) -> None:
    """Numbers inside names count as numbers, whichever way the classes come in."""
    names = [*map(str, range(12)), "class2", "class10"]
    rows = []
    for i, name in enumerate(names):
        paint(tmp_path / "folders" / name / "x.png")
        for form in ("table", "json"):
            paint(tmp_path / form / f"{i}.png")
        rows.append((f"{i}.png", name))
    table = "file,fine\n" + "".join(f"{file},{name}\n" for file, name in rows)
    (tmp_path / "table" / "labels.csv").write_text(table)
    (tmp_path / "json" / "dataset.json").write_text(json.dumps(dict(rows)))
    strings = "text,label\n" + "".join(f"CC,{name}\n" for name in names)
    (tmp_path / "s.csv").write_text(strings)
    sets = [load_dataset(tmp_path / form, "all") for form in ("folders", "table", "json")]
    sets.append(load_dataset(f"s={tmp_path / 's.csv'},labels=label", "all"))
    assert {next(iter(data.taxonomy.classes.values())) for data in sets} == {tuple(names)}


@pytest.mark.parametrize(
    ("levels", "classes", "parents", "sentence"),
    [
        (("a", "a"), {"a": ("x",)}, {}, "needs distinct levels"),
        (("a",), {"b": ("x",)}, {}, "needs distinct levels"),
        (("a",), {"a": ("x", "x")}, {}, "'a' names the class 'x' twice"),
        (("a",), {"a": ("x",)}, {"a": ("b", (0,))}, "no level 'b', the parent of 'a'"),
        (("b", "a"), {"a": ("x",), "b": ("y",)}, {"a": ("b", (0,))}, "should come after 'a'"),
        (("a", "b"), {"a": ("x", "z"), "b": ("y",)}, {"a": ("b", (0,))}, "2 classes and 1 parents"),
        (("a", "b"), {"a": ("x",), "b": ("y",)}, {"a": ("b", (1,))}, "is not a class of 'b'"),
        (("a/b",), {"a/b": ("x",)}, {}, r"level cannot be called 'a/b': it holds a \"/\""),
        (("",), {"": ("x",)}, {}, "level cannot be called '': it is empty"),
        (("\x1b[2J",), {"\x1b[2J": ("x",)}, {}, r"cannot be called '\\x1b\[2J': it holds control"),
        (("a",), {"a": ("x", " ")}, {}, "class of the level 'a' cannot be called '': it is empty"),
        (("a",), {"a": ("caf\udce9",)}, {}, r"cannot be called 'caf\\udce9': it is not in UTF-8"),
    ],
)
def test_what_does_not_fit_together(levels, classes, parents, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Taxonomy(levels, classes, parents)


def test_plain_values_there_and_back(animals: Taxonomy) -> None:
    assert Taxonomy.from_dict(animals.to_dict()) == animals
    for values in ([], {}, {"levels": "a", "classes": {"a": ["x"]}, "parents": {}}):
        with pytest.raises(UserError, match="stored taxonomy is corrupt"):
            Taxonomy.from_dict(values)  # type: ignore[arg-type]


def test_class_map() -> None:
    table = class_map(("b", "x", "a"), ("a", "b", "c"))
    assert table[[0, 1, 2, -1]].tolist() == [1, -1, 0, -1]


# The user's own hierarchy

OWN = {
    "kind": {"cat": "alive", "dog": "alive", "car": "machine", "bus": "machine"},
    "all": {"alive": "everything", "machine": "everything"},
}


def test_own_mapping_replaces_the_built_in_levels(animals: Taxonomy) -> None:
    own = animals.with_file(OWN)
    assert own.levels == ("fine", "kind", "all", "color")
    assert own.chain == ("fine", "kind", "all")
    assert own.classes["kind"] == ("alive", "machine")
    assert own.label_rows(np.array([2])).tolist() == [[2, 1, 0, -1]]


def test_own_yaml_replaces_the_built_in_levels(animals: Taxonomy, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "kind: {cat: alive, dog: alive, car: machine, bus: machine}\n"
        "all: {alive: everything, machine: everything}\n"
    )
    assert animals.with_file(path) == animals.with_file(OWN)


def test_a_level_may_reuse_a_built_in_name(animals: Taxonomy) -> None:
    own = animals.with_file({"coarse": {"cat": "a", "dog": "b", "car": "a", "bus": "b"}})
    assert own.levels == ("fine", "coarse", "color")
    assert own.parents == {"fine": ("coarse", (0, 1, 0, 1))}


def test_own_taxonomy_of_a_loaded_set() -> None:
    own = {"third": {str(digit): f"mod{digit % 3}" for digit in range(10)}}
    data = load_dataset("digits", taxonomy=own)
    assert data.taxonomy.levels == ("fine", "third")
    assert data.taxonomy.classes["third"] == ("mod0", "mod1", "mod2")
    np.testing.assert_array_equal(data.labels_of("third"), data.labels_of("fine") % 3)
    assert data.load_split("test").taxonomy == data.taxonomy


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"kind": {**OWN["kind"], "dgo": "alive"}}, r"'dgo', .* did you mean 'dog'\?"),
        ({"kind": {"cat": "alive", "dog": "alive", "car": "machine"}}, "no parent to .* 'bus'"),
        ({"fine": OWN["kind"]}, "gives the level 'fine', and .* call it otherwise"),
        ({"kind": ["cat", "dog"]}, r"of the form level: \{class: parent\}"),
        ({"kind": {**OWN["kind"], "cat": ["a"]}}, r"of the form level: \{class: parent\}"),
        ({"kind": {**OWN["kind"], "cat": None}}, r"of the form level: \{class: parent\}"),
        ({"kind": {**OWN["kind"], "cat": ""}}, "class of the level 'kind' cannot be called ''"),
        ({"kind": {**OWN["kind"], "cat ": "x"}}, "names a class in 'kind' twice; leave one out"),
        ({"a/b": OWN["kind"]}, "level cannot be called 'a/b'"),
        ({**OWN, "all": {"alive": "everything"}}, "no parent to the class 'machine' of level 'kin"),
    ],
)
def test_bad_own_taxonomies(animals: Taxonomy, values, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        animals.with_file(values)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"a: [", "own.yaml is not valid YAML"),
        (b"just words", r"own.yaml should be a mapping of the form"),
        (b"", r"own.yaml should be a mapping of the form"),
        (b"\xff\xfe\x00\xd8", "own.yaml is not in UTF-8"),
        (
            b"kind: {cat: a, dog: a, car: b, bus: b}\nkind: {cat: a, dog: b, car: b, bus: b}",
            "own.yaml .*'kind' twice",
        ),
        (b"kind: {cat: a, dog: a, car: b, bus: b, cat: b}", "own.yaml .*'cat' twice"),
        (None, "own.yaml cannot be read: it does not exist"),
    ],
)
def test_bad_taxonomy_files(animals: Taxonomy, tmp_path: Path, text, sentence: str) -> None:
    path = tmp_path / "own.yaml"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(UserError, match=sentence):
        animals.with_file(path)


ABOVE = {"all": {"living": "everything", "made": "everything"}}
BASE = "kind: {cat: living, dog: living, car: made, bus: made}\n"


def test_an_own_taxonomy_extends_the_built_in_levels(animals: Taxonomy) -> None:
    own = animals.with_file({"extends": "built-in", "all": {"thing": "x"}})
    assert own.chain == ("fine", "coarse", "top", "all")
    assert own.levels == ("fine", "coarse", "top", "all", "color")
    assert own.classes["coarse"] == animals.classes["coarse"]
    assert own.parents == {**animals.parents, "top": ("all", (0,))}


def test_an_own_taxonomy_extends_a_file_beside_it(animals: Taxonomy, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "own.yaml").write_text(
        "extends: base.yaml\nall: {living: everything, made: everything}"
    )
    own = animals.with_file(tmp_path / "own.yaml")
    assert own == animals.with_file({"extends": str(tmp_path / "base.yaml"), **ABOVE})
    assert own.levels == ("fine", "kind", "all", "color")
    assert own.ancestors(np.array([0, 2, 3]), "fine", "kind").tolist() == [0, 1, 1]
    # What is stored of a loaded set needs neither file.
    (tmp_path / "fine.yaml").write_text("extends: built-in\nhalf: {even: x, odd: x}")
    (tmp_path / "digits.yaml").write_text("extends: fine.yaml\nall: {x: y}")
    data = load_dataset("digits", taxonomy=tmp_path / "digits.yaml")
    assert data.taxonomy.chain == ("fine", "coarse", "half", "all")
    for path in tmp_path.iterdir():
        path.unlink()
    assert data.load_split("test").taxonomy == data.taxonomy


def test_a_level_may_be_called_extends(animals: Taxonomy) -> None:
    assert animals.with_file({"extends": OWN["kind"]}).chain == ("fine", "extends")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "extends: built_in",
            "own.yaml extends 'built_in', but there is no file .*, or built",
        ),
        ("extends: [base.yaml]", r"own.yaml should be a mapping of the form"),
        (
            "extends: base.yaml\nkind: {living: a, made: b}",
            "the level 'kind', and so does .*base.yaml",
        ),
        ("extends: built-in\ncoarse: {thing: a}", "own.yaml: .* gives the level 'coarse', and"),
        ("extends: built-in\ncolor: {thing: a}", "own.yaml: .* gives the level 'color', and"),
        (
            "extends: built-in\nall: {cat: a, dog: a}",
            "no parent to the class 'thing' of",
        ),
        ("extends: own.yaml", "files own.yaml -> own.yaml extend each other in a circle"),
        ("extends: circle.yaml", "own.yaml -> circle.yaml -> own.yaml extend each other"),
    ],
)
def test_bad_extensions(animals: Taxonomy, tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "circle.yaml").write_text("extends: own.yaml")
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(UserError, match=sentence):
        animals.with_file(tmp_path / "own.yaml")


def test_no_labels_to_group() -> None:
    with pytest.raises(UserError, match="no labels that a taxonomy could group"):
        Taxonomy((), {}, {}).with_file(OWN)


# Hierarchies as controls


def test_random_hierarchy_is_balanced_and_seeded() -> None:
    flat = Taxonomy(("fine",), {"fine": tuple("abcdefghij")}, {})
    one = flat.with_random_hierarchy(4, seed=1)
    sizes = np.bincount(one.parents["fine"][1])
    assert sorted(sizes.tolist()) == [2, 2, 3, 3]
    assert one == flat.with_random_hierarchy(4, seed=1)
    others = {flat.with_random_hierarchy(4, seed=s).parents["fine"][1] for s in range(5)}
    assert len(others) > 1


def test_clustered_hierarchy_joins_what_is_confused() -> None:
    flat = Taxonomy(("fine",), {"fine": tuple("abcd")}, {})
    # a with c, b with d.
    confusion = [[6, 0, 4, 0], [0, 5, 0, 5], [3, 0, 7, 0], [1, 4, 0, 5]]
    parents = flat.with_clustered_hierarchy(np.array(confusion), 2).parents["fine"][1]
    assert parents[0] == parents[2] != parents[1] == parents[3]


def test_clustered_hierarchy_has_as_many_superclasses_as_asked() -> None:
    """Also where a perfect classifier confuses nothing and all distances tie."""
    flat = Taxonomy(("fine",), {"fine": tuple("abcdef")}, {})
    for count in (1, 3, 6):
        grouped = flat.with_clustered_hierarchy(10 * np.eye(6), count)
        assert grouped.num_classes("coarse") == count


@pytest.mark.parametrize("count", [0, 5, -1])
def test_number_of_superclasses_out_of_range(animals: Taxonomy, count: int) -> None:
    sentence = f"should be from 1 to 4, the number of classes; found {count}"
    with pytest.raises(UserError, match=sentence):
        animals.with_random_hierarchy(count)
    with pytest.raises(UserError, match=sentence):
        animals.with_clustered_hierarchy(np.eye(4), count)


def test_confusion_of_another_size(animals: Taxonomy) -> None:
    with pytest.raises(UserError, match="should be 4 x 4; found"):
        animals.with_clustered_hierarchy(np.eye(3), 2)


def test_same_labels_are_a_level_right_above(animals: Taxonomy) -> None:
    more = animals.with_same_labels("fine", "again")
    assert more.chain[:3] == ("fine", "again", animals.chain[1])
    assert more.classes["again"] == animals.classes["fine"]
    assert more.parents["fine"] == ("again", tuple(range(len(more.classes["fine"]))))
    assert more.parents["again"] == animals.parents["fine"]
    with pytest.raises(UserError, match="distinct levels"):
        animals.with_same_labels("fine", "coarse")
