"""Codes: label levels that generated samples alone have (InfoGAN)."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import mtgan
from mtgan.cli import main
from mtgan.data import Taxonomy
from mtgan.errors import UserError
from mtgan.recipes import load_recipe
from mtgan.reports.classes import class_grids
from mtgan.runs import samples_of
from mtgan.training import Run, train
from mtgan.training.batches import Batch, RandomInputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.requests import Requests
from toys import Instruments, make_data, small_recipe

CODES: dict[str, object] = {
    "latent__codes": {"code": 3},
    "condition_on": ["fine", "code"],
    "tasks": [{"labels": "fine"}, {"labels": "code"}],
}


def unlabeled():
    data = make_data()
    return replace(data, labels=data.labels[:, :0], taxonomy=Taxonomy((), {}, {}))


def requests_of(data=None) -> Requests:
    return Requests(DatasetInfo.of(data or make_data()).with_codes({"code": 3, "other": 2}))


def test_codes_are_drawn_equally_often_and_apart_from_labels() -> None:
    rows = requests_of().draw(6000, torch.Generator().manual_seed(0)).numpy()
    for column, count in ((2, 3), (3, 2)):
        shares = np.bincount(rows[:, column], minlength=count) / len(rows)
        np.testing.assert_allclose(shares, 1 / count, atol=0.03)
    together = np.histogram2d(rows[:, 0], rows[:, 2], bins=(4, 3))[0] / len(rows)
    np.testing.assert_allclose(together, 1 / 12, atol=0.02)
    np.testing.assert_array_equal(rows[:, 1], rows[:, 0] // 2)


@pytest.mark.parametrize("missing", [False, True])
def test_what_is_asked_for_is_kept(missing: bool) -> None:
    data = make_data()
    if missing:
        data.labels[::3] = -1
    requests = requests_of(data)
    random = torch.Generator().manual_seed(0)
    rows = requests.draw(50, random, {"code": 2, "coarse": 1}).numpy()
    assert (rows[:, 1:3] == [1, 2]).all()
    assert set(rows[:, 0]) == {2, 3}
    assert set(rows[:, 3]) == {0, 1}
    again = requests.complete(np.array([[-1, -1, 1, -1], [0, -1, -1, 1]]), random).numpy()
    assert (again >= 0).all()
    assert (again[0, 2], again[1, 0], again[1, 3]) == (1, 0, 1)
    assert requests.were_seen(np.array([0, 0, 2, 1]))


def test_data_without_labels_have_codes_alone() -> None:
    requests = requests_of(unlabeled())
    rows = requests.draw(8, torch.Generator().manual_seed(0))
    assert rows.shape == (8, 2)
    assert requests.note() == ""
    with pytest.raises(UserError, match="needs the label level 'fine'"):
        requests.dataset_info.level("fine", "It")  # and not the first code


def test_a_code_is_no_missing_label_and_no_level_by_position() -> None:
    info = DatasetInfo.of(make_data()).with_codes({"code": 3})
    assert (info.own_levels, info.taxonomy.levels[-1]) == (("fine", "coarse"), "code")
    with pytest.raises(UserError, match="needs the label level 'top'"):
        info.level("top", "It")
    assert Requests(info).note() == ""
    with pytest.raises(UserError, match="names 'fine', which is a label level of the data"):
        DatasetInfo.of(make_data()).with_codes({"fine": 3})


def losses(game: Game, phase: str, codes: torch.Tensor):
    (step,) = [p.step for p in game.phases if p.name == phase]
    random = torch.Generator().manual_seed(0)
    fine = torch.arange(6) % 4
    labels = {"fine": fine, "coarse": fine // 2, "code": torch.full((6,), -1)}
    batch = Batch(torch.rand(6, 1, 16, 16, generator=random) * 2 - 1, labels)
    latents = torch.randn(6, 6, generator=random)
    inputs = RandomInputs(latents, {**labels, "code": codes}, torch.rand(6, generator=random))
    return step(batch, inputs)


def test_its_head_learns_from_generated_samples_alone() -> None:
    game = Game(small_recipe("ac-wgan-b", **CODES), DatasetInfo.of(make_data()))
    codes = torch.tensor([0, 1, 2, 2, 1, 0])
    found = losses(game, "discriminator", codes)
    assert {name for name in found.terms if name.startswith("code/")} == {"code/generated"}
    assert found.terms["code/generated"].weight == 1
    assert found.terms["fine/real"].weight == 0.5
    assert "code/accuracy_real" not in found.logs
    head = game.twins[0].discriminator.heads[1]
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.zero_()
    # A head that says nothing loses what the codes hold (Chen et al. 2016, eq. 5: H(c) - L_I).
    for phase in ("discriminator", "generator"):
        value = losses(game, phase, codes).terms["code/generated"].value
        assert value.item() == pytest.approx(math.log(3), rel=1e-5)


def test_the_discriminator_is_told_no_code() -> None:
    recipe = small_recipe("ac-wgan-b", **CODES, discriminator__conditioning="projection")
    twin = Game(recipe, DatasetInfo.of(make_data())).twins[0]
    assert twin.generator.levels == ("fine", "code")
    assert twin.discriminator.adversarial.label_vector.classes == {"fine": 4}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    recipe = small_recipe("infogan", latent__codes={"code": 3}, training__evaluate_every=2)
    folder = tmp_path_factory.mktemp("codes") / "run"
    return train(recipe, unlabeled(), folder, quiet=True, instruments=Instruments())


def test_samples_are_asked_for_by_code(run: Run, tmp_path) -> None:
    made = run.sample(4, {"code": "2"}, seed=0)
    assert made.labels is not None
    assert made.labels.tolist() == [[2]] * 4
    assert made.notes == ()
    each = run.sample(labels={"code": [0, 1, 2]}, seed=0)
    assert each.labels.ravel().tolist() == [0, 1, 2]
    assert (np.asarray(run.sample(4, {"code": "0"}, seed=0)) != np.asarray(made)).any()
    with pytest.raises(UserError, match="level 'code' has no class '7'"):
        run.sample(4, {"code": "7"})
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as end:
        main(f"sample {run.path} --label code=1 --n 2 --out {out} --quiet".split())
    assert not end.value.code
    lines = (out / "labels.csv").read_text().splitlines()
    assert lines[0] == "file,code,source"
    assert [line.split(",")[1] for line in lines[1:]] == ["1", "1"]


def test_a_run_with_codes_goes_on_and_has_a_row_for_each(run: Run) -> None:
    assert run.dataset_info.taxonomy.levels == ()
    (grid,) = class_grids(run).values()
    assert grid.height > 2 * 16
    assert "accuracy_real" not in " ".join(run.metrics()[-2]["values"])


def test_resumed_exactly_beside_labels(tmp_path) -> None:
    data = make_data()
    data.labels[::3] = -1

    def go(name: str, steps: int) -> Run:
        recipe = small_recipe("ac-wgan-b", **CODES, hierarchy=[{"kind": "random"}])
        return train(recipe, data, tmp_path / name, steps=steps, resume=True, quiet=True)

    go("parts", 1)
    resumed, whole = go("parts", 3).game().tensors(), go("whole", 3).game().tensors()
    for name, value in resumed.items():
        assert torch.equal(value, whole[name]), name


def test_what_is_judged_are_the_labels_of_the_data(tmp_path) -> None:
    data = mtgan.load_dataset("digits", size=8)
    recipe = small_recipe("ac-wgan-b", **CODES)
    run = train(recipe, data, tmp_path / "run", quiet=True)
    judged = samples_of(run, data, 20, 0)
    assert judged.taxonomy == data.taxonomy
    assert (judged.labels[:, 0] >= 0).all()


REFUSED = {
    "one class": ({"latent.codes": {"code": 1}}, r"latent\.codes.*found 1"),
    "a code that is not told": (
        {"latent.codes": {"code": 3}},
        "the generator is not told it; name it in condition_on",
    ),
    "a code under no conditioning": (
        {
            "latent.codes": {"code": 3},
            "condition_on": "code",
            "generator.conditioning": "none",
            "tasks": [],
        },
        "name it in condition_on, and set generator.conditioning=concat",
    ),
    "a discriminator of codes": (
        {
            "latent.codes": {"code": 3},
            "condition_on": "code",
            "discriminator.conditioning": "projection",
        },
        "no real sample has a code; set discriminator.conditioning=none",
    ),
    "a twin": (
        {"latent.codes": {"code": 3}, "condition_on": ["fine", "code"], "twins": ["fine", "code"]},
        "the twin 'code' would have a discriminator of generated samples alone",
    ),
    "a head that compares": (
        {
            "latent.codes": {"code": 3},
            "condition_on": ["fine", "code"],
            "tasks": [{"labels": "code", "head": {"classes": "real-fake"}}],
        },
        "classes=real-fake, which compare real with generated samples.*head.classes=plain",
    ),
    "a head of real samples": (
        {
            "latent.codes": {"code": 3},
            "condition_on": ["fine", "code"],
            "tasks": [{"labels": "code", "generated": False}],
        },
        "the task 'code' learns from real samples alone",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    overrides, sentence = REFUSED[name]
    with pytest.raises(UserError, match=sentence):
        load_recipe("ac-wgan-b", overrides)
