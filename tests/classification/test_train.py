"""Training, resuming, and what a run gives back."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from classification.small import small, train
from mtgan.classification import ClassifierRun, load_features, load_trunk
from mtgan.classification.game import ClassifierSnapshots
from mtgan.classification.inputs import augment, crop_center
from mtgan.classification.schema import Augmentation
from mtgan.errors import UserError
from mtgan.nets import Discriminator, DiscriminatorSettings
from mtgan.training import TrainingDiverged
from mtgan.training.checkpoints import list_checkpoints
from toys import make_data


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> ClassifierRun:
    return train(small("mtl-soft"), tmp_path_factory.mktemp("classify") / "run")


def test_a_run_folder_holds_what_came_of_it(run) -> None:
    lines = run.metrics()
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert set(lines[0]["values"]) == {
        *(f"{t}/{m}" for t in ("main", "auxiliary") for m in ("accuracy", "cross_entropy")),
        *(f"{t}/train_{m}" for t in ("main", "auxiliary") for m in ("accuracy", "cross_entropy")),
        "learning_rate",
        "distance",
    }
    accuracies = [line["values"]["main/accuracy"] for line in lines]
    result = run.result
    assert result["maximum_validation_accuracy"] == max(accuracies)
    assert result["chosen_epoch"] == 1 + accuracies.index(max(accuracies))
    assert result["training_images"] == {"main": 32, "auxiliary": 32}
    assert (result["validation_images"], result["test_images"]) == (8, 20)
    assert [line["values"]["learning_rate"] for line in lines] == [0.05, 0.005, 0.005]
    opened = ClassifierRun.open(run.path).recipe
    assert opened == run.recipe.model_copy(update={"extends": None})


def test_the_test_accuracy_is_of_the_chosen_epoch(run) -> None:
    test = make_data(20, seed=1)
    x = torch.from_numpy(test.samples).float() / 127.5 - 1
    with torch.no_grad():
        guessed = run.network("best")(x, "main").argmax(1).numpy()
    assert run.result["test_accuracy"] == pytest.approx((guessed == test.labels[:, 0]).mean())


def test_it_learns(tmp_path) -> None:
    data = make_data(160)
    changed = {"training__epochs": 6, "training__learning_rates": [0.1], "network__dropout": 0.1}
    recipe = small("mtl-hard", **changed)
    result = train(recipe, tmp_path / "run", data=data).result
    assert result["test_accuracy"] > 0.85  # brightness tells the four classes apart


@pytest.mark.parametrize("name", ["stl", "mtl-soft", "mtl-hard"])
def test_resuming_is_exact(name, tmp_path, monkeypatch) -> None:
    recipe = small(name, augmentation__crop=12, augmentation__flip=True)
    whole = train(recipe, tmp_path / "whole")
    monkeypatch.setattr(ClassifierSnapshots, "_save", _stop_after(2, ClassifierSnapshots._save))
    with pytest.raises(KeyboardInterrupt):
        train(recipe, tmp_path / "parts")
    monkeypatch.undo()
    # As if killed after two epochs, in the middle of the third.
    (tmp_path / "parts" / "metrics.jsonl").open("a").write('{"step": 3, "val')
    parts = train(recipe, tmp_path / "parts", resume=True)
    for which in ("live", "best"):
        pairs = [run.network(which).state_dict() for run in (whole, parts)]
        assert all(torch.equal(pairs[0][key], pairs[1][key]) for key in pairs[0])
    values = [[line["values"] for line in run.metrics()] for run in (whole, parts)]
    assert values[0] == values[1]
    results = [{k: v for k, v in run.result.items() if k != "seconds"} for run in (whole, parts)]
    assert results[0] == results[1]


def _stop_after(epoch: int, save):
    def stop(snapshots: ClassifierSnapshots, done: int, *rest: object) -> None:
        save(snapshots, done, *rest)
        if done == epoch:
            raise KeyboardInterrupt

    return stop


def test_a_finished_run_is_not_repeated(run) -> None:
    before = (run.path / "result.json").stat().st_mtime_ns
    again = train(small("mtl-soft"), run.path, resume=True)
    assert again.result == run.result
    assert (run.path / "result.json").stat().st_mtime_ns == before


def test_resuming_something_else_is_refused(run) -> None:
    with pytest.raises(UserError, match="exists already; go on with it by --resume"):
        train(small("mtl-soft"), run.path)
    with pytest.raises(UserError, match="another seed"):
        train(small("mtl-soft"), run.path, resume=True, seed=1)
    with pytest.raises(UserError, match="another data fingerprint"):
        train(small("mtl-soft"), run.path, resume=True, data=make_data(44))
    with pytest.raises(UserError, match=r"another recipe: training.epochs \(3 then, 4 now\)"):
        train(small("mtl-soft", training__epochs=4), run.path, resume=True)


def test_soft_sharing_draws_the_weights_together(tmp_path) -> None:
    loose, tight = (
        train(small("mtl-soft", sharing__weight=w), tmp_path / str(w)) for w in (0.0, 1.0)
    )
    last = [run.metrics()[-1]["values"]["distance"] for run in (loose, tight)]
    assert last[1] < 0.8 * last[0]


def test_an_aggregator_trains(tmp_path) -> None:
    pytest.importorskip("torchjd")
    run = train(small("mtl-hard", sharing__aggregator="upgrad"), tmp_path / "run")
    assert run.result["chosen_epoch"] >= 1


def test_missing_labels_are_passed_over(tmp_path, data) -> None:
    data.labels[::5] = -1
    result = train(small("mtl-hard"), tmp_path / "run", data=data).result
    assert 0 <= result["maximum_validation_accuracy"] <= 1
    assert np.isfinite(result["test_cross_entropy"])


def test_divergence_stops_before_the_update(tmp_path) -> None:
    recipe = small("stl", training__learning_rates=[1e30], network__batch_norm=False)
    with pytest.raises(
        TrainingDiverged, match="phase 'main' is not finite in epoch 1; stopped before t"
    ) as e:
        train(recipe, tmp_path / "run")
    assert str(e.value).endswith("diverged-step-00000000. Lower training.learning_rates.")
    assert list_checkpoints(tmp_path / "run/checkpoints") == []


# Reuse


def test_the_trunk_gives_the_main_networks_features(run) -> None:
    network, trunk = run.network(), load_trunk(run)
    x = torch.rand(5, 1, 16, 16) * 2 - 1
    assert trunk.features == 6 * 4 * 4
    with torch.no_grad():
        logits = network.branches["main"].linear(trunk(x))
        torch.testing.assert_close(logits, network(x, "main"))
    images = torch.from_numpy(make_data(6).samples)
    features = load_features(run.path, layers=1)(images)
    assert features.shape == (6, 4 * 8 * 8)
    with pytest.raises(UserError, match="has 2 layers"):
        load_trunk(run, 3)


def test_a_critic_can_begin_with_the_trunk(run) -> None:
    trunk = load_trunk(run)
    settings = DiscriminatorSettings((1, 16, 16), 4, 3)
    critic = Discriminator(
        lambda: list(trunk.layers), trunk.features, settings, "none", None, {}, {}
    )
    x = torch.rand(3, 1, 16, 16)
    torch.testing.assert_close(critic(x, {}).features, trunk(x))
    x.requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(x, {}).score.sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert all(layer[0].weight.grad.isfinite().all() for layer in trunk.layers)


def test_what_is_no_run_is_refused(tmp_path, run) -> None:
    with pytest.raises(UserError, match="is not the run of a classifier"):
        load_trunk(tmp_path)
    copy = Path(shutil.copytree(run.path, tmp_path / "copy"))
    shutil.rmtree(copy / "checkpoints")
    with pytest.raises(UserError, match="no complete checkpoint"):
        load_trunk(copy)
    assert json.loads((copy / "result.json").read_text()) == run.result


# Augmentation


def test_crops_are_windows_of_the_image() -> None:
    x = torch.arange(2 * 36.0).view(1, 2, 6, 6).expand(64, -1, -1, -1)
    part = Augmentation(crop=4, flip=True, share=1.0)
    y = augment(x, part, torch.Generator().manual_seed(0))
    windows = {
        candidate.numpy().tobytes()
        for top in range(3)
        for left in range(3)
        for window in [x[0, :, top : top + 4, left : left + 4]]
        for candidate in (window.contiguous(), window.flip(2).contiguous())
    }
    found = {image.contiguous().numpy().tobytes() for image in y}
    assert found <= windows
    assert len(found) == len(windows) == 18


def test_a_share_of_the_batch_is_augmented() -> None:
    x = torch.rand(4000, 1, 6, 6)
    part = Augmentation(flip=True, share=0.25)
    y = augment(x, part, torch.Generator().manual_seed(0))
    mirrored = (y == x.flip(3)).all(dim=(1, 2, 3))
    plain = (y == x).all(dim=(1, 2, 3))
    assert (mirrored | plain).all()
    assert 0.1 < mirrored.float().mean() < 0.15  # half of a quarter
    assert torch.equal(crop_center(x, Augmentation(crop=4)), x[:, :, 1:5, 1:5])


def test_a_crop_larger_than_the_image_is_refused(tmp_path) -> None:
    with pytest.raises(UserError, match=r"augmentation.crop=24 is larger than the images"):
        train(small("stl", augmentation__crop=24), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_classifier_of_the_critics_layers_trains_and_its_trunk_can_be_reused(tmp_path) -> None:
    critic = {"network__critic__width": 4, "network__critic__kernel": 3, "sharing__layers": 1}
    run = train(small("critic-hard", **critic, training__epochs=1), tmp_path / "run")
    assert 0 <= run.result["test_accuracy"] <= 1
    trunk = load_trunk(run.path)
    samples = torch.zeros(2, *make_data(2).shape)
    assert trunk(samples).shape == (2, trunk.features)
    with pytest.raises(UserError, match="has 2 layers; take layers from 1 to 2"):
        load_trunk(run.path, layers=3)
