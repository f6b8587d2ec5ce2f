"""`mtgan demo`: the main job on the embedded data, about two minutes of two cores."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Quiet, Seed, Steps
from mtgan.text import console

if TYPE_CHECKING:
    from mtgan.training import Run

_RECIPE, _DATA, _STEPS = "labeled-images", "fashion-mnist-10k", 2000
# The same without the second level of labels.
_CONTROL = ("condition_on=fine", "tasks=[{labels: fine, weight: 0.5, head: {classes: real-fake}}]")
_SAMPLES = 2000


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="The run folder.")] = None,
    steps: Steps = None,
    seed: Seed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped demo.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a multitask model on embedded clothes, judge it, and write a page of the result.

    A second training beside it, in FOLDER-one-task, has no superclasses to learn: the page says
    what these did.
    """
    import torch

    from mtgan.data import load_dataset
    from mtgan.recipes import load_recipe
    from mtgan.reports import write_report
    from mtgan.runs import evaluate_run, store, train
    from mtgan.training.commands import commands_of

    steps = steps or _STEPS
    recipe = load_recipe(_RECIPE, {"training.steps": steps}, scale="tiny")
    folder = out or _fresh("runs/demo", resume)
    beside = _beside(folder)
    data = load_dataset(_DATA)
    threads = max(1, (os.cpu_count() or 1) // 2)
    torch.set_num_threads(threads)
    with _control(beside, steps, seed, threads, resume) as control:
        run = train(recipe, data, folder, seed=seed, resume=resume, quiet=quiet)
        card = evaluate_run(run, data, n=_SAMPLES, seed=seed, corruptions=False)
        store(run, card)
        other = _finished(control, beside)
    page = write_report(run, control=other)
    if not quiet:
        console().print(card.table())
        say(f"page:    {page}")
        say(f"samples: {run.path / 'samples'}")
        say(f"more:    {commands_of(run)['Another model']}")


@contextlib.contextmanager
def _control(
    folder: Path, steps: int, seed: int, threads: int, resume: bool
) -> Iterator["subprocess.Popen[bytes]"]:
    """The training with one task, in a process of its own, which ends where this one fails."""
    if resume and folder.exists():
        words = ["--resume", str(folder), "--steps", str(steps)]
    else:
        words = [_RECIPE, "--data", _DATA, "--scale", "tiny", "--seed", str(seed)]
        words += ["--steps", str(steps), "--out", str(folder)]
        for setting in (*_CONTROL, f"training.evaluate_every={steps}"):
            words += ["--set", setting]
    process = subprocess.Popen(
        [sys.executable, "-m", "mtgan", "train", *words, "--quiet"],
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _finished(control: "subprocess.Popen[bytes]", folder: Path) -> "Run | None":
    """The training with one task, once it is through; None where it failed, which its own sentence
    has said."""
    from mtgan.training import Run

    return Run.open(folder) if control.wait() == 0 else None


def _beside(folder: Path) -> Path:
    """The folder of the training with one task."""
    return folder.with_name(f"{folder.name}-one-task")


def _fresh(name: str, resume: bool) -> Path:
    """`name`, or name-2, name-3, ... where it is taken: a second demo overwrites nothing."""
    if resume:
        return Path(name)
    candidates = (Path(name if i == 1 else f"{name}-{i}") for i in range(1, 10_000))
    return next(c for c in candidates if not c.exists() and not _beside(c).exists())
