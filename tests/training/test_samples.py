"""What a run is asked for, in every form, and what it says of what it gave."""

import json
import shutil

import numpy as np
import pytest
import scipy.stats
import torch

from mtgan.data import Dataset, Taxonomy
from mtgan.data.export import export_samples
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.evaluation.inputs import as_dataset, fitting_labels
from mtgan.training import Run, train
from mtgan.training.batches import truncated
from toys import small_recipe

# Two independent attributes that the generator is told, and one that it is not.
TAXONOMY = Taxonomy(
    ("animal", "kind", "tone", "light"),
    {
        "animal": ("bird", "frog", "dog"),
        "kind": ("wild", "tame"),
        "tone": ("red", "blue"),
        "light": ("dark", "bright"),
    },
    {"animal": ("kind", (0, 0, 1))},
)


def zoo() -> Dataset:
    """Every bird is red."""
    animal = np.arange(48) % 3
    tone = np.where(animal == 0, 0, np.arange(48) // 3 % 2)
    rows = np.stack([animal, animal // 2, tone, np.arange(48) % 2], axis=1)
    samples = np.random.default_rng(0).integers(0, 256, (48, 1, 16, 16)).astype(np.uint8)
    return Dataset(samples, rows, TAXONOMY, name="zoo", spec={"name": "zoo"})


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    recipe = small_recipe("cwgan-a", condition_on=["animal", "tone"])
    folder = tmp_path_factory.mktemp("runs") / "zoo"
    return Run.open(train(recipe, zoo(), folder, quiet=True).path)


def rows_of(samples: Samples) -> list[list[int]]:
    assert samples.labels is not None
    return samples.labels.tolist()


def test_labels_are_those_that_the_generator_was_given(run: Run) -> None:
    """And what follows: nobody asked for the light, and it is not pretended."""
    assert rows_of(run.sample(3, {"animal": "dog", "tone": "blue"})) == [[2, 1, 1, -1]] * 3
    labels = run.sample(40).labels
    assert labels is not None
    assert (labels[:, 3] == -1).all()
    assert (labels[:, :3] >= 0).all()
    assert set(labels[:, 1]) == {0, 1}


def test_the_pictures_follow_the_labels(run: Run) -> None:
    red, blue = (run.sample(4, {"animal": "dog", "tone": c}, seed=5) for c in ("red", "blue"))
    assert not np.array_equal(red, blue)
    assert np.array_equal(red.latents, blue.latents)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"light": "dark"}, "not told 'light', .* can be asked for 'animal', 'kind', 'tone'"),
        ({"animal": "brid"}, "no class 'brid': did you mean 'bird'"),
        ({"animla": "bird"}, "no label level 'animla': did you mean 'animal'"),
        ({"animal": "bird", "kind": "tame"}, "exclude each other"),
        ({"fine": "bird", "animal": "dog"}, "'animal' is asked for twice"),
        ([{"animal": "bird"}, {"animal": "brid"}], r"labels\[1\]: .* did you mean 'bird'"),
        ([{"animal": "bird"}, 3], r"labels\[1\]: labels should be"),
        (5, r"labels should be \{level: class\}, or a list"),
        ("brid", "no class 'brid': did you mean 'bird'"),
        (np.zeros((2, 3), dtype=int), r"labels should be \[n, 4\]"),
        (np.array([[0, 0, 0, 1]] * 2), "not told 'light'"),
    ],
)
def test_labels_that_are_refused(run: Run, labels, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        run.sample(2, labels)


def test_a_pair_that_no_sample_has_is_made_and_said(run: Run) -> None:
    found = run.sample(2, {"animal": "bird", "tone": "blue"})
    assert rows_of(found) == [[0, 0, 1, -1]] * 2
    assert found.notes == (
        "No training sample has animal=bird with tone=blue: the generator puts together what it "
        "learned of each.",
    )
    assert run.sample(2, {"animal": "dog", "tone": "blue"}).notes == ()


@pytest.mark.parametrize(
    "labels",
    [
        [{"animal": "bird", "tone": "red"}, {"animal": "dog", "tone": 1}],
        {"animal": ["bird", "dog"], "tone": ["red", "blue"]},
        np.array([[0, -1, 0, -1], [2, 1, 1, -1]]),
    ],
)
def test_labels_of_each_sample(run: Run, labels) -> None:
    found = run.sample(labels=labels, seed=3)
    assert rows_of(found) == [[0, 0, 0, -1], [2, 1, 1, -1]]
    again = run.sample(2, found.labels, seed=3)
    assert np.array_equal(found, again)
    with pytest.raises(UserError, match="one for each sample; found n=3, and 2 labels"):
        run.sample(3, labels)


def test_names_alone_and_samples_without_a_wish(run: Run) -> None:
    found = rows_of(run.sample(labels=["dog", "blue", None, {"kind": "wild"}]))
    assert found[0][:2] == [2, 1]
    assert found[1][2] == 1
    assert found[3][1] == 0
    assert all(min(row[:3]) >= 0 for row in found)


def test_a_seed_that_is_not_given_is_drawn_and_told(run: Run) -> None:
    first, second = run.sample(2), run.sample(2)
    assert first.seed != second.seed
    assert not np.array_equal(first, second)
    assert np.array_equal(first, run.sample(2, seed=first.seed))


def test_own_latents(run: Run) -> None:
    made = run.sample(3, {"animal": "dog", "tone": "red"}, seed=1)
    assert made.latents is not None
    for latents in (made.latents, torch.from_numpy(made.latents)):
        again = run.sample(labels={"animal": "dog", "tone": "red"}, latents=latents)
        assert np.array_equal(made, again)
    for wrong, sentence in (
        (made.latents[:, 1:], r"latents should be numbers \[3, 6\]"),
        (made.latents * np.nan, "latents should be finite"),
        (made.latents.astype(str), "latents should be numbers"),
    ):
        with pytest.raises(UserError, match=sentence):
            run.sample(latents=wrong)
    with pytest.raises(UserError, match="found n=2, and 3 latents"):
        run.sample(2, latents=made.latents)
    with pytest.raises(UserError, match="How many samples"):
        run.sample(labels={"animal": "dog"})


def test_samples_are_an_array_like_any_other(run: Run) -> None:
    found = run.sample(4, seed=0)
    assert isinstance(found, np.ndarray)
    assert found.taxonomy == TAXONOMY
    assert type(found[:2]) is np.ndarray
    assert torch.from_numpy(found).dtype == torch.uint8
    images, labels = run.sample_with_labels(4, seed=0)
    assert np.array_equal(images, found)
    assert np.array_equal(labels, found.labels)  # type: ignore[arg-type]


def test_the_device_is_checked(run: Run) -> None:
    with pytest.raises(UserError, match="device should be auto, cpu, cuda or mps"):
        run.sample(1, device="tpu")
    assert len(run.sample(1, device="cpu")) == 1


def test_twins_give_the_labels_of_the_first(tmp_path) -> None:
    recipe = small_recipe("mtl-wgan", twins=["tone", "animal"], sharing=[], training__steps=1)
    made = train(recipe, zoo(), tmp_path / "run", quiet=True)
    found = made.sample(20, seed=0)
    assert found.labels is not None
    assert (found.labels[:, 2] >= 0).all()
    assert (found.labels[:, [0, 1, 3]] == -1).all()
    with pytest.raises(UserError, match=r"not told 'animal', .* asked for 'tone'"):
        made.sample(2, {"animal": "bird"})


def test_the_best_step(run: Run, tmp_path) -> None:
    with pytest.raises(UserError, match=r"not evaluated .* name one \(0, 2, 4\)"):
        run.sample(1, step="best")
    with pytest.raises(UserError, match="or \"best\"; found 'bets'"):
        run.sample(1, step="bets")
    copy = Run.open(shutil.copytree(run.path, tmp_path / "run"))
    state = copy.path / "checkpoints" / "step-00000004" / "state.json"
    values = json.loads(state.read_text())
    state.write_text(json.dumps({**values, "best": {"step": 2, "frechet_distance": 1.5}}))
    assert copy.best_step == copy.resolve("best") == 2
    best, newest = (copy.sample(3, seed=0, step=step) for step in ("best", None))
    assert np.array_equal(best, run.sample(3, seed=0, step=2))
    assert not np.array_equal(best, newest)


@pytest.mark.parametrize("form", ["a.npz", "a"])
def test_what_was_not_given_is_empty_beside_samples_and_in_their_judgment(
    run: Run, form: str, tmp_path
) -> None:
    found = run.sample(6, {"animal": "dog", "tone": "blue"})
    export_samples(found, found.labels, TAXONOMY, tmp_path / form)
    if form == "a":
        text = (tmp_path / "a" / "labels.csv").read_text().splitlines()
        assert text[:2] == [
            "file,animal,kind,tone,light,source",
            "000000.png,dog,tame,blue,,generated",
        ]
    asked = fitting_labels(as_dataset(tmp_path / form, "samples"), zoo(), None)
    assert asked is not None
    assert asked.tolist() == [[2, 1, 1, -1]] * 6


def test_truncated_latents_are_of_the_truncated_law() -> None:
    """By the quantiles of scipy's truncated normal law, and in the order of the whole one."""
    z = torch.randn(20_000, 3, generator=torch.Generator().manual_seed(0))
    for threshold in (0.3, 1.0, 4.0):
        found = truncated(z, "normal", threshold).numpy()
        expected = scipy.stats.truncnorm.ppf(scipy.stats.norm.cdf(z), -threshold, threshold)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert (np.diff(found[:, 0][z[:, 0].argsort()]) >= 0).all()
    far = torch.tensor([[-9.0, 9.0, 0.0]])
    np.testing.assert_allclose(truncated(far, "normal", 0.5), [[-0.5, 0.5, 0.0]], atol=1e-6)
    u = torch.tensor([[-1.0, 0.5, 1.0]])
    assert truncated(u, "uniform", 0.5).tolist() == [[-0.5, 0.25, 0.5]]
    assert truncated(u, "uniform", 2.0).tolist() == u.tolist()


def test_truncation_acts_on_drawn_latents(run: Run) -> None:
    whole, part = run.sample(50, seed=1), run.sample(50, seed=1, truncation=0.5)
    assert np.abs(whole.latents).max() > 1
    assert np.abs(part.latents).max() <= 0.5
    assert (whole.labels == part.labels).all()
    again = run.sample(50, seed=1, latents=part.latents)
    assert (np.asarray(again) == np.asarray(part)).all()
    for odd in (0, -1, 11, float("nan")):
        with pytest.raises(UserError, match="truncation should be above 0 and at most 10"):
            run.sample(1, truncation=odd)
    with pytest.raises(UserError, match="leave truncation out"):
        run.sample(1, latents=np.zeros((1, 6)), truncation=1)
