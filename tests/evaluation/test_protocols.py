"""Protocols: what is measured under one, by an independent computation, and what its stamp says."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mtgan.data import Dataset, Taxonomy
from mtgan.errors import UserError
from mtgan.evaluation import Evaluator, evaluate
from mtgan.evaluation.features import FeatureExtractor
from mtgan.parts import FEATURE_SPACES

TRUE = np.random.default_rng(5).standard_normal((16, 20)) / 40


class Fake(FeatureExtractor):
    """Pixels, and logits of 20 classes that are linear in them."""

    name, dim, cacheable, logit_levels = "fake", 16, False, ("imagenet",)

    def embed(self, images):
        pixels = images.flatten(1).double()
        return pixels.float(), {"imagenet": (pixels @ torch.from_numpy(TRUE)).float()}


def images(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 4, 4), dtype=np.uint8)


def data_of(made: np.ndarray) -> Dataset:
    labels = np.empty((len(made), 0), dtype=np.int64)
    return Dataset(made, labels, Taxonomy((), {}, {}), name="real", split="train")


def real() -> Dataset:
    return data_of(images(60, 1))


def score(made: np.ndarray, splits: int) -> tuple[float, float]:
    """The inception score as Salimans et al. 2016 define it, in numpy; shuffled by seed 0."""
    order = torch.randperm(len(made), generator=torch.Generator().manual_seed(0)).numpy()
    logits = (made.reshape(len(made), -1).astype(float) @ TRUE)[order]
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    values = []
    for part in np.array_split(p, splits):
        values.append(np.exp((part * np.log(part / part.mean(0))).sum(1).mean()))
    return float(np.mean(values)), float(np.std(values))


def test_the_thesis_takes_the_inception_score_over_ten_splits(monkeypatch) -> None:
    monkeypatch.setitem(FEATURE_SPACES._entries, "fake", lambda request: Fake())
    made = images(5_000, 2)
    card = evaluate(data_of(made), real(), protocol="thesis", features="fake")
    value, std = score(made, 10)
    assert card["inception_score/imagenet"] == pytest.approx(value, rel=1e-6)
    assert value - score(made, 1)[0] < -0.01  # fewer samples in a split: a lower score
    assert any(
        f"10 splits of 500 samples, whose standard deviation is {std:.3g}" in note
        for note in card.notes
    )
    assert (card.protocol.generated, card.protocol.reference) == (5_000, 60)
    assert card.protocol.inception_splits == card.protocol.as_dict()["inception_splits"] == 10
    before = replace(card.protocol, inception_splits=None)  # as older versions measured
    assert before.differences(card.protocol) == ["inception_splits: None and 10"]
    assert "inception_splits" not in before.as_dict()


def test_other_protocols_take_a_split_for_every_five_thousand(monkeypatch) -> None:
    monkeypatch.setitem(FEATURE_SPACES._entries, "fake", lambda request: Fake())
    made = images(5_000, 2)
    card = evaluate(data_of(made), real(), protocol="plain", features="fake")
    assert card["inception_score/imagenet"] == pytest.approx(score(made, 1)[0], rel=1e-6)


def test_more_samples_than_there_are_in_the_reference() -> None:
    """As training watches a run under a protocol of unequal sizes."""
    judge = Evaluator(
        real(), beside=["precision_recall"], features=Fake(), generated=500, protocol="thesis"
    )
    assert (judge.n, judge.protocol["generated"], judge.protocol["reference"]) == (500, 500, 60)
    made = images(700, 3)
    card = judge(made)
    assert set(card) == {"frechet_distance", "inception_score", "precision", "recall"}
    assert card["inception_score"] == pytest.approx(score(made[:500], 10)[0], rel=1e-6)
    with pytest.raises(UserError, match="fewer than the 500"):
        judge(made[:499])


def test_a_metric_beside_that_cannot_be_had_is_no_silence() -> None:
    judge = Evaluator(real(), beside=["data_copying"], features=Fake(), n=20)
    with pytest.raises(UserError, match="data_copying cannot be had here: there are no held-out"):
        judge(images(20, 3))


def test_a_protocol_that_is_none() -> None:
    with pytest.raises(UserError, match="no protocol 'thesiss': choose one of default, plain"):
        Evaluator(real(), features=Fake(), n=20, protocol="thesiss")
