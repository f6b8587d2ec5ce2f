"""Samples drawn near targets, and their weights, against what numpy says of the same labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mtgan import processes
from mtgan.data import Dataset, Taxonomy
from mtgan.data.numbers import STEPS
from mtgan.errors import UserError
from mtgan.nets import DiscriminatorOutput
from mtgan.objectives import OBJECTIVES
from mtgan.recipes.schema import VicinityPart
from mtgan.training import Run, train
from mtgan.training.batches import BatchLoader, draw_inputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.mixture import Move
from mtgan.training.vicinity import Neighbors, Vicinity, rule_of_sigma
from toys import make_bars, small_recipe

CPU = torch.device("cpu")
BOTH: dict[str, object] = {"condition_on": ["fine", "place"]}


def with_missing() -> Dataset:
    data = make_bars()
    data.numbers["place"][10::3] = np.nan
    data.labels[5::7] = -1
    return data


def with_two_numbers() -> Dataset:
    data = make_bars(200)
    size = np.random.default_rng(1).integers(0, 40, 200).astype(np.float32)
    size[::5] = np.nan
    return replace(data, numbers={**data.numbers, "size": size})


def parts(data: Dataset, told=("fine", "place"), **keys) -> tuple[Vicinity, np.ndarray]:
    """A vicinity, and the label rows of the data."""
    info = DatasetInfo.of(data).with_numbers()
    rows = info.rows_of(data.taxonomy.with_implied(data.labels), data.numbers)
    return Vicinity(VicinityPart(**keys), info, told, "It"), rows


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_rules_of_thumb() -> None:
    data = make_bars()
    shares = np.sort(data.numbers["place"].astype(float)) / 90
    silverman = (4 * shares.std() ** 5 / (3 * 96)) ** (1 / 5)
    assert silverman == pytest.approx(1.06 * shares.std() * 96 ** (-1 / 5), rel=2e-3)
    vicinity, _ = parts(data)
    assert vicinity.sigmas[0] / STEPS == pytest.approx(silverman, rel=1e-5)
    assert vicinity.kappas[0] / STEPS == pytest.approx(np.diff(shares).max(), abs=2e-6)
    assert vicinity.radii[0] == vicinity.kappas[0]
    twice, _ = parts(data, kind="soft", gaps=2)
    assert twice.kappas[0] == 2 * vicinity.kappas[0]
    nu = (STEPS / twice.kappas[0]) ** 2
    assert np.exp(-nu * (twice.radii[0] / STEPS) ** 2) == pytest.approx(1e-3)
    given, _ = parts(data, sigma=0.2, kappa=0.1)
    assert (given.sigmas[0], given.kappas[0]) == (0.2 * STEPS, 0.1 * STEPS)
    assert given.note() == "Vicinity (hard): 'place' blurred by 18, samples within 9 compared."
    counts = np.array([1, 3])
    again = rule_of_sigma(np.array([0.0, 1, 1, 1]), np.ones(4))
    assert rule_of_sigma(np.array([0.0, 1.0]), counts) == again


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_real_samples_are_any_of_the_class_near_the_target(kind: str) -> None:
    vicinity, rows = parts(make_bars(), kind=kind, sigma=0, kappa=0.08)
    radius = 0.08 * STEPS * (1 if kind == "hard" else np.sqrt(np.log(1000)))
    own = np.full(3000, 17)
    near = Neighbors(vicinity, rows).draw(own, random())
    assert (near.targets == rows[17, 1]).all()
    close = (np.abs(rows[:, 1] - rows[17, 1]) <= radius) & (rows[:, 0] == rows[17, 0])
    assert close.sum() >= 3
    places, counts = np.unique(near.index, return_counts=True)
    assert places.tolist() == np.flatnonzero(close).tolist()
    assert counts.min() > 0.5 * 3000 / close.sum()
    low, high = max(rows[17, 1] - radius, 0), min(rows[17, 1] + radius, STEPS)
    assert near.asked.min() == pytest.approx(low, abs=0.005 * STEPS)
    assert near.asked.max() == pytest.approx(high, abs=0.005 * STEPS)
    assert near.asked.mean() == pytest.approx((low + high) / 2, rel=0.05)


def test_targets_are_labels_with_noise() -> None:
    vicinity, rows = parts(make_bars(), sigma=0.05)
    middle = int(np.abs(rows[:, 1] - STEPS // 2).argmin())
    near = Neighbors(vicinity, rows).draw(np.full(4000, middle), random())
    assert near.targets.mean() == pytest.approx(rows[middle, 1], abs=0.005 * STEPS)
    assert near.targets.std() == pytest.approx(0.05 * STEPS, rel=0.1)
    ends = vicinity.blurred(np.array([[0], [STEPS], [-1]]), np.array([[-3.0], [3.0], [3.0]]))
    assert ends.tolist() == [[0], [STEPS], [-1]]
    blurred = vicinity.blurred_rows(rows, random())
    assert (blurred[:, 0] == rows[:, 0]).all()
    assert 0 < np.abs(blurred[:, 1] - rows[:, 1]).mean() < 0.08 * STEPS


def test_noise_is_drawn_again_where_no_sample_is_near() -> None:
    data = make_bars(4)
    data.numbers["place"][:] = 0, 90, 1, 89  # of either class at both ends
    vicinity, rows = parts(data, sigma=0.3, kappa=0.2)
    near = Neighbors(vicinity, rows).draw(np.arange(4).repeat(200), random())
    gaps = np.abs(near.targets[:, 0] - rows[near.index, 1])
    assert (gaps <= 0.2 * STEPS).all()
    assert gaps.max() > 0.15 * STEPS
    strict, _ = parts(data, sigma=10, kappa=1e-6)
    near = Neighbors(strict, rows).draw(np.arange(4), random())
    assert (np.abs(near.targets[:, 0] - rows[near.index, 1]) <= 1).all()


def test_what_is_missing_stays_so() -> None:
    vicinity, rows = parts(with_missing(), kind="soft")
    own = np.arange(96)
    near = Neighbors(vicinity, rows).draw(own, random())
    without = rows[:, 1] < 0
    assert without.any()
    assert (near.index[without] == own[without]).all()
    assert (near.targets[without] == -1).all()
    assert (near.asked[without] == -1).all()
    assert (rows[near.index, 0] == rows[own, 0]).all()
    assert ((rows[near.index, 1] < 0) == without).all()
    assert near.weights is not None
    assert (near.weights[:, without] == 1).all()


def test_several_numbers_are_all_near() -> None:
    data = with_two_numbers()
    vicinity, rows = parts(data, ("place", "size"), kind="soft", kappa=0.05)
    near = Neighbors(vicinity, rows).draw(np.arange(200), random())
    known = near.targets >= 0
    assert (known == (rows[:, 1:] >= 0)).all()
    sides = [rows[near.index, 1:], near.asked]
    expected = []
    for side in sides:
        far = np.where(known, (side - near.targets) / STEPS, 0.0)
        assert (np.abs(far) <= 0.05 * np.sqrt(np.log(1000)) + 1e-6).all()
        expected.append(np.exp(-(1 / 0.05**2) * far[:, 0] ** 2 - (1 / 0.05**2) * far[:, 1] ** 2))
    np.testing.assert_allclose(near.weights, expected, rtol=1e-12)
    assert (near.index != np.arange(200)).mean() > 0.3
    other = rows[:, 0] != rows[near.index, 0]  # classes are not told here
    assert other.any()


# Within a training


def loader(recipe, data: Dataset) -> tuple[Game, BatchLoader]:
    game = Game(recipe, DatasetInfo.of(data))
    return game, BatchLoader(data, game.requests, CPU, 0, False, vicinity=game.vicinity)


def soft(data: Dataset, **changed: object) -> tuple[Game, BatchLoader]:
    return loader(small_recipe("ccgan", **BOTH, vicinity__kind="soft", **changed), data)


def test_batches_and_what_generators_are_asked_for() -> None:
    data = with_missing()
    game, f = soft(data)
    batch = f.batch(Move("d", 3), 40, torch.Generator(), vicinal=True)
    again = f.batch(Move("d", 3), 40, torch.Generator(), vicinal=True)
    assert torch.equal(batch.samples, again.samples)
    plain = f.batch(Move("d", 3), 40, torch.Generator())
    assert plain.vicinal is None
    assert plain.compared is plain.labels
    assert (batch.samples != plain.samples).any()
    assert batch.weights is not None
    assert game.vicinity is not None
    for side, weights in zip((batch.labels, batch.asked), batch.weights, strict=True):
        far = (side["place"] - batch.compared["place"]).double() / game.vicinity.kappas[0]
        far[batch.compared["place"] < 0] = 0
        torch.testing.assert_close(weights.double(), torch.exp(-far.square()), rtol=1e-5, atol=0)
    assert torch.equal(batch.asked["fine"], batch.labels["fine"])
    # Labels to generate by go with the samples that they are compared with.
    rows = f.draw_labels(Move("d", 3), True, 40, torch.Generator().manual_seed(0), vicinal=True)
    fine = batch.labels["fine"]
    assert (rows >= 0).all()
    assert torch.equal(rows[fine >= 0, 0], fine[fine >= 0])


def test_processes_share_a_batch(monkeypatch) -> None:
    _, f = soft(make_bars())
    whole = f.batch(Move("d", 0), 8, torch.Generator(), vicinal=True)
    for rank, mine in enumerate((slice(0, 4), slice(4, 8))):
        monkeypatch.setattr(processes, "share", lambda size, mine=mine: mine)
        part = f.batch(Move("d", 0), 8, torch.Generator(), vicinal=True)
        assert torch.equal(part.samples, whole.samples[mine]), rank
        assert torch.equal(part.compared["place"], whole.compared["place"][mine])
        assert torch.equal(part.asked["place"], whole.asked["place"][mine])
        assert part.weights is not None
        assert whole.weights is not None
        assert torch.equal(part.weights, whole.weights[:, mine])


def test_the_discriminator_compares_weighed_samples_under_targets(monkeypatch) -> None:
    """The step's loss by hand, of the scores that the discriminator gives."""
    data = make_bars()
    game, f = soft(data)
    seen = []
    discriminator = game.twins[0].discriminator

    def scores(samples: torch.Tensor, labels) -> DiscriminatorOutput:
        seen.append(labels["place"])
        return DiscriminatorOutput(samples.flatten(1).double().mean(1) * 3)

    monkeypatch.setattr(discriminator, "forward", scores)
    batch = f.batch(Move("d", 0), 16, torch.Generator(), vicinal=True)
    inputs = draw_inputs(16, 6, "normal", game.requests, torch.Generator().manual_seed(1), CPU)
    phase = next(phase for phase in game.phases if phase.name == "discriminator")
    assert phase.vicinal
    generated = game.twins[0].generator(inputs.latents, batch.asked).detach()
    loss = phase.step(batch, inputs).terms["adversarial"].value
    assert all((labels.view(-1, 16) == batch.compared["place"]).all() for labels in seen)
    real, fake = (3 * x.flatten(1).double().mean(1).numpy() for x in (batch.samples, generated))
    assert batch.weights is not None
    on_real, on_fake = batch.weights.double().numpy()
    expected = (on_real * np.maximum(0, 1 - real)).mean()
    expected += (on_fake * np.maximum(0, 1 + fake)).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", OBJECTIVES.those_with("weighable"))
