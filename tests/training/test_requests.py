"""Which labels a generator is asked for: as they occur, level by level, or as a user wants."""

import numpy as np
import pytest
import torch

from mtgan.data import Dataset, Taxonomy
from mtgan.errors import UserError
from mtgan.recipes.rules import RecipeWarning
from mtgan.training import train
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.mixture import Move
from mtgan.training.requests import Requests
from toys import make_data, small_recipe

# Two independent attributes; animals lie in kinds.
ATTRIBUTES = Taxonomy(
    ("animal", "kind", "tone"),
    {"animal": ("bird", "frog", "dog"), "kind": ("wild", "tame"), "tone": ("red", "blue")},
    {"animal": ("kind", (0, 0, 1))},
)


def attributes(rows: list[list[int]]) -> Dataset:
    """A sample of each row, animal, kind and tone, -1 where missing."""
    samples = np.random.default_rng(0).integers(0, 256, (len(rows), 1, 16, 16)).astype(np.uint8)
    return Dataset(samples, np.array(rows), ATTRIBUTES, name="zoo", spec={"name": "zoo"})


def requests(rows: list[list[int]], *taken: str) -> Requests:
    return Requests(DatasetInfo.of(attributes(rows)), taken or ("animal", "tone"))


def drawn(asked: Requests, count: int = 400, **wanted: int) -> np.ndarray:
    return asked.draw(count, torch.Generator().manual_seed(0), wanted).numpy()


EITHER = [[i % 3, -1, -1] for i in range(120)] + [[-1, -1, i % 2] for i in range(120)]


def test_each_level_is_drawn_where_it_is_labeled() -> None:
    """Every sample has an animal or a tone, and none has both."""
    rows = drawn(requests(EITHER), 3000)
    assert (rows >= 0).all()
    assert np.abs(np.bincount(rows[:, 0]) / 3000 - 1 / 3).max() < 0.05
    assert np.abs(np.bincount(rows[:, 2]) / 3000 - 1 / 2).max() < 0.05
    assert (rows[:, 1] == np.array([0, 0, 1])[rows[:, 0]]).all()


def test_a_level_that_is_not_needed_is_not_asked_for() -> None:
    """Animals that have no tone count like others where the generator is told the animal alone."""
    rows = [[0, -1, -1]] * 90 + [[2, -1, 1]] * 10 + [[-1, -1, 0]] * 500
    found = drawn(requests(rows, "animal"), 2000)
    assert abs((found[:, 0] == 2).mean() - 0.1) < 0.03
    assert requests(rows, "animal").note() == (
        "Labels to generate by are drawn from the samples that have them: of 600, 100 with a label "
        "of 'animal'."
    )


def test_labels_that_occur_together_are_drawn_together() -> None:
    """Missing at random: the joint distribution is that of the samples that show it."""
    random = np.random.default_rng(0)
    animal = random.integers(0, 2, 4000)
    rows = np.stack([animal, -np.ones_like(animal), animal], axis=1)  # birds red, frogs blue
    rows[random.random(4000) < 0.5, 0] = -1
    rows[random.random(4000) < 0.5, 2] = -1
    found = drawn(requests(rows.tolist()), 2000)
    assert (found >= 0).all()
    assert (found[:, 0] == found[:, 2]).all()


def test_few_samples_with_both_do_not_decide_for_all() -> None:
    found = drawn(requests([*EITHER, [0, -1, 1]]), 3000)
    assert ((found[:, 0] == 1) & (found[:, 2] == 1)).mean() > 0.1
    assert abs((found[:, 0] == 0).mean() - 1 / 3) < 0.1


def test_a_fine_label_is_completed_within_its_coarse_one() -> None:
    rows = [[0, -1, 0], [1, -1, 0], [2, -1, 1]] * 20
    asked = requests(rows)
    real = np.array([[-1, 0, -1], [-1, 1, 0], [1, -1, 1], [-1, -1, -1]] * 10)
    found = asked.complete(real, torch.Generator().manual_seed(0)).numpy()
    assert (found >= 0).all()
    assert ((real < 0) | (found == real)).all()  # what is known is kept
    assert (found[:, 1] == np.array([0, 0, 1])[found[:, 0]]).all()


def test_what_cannot_be_completed_is_drawn_anew() -> None:
    """No tame animal has a name: a sample that is known to be tame alone gives no request."""
    rows = [[0, -1, 0], [1, -1, 1], [-1, 1, 0]] * 20
    found = requests(rows).complete(np.array([[-1, 1, -1]] * 50), torch.Generator().manual_seed(0))
    assert set(found[:, 0].tolist()) == {0, 1}
    assert (drawn(requests(rows))[:, 0] >= 0).all()


def test_three_levels_with_half_of_each_missing_use_all_rows() -> None:
    random = np.random.default_rng(1)
    whole = np.stack([random.integers(0, n, 640) for n in (3, 1, 2)], axis=1)
    whole[:, 1] = -1
    whole[random.random((640, 3)) < 0.5] = -1
    found = drawn(requests(whole.tolist()), 4000)
    for column in (0, 2):
        known = whole[whole[:, column] >= 0, column]
        expected = np.bincount(known) / len(known)
        assert np.abs(np.bincount(found[:, column]) / 4000 - expected).max() < 0.08


