"""The plain reference loop computes what ours computes; only the way there differs."""

import json

import pytest
import torch
from benchmarks.plain import PLAIN, PlainLoop
from torch import nn

from benchmarks import timing, train
from mtgan.cli import main
from mtgan.errors import UserError
from mtgan.nets import fast
from toys import make_data, small_recipe

SHAPES = {"dcgan-advantage": (1, 16, 16), "resnet-b": (3, 14, 12)}


@pytest.fixture(autouse=True)
def one_thread_and_small_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    small = dict.fromkeys(timing.CEILING_SHAPE, (2, 16, 8, 8))
    monkeypatch.setattr(timing, "CEILING_SHAPE", small)


@pytest.mark.parametrize("name", train.RECIPES)
def test_losses_and_gradients_equal_ours(name: str) -> None:
    data = make_data(shape=SHAPES.get(name, (3, 16, 16)))
    apart = train.differences(small_recipe(name), data)
    assert 0 <= apart["loss"] < 1e-12
    assert 0 < apart["gradient"] < 1e-12


def test_a_different_loss_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    penalty = PlainLoop.gradient_penalty
    monkeypatch.setattr(PlainLoop, "gradient_penalty", lambda *a: 1.01 * penalty(*a))
    with pytest.raises(UserError, match="disagree"):
        train.compare(small_recipe("wgan-gp"), make_data(), rounds=1, iterations=1)


def test_nothing_of_ours_is_left_in_the_plain_networks() -> None:
    plain = PlainLoop(small_recipe("resnet-b"), make_data())
    layers = {type(m) for network in plain.networks.values() for m in network.modules()}
    assert not layers & set(PLAIN)
    assert nn.Conv2d in layers
    ours = [kind for kind in vars(fast).values() if isinstance(kind, type)]
    assert len(ours) > 4
    assert set(ours) <= set(PLAIN)


def test_recipes_without_a_twin_are_refused() -> None:
    with pytest.raises(UserError, match="no plain reference"):
        PlainLoop(small_recipe("wgan"), make_data())


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_times_and_work(precision: str) -> None:
    result = train.compare(small_recipe("sc-wgan-b"), make_data(), 2, 1, precision)
    assert result["iterations_per_round"] == 2  # one with and one without the classifier
    low, high = result["ratio_range"]
    assert 0 < low <= result["ratio"] <= high
    ours, plain = result["ours"], result["plain"]
    assert ours["images_per_second"] == pytest.approx((5.5 + 1) * 8 / ours["seconds"])
    assert 0 < ours["flops"] < plain["flops"]
    share = plain["flops"] / plain["seconds"] / plain["ceiling_flops_per_second"]
    assert plain["share_of_ceiling"] == pytest.approx(share)
    assert sum(result["shares"].values()) == pytest.approx(1)
    assert min(result["shares"].values()) >= 0
    assert min(result["shares"][kind] for kind in ("convolutions", "optimizer")) > 0
    assert [*result["threads"]] == timing.thread_counts(timing.cores())
    assert result["threads"][1]["ratio"] == 1
    low, high = result["halves"]["ratio_range"]
    assert 0 < low <= result["halves"]["ratio"] <= high
    assert plain["ratio"] == 1
    assert ours["ratio"] == result["ratio"]
    assert ours["launches"] > 0
    assert ours["launches"] < plain["launches"] or precision == "bf16"  # casts are launches too


def test_half_a_batch() -> None:
    recipe = small_recipe("dcgan-advantage").training
    recipe = recipe.model_copy(update={"batch_size": 8, "generator_batch_size": 16})
    halved = train._on_half_batches(
        small_recipe("dcgan-advantage").model_copy(update={"training": recipe})
    ).training
    assert (halved.batch_size, halved.generator_batch_size) == (4, 8)
    plain = train._on_half_batches(small_recipe("gan")).training
    assert plain.generator_batch_size is None


def test_work_is_that_of_one_pass() -> None:
    convolution = nn.Conv2d(2, 3, 3, padding=1, bias=False)
    x = torch.randn(4, 2, 8, 8)
    work = train._work(lambda: convolution(x).view(-1).relu(), iterations=3)
    assert work == {"flops": 2 * 4 * 8 * 8 * 2 * 3 * 9, "launches": 2}


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(train, "bench_data", lambda recipe, scale: make_data())
    small = ["--set", "training.batch_size=8", "--set", "generator.width=8"]
    command = ["bench", "train", "--recipe", "wgan-gp", "--scale", "tiny", "--rounds", "1", *small]
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code in (0, None)
    shown = capsys.readouterr().out
    assert "wgan-gp" in shown
    assert "bf16 in hardware" in shown
    assert "by CPU threads" in shown
    with pytest.raises(SystemExit):
        main([*command, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["machine"]["threads"] == 1
    assert found["results"][0]["ratio"] > 0
