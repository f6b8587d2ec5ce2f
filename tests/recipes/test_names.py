"""Names in recipes: known without torch, and the same as in the registries."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mtgan import parts
from mtgan.errors import UserError
from mtgan.parts import OBJECTIVES
from mtgan.recipes import load_recipe
from mtgan.registry import REGISTRIES, Registry

NAMED = [each for each in vars(parts).values() if isinstance(each, Registry)]


@pytest.mark.parametrize("registry", NAMED, ids=lambda registry: registry.kind)
def test_what_is_read_in_the_source_is_what_an_import_registers(registry: Registry) -> None:
    assert registry.names()
    assert sorted(registry.written) == sorted(registry.names())


@pytest.mark.parametrize("registry", NAMED, ids=lambda registry: registry.kind)
def test_capabilities_that_are_read_in_the_source_are_those_of_the_parts(
    registry: Registry,
) -> None:
    names, asked = registry.written, registry.capabilities
    fresh = Registry(registry.kind, *registry.places, capabilities=asked)
    REGISTRIES[registry.kind] = registry
    assert fresh._entries == {}
    found = {(name, key): fresh.capability(name, key) for name in names for key in asked}
    assert found == {
        (name, key): getattr(registry.get(name), key, asked[key]) for name in names for key in asked
    }
    assert fresh._entries == {}  # nothing was imported for it
    for key in asked:  # else it need not be said
        assert len({str(found[name, key]) for name in names}) > 1


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"objective": "wassersteen"}, "objective: there is no adversarial objective .*'wasserst"),
        ({"penalty.kind": "gradeint"}, "penalty.kind: .* did you mean 'gradient'"),
        ({"generator.backbone": "cnv"}, "generator.backbone: .* did you mean 'conv'"),
        ({"classifier.normalization": "batsh"}, "classifier.normalization: .*'batch'"),
        ({"discriminator.augmentation": ["colour"]}, "discriminator.augmentation.0: .*'color'"),
        ({"hierarchy": [{"kind": "rndom"}]}, "hierarchy.0.kind: .*'random'"),
        ({"aggregator": "some"}, "there is no aggregator 'some'"),
        ({"training.initialization": "glorot"}, "did you mean 'glorot-uniform'"),
        ({"training.evaluate_protocol": "thesiss"}, "evaluate_protocol: .* did you mean 'thesis'"),
        ({"training.evaluate_features": "incepton"}, "no feature space 'incepton': .*'inception'"),
        ({"training.evaluate_metrics": ["recal"]}, "training.evaluate_metrics.0: .*no metric 'rec"),
        ({"sharing": [{"between": ["a", "b"], "layers": 1, "norm": "l3"}]}, "sharing.0.norm"),
    ],
)
def test_a_name_that_is_none_is_refused_at_the_door(overrides: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        load_recipe("wgan-gp", overrides)


def test_a_part_of_ones_own_counts_once_it_is_registered(monkeypatch) -> None:
    monkeypatch.setitem(OBJECTIVES._entries, "mine", OBJECTIVES.get("hinge"))
    assert load_recipe("gan", {"objective": "mine"}).objective == "mine"


def test_names_are_compared_without_torch() -> None:
    code = (
        "import sys\nfrom mtgan.recipes import load_recipe\n"
        "try: load_recipe('gan', {'objective': 'hing'})\n"
        "except ValueError as error: print(error)\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, bool(re.search("mean 'hinge'", done.stdout))) == (0, True)


def test_the_docs_list_every_capability() -> None:
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    for registry in NAMED:
        for key, default in registry.capabilities.items():
            (line,) = (line for line in text.splitlines() if f"`{key}`" in line)
            assert f"`{default}`".replace("'", '"') in line