def test_gradient_of_weighed_losses(name: str) -> None:
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 5, dtype=torch.float64, generator=random)
    weights = torch.rand(2, 5, dtype=torch.float64, generator=random)
    loss = OBJECTIVES.get(name).discriminator
    inputs = real.requires_grad_(True), fake.requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x, z: loss(x, z, weights), inputs)
    gradients = torch.autograd.grad(loss(real, fake, weights), inputs)
    plain = torch.autograd.grad(loss(real, fake), inputs)
    for mine, bare, weight in zip(gradients, plain, weights, strict=True):
        torch.testing.assert_close(mine, weight * bare)


def go(folder: Path, data: Dataset, recipe="ccgan", **keys) -> Run:
    steps = keys.pop("steps", 3)
    made = small_recipe(recipe, **BOTH | keys)
    return train(made, data, folder, steps=steps, resume=True, quiet=True)


def assert_same(one: Run, other: Run) -> None:
    mine, theirs = one.game().tensors(), other.game().tensors()
    for name, value in mine.items():
        assert torch.equal(value, theirs[name]), name


def test_nothing_near_is_plain_training(tmp_path: Path) -> None:
    data = make_bars()  # no two samples have one number
    plain = go(tmp_path / "plain", data, vicinity=None)
    for kind in ("hard", "soft"):
        keys = {"vicinity__kind": kind, "vicinity__sigma": 0, "vicinity__kappa": 0}
        assert_same(plain, go(tmp_path / kind, data, **keys))


