import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.evaluation.metrics.inception_score import inception_score
from mtgan.evaluation.pairwise.arrays import SmallSampleWarning


def plain(p: np.ndarray, splits: int) -> tuple[float, float]:
    """The definition, in loops."""
    n, values = len(p), []
    for i in range(splits):
        part = p[i * n // splits : (i + 1) * n // splits]
        marginal = part.mean(0)
        kl = [
            sum(q * np.log(q / m) for q, m in zip(row, marginal, strict=True) if q > 0)
            for row in part
        ]
        values.append(np.exp(np.mean(kl)))
    return float(np.mean(values)), float(np.std(values))


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits.astype(np.float64))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize(("n", "k", "splits"), [(300, 10, 10), (307, 3, 7), (50, 4, 1)])
def test_equals_definition(draw, n, k, splits):
    logits = 2 * draw(n, k)
    expected = plain(softmax(logits), splits)
    for given, inputs in ((logits, "logits"), (softmax(logits), "probabilities")):
        found = inception_score(given, splits, seed=None, inputs=inputs)
        assert (found.value, found.std) == pytest.approx(expected, rel=1e-6)


def test_equals_torchmetrics_in_one_split(draw):
    pytest.importorskip("torchmetrics")
    from torchmetrics.image.inception import InceptionScore as Oracle

    logits = torch.from_numpy(3 * draw(300, 10)).double()
    oracle = Oracle(feature=torch.nn.Identity(), splits=1).double()
    oracle.features = [logits]
    assert inception_score(logits, splits=1, inputs="logits").value == pytest.approx(
        float(oracle.compute()[0]), rel=1e-5
    )


def score(probabilities, splits=1, **options):
    return inception_score(probabilities, splits, inputs="probabilities", **options)


def test_known_values():
    certain = np.eye(5)[np.arange(100) % 5]
    assert score(certain).value == pytest.approx(5)
    assert score(np.full((100, 5), 0.2), splits=4).value == pytest.approx(1)
    assert score(np.eye(5)[np.zeros(100, int)]).value == pytest.approx(1)
    assert inception_score(1000 * certain, 1, inputs="logits").value == pytest.approx(5)
    assert float(score(certain)) == pytest.approx(5)


def test_sorted_samples_are_shuffled_before_the_split():
    by_class = np.eye(5)[np.repeat(np.arange(5), 40)]
    assert score(by_class, splits=5, seed=None).value == pytest.approx(1)
    assert score(by_class, splits=5).value > 4.5
    assert score(by_class, splits=5) == score(by_class, splits=5)


def test_falls_with_lost_classes_and_with_doubt():
    sharp = [score(np.eye(10)[np.arange(200) % k]).value for k in (10, 5, 2)]
    assert sharp == pytest.approx([10, 5, 2])
    doubts = [
        inception_score(t * np.eye(10)[np.arange(200) % 10], splits=1, inputs="logits").value
        for t in (10, 3, 1)
    ]
    assert doubts == sorted(doubts, reverse=True)
    assert doubts[0] > 2 * doubts[-1]


@pytest.mark.parametrize("form", ["three digits", "two digits", "bfloat16", "float16", "percent"])
def test_rounded_probabilities_are_probabilities(draw, form):
    """Their rows sum to one within a hundredth or so, and no rule tells that from logits."""
    exact = softmax(4 * draw(2000, 10))
    value = score(exact).value
    assert value > 4
    rounded = {
        "three digits": exact.round(3),
        "two digits": exact.round(2),
        "bfloat16": torch.from_numpy(exact).bfloat16(),
        "float16": exact.astype(np.float16),
        "percent": 100 * exact,
    }[form]
    assert score(rounded).value == pytest.approx(value, rel=0.03)


def test_what_predictions_are_is_never_guessed():
    """Rows of probabilities may be logits as well: the same numbers have two scores."""
    rows = np.eye(4)[np.arange(40) % 4]
    assert inception_score(rows, 1, inputs="logits").value < score(rows).value - 2
    for inputs in (None, "softmax"):
        with pytest.raises(UserError, match=r"inputs='logits' or inputs='probabilities'"):
            inception_score(rows, 1, inputs=inputs)


def test_bad_input(draw):
    with pytest.raises(UserError, match="divided into 10 splits"):
        score(draw(5, 3), splits=10)
    with pytest.raises(UserError, match="two classes"):
        score(np.ones((30, 1)))
    with pytest.raises(UserError, match="NaN"):
        score(np.full((30, 3), np.nan))
    for no_probabilities in (draw(30, 3), np.zeros((30, 3))):
        with pytest.raises(UserError, match="inputs='logits'"):
            score(no_probabilities)
    with pytest.warns(SmallSampleWarning, match="bounded by the split size"):
        inception_score(draw(30, 10), inputs="logits")
