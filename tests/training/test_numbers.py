"""Numbers as labels: in requests, networks, heads, samples and runs."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mtgan.cli import main
from mtgan.data import Taxonomy, load_dataset
from mtgan.data.numbers import STEPS
from mtgan.errors import UserError
from mtgan.nets.heads import LabelVector
from mtgan.nets.task_head import HeadOutput
from mtgan.objectives.heads import HeadObjective
from mtgan.parts import HEAD_CLASSES, HEAD_LOSSES
from mtgan.training import Run, train
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.requests import Requests
from toys import Instruments, make_bars, make_data, place_of, small_recipe

HEAD = {"loss": "squared-error"}
BOTH: dict[str, object] = {
    "condition_on": ["fine", "place"],
    "generator__conditioning": "concat",
    "discriminator__conditioning": "projection",
    "tasks": [{"labels": "fine"}, {"labels": "place", "head": HEAD}],
}


def with_missing():
    data = make_bars()
    data.numbers["place"][10::3] = np.nan
    return data


def requests_of(data) -> Requests:
    return Requests(DatasetInfo.of(data).with_numbers())


def test_what_a_run_keeps_of_them() -> None:
    info = DatasetInfo.of(with_missing())
    again = DatasetInfo.from_dict(json.loads(json.dumps(info.to_dict())))
    assert again.numbers == info.numbers
    np.testing.assert_array_equal(again.number_rows, info.number_rows)
    assert again.with_numbers().taxonomy.levels == ("fine", "place")
    assert "numbers" not in DatasetInfo.of(make_data()).to_dict()
    odd = info.to_dict()
    odd["number_rows"] = odd["number_rows"][1:]
    with pytest.raises(UserError, match="number_rows has 68 entries, and needs 69"):
        DatasetInfo.from_dict(odd)


def test_rows_there_and_back() -> None:
    data = with_missing()
    info = DatasetInfo.of(data).with_numbers().with_codes({"code": 2})
    rows = info.rows_of(data.labels, data.numbers)
    labels, taxonomy, numbers = info.without_numbers(rows)
    assert taxonomy.levels == ("fine", "code")
    assert (labels[:, 1] == -1).all()
    np.testing.assert_allclose(numbers["place"], data.numbers["place"], atol=1e-4)
    assert (info.said("place", STEPS // 2), info.said("fine", 1)) == ("place=45", "fine=thick")


def test_positions_are_of_classes_and_numbers_apart() -> None:
    info = DatasetInfo.of(make_bars()).with_numbers()
    assert info.level("number", "It") == "place"
    assert info.level("fine", "It") == "fine"
    for name in ("coarse", "angle"):
        with pytest.raises(UserError, match=f"{name!r}, and the data set has only 'fine', 'place'"):
            info.level(name, "It")


def test_numbers_are_drawn_with_the_classes_of_their_samples() -> None:
    data = make_bars()
    low = data.numbers["place"] < 45
    data.labels[:, 0] = low  # thick where it is left
    rows = requests_of(data).draw(400, torch.Generator().manual_seed(0)).numpy()
    np.testing.assert_array_equal(rows[:, 0] == 1, rows[:, 1] < STEPS // 2)
    random = torch.Generator().manual_seed(0)
    asked = requests_of(data).draw(50, random, {"place": STEPS // 5}).numpy()
    assert (asked == [1, STEPS // 5]).all()
    assert requests_of(data).were_seen(np.array([1, STEPS // 5]))
    assert not requests_of(data).were_seen(np.array([0, STEPS // 5]))


def test_missing_numbers_are_drawn_as_they_occur_with_the_class() -> None:
    data = with_missing()
    requests = requests_of(data)
    known = requests.dataset_info.label_rows
    asked = np.array([[0, -1], [1, -1], [-1, STEPS // 2], [-1, -1]] * 20)
    rows = requests.complete(asked, torch.Generator().manual_seed(0)).numpy()
    assert (rows >= 0).all()
    np.testing.assert_array_equal(rows[2::4, 1], STEPS // 2)
    for i in (0, 1):
        of_class = known[known[:, 0] == i, 1]
        assert np.isin(rows[i::4, 1], of_class).all()


def test_a_number_in_the_label_vector() -> None:
    vector = LabelVector({"fine": 2, "place": 0}, ("fine", "place"))
    labels = {
        "fine": torch.tensor([0, 1, -1, 0]),
        "place": torch.tensor([0, STEPS, STEPS * 3 // 4, -1]),
    }
    expected = [[1, 0, -1, 1], [0, 1, 1, 1], [0, 0, 0.5, 1], [1, 0, 0, 0]]
    assert vector.length == 4
    assert vector(labels, torch.empty(4, 3)).tolist() == expected
    other = LabelVector({"fine": 2, "place": 0}, "fine")
    assert other(labels, torch.empty(4, 3))[:, 2:].abs().sum() == 0


def head() -> HeadObjective:
    return HeadObjective(HEAD_CLASSES.get("plain"), HEAD_LOSSES.get("squared-error")(), [0])


def test_squared_error_against_double_precision() -> None:
    random = np.random.default_rng(0)
    said, steps = random.normal(size=(2, 5, 1)), random.integers(0, STEPS + 1, (2, 5))
    steps[0, 1] = steps[1] = -1  # one is missing; in the second batch, all
    output = torch.tensor(said, requires_grad=True)
    loss = head().loss(HeadOutput(output), torch.from_numpy(steps))
    known = steps[0] >= 0
    far = said[0, :, 0] - (steps[0] / STEPS * 2 - 1)
    expected = (far[known] ** 2).mean()
    np.testing.assert_allclose(loss.detach(), [expected, 0], rtol=1e-6)
    (gradient,) = torch.autograd.grad(loss.sum(), output)
    np.testing.assert_allclose(gradient[0, :, 0], np.where(known, 2 * far / 4, 0), rtol=1e-5)
    assert (gradient[1] == 0).all()
    name, error = head().measured(HeadOutput(output.detach()), torch.from_numpy(steps))
    assert name == "error"
    np.testing.assert_allclose(error, [np.abs(far[known]).mean() / 2, 0], rtol=1e-6)


REFUSED = {
    "classes by a loss of numbers": (
        {"tasks": [{"labels": "fine", "head": HEAD}]},
        "reads 'fine', which holds classes, and head.loss=squared-error is one of numbers",
    ),
    "a number by a loss of classes": (
        {"tasks": [{"labels": "place"}]},
        "holds numbers, and head.loss=cross-entropy is one of classes; set head.loss=squared-error",
    ),
    "a network of its own": (
        {"tasks": [{"labels": "place", "classifier": "separate"}]},
        "set head.loss=squared-error, and classifier=discriminator-head",
    ),
    "classes of generated samples": (
        {"tasks": [{"labels": "place", "head": {**HEAD, "classes": "real-fake"}}]},
        "learns one number, and classes=real-fake, which is about classes",
    ),
    "a layer that looks classes up": (
        {
            "condition_on": "place",
            "generator__conditioning": "normalization",
            "generator__normalization": "conditional-batch",
            "tasks": [],
        },
        "looks up a class, and 'place' is a number; set generator.conditioning=concat",
    ),
    "a number that is not there": ({"condition_on": "angle"}, "needs the label level 'angle'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_recipes_that_are_refused(case: str) -> None:
    changed, said = REFUSED[case]
    with pytest.raises(UserError, match=said):
        Game(small_recipe("gan", **BOTH | changed), DatasetInfo.of(make_bars()))


def test_a_number_that_tells_nothing() -> None:
    data = replace(make_bars(), numbers={"place": np.ones(96, dtype=np.float32)})
    with pytest.raises(UserError, match="of which the training samples have one value or none"):
        Game(small_recipe("gan", **BOTH), DatasetInfo.of(data))
    none = replace(data, numbers={"place": np.full(96, np.nan, dtype=np.float32)})
    with pytest.raises(UserError, match="no sample there has one"):
        Game(small_recipe("gan", **BOTH | {"tasks": []}), DatasetInfo.of(none))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    recipe = small_recipe("gan", **BOTH, training__evaluate_every=2)
    folder = tmp_path_factory.mktemp("numbers") / "run"
    return train(recipe, with_missing(), folder, quiet=True, instruments=Instruments())


def test_samples_are_asked_for_by_number(run: Run, tmp_path: Path) -> None:
    made = Run.open(run.path).sample(4, {"place": 30.5, "fine": "thin"}, seed=0)
    np.testing.assert_allclose(made.numbers["place"], 30.5, atol=1e-4)
    assert made.labels is not None
    assert made.taxonomy is not None
    assert made.labels.tolist() == [[0]] * 4
    assert made.taxonomy.levels == ("fine",)
    other = run.sample(4, {"place": 80, "fine": "thin"}, latents=made.latents, seed=0)
    assert (np.asarray(other) != np.asarray(made)).any()
    each = run.sample(labels={"place": [0, 45, 90]}, seed=0)
    np.testing.assert_allclose(each.numbers["place"], [0, 45, 90], atol=1e-4)
    drawn = run.sample(labels=made.labels, seed=0)
    assert (drawn.numbers["place"] >= 0).all()
    np.testing.assert_array_equal(made.dataset().numbers["place"], made.numbers["place"])
    for form in ("out", "out.npz"):
        with pytest.raises(SystemExit) as end:
            main(
                f"sample {run.path} --label place=45 --n 2 --out {tmp_path / form} --quiet".split()
            )
        assert not end.value.code
        assert load_dataset(tmp_path / form, "all").numbers["place"].tolist() == [45, 45]
    with pytest.raises(SystemExit) as end:
        main(f"sample {run.path} --labels {tmp_path}/out/labels.csv --out {tmp_path}/b.npz".split())
    assert not end.value.code
    assert load_dataset(tmp_path / "b.npz", "all").numbers["place"].tolist() == [45, 45]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"place": "abc"}, "'place' is a number from 0 to 90, and 'abc' is none"),
        ({"place": 91}, "place=91 lies outside .* have 0 to 90"),
        ({"place": "nan"}, "'nan' is none"),
        ({"fine": "30"}, "has no class '30'"),
        ("30", "has no class '30'"),
        (np.zeros((3, 2), dtype=int), r"labels should be \[n, 1\]"),
    ],
)
def test_labels_that_are_refused(run: Run, labels, said: str) -> None:
    with pytest.raises(UserError, match=said):
        run.sample(3, labels)


def test_a_run_without_them_cannot_be_asked(tmp_path: Path) -> None:
    recipe = small_recipe("gan", generator__conditioning="concat")
    run = train(recipe, make_bars(), tmp_path / "run", quiet=True)
    assert run.sample(2).numbers == {}
    with pytest.raises(UserError, match=r"not told 'place', .* can be asked for 'fine'"):
        run.sample(2, {"place": 3})


def test_numbers_alone(tmp_path: Path) -> None:
    data = make_bars()
    data = replace(data, labels=data.labels[:, :0], taxonomy=Taxonomy((), {}, {}))
    recipe = small_recipe("gan", **BOTH | {"condition_on": "number", "tasks": []})
    run = train(recipe, data, tmp_path / "run", quiet=True)
    assert run.sample(2, {"number": 3}).numbers["place"].round(3).tolist() == [3, 3]
    with pytest.raises(UserError, match=r"told numbers alone .* write \{level: number\}"):
        run.sample(2, "3")


def test_resumed_exactly(tmp_path: Path) -> None:
    data = with_missing()

    def go(name: str, steps: int) -> Run:
        recipe = small_recipe("ac-wgan-b", **BOTH)
        return train(recipe, data, tmp_path / name, steps=steps, resume=True, quiet=True)

    go("parts", 1)
    resumed, whole = go("parts", 3).game().tensors(), go("whole", 3).game().tensors()
    for name, value in resumed.items():
        assert torch.equal(value, whole[name]), name


@pytest.mark.slow
def test_a_generator_obeys_the_number_it_is_told(tmp_path: Path) -> None:
    """Against the same one that is told the class alone."""

    head = {"labels": "place", "head": {**HEAD, "learns_from": "real"}}

    def error(name: str, **changed: object) -> float:
        recipe = small_recipe(
            "projection-gan",
            **changed,
            schedule__discriminator_steps=1,
            training__steps=600,
            training__batch_size=32,
            training__log_every=600,
            training__sample_every=600,
            training__checkpoint_every=600,
            training__ema_decay=0.95,
            optimizer__learning_rate=2e-3,
        )
        run = train(recipe, make_bars(500), tmp_path / name, quiet=True)
        asked = np.random.default_rng(1).uniform(0, 90, 200)
        told = {"place": asked} if name == "told" else None
        made = run.sample(200, told, seed=0)
        return float(np.abs(place_of(np.asarray(made)) - asked).mean())

    told, untold = error("told", condition_on=["fine", "place"], tasks=[head]), error("untold")
    assert told < 0.5 * untold, (told, untold)