def test_everything_near_is_weights_of_one(tmp_path: Path) -> None:
    keys = {"vicinity__sigma": 0.1, "vicinity__kappa": 1e30}
    made = [
        go(tmp_path / kind, make_bars(), vicinity__kind=kind, **keys) for kind in ("hard", "soft")
    ]
    assert_same(*made)
    vicinity, rows = parts(make_bars(), kind="soft", kappa=1e30)
    near = Neighbors(vicinity, rows).draw(np.zeros(2000, dtype=int), random())
    assert near.weights is not None
    assert (near.weights == 1).all()
    assert len(np.unique(near.index)) == (rows[:, 0] == rows[0, 0]).sum()


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_resumed_exactly(kind: str, tmp_path: Path) -> None:
    head = {"loss": "squared-error", "learns_from": "real"}
    keys = {
        "vicinity__kind": kind,
        "data__flip": True,
        "tasks": [{"labels": "fine"}, {"labels": "place", "head": head}],
    }
    data = with_missing()
    go(tmp_path / "parts", data, steps=1, **keys)
    resumed = go(tmp_path / "parts", data, **keys)
    assert_same(resumed, go(tmp_path / "whole", data, **keys))
    values = [line["values"] for line in resumed.metrics() if line["kind"] == "train"]
    assert all("discriminator/place/error_real" in line for line in values)


