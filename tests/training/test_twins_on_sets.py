"""Twins that learn from samples of their own: image sets side by side."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

import mtgan
from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.evaluation import evaluate
from mtgan.recipes import Recipe
from mtgan.training import Run, train
from mtgan.training.batches import BatchLoader
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.mixture import Move
from mtgan.training.requests import Requests
from mtgan.training.train import prepare
from mtgan.training.twins import own_level, own_samples, parts_of
from toys import Instruments, make_data, small_recipe

CPU = torch.device("cpu")
TWINS = ("first", "second")
COUNTS = {"dark": 24, "bright": 40}


def recipe(**keys: object) -> Recipe:
    changed = {"training__steps": 6, "schedule__discriminator_steps": 2, **keys}
    return small_recipe("mtl-wgan-sets", **changed)


def one_set(name: str, low: int, classes: int) -> Dataset:
    """Noise images brighter than `low`, of classes in equal numbers."""
    count = COUNTS[name]
    images = np.random.default_rng(low).integers(low, low + 80, (count, 1, 16, 16), dtype=np.uint8)
    names = tuple(f"{name} {i}" for i in range(classes))
    labels = np.arange(count)[:, None] % classes
    return Dataset(images, labels, Taxonomy((name,), {name: names}, {}), name)


DARK, BRIGHT = one_set("dark", 0, 3), one_set("bright", 160, 4)


def two_sets() -> Dataset:
    """Both, whose pixels say which one a sample is of."""
    levels = {**DARK.taxonomy.classes, **BRIGHT.taxonomy.classes}
    labels = np.full((len(DARK) + len(BRIGHT), 2), -1)
    labels[: len(DARK), 0], labels[len(DARK) :, 1] = DARK.labels[:, 0], BRIGHT.labels[:, 0]
    samples = np.concatenate([DARK.samples, BRIGHT.samples])
    return Dataset(samples, labels, Taxonomy(tuple(levels), levels, {}), "two sets")


@pytest.fixture
def game() -> Game:
    return Game(recipe(), DatasetInfo.of(two_sets()))


# Which samples are a twin's own


def rows_info(rows: list[list[int]]) -> DatasetInfo:
    levels = {"shape": ("a", "b"), "tone": ("x", "y")}
    samples = np.zeros((len(rows), 1, 8, 8), np.uint8)
    return DatasetInfo.of(Dataset(samples, np.array(rows), Taxonomy(tuple(levels), levels, {})))


def test_twins_have_samples_of_their_own_where_none_has_labels_of_both() -> None:
    apart = rows_info([[0, -1], [1, -1], [-1, 0], [-1, -1]])
    asked = recipe(twins=["shape", "tone"], sharing=[])
    assert [own_level(asked, apart, twin) for twin in asked.twins] == ["shape", "tone"]
    assert own_level(asked, apart, None) is None
    once = rows_info([[0, -1], [1, 1], [-1, 0]])
    assert [own_level(asked, once, twin) for twin in asked.twins] == [None, None]
    alone = recipe(twins=["shape"], sharing=[])
    assert own_level(alone, apart, "shape") is None


def test_levels_that_refine_one_another_share_all_samples_also_those_without_labels() -> None:
    data = make_data().labeled_on(0.25)
    info = DatasetInfo.of(data)
    asked = small_recipe("mtl-wgan-projection")
    assert [own_level(asked, info, twin) for twin in asked.twins] == [None, None]
    assert parts_of(asked, data) == [data]
    assert own_samples(data, None) is data


def test_of_other_data_all_are_taken() -> None:
    data = two_sets()
    assert own_samples(make_data(), "dark").labels.shape == (48, 2)
    dark, bright = parts_of(recipe(), data)
    assert np.array_equal(dark.samples, DARK.samples)
    assert np.array_equal(bright.samples, BRIGHT.samples)
    assert bright.taxonomy == data.taxonomy


# What is drawn


def test_every_batch_and_request_of_a_twin_is_of_its_own_set(tmp_path: Path) -> None:
    trainer = prepare(recipe(), two_sets(), tmp_path / "run")
    seen = Counter[str]()
    for phase in trainer.game.phases:
        level = "dark" if phase.option == "/first" else "bright"
        other = "bright" if level == "dark" else "dark"
        for turn in range(3):
            batch, inputs = trainer.draw(phase, turn, 0)
            assert (inputs.labels[level] >= 0).all()
            assert (inputs.labels[other] == -1).all()
            if batch is not None:
                seen[level] += 1
                assert (batch.labels[level] >= 0).all()
                assert (batch.labels[other] == -1).all()
                is_dark = (batch.samples < 0).flatten(1).all(1)
                assert (is_dark == (level == "dark")).all()
    assert seen == {"dark": 3, "bright": 3}


def test_a_twin_draws_what_it_would_of_its_set_alone() -> None:
    """An epoch is one pass over its own samples, in the order of the set alone, and classes to
    generate by are those of the set alone."""
    both, alone = (
        BatchLoader(data, Requests(DatasetInfo.of(data)), CPU, 0, flip=False)
        for data in (two_sets(), DARK)
    )
    epoch = []
    for turn in range(3):  # 24 samples by 8
        move = Move("discriminator/first", turn, own_level="dark")
        mine = both.batch(move, 8, torch.Generator())
        his = alone.batch(Move("discriminator/first", turn), 8, torch.Generator())
        assert torch.equal(mine.samples, his.samples)
        assert torch.equal(mine.labels["dark"], his.labels["dark"])
        epoch.append(mine.samples)
        asked = both.draw_labels(move, False, 50, torch.Generator().manual_seed(turn))
        drawn = alone.draw_labels(move, False, 50, torch.Generator().manual_seed(turn))
        assert asked[:, :1].tolist() == drawn.tolist()
        beside = both.draw_labels(move, True, 8, torch.Generator())
        assert torch.equal(beside[:, 0], mine.labels["dark"])  # compared under the same labels
    assert len(torch.cat(epoch).unique(dim=0)) == len(DARK)


def test_shared_layers_learn_from_both_sets_and_others_from_one(tmp_path: Path) -> None:
    trainer = prepare(recipe(), two_sets(), tmp_path / "run")
    game, moved = trainer.game, dict[str, set[str]]()
    for twin, phases in zip(TWINS, (game.phases[:2], game.phases[2:]), strict=True):
        before = {key: tensor.clone() for key, tensor in game.tensors().items()}
        for phase in phases:
            trainer.move(phase)
        changed = {
            key.removeprefix("networks/")
            for key, tensor in game.tensors().items()
            if key.startswith("networks/") and not torch.equal(tensor, before[key])
        }
        moved[twin] = {key for key in changed if not key.endswith(("_mean", "_var", "_tracked"))}
    shared = moved["first"] & moved["second"]
    layers = {key.split("/")[2].split(".")[1] for key in shared}
    assert {key.split("/")[0] for key in shared} == {"generator", "discriminator"}
    assert all(key.split("/")[1] == "first" for key in shared), "where they are kept"
    assert layers == {"0", "1"}
    for twin, other in zip(TWINS, TWINS[::-1], strict=True):
        alone = moved[twin] - shared
        assert alone
        assert not any(f"/{other}/" in key for key in alone)


def test_what_learns_from_what_is_said(game: Game) -> None:
    assert game.notes() == [
        "Twins learn from samples of their own alone, since none has labels of both: first from "
        "the 24 with a label of 'dark', second from the 40 with a label of 'bright'."
    ]


# A run


class Kept(Instruments):
    """Remembers what it was to measure against, and the labels of what it measured."""

    def __init__(self) -> None:
        self.references = list[Dataset]()
        self.labels = list[np.ndarray]()

    def evaluator(self, data: Dataset, n: int, device: object, **how: object) -> Instruments:
        self.references.append(data)
        return self

    def __call__(self, samples: np.ndarray, labels: np.ndarray | None) -> dict[str, float]:
        assert labels is not None
        self.labels.append(labels)
        return {"frechet_distance": 1.0}


def test_each_is_evaluated_against_its_own_set_while_it_is_trained(tmp_path: Path) -> None:
    kept = Kept()
    asked = recipe(training__evaluate_every=3)
    run = train(asked, two_sets(), tmp_path / "run", quiet=True, instruments=kept)
    dark, bright = kept.references  # once each, whatever the number of evaluations
    assert np.array_equal(dark.samples, DARK.samples)
    assert np.array_equal(bright.samples, BRIGHT.samples)
    assert [(labels >= 0).all(axis=0).tolist() for labels in kept.labels] == [
        [True, False],
        [False, True],
    ] * 3
    assert run.twin("bright").twin_name == "second"


class Stamping(Instruments):
    """Says in its protocol how many samples it measures against."""

    def evaluator(self, data: Dataset, n: int, device: object, **how: object) -> Instruments:
        made = Instruments()
        made.protocol = {"features": "none", "reference": len(data)}
        return made


def test_a_logged_protocol_is_that_of_the_twin(tmp_path: Path) -> None:
    asked = recipe(training__steps=1, training__evaluate_every=1)
    run = train(asked, two_sets(), tmp_path / "run", quiet=True, instruments=Stamping())
    for name, count in COUNTS.items():
        lines = [line for line in run.twin(name).metrics() if line["kind"] == "evaluation"]
        assert [line["protocol"]["reference"] for line in lines] == [count, count]
        assert not any("twins_protocol" in line for line in lines)


def test_a_stopped_training_goes_on_exactly(tmp_path: Path) -> None:
    whole = train(recipe(), two_sets(), tmp_path / "whole", quiet=True)
    train(recipe(training__steps=4), two_sets(), tmp_path / "part", quiet=True)
    again = train(recipe(), two_sets(), tmp_path / "part", quiet=True, resume=True)
    ours, theirs = (run.game().tensors() for run in (whole, again))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_twin_is_asked_for_classes_of_its_own_set(tmp_path: Path) -> None:
    run = train(recipe(training__steps=1), two_sets(), tmp_path / "run", quiet=True)
    made = run.sample(40, seed=0, twin="bright")
    assert isinstance(made, Samples)
    assert set(made.labels[:, 1]) == {0, 1, 2, 3}
    assert (made.labels[:, 0] == -1).all()
    assert run.sample(3, "dark 2", seed=0).labels.tolist() == [[2, -1]] * 3
    with pytest.raises(UserError, match="dark"):
        run.sample(1, {"dark": "dark 0"}, twin="bright")


@pytest.fixture(scope="module")
def on_files(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Trained on two sets that can be loaded again."""
    folder = tmp_path_factory.mktemp("sets")
    images = np.random.default_rng(0).integers(0, 99, (60, 8, 8, 1), dtype=np.uint8)
    np.savez(folder / "noise.npz", images=images, labels=np.arange(60) % 2)
    keys = {
        "sharing__0__layers": 1,
        "sharing__1__layers": 1,  # at 8 pixels the critic has one
        "training__steps": 1,
        "training__evaluate_every": 0,
    }
    data = load_dataset(f"sets:digits+noise={folder}/noise.npz", subset=800)
    return train(recipe(**keys), data, folder / "run", quiet=True)


