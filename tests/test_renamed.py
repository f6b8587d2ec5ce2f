"""Old names still work for one release, and warn."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import mtgan
from mtgan import analysis
from mtgan.classification.run import ClassifierRun
from mtgan.data import Taxonomy
from mtgan.evaluation.comparison import Comparison, EvaluationContext
from mtgan.evaluation.scorecard.values import CardValues, CorruptionLevel
from mtgan.renamed import renamed_in
from mtgan.training import Run


@pytest.mark.parametrize("opened", [Run, ClassifierRun])
def test_the_facts_of_a_run_are_its_dataset_info(opened: Any) -> None:
    info = cast(Any, SimpleNamespace(shape=(1, 2, 3)))
    run = opened(Path("run"), cast(Any, None), info)
    with pytest.warns(DeprecationWarning, match=rf"{opened.__name__}\.facts is called") as seen:
        assert run.facts is info
    assert seen[0].filename == __file__


LEVEL = CorruptionLevel("noise", "5% noise", 0.05, {}, 0.9)
CARD = CardValues(cast(Any, None), {}, corruption_levels=(LEVEL,))
CONTEXT = EvaluationContext(*cast(Any, [None] * 4))
TAXONOMY = Taxonomy(("color",), {"color": ("red", "blue")}, {})
COMPARISON = Comparison(cast(Any, None), cast(Any, None), CONTEXT)


@pytest.mark.parametrize(
    ("of", "old", "new"),
    [
        (LEVEL, "damage", "corruption"),
        (CARD, "ladder", "corruption_levels"),
        (COMPARISON, "setting", "context"),
        (COMPARISON, "asked", "requested"),
        (CONTEXT, "shown", "detected"),
        (CONTEXT, "shown_modes", "detected_modes"),
        (TAXONOMY, "lift", "ancestors"),
        (analysis, "judge", "findings_of"),
    ],
)
def test_old_names_give_what_the_new_ones_do(of: Any, old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"\.{old} is called .*\b{new} now"):
        found = getattr(of, old)
    assert found == getattr(of, new)


def test_the_ladder_of_evaluate_is_its_corruptions() -> None:
    data = mtgan.load_dataset("digits")
    samples = data.load_split("test").samples
    options: Any = {"metrics": "frechet_distance", "features": "pixels", "n": 80, "resamples": 0}
    with pytest.warns(
        DeprecationWarning, match="`ladder` of evaluate is called `corruptions`"
    ) as seen:
        old = mtgan.evaluate(samples, data, ladder=False, **options)
    assert seen[0].filename == __file__
    new = mtgan.evaluate(samples, data, corruptions=False, **options)
    assert old.to_dict() == new.to_dict()
    assert new.to_dict()["corruption_levels"] == ()


def test_a_renamed_attribute_of_a_module_is_imported_when_asked_for() -> None:
    get = renamed_in("mtgan.old", {"Old": "pathlib.Path"})
    with pytest.warns(DeprecationWarning, match=r"^mtgan\.old\.Old is called pathlib\.Path now"):
        found = get("Old")
    assert found is Path
    with pytest.raises(AttributeError, match=r"'mtgan\.old' has no attribute 'New'"):
        get("New")