def test_classes_that_exclude_each_other_are_refused_and_unseen_pairs_are_not() -> None:
    asked = requests([[0, -1, 0], [1, -1, 1], [2, -1, 1]])
    with pytest.raises(UserError, match=r"kind=tame and animal=bird exclude each other"):
        asked.row({"kind": 1, "animal": 0})
    row = asked.row({"animal": 0, "tone": 1})
    assert row.tolist() == [0, 0, 1]
    assert not asked.were_seen(row)
    assert (drawn(asked, 20, animal=0, tone=1) == [0, 0, 1]).all()
    # What is not asked for is drawn, though no sample has the rest.
    found = drawn(asked, 200, kind=1, tone=0)
    assert (found == [2, 1, 0]).all()


def test_a_class_without_samples_cannot_be_asked_for() -> None:
    asked = requests([[0, -1, 0], [1, -1, 1]])
    with pytest.raises(UserError, match=r"No training sample has animal=dog, so the generator"):
        asked.row({"animal": 2})
    tame = requests([[0, -1, 0], [1, -1, 1], [-1, 1, 1]])
    with pytest.raises(UserError, match=r"No training sample with kind=tame has a label at"):
        tame.row({"kind": 1})


def test_given_is_what_the_generator_was_told_and_what_follows() -> None:
    rows = np.array([[0, 0, 1], [2, 1, 0]])
    assert requests(EITHER, "animal").given(rows).tolist() == [[0, 0, -1], [2, 1, -1]]
    assert requests(EITHER, "tone").given(rows).tolist() == [[-1, -1, 1], [-1, -1, 0]]
    assert requests(EITHER, "animal").askable == ("animal", "kind")


# In a training


@pytest.mark.parametrize("condition_on", ["animal", "tone", ["animal", "tone"]])
def test_partial_labels_train(condition_on, tmp_path, capsys) -> None:
    """A label that a recipe does not need may be missing everywhere it is."""
    tasks = [condition_on] if isinstance(condition_on, str) else condition_on
    recipe = small_recipe(
        "ac-wgan-a-real",
        condition_on=condition_on,
        tasks=[{"labels": level, "generated": False} for level in tasks],
        training__steps=1,
    )
    run = train(recipe, attributes(EITHER), tmp_path / "run")
    assert "of 240, 120 with a label of" in capsys.readouterr().err
    labels = run.sample(50).labels
    assert labels is not None
    told = {level: (labels[:, i] >= 0).all() for i, level in enumerate(ATTRIBUTES.levels)}
    assert told == {"animal": "animal" in tasks, "kind": "animal" in tasks, "tone": "tone" in tasks}


def test_a_level_without_any_label_is_refused_by_name() -> None:
    rows = [[i % 3, -1, -1] for i in range(12)]
    recipe = small_recipe("cwgan-a", condition_on=["animal", "tone"])
    with pytest.raises(UserError, match=r"draws labels of level 'tone'.*no sample there has one"):
        Game(recipe, DatasetInfo.of(attributes(rows)))
    Game(small_recipe("cwgan-a", condition_on="animal"), DatasetInfo.of(attributes(rows)))


def test_what_is_compared_is_asked_for_alike() -> None:
    """The rows to generate by are those of the real batch, completed."""
    from mtgan.training.batches import BatchLoader

    data = attributes(EITHER)
    loader = BatchLoader(data, requests(EITHER), torch.device("cpu"), 0, flip=False)
    real = loader.batch(Move("d", 2), 16, torch.Generator())
    rows = loader.draw_labels(Move("d", 2), True, 16, torch.Generator().manual_seed(0))
    for column, level in enumerate(ATTRIBUTES.levels):
        known = real.labels[level] >= 0
        assert (rows[known, column] == real.labels[level][known]).all()
    assert (rows >= 0).all()


def test_a_head_on_what_the_generator_is_not_told_is_warned_of(tmp_path) -> None:
    rows = [[i % 3, -1, i % 2] for i in range(24)]
    recipe = small_recipe(
        "ac-wgan-a",
        condition_on="animal",
        tasks=[{"labels": "kind"}, {"labels": "tone"}],
        training__steps=1,
    )
    with pytest.warns(RecipeWarning, match=r"by 'tone', .* set condition_on=\[animal,tone\]"):
        train(recipe, attributes(rows), tmp_path / "run", quiet=True)


def test_complete_data_are_drawn_as_they_are() -> None:
    info = DatasetInfo.of(make_data(40))
    assert Requests(info).note() == ""
    rows = Requests(info).draw(5, torch.Generator().manual_seed(3))
    weights = torch.from_numpy(info.label_counts / 40)
    same = torch.multinomial(weights, 5, True, generator=torch.Generator().manual_seed(3))
    assert np.array_equal(rows.numpy(), info.label_rows[same.numpy()])
