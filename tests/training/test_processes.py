"""Several processes train one run: as one process does, and without hanging when one is lost."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch

from mtgan.training import Run, train
from mtgan.training.checkpoints import list_checkpoints, load_checkpoint
from toys import make_data, small_recipe

TESTS = Path(__file__).parents[1]

# What is trained, by name: a recipe, its overrides, and whether a third of the labels is missing.
RUNS: dict[str, tuple[str, dict[str, object], bool]] = {
    "wgan-gp": ("wgan-gp", {"data__flip": True}, False),
    "ac-wgan-b": ("ac-wgan-b", {}, True),
    "switched": (
        "ac-wgan-b",
        {
            "discriminator__conditioning": "concat",
            "schedule__conditioning": [
                {"condition_on": "none", "until": 1},
                {"condition_on": "fine", "over": 2},
            ],
        },
        True,
    ),
    "regularized": (  # nothing is augmented before the fourth update
        "gan",
        {
            "discriminator__lecam": 0.3,
            "discriminator__augmentation": ["color"],
            "discriminator__adaptive_augmentation": {"images": 64},
        },
        False,
    ),
    "clipped": ("wgan", {}, False),  # batch normalization in the critic
    "weighed": ("ac-wgan-a", {"aggregator": "uncertainty"}, False),
}
# Their true gradient is zero, as batch normalization (or a difference of scores) takes them away;
# Adam makes steps of full length from its rounding errors. Batch means follow them.
CANCELED = ("upsample.bias", "convolution.bias", "running_mean")

WORKER = textwrap.dedent(
    """
    import sys
    sys.path[:0] = [{tests!r}, {here!r}]
    from pathlib import Path
    from test_processes import RUNS, train_one
    for name in RUNS:
        train_one(name, Path({out!r}) / name)
    train_one("wgan-gp", Path({out!r}) / "parts", training__steps=2)
    train_one("wgan-gp", Path({out!r}) / "parts", resume=True)
    """
)


def train_one(name: str, out: Path, resume: bool = False, **overrides: object) -> Run:
    recipe, changes, missing = RUNS[name]
    data = make_data()
    if missing:
        data.labels[::3] = -1
    return train(small_recipe(recipe, **changes, **overrides), data, out, resume=resume, quiet=True)


def run_in_two(code: str, **environment: str) -> list[subprocess.Popen[str]]:
    """Two processes as torchrun starts them on two machines, but none that watches over them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TORCHELASTIC_RUN_ID": "test",
        "WORLD_SIZE": "2",
        "LOCAL_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        **environment,
    }
    return [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**common, "RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> tuple[Path, Path]:
    """Folders of the same runs trained by one process and by two."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    code = WORKER.format(tests=str(TESTS), here=str(Path(__file__).parent), out=str(two))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    worker = two / "worker.py"
    worker.write_text(code)
    started = subprocess.Popen(
        [*command, "--nproc-per-node", "2", str(worker)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    for name in RUNS:
        train_one(name, one / name)
    _, errors = started.communicate(timeout=300)
    assert started.returncode == 0, errors
    return one, two


def newest(folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    networks, optimizers, _ = load_checkpoint(list_checkpoints(folder / "checkpoints")[-1][1])
    return networks, optimizers


def assert_close(two: torch.Tensor, one: torch.Tensor, scale: torch.Tensor, key: str) -> None:
    """Within a hundredth or two of what was learned, and not in the last bits: Adam makes steps of
    full length from gradients whose sign is that of a rounding error."""
    gap, learned = (float(each.double().norm()) for each in (two - one, scale))
    assert gap <= 0.03 * learned + 1e-5, f"{key}: {gap:.2g} of {learned:.2g}"


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_end_where_one_does(name: str, pairs: tuple[Path, Path]) -> None:
    (one, moments), (two, other_moments) = (newest(folder / name) for folder in pairs)
    begun = load_checkpoint(list_checkpoints(pairs[0] / name / "checkpoints")[0][1])[0]
    assert one.keys() == two.keys()
    for key in one:
        if not key.endswith(CANCELED):
            assert_close(two[key], one[key], one[key] - begun[key], key)
    # Averages of the gradients of every parameter, without exception.
    for key in (key for key in moments if key.endswith("exp_avg")):
        assert_close(other_moments[key], moments[key], moments[key], key)


@pytest.mark.parametrize("name", RUNS)
def test_two_processes_log_what_one_does(name: str, pairs: tuple[Path, Path]) -> None:
    one, two = (Run.open(folder / name).metrics() for folder in pairs)
    assert [line["step"] for line in two] == [1, 2, 3, 4]
    for a, b in zip(one, two, strict=True):
        assert a["values"] == pytest.approx(b["values"], abs=0.02)


def test_two_processes_resume_as_if_never_stopped(pairs: tuple[Path, Path]) -> None:
    whole, parts = (newest(pairs[1] / name)[0] for name in ("wgan-gp", "parts"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "silent"])
def test_a_lost_process_ends_the_others_with_one_sentence(blow, tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(TESTS)!r})\n" + textwrap.dedent(
        f"""
        from toys import make_data, small_recipe
        from mtgan.errors import UserError
        from mtgan.training import train
        rarely = {{"training__sample_every": 100000, "training__checkpoint_every": 20}}
        recipe = small_recipe(training__steps=100000, **rarely)
        try:
            train(recipe, make_data(), {str(tmp_path / "run")!r}, quiet=True)
        except UserError as error:
            sys.exit(str(error))
        """
    )
    first, second = run_in_two(code, MTGAN_TIMEOUT="3")
    try:
        while len(list_checkpoints(tmp_path / "run" / "checkpoints")) < 2:
            assert first.poll() is None, first.communicate()[1]
            time.sleep(0.05)
        second.send_signal(blow)
        _, errors = first.communicate(timeout=60)
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()
    assert first.returncode == 1
    assert "Process 0 of 2 has lost another one" in errors
    assert "--resume" in errors
    assert Run.open(tmp_path / "run").sample(2).shape == (2, 1, 16, 16)


@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_process_frozen_around_the_work_of_the_first_is_noticed(when: str) -> None:
    """Before it waits for the answer, while it waits, and when it has it."""
    code = textwrap.dedent(
        f"""
        import os, signal, sys, threading, time
        import torch
        from mtgan import processes
        from mtgan.errors import UserError

        def freeze():
            os.kill(os.getpid(), signal.SIGSTOP)

        processes.join(torch.device("cpu"))
        other = not processes.is_first()
        if other and {when!r} == "before":
            freeze()
        if other and {when!r} == "within":
            threading.Timer(0.5, freeze).start()
        try:
            processes.on_first_process(lambda: time.sleep(1.5))
            if other:
                freeze()
            processes.any_of(False)
        except UserError as error:
            sys.exit(str(error))
        """
    )
    first, second = run_in_two(code, MTGAN_TIMEOUT="1")
    try:
        _, errors = first.communicate(timeout=60)
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()
    assert first.returncode == 1
    assert "Process 0 of 2 has lost another one" in errors
