"""What a judge recognizes, and which one is taken."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from mtgan.data import Dataset, Taxonomy
from mtgan.evaluation.features import (
    FeatureRequest,
    build_extractor,
    choice,
    fitness,
    measure_fitness,
)
from mtgan.evaluation.features.fitness import Fitness, judge_splits


def one(right: int, asked: int, chance: float = 0.1) -> Fitness:
    return Fitness("fine", right, asked, chance, classes=10, fewest=5)


@pytest.mark.parametrize(("right", "asked"), [(0, 10), (5, 10), (10, 10), (61, 160), (950, 1000)])
def test_the_interval_is_wilsons(right: int, asked: int) -> None:
    expected = proportion_confint(right, asked, method="wilson")
    np.testing.assert_allclose(one(right, asked).interval, expected, atol=1e-4)


def test_skill_is_what_is_beyond_guessing() -> None:
    assert one(0, 0).skill(0.1) == 0
    assert one(0, 0).skill(1) == 1
    assert one(0, 0, chance=0.5).skill(0.75) == 0.5


def test_a_judge_is_fit_when_even_the_lower_end_is() -> None:
    assert not one(4, 10).passes(1 / 3)  # 0.4, but perhaps 0.17
    assert not one(4000, 10_000).passes(1 / 3)  # 0.39 at its lower end is a skill of 0.32
    assert one(4200, 10_000).passes(1 / 3)
    assert not one(0, 0).passes(0)
    sentence = one(4200, 10_000).sentence()
    assert sentence.startswith("right on 0.42 [0.41, 0.43] of 10,000 held-out real images")


def test_fitness_is_counted_on_held_out_images(digits: Dataset, unseen: Dataset) -> None:
    extractor = build_extractor(FeatureRequest("pixels", digits))
    found = measure_fitness(extractor, digits)
    assert list(found) == list(digits.taxonomy.levels)
    for column, level in enumerate(digits.taxonomy.levels):
        counts = np.bincount(unseen.labels[:, column])
        assert found[level].asked == len(unseen)
        assert found[level].chance == counts.max() / counts.sum()
        assert found[level].fewest == np.bincount(digits.labels[:, column]).min()
        assert 0.8 < found[level].accuracy < 1


def test_missing_labels_are_not_asked_for(tiny: Dataset) -> None:
    labels = tiny.labels.copy()
    _, held_out = judge_splits(tiny)
    labels[::2] = -1
    partly = replace(tiny, labels=labels)
    found = measure_fitness(build_extractor(FeatureRequest("pixels", partly)), partly)
    expected = int((judge_splits(partly)[1].labels[:, 0] >= 0).sum())
    assert 0 < found["fine"].asked == expected < len(held_out)


def test_without_labels_nothing_is_known(unlabeled: Dataset) -> None:
    extractor = build_extractor(FeatureRequest("auto", unlabeled))
    assert extractor.name == "imagenet-lite"
    assert measure_fitness(extractor, unlabeled) == {}


def test_a_classifier_that_recognizes_its_classes_is_taken(digits: Dataset) -> None:
    assert build_extractor(FeatureRequest("auto", digits)).name == "classifier"


@pytest.mark.parametrize(
    ("own", "other", "taken"),
    [
        (0.9, 1.0, "classifier"),
        (0.48, 0.61, "imagenet-lite"),
        (
            0.6,
            0.5,
            "imagenet-lite",
        ),  # the classifier is unfit, at the mark for what it learned from
        (0.3, 0.29, "classifier"),
        (0.29, 0.3, "imagenet-lite"),
    ],
)
def test_the_fitter_judge_is_taken(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch, own: float, other: float, taken: str
) -> None:
    class Space:
        def __init__(self, name: str) -> None:
            self.name = name
            self.least_skill = 0.7 if name == "classifier" else 1 / 3

    known = {"classifier": own, "imagenet-lite": other}
    monkeypatch.setattr(choice, "build_extractor", lambda request: Space(request.name))
    monkeypatch.setattr(
        choice,
        "measure_fitness",
        lambda space, reference: {"fine": one(round(10_000 * known[space.name]), 10_000)},
    )
    monkeypatch.setattr(choice, "agreement", lambda own, other, reference: 0.41)
    found = choice.build(FeatureRequest("auto", tiny))
    assert found.name == taken
    if own < 0.9:
        (rejected,) = known.keys() - {taken}
        assert found.rival.startswith(f"{rejected}, right on {known[rejected]:.2f} [")
        assert found.rival.endswith("; the two give the same class to 0.41 of them")


def test_agreement_counts_equal_answers_right_or_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"one": [0, 1, 2, 2], "other": [0, 2, 2, 1]}
    data = Dataset(
        np.zeros((40, 1, 4, 4), np.uint8),
        np.arange(40)[:, None] % 3,
        Taxonomy(("fine",), {"fine": tuple("abc")}, {}),
        "lines",
        "all",
    )
    monkeypatch.setattr(fitness, "_classes_said", lambda space, *_: {"fine": np.array(said[space])})
    assert fitness.agreement("one", "other", data) == 0.5  # type: ignore[arg-type]


def test_a_space_agrees_with_itself(tiny: Dataset) -> None:
    pixels = build_extractor(FeatureRequest("pixels", tiny))
    assert fitness.agreement(pixels, pixels, tiny) == 1


def test_labels_that_depend_on_nothing_leave_the_judge_unfit() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, (400, 1))
    images = random.integers(0, 256, (400, 1, 8, 8), dtype=np.uint8)
    data = Dataset(images, labels, Taxonomy(("fine",), {"fine": tuple("abcd")}, {}), "noise", "all")
    found = measure_fitness(build_extractor(FeatureRequest("pixels", data)), data)
    assert not found["fine"].passes(0.1)
