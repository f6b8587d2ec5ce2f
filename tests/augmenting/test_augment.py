"""A training set of real and generated images: how many, of which class, and read back."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mtgan
from mtgan.augmenting import Judged, amounts, generated_for, with_added
from mtgan.augmenting.amounts import as_rule, counts_at
from mtgan.augmenting.augment import ABOUT
from mtgan.augmenting.generated import Filter
from mtgan.classification.tasks import split_data
from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.errors import UserError
from mtgan.training import Run, train
from toys import make_data, small_recipe

NAMES = ("a", "b", "cut/off", "..")  # as no folder can be called


def data_of(counts: tuple[int, ...], seed: int = 0) -> Dataset:
    """So many samples of each of four classes, darker than 128."""
    fine = np.repeat(np.arange(4), counts)
    samples = np.random.default_rng(seed).integers(0, 128, (len(fine), 1, 16, 16), dtype=np.uint8)
    classes = {"fine": NAMES, "coarse": ("x", "y")}
    taxonomy = Taxonomy(("fine", "coarse"), classes, {"fine": ("coarse", (0, 0, 1, 1))})
    return Dataset(samples, np.stack([fine, fine // 2], 1), taxonomy, "uneven")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = small_recipe("labeled-images", training__steps=1)
    folder = tmp_path_factory.mktemp("run") / "run"
    return train(recipe, data_of((12, 12, 12, 12)), folder, quiet=True)


@pytest.mark.parametrize(
    ("rule", "added"),
    [("equal", [0, 75, 99, 0]), ("log", [0, 25, 9, 0]), (7, [7, 7, 7, 0])],
)
def test_how_many_are_added(rule: str | int, added: list[int]) -> None:
    """100, 25, 1 and none: the geometric means with 100 are 50 and 10."""
    assert amounts(np.array([100, 25, 1, 0]), rule).tolist() == added


def test_rules_as_they_are_written() -> None:
    assert [as_rule(text) for text in ("log", "12")] == ["log", 12]
    with pytest.raises(UserError, match="did you mean 'equal'"):
        as_rule("eqal")
    with pytest.raises(UserError, match="from 1 to"):
        as_rule("0")


def test_the_level_that_is_counted() -> None:
    data = data_of((5, 4, 3, 2))
    level, counts = counts_at(data, "coarse")
    assert (level, counts.tolist()) == ("coarse", [9, 5])
    bare = replace(data, labels=np.full_like(data.labels, -1), stored_fingerprint=None)
    with pytest.raises(UserError, match=r"No sample of uneven has a label of level 'fine'; name"):
        counts_at(bare, None)
    none = Dataset(data.samples, data.labels[:, :0], Taxonomy((), {}, {}), "bare")
    with pytest.raises(UserError, match="bare has no labels"):
        counts_at(none, None)


def test_samples_are_those_of_the_model(run: Run) -> None:
    real = data_of((4, 3, 2, 1))
    made = generated_for(run, real, "fine", np.array([0, 1, 2, 3]), seed=5)
    asked = ["b"] + ["cut/off"] * 2 + [".."] * 3
    wanted = run.sample(labels=[{"fine": name} for name in asked], seed=5)
    assert np.array_equal(made.data.samples, wanted)
    assert made.data.labels.tolist() == [[1, 0], [2, 1], [2, 1], [3, 1], [3, 1], [3, 1]]
    assert made.data.generated is not None
    assert made.data.generated.all()
    coarse = generated_for(run, real, "coarse", np.array([0, 40]), seed=1).data.labels
    assert set(map(tuple, coarse.tolist())) == {(2, 1), (3, 1)}


def test_more_are_made_in_place_of_those_that_a_filter_rejects(run: Run) -> None:
    def keep(samples: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Every other one of b, all of .., none of cut/off."""
        return (asked == 3) | ((asked == 1) & (np.arange(len(asked)) % 2 == 0))

    real = data_of((4, 3, 2, 1))
    made = generated_for(run, real, "fine", np.array([0, 4, 1, 1]), keep=keep)
    # b: 2 of 4, then 1 of 2, then 1 of 1; cut/off: 20 times one.
    assert made.tried.tolist() == [0, 7, 20, 1]
    assert made.kept.tolist() == [0, 4, 0, 1]
    assert len(made.notes()) == 1
    assert made.notes()[0].startswith("cut/off: 0 of 1 samples; the filter rejected")

    def nothing(samples: np.ndarray, asked: np.ndarray) -> np.ndarray:
        return np.zeros(len(asked), bool)

    none = generated_for(run, real, "fine", np.array([0, 0, 2, 1]), keep=nothing)
    assert (len(none.data), none.tried.sum()) == (0, 60)