def test_a_number_alone_and_another_objective(tmp_path: Path) -> None:
    data = make_bars()
    data = replace(data, labels=data.labels[:, :0], taxonomy=Taxonomy((), {}, {}))
    run = go(tmp_path / "run", data, objective="relativistic", condition_on="number")
    assert run.sample(2, {"place": 30}).numbers["place"].round(3).tolist() == [30, 30]


def test_a_training_says_how_near(tmp_path: Path, capsys) -> None:
    train(small_recipe("ccgan", **BOTH, vicinity__kappa=0.1), make_bars(), tmp_path / "run")
    assert "samples within 9 compared" in capsys.readouterr().err


REFUSED = {
    "nothing compared": (
        {"discriminator__conditioning": "none"},
        "discriminator.conditioning=none tells it none; set it to one of .*projection",
    ),
    "twins": ({"twins": ["fine", "place"]}, "leave vicinity or twins out"),
    "two sizes": ({"vicinity__kappa": 0.1, "vicinity__gaps": 2}, "leave one of them out"),
    "nothing near": ({"vicinity__kappa": 0}, "set vicinity.sigma=0 too, or kappa to more"),
    "no weights": (
        {"vicinity__kind": "soft", "objective": "relativistic"},
        "objective=relativistic takes no weights; set vicinity.kind=hard",
    ),
    "no number told": (
        {"condition_on": "fine"},
        r"condition_on names no number \(the data have 'place'\); name one there",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_recipes_that_are_refused(case: str) -> None:
    changed, said = REFUSED[case]
    with pytest.raises(UserError, match=said):
        Game(small_recipe("ccgan", **BOTH | changed), DatasetInfo.of(make_bars()))


def test_a_number_that_is_the_same_everywhere() -> None:
    data = replace(make_bars(), numbers={"place": np.ones(96, dtype=np.float32)})
    with pytest.raises(UserError, match="one value or none, so that nothing is near it"):
        Game(small_recipe("ccgan", **BOTH), DatasetInfo.of(data))
