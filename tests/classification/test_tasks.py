"""What each task learns from."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from classification.small import small
from mtgan.classification.tasks import load_auxiliary_data, make_tasks, split_data
from mtgan.data import load_dataset
from mtgan.data.levels import taxonomy_of
from mtgan.errors import UserError
from toys import make_data


def rows_of(part, data) -> set[int]:
    keys = [image.tobytes() for image in data.samples]
    return {keys.index(image.tobytes()) for image in part.samples}


def test_validation_is_the_same_for_all_and_fractions_are_nested(data) -> None:
    splits = {(f, s): split_data(data, 0.2, None, f, s) for f in (1.0, 0.5, 0.25) for s in (0, 1)}
    held = {frozenset(rows_of(split.validation, data)) for split in splits.values()}
    assert len(held) == 1
    assert len(next(iter(held))) == 8
    drawn = {key: rows_of(split.training, data) for key, split in splits.items()}
    assert [len(drawn[f, 0]) for f in (1.0, 0.5, 0.25)] == [32, 16, 8]
    assert drawn[0.25, 0] < drawn[0.5, 0] < drawn[1.0, 0]
    assert drawn[0.5, 0] != drawn[0.5, 1]
    assert not drawn[1.0, 0] & next(iter(held))


def test_counts_of_images(data) -> None:
    split = split_data(data, 10, 20, 0.5, 0)
    assert (len(split.validation), len(split.training)) == (10, 10)
    with pytest.raises(UserError, match=r"data.validation=40 would hold out 40 of the 40"):
        split_data(data, 40, None, 1.0, 0)


def test_validation_images_are_real(data) -> None:
    made = np.arange(40) >= 25
    split = split_data(replace(data, generated=made), 0.2, None, 1.0, 0)
    held = rows_of(split.validation, data)
    assert len(held) == 5  # a fifth of the real ones
    assert max(held) < 25
    assert len(split.training) == 35
    everything = split_data(replace(data, generated=made), 25, None, 1.0, 0)
    assert rows_of(everything.validation, data) == set(range(25))
    with pytest.raises(UserError, match=r"26 of the 25 real training images"):
        split_data(replace(data, generated=made), 26, None, 1.0, 0)
    with pytest.raises(UserError, match=r"All 40 training images of toy were generated"):
        split_data(replace(data, generated=np.ones(40, bool)), 0.2, None, 1.0, 0)


def test_the_coarse_labels_are_the_auxiliary_task(data) -> None:
    tasks = make_tasks(small("mtl-hard"), data, make_data(20, seed=1))
    main, auxiliary = tasks["main"], tasks["auxiliary"]
    assert (main.level, auxiliary.level) == ("fine", "coarse")
    assert (auxiliary.training.labels == main.training.labels // 2).all()
    assert auxiliary.test is None
    assert list(make_tasks(small("stl"), data, make_data(20, seed=1))) == ["main"]


def labels(data, name: str) -> tuple[np.ndarray, np.ndarray]:
    recipe = small("mtl-soft", auxiliary__labels=name, auxiliary__superclasses=2)
    tasks = make_tasks(recipe, data, make_data(20, seed=1))
    return tasks["main"].training.labels, tasks["auxiliary"].training.labels


def test_the_same_labels_again(data) -> None:
    main, same = labels(data, "same")
    assert (main == same).all()


def test_random_superclasses(data) -> None:
    main, grouped = labels(data, "random")
    assert [len(set(grouped[main == c])) for c in range(4)] == [1, 1, 1, 1]
    assert sorted(len(set(main[grouped == g])) for g in range(2)) == [2, 2]


def test_clustered_superclasses_hold_what_is_confused(data, monkeypatch) -> None:
    class Confused(torch.nn.Module):
        """Tells a and c from b and d, by brightness within the pair, and nothing more."""

        def forward(self, images):
            guesses = torch.tensor([[5.0, 0, 4, 0], [0, 5.0, 0, 4]])
            bright = (images.mean((1, 2, 3)) * 127.5 + 127.5 - 50) / 30
            return None, {"fine": guesses[bright.round().long().clamp(0, 3) % 2]}

    monkeypatch.setattr(
        "mtgan.evaluation.features.classifier.train_classifier", lambda *_, **__: Confused()
    )
    main, grouped = labels(data, "clustered")
    assert {tuple(sorted(set(main[grouped == g]))) for g in range(2)} == {(0, 2), (1, 3)}


def test_another_data_set_is_scaled_to_the_first(data) -> None:
    other = load_auxiliary_data("digits", data)
    assert other.shape == data.shape
    recipe = small("mtl-hard", auxiliary__labels="fine", auxiliary__images=30)
    tasks = make_tasks(recipe, data, make_data(20, seed=1), other)
    assert len(tasks["auxiliary"].classes) == 10
    assert len(tasks["auxiliary"].training) == 30


def test_what_does_not_fit_is_refused(data) -> None:
    test = make_data(20, seed=1)
    with pytest.raises(UserError, match="the main task's; for that control say --auxiliary same"):
        make_tasks(small("mtl-hard", auxiliary__labels="fine"), data, test)
    with pytest.raises(UserError, match="needs the label level 'color'"):
        make_tasks(small("mtl-hard", auxiliary__labels="color"), data, test)
    one = replace(
        data, taxonomy=taxonomy_of({"fine": ["a", "b", "c", "d"]}), labels=data.labels[:, :1]
    )
    with pytest.raises(UserError, match=r"has the label level 'fine' alone.*--taxonomy"):
        make_tasks(small("mtl-hard"), one, test)
    none = replace(data, taxonomy=taxonomy_of({}), labels=data.labels[:, :0])
    with pytest.raises(UserError, match="has no labels"):
        make_tasks(small("stl"), none, test)
    other = load_dataset("digits")
    with pytest.raises(UserError, match=r"are 8 x 8 in 1 channel, and .* 16 x 16 in 1 channel"):
        make_tasks(small("mtl-hard"), data, test, other)
