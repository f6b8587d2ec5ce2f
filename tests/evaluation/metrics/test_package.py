"""Properties that every measure on features shares."""

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import mtgan.evaluation as metrics
import mtgan.evaluation.metrics as package
from mtgan.errors import UserError

PAIRWISE = {
    "frechet_distance": {},
    "frechet_infinity": {"points": 4},
    "kernel_distance": {},
    "precision_recall": {},
    "density_coverage": {},
    "prd_curve": {"repeats": 1},
    "memorization_fid": {},
    "authenticity": {},
    "sliced_wasserstein": {"directions": 20},
}


def numbers(result: object) -> list[float]:
    if isinstance(result, float):
        return [result]
    return [value for value in vars(result).values() if isinstance(value, float)]


@pytest.mark.parametrize("name", PAIRWISE)
@pytest.mark.filterwarnings("ignore:MiniBatchKMeans is known:UserWarning")
def test_finite_floats_the_same_for_arrays_and_tensors_and_no_input_is_changed(draw, name):
    x, y = draw(seed=1), draw(seed=2)
    kept = x.copy(), y.copy()
    measure = getattr(metrics, name)
    found = numbers(measure(x, y, **PAIRWISE[name]))
    assert found
    assert np.isfinite(found).all()
    tensors = numbers(measure(torch.tensor(x), torch.tensor(y), **PAIRWISE[name]))
    assert tensors == pytest.approx(found, rel=1e-9)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(y, kept[1])


@pytest.mark.parametrize("name", PAIRWISE)
def test_refuses_nan_other_widths_and_emptiness(draw, name):
    measure, bad = getattr(metrics, name), draw()
    bad[17, 3] = np.nan
    with pytest.raises(UserError, match="row 17"):
        measure(bad, draw())
    with pytest.raises(UserError, match="row 17"):
        measure(draw(), bad)
    with pytest.raises(UserError, match="same feature extractor"):
        measure(draw(d=4), draw(d=5))
    with pytest.raises(UserError, match="0 rows"):
        measure(np.zeros((0, 16)), draw())


def test_read_only_and_strided_arrays_are_taken(draw):
    x, y = draw(seed=1), draw(seed=2)
    value = metrics.frechet_distance(x, y)
    x.setflags(write=False)
    assert metrics.frechet_distance(x, y[::-1]) == pytest.approx(value, rel=1e-9)
    assert metrics.frechet_distance(np.asfortranarray(x), y) == pytest.approx(value, rel=1e-12)


def test_the_global_random_state_is_left_alone(draw):
    torch.manual_seed(0)
    np.random.seed(0)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    metrics.kernel_distance(draw(seed=1), draw(seed=2), subsets=2, subset_size=20)
    metrics.sliced_wasserstein(draw(seed=1), draw(seed=2), 10)
    metrics.inception_score(draw(300, 4), inputs="logits")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()


@pytest.mark.parametrize(
    "item", [item for _, item in package.METRICS.items()], ids=lambda item: item.name
)
def test_every_metric_says_where_it_comes_from_and_its_range(item):
    file = sys.modules[item.compute.__module__]
    assert file.__name__ == f"mtgan.evaluation.metrics.{item.name}"
    assert re.search("Definition|Source", file.__doc__)
    assert "Range" in file.__doc__
    assert item.source
    assert item.function.__doc__
    assert getattr(metrics, item.name) is item.function
    assert item.name in metrics.__all__


def test_optional_packages_are_imported_only_when_needed():
    for file in Path(package.__file__).parent.glob("*.py"):
        top = [node for node in ast.parse(file.read_text()).body if not isinstance(node, ast.Expr)]
        for node in top:
            names = [alias.name for alias in getattr(node, "names", [])] + [
                getattr(node, "module", None) or ""
            ]
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert not any(name.split(".")[0] == "gudhi" for name in names), file.name


def test_arithmetic_imports_nothing_of_the_library_but_its_error():
    allowed = ("mtgan.errors", "mtgan.evaluation.pairwise")
    for file in (Path(metrics.__file__).parent / "pairwise").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mtgan"):
                assert node.module.startswith(allowed), file.name
