"""Classes of one data set among those of another."""

from mtgan.data import Taxonomy
from mtgan.data.correspondence import corresponding_classes, corresponding_levels


def taxonomy(levels: dict[str, dict[str, str]], beside: tuple[str, ...] = ()) -> Taxonomy:
    """Of {level: {class: parent}}, the last without parents."""
    first, *above = levels
    own = Taxonomy((first,), {first: tuple(levels[first])}, {})
    tree = {name: levels[below] for below, name in zip(levels, above, strict=False)}
    found = own.with_hierarchy(tree) if tree else own
    return found.with_independent(dict.fromkeys(beside, ("no", "yes")))


SOURCE = taxonomy(
    {
        "fine": {"dog": "mammal", "cat": "mammal", "robin": "bird", "car": "vehicle"},
        "coarse": {"mammal": "animal", "bird": "animal", "vehicle": "thing"},
        "top": {},
    }
)


def found(own: Taxonomy, level: str, to: str, known: set[int]) -> list[tuple[tuple[str, ...], str]]:
    names = SOURCE.classes[to]
    return [
        (tuple(names[i] for i in one.others), one.by)
        for one in corresponding_classes(own, level, SOURCE, to, known)
    ]


def test_a_class_is_found_by_its_name_and_else_through_the_taxonomy() -> None:
    own = taxonomy(
        {
            "species": {
                "cat": "mammal",
                "wolf": "mammal",
                "bird": "bird",
                "newt": "amphibian",
                "rose": "plant",
            },
            "family": {
                "mammal": "animal",
                "bird": "animal",
                "amphibian": "animal",
                "plant": "life",
            },
            "kingdom": {},
        }
    )
    assert found(own, "species", "fine", {0, 1, 2, 3}) == [
        (("cat",), "name"),
        (("dog", "cat"), "superclass mammal"),
        (("robin",), "superclass bird"),  # which is one there
        (("dog", "cat", "robin"), "superclass animal"),  # no superclass nearer
        (("dog", "cat", "robin", "car"), "all"),
    ]
    assert found(own, "family", "coarse", {0, 1, 2}) == [
        (("mammal",), "name"),
        (("bird",), "name"),
        (("mammal", "bird"), "superclass animal"),
        (("mammal", "bird", "vehicle"), "all"),
    ]


def test_classes_of_which_nothing_is_known_count_for_nothing() -> None:
    own = taxonomy({"fine": {"cat": "mammal", "car": "vehicle"}, "coarse": {}})
    assert found(own, "fine", "fine", {0, 2}) == [
        (("dog",), "superclass mammal"),
        (("dog", "robin"), "all"),
    ]
    assert found(own, "fine", "fine", set()) == [((), "nothing"), ((), "nothing")]


def test_a_superclass_that_is_called_otherwise_is_found_by_its_classes() -> None:
    own = taxonomy({"fine": {"robin": "flying", "kite": "flying", "cat": "pet"}, "coarse": {}})
    assert found(own, "coarse", "coarse", {0, 1, 2}) == [
        (("bird",), "subclasses"),
        (("mammal",), "subclasses"),
    ]


def test_levels_are_found_by_name_and_else_by_their_place_in_the_chain() -> None:
    own = taxonomy({"species": {"a": "b"}, "coarse": {"b": "c"}, "kingdom": {}}, ("color",))
    other = taxonomy({"fine": {"a": "b"}, "coarse": {"b": "c"}, "top": {}}, ("tone",))
    assert corresponding_levels(own, other) == {
        "species": "fine",
        "coarse": "coarse",
        "kingdom": "top",
    }