def test_a_filter_keeps_by_the_probability_of_the_class() -> None:
    class Known:
        batch, cacheable, weights, logit_levels = 8, False, "", ("fine",)

        def embed(self, images):
            import torch

            logits = torch.log(torch.tensor([[0.7, 0.3]])).expand(len(images), 2)
            return torch.zeros(len(images), 1), {"fine": logits}

        name, device = "known", "cpu"

    keep = Judged(Known(), "fine", 0.5)  # type: ignore[arg-type]
    images = np.zeros((2, 1, 4, 4), np.uint8)
    assert keep(images, np.array([0, 1])).tolist() == [True, False]
    assert Judged(Known(), "fine", 0.3 - 1e-6)(images, np.array([1, 0])).all()  # type: ignore[arg-type]


def test_a_folder_that_mtgan_reads(run: Run, tmp_path: Path) -> None:
    real, out = data_of((6, 3, 2, 1)), tmp_path / "out"
    made = mtgan.augment(run, real, out, rule="equal", seed=2)
    assert len(made.data) == 3 + 4 + 5
    found = load_dataset(out, "all")
    assert found.generated is not None
    assert found.class_counts() == {
        "fine": dict.fromkeys(sorted(NAMES), 6),
        "coarse": {"x": 12, "y": 12},
    }
    assert found.taxonomy.by_names() == real.taxonomy.by_names()
    assert int(found.generated.sum()) == 12
    # Those of the data are as they were, and those of the model are the model's.
    for mine, source in ((~found.generated, real), (found.generated, made.data)):
        pictures = {found.samples[i].tobytes() for i in np.flatnonzero(mine)}
        assert pictures == {sample.tobytes() for sample in source.samples}
    about = json.loads((out / ABOUT).read_text())
    assert about["model"] == str(run.path.resolve())
    assert (about["seed"], about["step"], about["data_fingerprint"]) == (2, 1, real.fingerprint)
    assert about["classes"]["cut/off"] == {"real": 2, "generated": 4, "tried": 4}
    header, *lines = (out / "labels.csv").read_text().splitlines()
    assert header == "file,fine,coarse,source"
    assert sum(line.endswith(",generated") for line in lines) == 12
    first = next((out / "train").glob("*/generated-*.png"))
    assert "mtgan sample" in str(Image.open(first).info)
    with pytest.raises(UserError, match="exists already; name another, or remove it first"):
        mtgan.augment(run, real, out)
    assert len(load_dataset(out, "all")) == 24


def test_test_images_are_the_datas_own(tmp_path: Path) -> None:
    """And those that are held out for validation stay real."""
    data = load_dataset("digits", subset=60)
    recipe = small_recipe("labeled-images", training__steps=1)
    run = train(recipe, data, tmp_path / "run", quiet=True)
    mtgan.augment(run, None, tmp_path / "out", rule=2)
    train_part, test = (load_dataset(tmp_path / "out", split) for split in ("train", "test"))
    unseen = load_dataset("digits", "test")
    assert {s.tobytes() for s in test.samples} == {s.tobytes() for s in unseen.samples}
    assert (len(train_part), int(train_part.generated.sum())) == (80, 20)
    assert not split_data(train_part, 0.2, None, 1.0, 0).validation.generated.any()


def test_what_does_not_fit_is_refused(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    even = data_of((2, 2, 2, 2))
    with pytest.raises(UserError, match="say how many each gets, as --rule 100"):
        mtgan.augment(run, even, out)
    with pytest.raises(UserError, match=r"from 0 to 1; found 1\.5"):
        mtgan.augment(run, even, out, rule=1, threshold=1.5)
    with pytest.raises(UserError, match=r"toy has the class 'c' of level 'fine', and .* does not"):
        mtgan.augment(run, make_data(8), out, rule=1)
    with pytest.raises(UserError, match=r"samples of 1 x 16 x 16, and those of toy are 3 x 16"):
        mtgan.augment(run, make_data(8, (3, 16, 16)), out, rule=1)
    with pytest.raises(UserError, match="There is no label level 'medium'"):
        mtgan.augment(run, even, out, rule=1, balance="medium")
    bare = train(small_recipe("gan", training__steps=1), even, tmp_path / "bare", quiet=True)
    with pytest.raises(UserError, match="trains a generator without labels"):
        mtgan.augment(bare, even, out, rule=1)
    assert not out.exists()


def test_a_filter_that_rejects_all_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*given: object) -> Filter:
        return lambda samples, asked: np.zeros(len(asked), bool)

    monkeypatch.setattr(Judged, "of", nothing)
    with pytest.raises(UserError, match="rejects all of 160 samples that were made of"):
        mtgan.augment(run, data_of((2, 2, 2, 2)), tmp_path / "out", rule=2, threshold=0.9)
    assert not (tmp_path / "out").exists()


def test_added_samples_stay_behind_the_real_ones() -> None:
    real, other = data_of((2, 0, 0, 1)), data_of((0, 1, 0, 0), seed=1)
    both = with_added(real, other)
    assert both.labels_of("fine").tolist() == [0, 0, 3, 1]
    assert both.generated is not None
    assert both.generated.tolist() == [False, False, False, True]
    assert np.array_equal(both.samples[3], other.samples[0])
