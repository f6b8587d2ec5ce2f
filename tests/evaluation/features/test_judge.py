"""A judge that is too weak does not judge."""

from dataclasses import replace

import numpy as np
import pytest

from mtgan.data import Dataset, Taxonomy
from mtgan.evaluation import evaluate
from mtgan.evaluation.features import Fitness, classifier
from mtgan.evaluation.features.base import FeatureExtractor
from mtgan.evaluation.features.classifier import Budget
from mtgan.evaluation.features.judge import Judge
from mtgan.evaluation.scorecard import Scorecard


class Space(FeatureExtractor):
    name = "space"
    dim = 400

    def embed(self, images):
        raise AssertionError


def fitness(level: str, right: int) -> Fitness:
    return Fitness(level, right, 1000, 0.1, classes=10, fewest=100)


@pytest.mark.parametrize(
    ("samples", "right", "says"),
    [
        (100, 900, []),
        (
            99,
            900,
            ["99 samples of each side are too few for 400 feature dimensions; give"],
        ),
        (100, 300, ["space recognizes too few held-out real images; give more labeled images"]),
    ],
)
def test_doubts(samples: int, right: int, says: list[str]) -> None:
    judge = Judge.of(Space(), {"fine": fitness("fine", right)}, samples)
    assert len(judge.doubts) == len(says)
    for doubt, words in zip(judge.doubts, says, strict=True):
        assert doubt.startswith(words)


def test_one_fit_level_is_enough_for_a_figure_but_not_for_the_other_levels_score() -> None:
    levels = {"fine": fitness("fine", 300), "coarse": fitness("coarse", 900)}
    judge = Judge.of(Space(), levels, 1000)
    assert judge.doubts == ()
    assert judge.unfit == {"fine"}
    assert any("no score for conditioning at level fine" in line for line in judge.sentences())


def test_the_space_that_was_not_taken_is_named() -> None:
    space = Space()
    space.rival = "other, right on 0.48"
    judge = Judge.of(space, {"fine": fitness("fine", 900)}, 1000)
    assert judge.sentences()[1:] == ["not taken: other, right on 0.48"]


def test_pixels_give_no_figure() -> None:
    space = Space()
    space.sees_content = False
    assert "fog" in Judge.of(space, {}, 1000).doubts[0]


@pytest.fixture(scope="module")
def blobs() -> tuple[Dataset, Dataset]:
    """Bright discs at four places, under labels that say the place, and labels that say nothing."""
    random = np.random.default_rng(0)
    place = random.integers(0, 4, 800)
    images = random.integers(0, 60, (800, 1, 16, 16))
    for image, corner in zip(images, place, strict=True):
        y, x = divmod(int(corner), 2)
        image[0, 8 * y + 1 : 8 * y + 7, 8 * x + 1 : 8 * x + 7] += 180
    labels = np.stack([place, random.integers(0, 4, 800)], axis=1)
    taxonomy = Taxonomy(("place", "mood"), {"place": tuple("abcd"), "mood": tuple("klmn")}, {})
    data = Dataset(images.astype(np.uint8), labels, taxonomy, "blobs", "all")
    only_mood = Taxonomy(("mood",), {"mood": tuple("klmn")}, {})
    return data, replace(data, labels=labels[:, 1:], taxonomy=only_mood)


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discs are learned in few steps."""
    monkeypatch.setattr(classifier, "Budget", lambda: Budget(min_steps=60, max_steps=60, batch=64))


def judged(data: Dataset) -> Scorecard:
    metrics = "frechet_distance,precision_recall,conditional_accuracy"
    return evaluate(
        data.samples[:200],
        data,
        labels=data.labels[:200],
        features="classifier",
        metrics=metrics,
        corruptions=False,
        resamples=2,
    )


def test_a_level_that_nobody_could_recognize_has_no_score(blobs: tuple[Dataset, Dataset]) -> None:
    card = judged(blobs[0])
    assert card.overall is not None
    assert "conditioning/place" in card.axes
    assert "conditioning/mood" not in card.axes
    assert card.entries["conditional_accuracy/mood"].score is None
    assert card.entries["conditional_accuracy/place"].score is not None
    assert Scorecard.from_json(card.to_json()) == card


def test_without_a_fit_level_there_is_no_overall_figure(
    blobs: tuple[Dataset, Dataset], tmp_path
) -> None:
    from rich.console import Console

    card = judged(blobs[1])
    assert card.overall is None
    assert card.interval is None
    assert card.axes
    assert any(line.startswith("no overall figure: classifier recognizes") for line in card.judge)
    console = Console(record=True, width=200)
    console.print(card.table())
    printed = console.export_text()
    assert printed.index("judge: classifier") < printed.index("frechet_distance")
    assert "none" in printed
    assert card.picture(tmp_path / "card.png").stat().st_size > 0
