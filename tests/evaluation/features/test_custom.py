"""The user's own feature function: found by name, beside the user too; failures in a sentence."""

import sys
from types import ModuleType

import pytest

from mtgan.errors import UserError
from mtgan.evaluation.features import FeatureRequest, build_extractor, extract

EMBED = "def embed(images):\n    return images.float().flatten(1)[:, :4]\n"


@pytest.fixture
def module(monkeypatch):
    made = ModuleType("my_features")
    monkeypatch.setitem(sys.modules, "my_features", made)
    return made


def test_own_function(tiny, module):
    module.mean = lambda images: images.float().mean(dim=(2, 3))
    extractor = build_extractor(FeatureRequest("my_features:mean", tiny))
    assert extractor.name == "my_features:mean"
    assert extract(extractor, tiny.samples).features.shape == (64, 3)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda images: images.float(), "must return"),
        (lambda images: images.no_such_thing, "failed on uint8 images"),
    ],
)
def test_own_function_that_fails(tiny, module, function, message):
    module.bad = function
    with pytest.raises(UserError, match=message):
        build_extractor(FeatureRequest("my_features:bad", tiny))


@pytest.mark.parametrize("name", ["no_such_module:f", "math:no_such_function"])
def test_own_function_that_is_not_there(tiny, name):
    with pytest.raises(UserError, match="cannot be imported"):
        build_extractor(FeatureRequest(name, tiny))


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A current folder; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_a_module_in_the_current_folder_is_found(tiny, beside):
    (beside / "feat_beside.py").write_text(EMBED)
    assert build_extractor(FeatureRequest("feat_beside:embed", tiny)).dim == 4
    package = beside / "feat_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text(EMBED)
    (beside / "feat_neighbor.py").write_text(EMBED)
    (beside / "feat_late.py").write_text(
        "def embed(images):\n    import feat_neighbor\n    return feat_neighbor.embed(images)\n"
    )
    for name in ("feat_package.inner:embed", "feat_late:embed"):
        assert build_extractor(FeatureRequest(name, tiny)).dim == 4


def test_installed_modules_come_first(tiny, beside):
    (beside / "math.py").write_text(EMBED)
    (beside / "yaml.py").write_text(EMBED)
    for name in ("math:embed", "yaml:embed"):
        with pytest.raises(UserError, match="cannot be imported"):
            build_extractor(FeatureRequest(name, tiny))


@pytest.mark.parametrize("in_path", [False, True])
def test_nothing_is_imported_from_the_folder_of_a_run(tiny, beside, in_path):
    """What others wrote there would be executed; `python -m mtgan` has the folder in its path."""
    for name in ("recipe.yaml", "data.json"):
        (beside / name).write_text("")
    (beside / "feat_run.py").write_text("raise SystemExit('executed')")
    (beside / "feat_folder").mkdir()
    (beside / "feat_folder" / "inner.py").write_text("raise SystemExit('executed')")
    if in_path:
        sys.path.append(str(beside))
    for name in ("feat_run:embed", "feat_folder.inner:embed"):
        with pytest.raises(UserError, match="none of a run"):
            build_extractor(FeatureRequest(name, tiny))
    assert (str(beside) in sys.path) == in_path


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("def embed(:", "SyntaxError"),
        ("import no_such_package_here", "no_such_package_here"),
        ("1 / 0", "ZeroDivisionError"),
        ("other = 1", "no attribute 'embed'"),
        ("embed = 3", "not callable"),
    ],
)
def test_a_module_that_fails_is_told_of_in_a_sentence(tiny, beside, content, said):
    (beside / "feat_broken.py").write_text(content)
    with pytest.raises(UserError, match=said):
        build_extractor(FeatureRequest("feat_broken:embed", tiny))


@pytest.mark.parametrize("name", ["no_such_module:f", ":f", "math:", "a..b:f", ".relative:f"])
def test_the_sentence_says_where_modules_are_looked_for(tiny, beside, name):
    with pytest.raises(UserError, match="PYTHONPATH and in the current folder") as caught:
        build_extractor(FeatureRequest(name, tiny))
    assert str(beside) in str(caught.value)
