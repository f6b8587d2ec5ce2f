"""Asking a finished run for samples."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan.data import Taxonomy, load_dataset
from mtgan.data.export import check_target, export_samples
from mtgan.errors import UserError
from mtgan.training import Run, train
from mtgan.training.dataset_info import DatasetInfo
from toys import make_data, small_recipe


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "plain"
    return Run.open(train(small_recipe(), make_data(), out, quiet=True).path)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "conditional"
    return Run.open(train(small_recipe("ac-wgan-b"), make_data(), out, quiet=True).path)


def test_samples_depend_on_the_seed_and_not_on_the_batch_size(plain: Run) -> None:
    first = plain.sample(30, seed=4)
    assert first.shape == (30, 1, 16, 16)
    assert first.dtype == np.uint8
    assert np.array_equal(first, plain.sample(30, seed=4))
    assert not np.array_equal(first, plain.sample(30, seed=5))
    apart = np.abs(first.astype(int) - plain.sample(30, seed=4, batch_size=7)).max()
    assert apart <= 1  # convolutions of other batch sizes may round the other way


def test_a_run_samples_from_the_moving_average(plain: Run) -> None:
    game = plain.game()
    live = game.networks["generator"].layers[0].linear.weight
    mean = game.average["generator"].layers[0].linear.weight
    assert not np.allclose(live.detach(), mean)


def test_earlier_checkpoints_can_be_asked(plain: Run) -> None:
    assert not np.array_equal(plain.sample(4, step=0), plain.sample(4, step=4))
    with pytest.raises(UserError, match="no checkpoint of step 3; there are 0, 2, 4"):
        plain.sample(4, step=3)


def test_labels_are_followed_by_name_and_by_index(conditional: Run) -> None:
    _, labels = conditional.sample_with_labels(40, {"fine": "c"})
    assert labels is not None
    assert (labels == [2, 1]).all()
    _, labels = conditional.sample_with_labels(40, {"coarse": 0})
    assert labels is not None
    assert set(labels[:, 0].tolist()) == {0, 1}
    assert (labels[:, 1] == 0).all()


def test_unlabeled_draws_follow_the_training_data(conditional: Run) -> None:
    _, labels = conditional.sample_with_labels(4000)
    assert labels is not None
    shares = np.bincount(labels[:, 0], minlength=4) / 4000
    assert np.abs(shares - 0.25).max() < 0.03
    assert (labels[:, 1] == labels[:, 0] // 2).all()


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"fine": "zebra"}, "zebra"),
        ({"fine": 9}, "from 0 to 3; found 9"),
        ({"color": "red"}, "There is no label level .color."),
        ({"fine": "a", "coarse": "y"}, "exclude each other"),
    ],
)
def test_labels_that_cannot_be_followed(conditional: Run, labels, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        conditional.sample(2, labels)


def test_an_unconditional_generator_says_so(plain: Run) -> None:
    assert plain.sample_with_labels(2)[1] is None
    with pytest.raises(UserError, match="generator without labels"):
        plain.sample(2, {"fine": "a"})
    with pytest.raises(UserError, match="n should be a whole number from 1 to 10,000,000; found 0"):
        plain.sample(0)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a run folder"):
        Run.open(tmp_path)


# Classes are known by name, not by position

OLD = Taxonomy(
    ("fine", "coarse"),
    {"fine": ("d", "a", "c", "b"), "coarse": ("y", "x")},
    {"fine": ("coarse", (0, 1, 0, 1))},
)


def test_a_run_keeps_its_own_order_of_classes(tmp_path: Path) -> None:
    """An older run ordered its classes otherwise: it is gone on with, and sampled, by name."""
    data, recipe = make_data(), small_recipe("ac-wgan-b", training__steps=2)
    train(recipe, data.in_order_of(OLD), tmp_path / "run", quiet=True)
    longer = small_recipe("ac-wgan-b", training__steps=4)
    run = train(longer, data, tmp_path / "run", resume=True, quiet=True)
    assert run.steps[-1] == 4
    assert run.dataset_info.taxonomy == OLD
    _, rows = run.sample_with_labels(10, {"fine": "c"})
    assert rows is not None
    assert rows.tolist() == [[2, 0]] * 10


def test_data_are_loaded_in_the_order_of_the_run(tmp_path: Path) -> None:
    for i, name in enumerate(("1", "2", "10")):
        for j in range(5):
            path = tmp_path / "set" / name / f"{j}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), 50 * i).save(path)
    data = load_dataset(tmp_path / "set")
    old = Taxonomy(("fine",), {"fine": ("1", "10", "2")}, {})
    info = DatasetInfo.of(data.with_taxonomy(old))
    recipe = small_recipe().model_copy(update={"run": {"data": data.spec}})
    run = Run(tmp_path / "run", recipe, info)
    for loaded in (run.load_data(), run.load_data("test"), run.load_data().load_split("test")):
        assert loaded.taxonomy == old
        assert [
            50 * ["1", "2", "10"].index(old.classes["fine"][i]) for i in loaded.labels[:, 0]
        ] == [int(sample[0, 0, 0]) for sample in loaded.samples]


def test_export_to_arrays_is_read_back_as_a_data_set(conditional: Run, tmp_path: Path) -> None:
    images, labels = conditional.sample_with_labels(20)
    out = tmp_path / "x.npz"
    export_samples(images, labels, conditional.dataset_info.taxonomy, out)
    back = load_dataset(str(out), split="all")
    assert np.array_equal(back.samples, images)
    assert np.array_equal(back.labels, labels)
    assert back.taxonomy.classes == conditional.dataset_info.taxonomy.classes


def test_export_to_a_folder_and_to_a_grid(conditional: Run, tmp_path: Path) -> None:
    images, labels = conditional.sample_with_labels(5)
    export_samples(images, labels, conditional.dataset_info.taxonomy, tmp_path / "folder")
    for i in range(5):
        pixels = np.asarray(Image.open(tmp_path / "folder" / f"{i:06d}.png").convert("L"))
        assert np.array_equal(pixels, images[i, 0])
    with (tmp_path / "folder" / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert labels is not None
    assert [row["fine"] for row in rows] == ["abcd"[i] for i in labels[:, 0]]
    assert [row["source"] for row in rows] == ["generated"] * 5
    export_samples(images, labels, conditional.dataset_info.taxonomy, tmp_path / "grid.png")
    assert Image.open(tmp_path / "grid.png").width > 16


def test_samples_among_real_images_are_known_wherever_they_are_put(
    conditional: Run, tmp_path: Path
) -> None:
    """As copied by hand into the folders of classes: each picture says by itself what it is."""
    images, _ = conditional.sample_with_labels(10)
    export_samples(images, None, conditional.dataset_info.taxonomy, tmp_path / "made")
    assert load_dataset(tmp_path / "made", "all").taxonomy.levels == ()
    for i in range(10):
        (tmp_path / "set" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), 20 * i).save(tmp_path / "set" / "ab"[i % 2] / f"{i}.png")
        place = tmp_path / "set" / "ab"[i % 2] / f"made{i}.png"
        (tmp_path / "made" / f"{i:06d}.png").rename(place)
    train, test = (load_dataset(tmp_path / "set", split) for split in ("train", "test"))
    assert train.generated is not None
    assert (len(train), int(train.generated.sum()), len(test)) == (18, 10, 2)
    assert test.generated is None or not test.generated.any()
    (tmp_path / "set" / "labels.csv").write_text("file,source\na/made0.png,real\n")
    with pytest.raises(UserError, match=r"a/made0.png is real, and the file says that mtgan sam"):
        load_dataset(tmp_path / "set")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    taken = tmp_path / "x.npz"
    taken.write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        check_target(taken)
    with pytest.raises(UserError, match=r"FILE.npz, FILE.png or a folder"):
        check_target(tmp_path / "x.gif")