def test_the_data_of_a_run_as_of_a_twin_are_its_own(on_files: Run) -> None:
    digits = load_dataset("digits", "test")
    assert np.array_equal(on_files.twin("digits").load_data("test").samples, digits.samples)
    noise = on_files.twin("noise").load_data("test")
    assert len(noise) == 12
    assert (noise.labels[:, 0] == -1).all()
    assert len(on_files.load_data("test")) == len(digits) + 12


def test_an_evaluation_is_against_its_own_set(on_files: Run) -> None:
    options = {"features": "pixels", "metrics": "frechet_distance", "split": "test", "seed": 0}
    for name, count in (("digits", 359), ("noise", 12)):
        twin = on_files.twin(name)
        card = mtgan.evaluate(twin, n=count, **options)
        made = on_files.sample(count, seed=0, twin=name)
        expected = evaluate(np.asarray(made), twin.load_data("test"), n=count, **options)
        value = card.entries["frechet_distance"].value
        assert value == pytest.approx(expected.entries["frechet_distance"].value, rel=1e-6)
        assert card.protocol.reference == count


# What is refused


def test_a_set_smaller_than_a_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"^The twin 'first' has 24 training samples of its own, .* label of 'dark', fewer "
        r"than one batch of 30; set training.batch_size to at most 24.$",
    ):
        train(recipe(training__batch_size=30), two_sets(), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_level_without_a_sample_is_refused(tmp_path: Path) -> None:
    data = two_sets().select(np.arange(len(DARK)))
    with pytest.raises(
        UserError, match=r"draws labels of level 'bright' .*no sample there has one"
    ):
        train(recipe(), data, tmp_path / "run", quiet=True)
