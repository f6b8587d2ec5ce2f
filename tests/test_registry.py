"""One owner for each name, which may lie outside the package."""

import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from mtgan.errors import UserError
from mtgan.registry import REGISTRIES, Registry, plugin_folders, plugin_versions


@pytest.fixture
def registry() -> Iterator[Registry]:
    yield Registry("trick", has=("__call__",))
    del REGISTRIES["trick"]


def test_a_part_is_found_by_its_module(registry: Registry, monkeypatch) -> None:
    module = ModuleType("own_one")
    module.thing, module.number = (lambda: 1), 3
    monkeypatch.setitem(sys.modules, "own_one", module)
    assert registry.get("own_one:thing")() == 1
    assert registry.check("own_one:thing") == "own_one:thing"
    assert registry.names() == []
    assert registry.modules() == ["own_one"]
    with pytest.raises(UserError, match="own_one:number is no trick: it cannot be called"):
        registry.get("own_one:number")
    with pytest.raises(UserError, match=r"There is no trick 'x': .*import your module, or name it"):
        registry.get("x")


def test_a_name_has_one_owner(registry: Registry) -> None:
    registry.register("a")(len)
    with pytest.raises(UserError, match=r"registered twice, by builtins and by .*test_registry"):
        registry.register("a")(lambda: 1)


def test_a_cell_of_a_notebook_runs_twice(registry: Registry) -> None:
    def cell():
        return 1

    cell.__module__ = "__main__"
    for _ in range(2):
        registry.register("b")(cell)
    assert registry.modules() == ["__main__"]


def test_what_was_executed_belongs_to_the_script(registry: Registry) -> None:
    space: dict = {}
    exec("def made():\n    return 1", space)
    space["made"].__module__ = None  # as of code that is executed without a name
    registry.register("made")(space["made"])
    assert registry.modules() == ["__main__"]


def test_parts_of_the_script_itself_are_told_of(registry: Registry, monkeypatch) -> None:
    def mine():
        return 1

    mine.__module__ = "__main__"
    registry.register("mine")(mine)
    with pytest.raises(UserError, match=r"trick 'mine'.* workers cannot know"):
        plugin_folders()
    with pytest.warns(UserWarning, match="write them into a module"):
        assert "__main__" not in plugin_versions()


def test_a_file_in_the_folder_is_enough(tmp_path, monkeypatch) -> None:
    """What a registry holds is what lies in its package, without a list anywhere."""
    package = tmp_path / "shelf"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    tricks: Registry = Registry("trick on a shelf", "shelf")
    (package / "one.py").write_text(
        "from mtgan.registry import REGISTRIES\n"
        "REGISTRIES['trick on a shelf'].register('one')(print)\n"
    )
    assert tricks.names() == ["one"]
    assert tricks.get("one") is print
    with pytest.raises(UserError, match="did you mean 'one'"):
        tricks.get("ome")
    assert list(tricks.items()) == [("one", print)]
    del REGISTRIES["trick on a shelf"]
    for name in ("shelf", "shelf.one"):
        del sys.modules[name]
