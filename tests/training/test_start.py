"""Trainings that begin from another run, with and without frozen layers."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import mtgan
from cli.test_commands import mtgan as command
from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.recipes.rules import RecipeWarning
from mtgan.reports import write_comparison, write_report
from mtgan.training import Run, train
from toys import make_data, small_recipe

OTHERS, FEW = ("0", "1", "2", "5", "8"), ("3", "4")


def recipe(**keys: object) -> Recipe:
    return small_recipe("labeled-images", training__ema_decay=0.9, **keys)


def digits(*classes: str, subset: int | None = None) -> Dataset:
    return load_dataset("digits", classes={"fine": list(classes)}, subset=subset)


@pytest.fixture(scope="module")
def few() -> Dataset:
    return digits(*FEW, subset=40)


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> Run:
    return train(recipe(), digits(*OTHERS), tmp_path_factory.mktemp("runs") / "a", quiet=True)


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def tensors(run: Run, step: int, kind: str = "networks") -> dict[str, torch.Tensor]:
    return load_file(run.path / "checkpoints" / f"step-{step:08d}" / f"{kind}.safetensors")


def test_a_training_begins_where_another_ended(start, few, tmp_path, capsys) -> None:
    before = contents(start.path)
    run = train(recipe(), few, tmp_path / "b", start=start.path, start_step=2)
    assert contents(start.path) == before
    first, source = tensors(run, 0), tensors(start, 2)
    name = "generator/layers.1.upsample.weight"
    for kind in ("networks", "average"):
        assert torch.equal(first[f"{kind}/{name}"], source[f"{kind}/{name}"])
    assert not torch.equal(source[f"networks/{name}"], source[f"average/{name}"])
    assert not any(state.any() for state in tensors(run, 0, "optimizers").values())
    weights = start.path / "checkpoints" / "step-00000002" / "networks.safetensors"
    assert run.recipe.run["start"] == {
        "path": str(start.path),
        "recipe": "labeled-images",
        "data": "digits",
        "step": 2,
        "weights": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    kept = json.loads((run.path / "start.json").read_text())
    assert kept["levels"]["fine"]["others"]["3"] == ["1", "5"]
    assert kept["networks"]["generator"]["mapped"] == ["1: linear.weight"]
    told = capsys.readouterr().err
    assert f"note: from {start.path} (labeled-images), iteration 2, weights " in told
    assert "discriminator: 1, head coarse taken; head fine mapped by class" in told
    assert (
        "classes of fine: 3 from the mean of 1, 5 (superclass odd); 4 from the mean of 0, 2" in told
    )
    assert str(start.path) in write_report(run).read_text()
    page = write_comparison([start, run], tmp_path / "compared.html").read_text()
    assert "begun from" in page


def test_frozen_layers_stay_and_resuming_is_exact(start, few, tmp_path) -> None:
    keys = {"freeze__discriminator": 1, "training__steps": 4}
    whole = train(recipe(**keys), few, tmp_path / "whole", start=start, quiet=True)
    cut = train(
        recipe(**keys),
        few,
        tmp_path / "cut",
        start=start,
        quiet=True,
        callbacks=[lambda i, _: i == 2],
    )
    assert cut.steps[-1] == 2
    cut = train(recipe(**keys), few, tmp_path / "cut", start=start, quiet=True, resume=True)
    for kind in ("networks", "optimizers"):
        mine, theirs = tensors(cut, 4, kind), tensors(whole, 4, kind)
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    first, last = tensors(whole, 0), tensors(whole, 4)
    moved = {name for name in first if not torch.equal(first[name], last[name])}
    learned = {name for name, _ in whole.game().networks["discriminator"].named_parameters()}
    still = {name for name in learned if f"networks/discriminator/{name}" not in moved}
    assert still == {name for name in learned if name.startswith("layers.0.")}
    assert tensors(start, 4)["networks/discriminator/layers.0.convolution.bias"].equal(
        last["networks/discriminator/layers.0.convolution.bias"]
    )
    # Gone on with without a word about the start, and longer.
    longer = train(recipe(**keys | {"training__steps": 6}), few, cut.path, resume=True, quiet=True)
    assert longer.steps[-1] == 6
    assert longer.recipe.run["start"]["step"] == 4


def test_clipped_weights_leave_frozen_ones_alone(few, tmp_path) -> None:
    small = small_recipe("wgan", freeze__discriminator=1, penalty__limit=1e-4)
    with pytest.warns(RecipeWarning, match="have learned nothing; begin from a run"):
        run = train(small, few, tmp_path / "run", quiet=True)
    network = run.game().networks["discriminator"]
    assert network.layers[0].convolution.weight.abs().max() > 1e-3
    assert network.adversarial.linear.weight.abs().max() <= 1e-4


def test_a_model_folder_is_begun_from_too(start, few, tmp_path) -> None:
    folder = mtgan.export(start, tmp_path / "model")
    run = train(recipe(), few, tmp_path / "run", start=mtgan.load(folder), quiet=True)
    name = "generator/layers.1.upsample.weight"
    averaged = tensors(start, 4)[f"average/{name}"]
    assert torch.equal(tensors(run, 0)[f"average/{name}"], averaged)
    assert torch.equal(tensors(run, 0)[f"networks/{name}"], averaged)  # which is all it has
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert run.recipe.run["start"]["weights"] == digest
    again = mtgan.load(mtgan.export(run, tmp_path / "tuned"))
    assert again.recipe.run["start"] == {**run.recipe.run["start"], "path": "model"}  # no folder


def test_a_start_that_was_cut_off_is_not_forgotten(start, few, tmp_path) -> None:
    run = train(recipe(), few, tmp_path / "run", start=start, quiet=True)
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(
        UserError, match=r"was to begin from .*a and has no checkpoint yet; name that"
    ):
        train(recipe(), few, run.path, quiet=True)
    again = train(recipe(), few, run.path, start=start, quiet=True)
    assert torch.equal(
        tensors(again, 0)["networks/generator/layers.1.upsample.weight"],
        tensors(start, 4)["networks/generator/layers.1.upsample.weight"],
    )


SAID = {
    "another start": (
        {"start_step": 2},
        {},
        "was begun from .*, iteration 4 .*, and not from .* 2 ",
    ),
    "no such step": ({"start_step": 3}, {}, "has no checkpoint of step 3; there are "),
    "more layers than there are": (
        {},
        {"freeze__discriminator": 7},
        "freeze.discriminator=7, and at 8 x 8 pixels the discriminator has 1 layers; take 0 to 1.",
    ),
    "nothing fits": (
        {},
        {"generator__width": 9, "discriminator__width": 9},
        "Nothing of the generator of .* fits recipe labeled-images: take its recipe, or set ",
    ),
    "nothing of one fits": ({}, {"discriminator__kernel": 3}, "Nothing of the discriminator of "),
}


@pytest.mark.parametrize(("how", "keys", "said"), SAID.values(), ids=SAID)
def test_what_does_not_fit_is_said(start, few, tmp_path, how, keys, said) -> None:
    out = tmp_path / "run"
    if said.startswith("was begun"):
        train(recipe(), few, out, start=start, quiet=True)
    with pytest.raises(UserError, match=said):
        train(recipe(**keys), few, out, start=start, quiet=True, resume=out.exists(), **how)


def test_a_frozen_layer_that_nothing_fits_is_refused(tmp_path) -> None:
    data = make_data(16, (1, 16, 16))
    run = train(recipe(), data, tmp_path / "a", quiet=True)
    with pytest.raises(
        UserError,
        match=r"would keep layer 1 of the discriminator as it is init.*discriminator=0, or",
    ):
        train(
            recipe(freeze__discriminator=2),
            make_data(16, (3, 16, 16)),
            tmp_path / "b",
            start=run,
            quiet=True,
        )


def test_a_run_without_a_start_is_not_given_one(start, few, tmp_path) -> None:
    run = train(recipe(), few, tmp_path / "run", quiet=True)
    with pytest.raises(UserError, match="was not begun from another run, so it cannot go on from "):
        train(recipe(), few, run.path, start=start, quiet=True, resume=True)
    with pytest.raises(UserError, match="start_step is a checkpoint of start"):
        train(recipe(), few, tmp_path / "other", start_step=2)
    with pytest.raises(UserError, match="is not a run folder"):
        train(recipe(), few, tmp_path / "other", start=tmp_path)


def test_a_model_folder_without_a_discriminator_is_refused(start, tmp_path) -> None:
    from safetensors.torch import save_file

    from mtgan.exporting.weights import load_weights

    folder = mtgan.export(start, tmp_path / "model")
    own = load_file(folder / "model.safetensors")
    save_file({k: v for k, v in own.items() if k.startswith("average")}, tmp_path / "half")
    with pytest.raises(UserError, match="holds no discriminator, and a model folder holds one"):
        load_weights(start.game(), tmp_path / "half")


# The command


def test_the_command_takes_the_recipe_of_the_run(start, tmp_path) -> None:
    out = tmp_path / "b"
    wanted = ("train", "--data", "digits", "--from", str(start.path), "--step", "2", "--steps", "2")
    done = command(*wanted, "--set", "data.subset=50", "--out", str(out), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "note: classes of fine: 5 by name; 3 from the mean of 1, 5" in done.stderr
    run = Run.open(out)
    assert run.recipe.run["start"]["step"] == 2
    assert run.recipe.generator.width == start.recipe.generator.width
    shutil.rmtree(out / "checkpoints")
    done = command("train", "--resume", str(out), "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert torch.equal(
        tensors(run, 0)["networks/generator/layers.1.upsample.weight"],
        tensors(start, 2)["networks/generator/layers.1.upsample.weight"],
    )


def test_the_command_says_what_cannot_be_begun_from(start, tmp_path) -> None:
    (tmp_path / "model.onnx").touch()
    whole = ("train", "--data", "digits", "--out", "run")
    for words, said in (
        (("--from", tmp_path / "model.onnx"), "is a file, and a training begins from a run or"),
        (("--from", tmp_path / "nothing"), "There is no folder"),
        (("--step", "2"), "--step is a checkpoint of --from RUN"),
        (("--from", start.path, "--scale", "tiny"), "--scale tiny shrinks a recipe, and that of"),
        (("--from", mtgan.export(start, tmp_path / "model")), "name a RECIPE beside --from"),
    ):
        done = command(*whole, *map(str, words), cwd=tmp_path)
        assert done.returncode == 2
        assert said in " ".join(done.stderr.split())
    assert not (tmp_path / "run").exists()
    assert np.array_equal(start.sample(2, seed=0), Run.open(start.path).sample(2, seed=0))
