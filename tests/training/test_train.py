"""Training from end to end: files, resuming, interruption, and what goes wrong."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.files import hold
from mtgan.recipes.rules import RecipeWarning
from mtgan.training import Run, TrainingDiverged, train
from mtgan.training import checkpoints as checkpoint_module
from mtgan.training.checkpoints import list_checkpoints, load_checkpoint
from mtgan.training.devices import with_precision
from toys import ZOO, Instruments, make_data, small_recipe


def go(out: Path, name: str = "wgan-gp", resume: bool = False, **overrides: object) -> Run:
    data = make_data(three_levels=name.endswith("three-levels"))
    recipe = small_recipe(name, **overrides)
    return train(recipe, data, out, resume=resume, quiet=True, instruments=Instruments())


def weights(run: Run) -> dict[str, torch.Tensor]:
    path = list_checkpoints(run.path / "checkpoints")[-1][1]
    networks, optimizers, _ = load_checkpoint(path)
    return {**networks, **{f"optimizer/{key}": value for key, value in optimizers.items()}}


def assert_same_weights(first: Run, second: Run) -> None:
    a, b = weights(first), weights(second)
    assert a.keys() == b.keys()
    different = [key for key in a if not torch.equal(a[key], b[key])]
    assert not different


def test_a_run_folder_holds_what_the_design_says(tmp_path: Path) -> None:
    run = go(tmp_path / "run")
    names = {path.name for path in run.path.iterdir()}
    assert names == {
        ".lock",
        "recipe.yaml",
        "data.json",
        "metrics.jsonl",
        "tensorboard",
        "samples",
        "checkpoints",
    }
    assert run.steps == [0, 2, 4]
    assert sorted(p.name for p in (run.path / "samples").iterdir()) == [
        "step-00000000.png",
        "step-00000002.png",
        "step-00000004.png",
    ]
    lines = run.metrics()
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert lines[-1]["steps_per_second"] > 0
    assert {
        "discriminator/adversarial",
        "discriminator/gradient_penalty",
        "discriminator/distance_estimate",
        "generator/adversarial",
        "log_loss_ratio",
    } <= lines[-1]["values"].keys()
    recorded = Run.open(run.path).recipe.run
    assert recorded["data_fingerprint"] == make_data().fingerprint
    assert recorded["seed"] == 0
    assert not list(run.path.rglob("*.pt")) + list(run.path.rglob("*.pkl"))


@pytest.mark.parametrize("name", ZOO)
def test_resuming_equals_never_having_stopped(name: str, tmp_path: Path) -> None:
    whole = go(tmp_path / "whole", name)
    shutil.copytree(whole.path, tmp_path / "parts")
    shutil.rmtree(tmp_path / "parts" / "checkpoints" / "step-00000004")
    parts = go(tmp_path / "parts", name, resume=True)
    assert_same_weights(whole, parts)
    values = [[line["values"] for line in run.metrics()] for run in (whole, parts)]
    assert values[0] == values[1]


def test_batches_with_labels_go_on_where_they_were(tmp_path: Path) -> None:
    half = {"data__labeled_share": 0.5}
    whole = go(tmp_path / "whole", "sgan", **half)
    shutil.copytree(whole.path, tmp_path / "parts")
    shutil.rmtree(tmp_path / "parts" / "checkpoints" / "step-00000004")
    assert_same_weights(whole, go(tmp_path / "parts", "sgan", resume=True, **half))


def test_batches_with_labels_need_a_level_of_the_data(tmp_path: Path) -> None:
    own = {"data__labeled_share": 0.5, "latent__codes": {"code": 3}, "condition_on": "code"}
    with pytest.raises(UserError, match=r"data.labeled_share=0.5, and neither a task nor condit"):
        go(
            tmp_path / "run",
            "gan",
            generator__conditioning="concat",
            tasks=[{"labels": "code"}],
            **own,
        )


def test_the_seed_is_all_that_makes_runs_differ(tmp_path: Path) -> None:
    first, again = go(tmp_path / "a"), go(tmp_path / "b")
    assert_same_weights(first, again)
    other = train(small_recipe(), make_data(), tmp_path / "c", seed=1, quiet=True)
    assert not torch.equal(
        weights(first)["networks/generator/layers.0.linear.weight"],
        weights(other)["networks/generator/layers.0.linear.weight"],
    )


def test_training_leaves_the_global_random_state_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    go(tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)


_CHILD = textwrap.dedent(
    """
    import sys
    sys.path.insert(0, {tests!r})
    from toys import make_data, small_recipe
    from mtgan.training import train
    recipe = small_recipe(
        training__steps=60, training__checkpoint_every=3, training__sample_every=30
    )
    train(recipe, make_data(), {out!r}, resume={resume}, quiet=True)
    """
)


def start(out: Path, resume: bool) -> subprocess.Popen[bytes]:
    tests = str(Path(__file__).parents[1])
    code = _CHILD.format(tests=tests, out=str(out), resume=resume)
    return subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


def test_killed_at_random_instants_and_resumed_gives_the_same_weights(tmp_path: Path) -> None:
    reference = tmp_path / "reference"
    assert start(reference, resume=False).wait() == 0
    random = np.random.default_rng(0)
    victim = tmp_path / "victim"
    kills = 0
    for _ in range(5):
        process = start(victim, resume=(victim / "recipe.yaml").exists())
        before = len(list_checkpoints(victim / "checkpoints"))
        deadline = time.monotonic() + 60
        # Wait until it trains, then strike anywhere: in a step, or while a checkpoint is written.
        while process.poll() is None and time.monotonic() < deadline:
            found = list_checkpoints(victim / "checkpoints")
            if found and (not before or found[-1][1].stat().st_mtime > time.time() - 0.5):
                break
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.15))
        if process.poll() is not None:
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    if process.poll() != 0:
        assert start(victim, resume=True).wait() == 0
    assert kills >= 2
    assert_same_weights(Run.open(reference), Run.open(victim))


def test_a_termination_request_finishes_the_step_and_saves(tmp_path: Path) -> None:
    out = tmp_path / "run"
    code = _CHILD.format(tests=str(Path(__file__).parents[1]), out=str(out), resume=False)
    code = code.replace("training__steps=60", "training__steps=100000")
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    while not (out / "checkpoints").exists() or not Run.open(out).steps[1:]:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    message = errors.decode()
    assert "--resume" in message
    assert "Stopped at iteration" in message
    step = int(message.split("Stopped at iteration ")[1].split()[0])
    assert Run.open(out).steps[-1] == step


def test_old_checkpoints_are_pruned(tmp_path: Path) -> None:
    run = go(
        tmp_path / "run",
        training__steps=8,
        training__checkpoint_every=1,
        training__keep_checkpoints=2,
    )
    assert run.steps == [7, 8]


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path, monkeypatch) -> None:
    out = tmp_path / "run"
    go(out, training__steps=2)
    real = checkpoint_module.save_file

    def full(tensors, path):
        real(tensors, path)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint_module, "save_file", full)
    with pytest.raises(UserError, match=r"no space left on the device.*--resume"):
        go(out, resume=True)
    run = Run.open(out)
    assert run.steps == [0, 2]
    assert not list((out / "checkpoints").glob(".*"))
    assert run.sample(2).shape == (2, 1, 16, 16)
    monkeypatch.setattr(checkpoint_module, "save_file", real)
    assert_same_weights(go(out, resume=True), go(tmp_path / "whole"))


@pytest.mark.parametrize("rate", [1e30])
def test_divergence_stops_before_the_update_and_names_the_phase(tmp_path: Path, rate) -> None:
    with pytest.raises(
        TrainingDiverged, match=r"phase '(discriminator|generator)' .* iteration \d+; stopped"
    ):
        go(tmp_path / "run", optimizer__learning_rate=rate, training__steps=50)
    saved = list((tmp_path / "run" / "checkpoints").glob("diverged-*"))
    assert len(saved) == 1
    assert (saved[0] / "networks.safetensors").is_file()


def test_an_existing_run_is_never_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "run"
    before = weights(go(out))
    with pytest.raises(UserError, match=r"exists already; go on with it by --resume"):
        go(out)
    after = weights(Run.open(out))
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_resuming_with_something_else_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "run"
    go(out)
    with pytest.raises(UserError, match=r"penalty.weight \(10.0 then, 3.0 now\)"):
        go(out, resume=True, penalty__weight=3.0)
    with pytest.raises(UserError, match="other samples or labels"):
        train(small_recipe(), make_data(seed=1), out, resume=True, quiet=True)
    with pytest.raises(UserError, match="seed 0, not 1"):
        train(small_recipe(), make_data(), out, seed=1, resume=True, quiet=True)


def test_what_a_newer_version_tells_of_a_recipe_is_no_other_recipe(tmp_path: Path) -> None:
    go(tmp_path / "run", training__steps=2)
    told = small_recipe(training__steps=4).model_copy(update={"about": "Said anew.", "title": "X"})
    run = train(told, make_data(), tmp_path / "run", resume=True, quiet=True)
    assert run.steps[-1] == 4


def test_a_corrupt_checkpoint_is_named(tmp_path: Path) -> None:
    run = go(tmp_path / "run")
    file = list_checkpoints(run.path / "checkpoints")[-1][1] / "networks.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(UserError, match="step-00000004 is incomplete or corrupt"):
        Run.open(run.path).sample(1)


def test_a_finished_run_may_be_trained_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    go(out, training__steps=2)
    run = go(out, resume=True, training__steps=4)
    assert run.steps[-1] == 4
    assert Run.open(out).recipe.training.steps == 4


def test_a_line_cut_off_by_a_kill_does_not_spoil_the_log(tmp_path: Path) -> None:
    out = tmp_path / "run"
    go(out, training__steps=2)
    with (out / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "train", "step": 3, "val')
    run = go(out, resume=True)
    lines = [json.loads(text) for text in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert run.metrics() == lines


def test_a_run_is_not_trained_twice_at_once(tmp_path: Path) -> None:
    out = tmp_path / "run"
    before = go(out, training__steps=2).metrics()
    lock = hold(out, "training in")
    with pytest.raises(UserError, match=f"Another process is training in {out}; wait for it"):
        go(out, resume=True)
    assert Run.open(out).metrics() == before
    lock.release()
    assert go(out, resume=True).steps[-1] == 4


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (3, 48, 48), (3, 16, 32), (1, 8, 8)])
def test_image_sizes(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    data = make_data(shape=shape)
    run = train(small_recipe(training__steps=1), data, tmp_path / "run", quiet=True)
    images = Run.open(run.path).sample(3)
    assert images.shape == (3, *shape)
    assert images.dtype == np.uint8


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (make_data(shape=(1, 6, 6)), "sides of 8 to 256 pixels"),
        (make_data(shape=(1, 300, 300)), "sides of 8 to 256 pixels"),
        (make_data(count=4), "fewer than one batch of 8"),
    ],
)
def test_data_that_cannot_be_trained_on(tmp_path: Path, data, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        train(small_recipe(), data, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_a_level_that_the_data_lack_is_named(tmp_path: Path) -> None:
    data = make_data()
    with pytest.raises(UserError, match=r"needs the label level 'top', and the data set has only"):
        train(small_recipe("ac-wgan-b", tasks__1__labels="top"), data, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("device", "precision"), [("tpu", "32"), ("cpu", "16")])
def test_unknown_devices_and_precisions(tmp_path: Path, device: str, precision: str) -> None:
    with pytest.raises(UserError, match=r"should be .*; found"):
        train(small_recipe(), make_data(), tmp_path / "r", device=device, precision=precision)


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [({"avx512_bf16": True}, "bf16"), ({"avx512_bf16": False, "avx512_f": True}, "32"), ({}, "32")],
)
def test_auto_is_bf16_where_it_is_in_hardware(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    found = with_precision(small_recipe(), "auto", torch.device("cpu"))
    assert found.training.precision == precision
    own = with_precision(found, None, torch.device("cpu"))
    assert own.training.precision == precision


def test_slow_bf16_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    with pytest.warns(RecipeWarning, match="no bfloat16 in hardware"):
        with_precision(small_recipe(), "bf16", torch.device("cpu"))


def test_bf16_trains(tmp_path: Path) -> None:
    run = train(
        small_recipe("ac-wgan-b"), make_data(), tmp_path / "run", precision="bf16", quiet=True
    )
    assert run.steps[-1] == 4
    assert all(tensor.dtype != torch.bfloat16 for tensor in weights(run).values())
    assert run.recipe.training.precision == "bf16"  # on record, so that nobody resumes in float32
    with pytest.raises(UserError, match=r"training\.precision \('bf16' then, '32' now\) differs"):
        train(small_recipe("ac-wgan-b"), make_data(), run.path, resume=True, quiet=True)
