import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.evaluation.metrics import SmallSampleWarning, inception_score


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
    for given in (logits, softmax(logits)):
        found = inception_score(given, splits, seed=None)
        assert (found.value, found.std) == pytest.approx(expected, rel=1e-6)


def test_equals_torchmetrics_in_one_split(draw):
    pytest.importorskip("torchmetrics")
    import torch
    from torchmetrics.image.inception import InceptionScore as Oracle

    logits = torch.from_numpy(3 * draw(300, 10)).double()
    oracle = Oracle(feature=torch.nn.Identity(), splits=1).double()
    oracle.features = [logits]
    assert inception_score(logits, splits=1).value == pytest.approx(
        float(oracle.compute()[0]), rel=1e-5
    )


def test_known_values():
    certain = np.eye(5)[np.arange(100) % 5]
    assert inception_score(certain, splits=1).value == pytest.approx(5)
    assert inception_score(np.full((100, 5), 0.2), splits=4).value == pytest.approx(1)
    assert inception_score(np.eye(5)[np.zeros(100, int)], splits=1).value == pytest.approx(1)
    assert inception_score(1000 * certain, splits=1).value == pytest.approx(5)
    assert float(inception_score(certain, splits=1)) == pytest.approx(5)


def test_sorted_samples_are_shuffled_before_the_split():
    by_class = np.eye(5)[np.repeat(np.arange(5), 40)]
    assert inception_score(by_class, splits=5, seed=None).value == pytest.approx(1)
    assert inception_score(by_class, splits=5).value > 4.5
    assert inception_score(by_class, splits=5) == inception_score(by_class, splits=5)


def test_falls_with_lost_classes_and_with_doubt():
    sharp = [inception_score(np.eye(10)[np.arange(200) % k], splits=1).value for k in (10, 5, 2)]
    assert sharp == pytest.approx([10, 5, 2])
    doubts = [
        inception_score(t * np.eye(10)[np.arange(200) % 10], splits=1, logits=True).value
        for t in (10, 3, 1)
    ]
    assert doubts == sorted(doubts, reverse=True)
    assert doubts[0] > 2 * doubts[-1]


def test_looks_like_probabilities_but_is_declared_logits():
    rows = np.eye(4)[np.arange(40) % 4]
    assert inception_score(rows, 1, logits=True).value < inception_score(rows, 1).value


def test_bad_input(draw):
    with pytest.raises(UserError, match="divided into 10 splits"):
        inception_score(draw(5, 3))
    with pytest.raises(UserError, match="two classes"):
        inception_score(np.ones((30, 1)))
    with pytest.raises(UserError, match="NaN"):
        inception_score(np.full((30, 3), np.nan))
    with pytest.raises(UserError, match="logits=True"):
        inception_score(draw(30, 3), logits=False)
    with pytest.warns(SmallSampleWarning, match="bounded by the split size"):
        inception_score(draw(30, 10), splits=10)
