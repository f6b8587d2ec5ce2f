"""Old names still work for one release, and warn."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mtgan.classification.run import ClassifierRun
from mtgan.renamed import renamed_in
from mtgan.training import Run


@pytest.mark.parametrize("opened", [Run, ClassifierRun])
def test_the_facts_of_a_run_are_its_dataset_info(opened: Any) -> None:
    info = cast(Any, SimpleNamespace(shape=(1, 2, 3)))
    run = opened(Path("run"), cast(Any, None), info)
    with pytest.warns(DeprecationWarning, match=rf"{opened.__name__}\.facts is called") as seen:
        assert run.facts is info
    assert seen[0].filename == __file__


def test_a_renamed_attribute_of_a_module_is_imported_when_asked_for() -> None:
    get = renamed_in("mtgan.old", {"Old": "pathlib.Path"})
    with pytest.warns(DeprecationWarning, match=r"^mtgan\.old\.Old is called pathlib\.Path now"):
        found = get("Old")
    assert found is Path
    with pytest.raises(AttributeError, match=r"'mtgan\.old' has no attribute 'New'"):
        get("New")
