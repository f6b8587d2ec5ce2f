"""Seconds per iteration of our training loop against the plainly written one.

Both train the same networks on the same data, alternately in one process with a large convolution,
so that whatever else the machine does falls on all; the ratio of each round's times is what
counts. Losses and gradients of both are compared first, on the same samples and noise.

One thread is timed in CPU seconds, which other work hardly moves; several in wall-clock seconds.
"""

import math
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import torch
from benchmarks.plain import Labels, PlainLoop
from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from torch import Tensor
from torch.nn.functional import conv2d
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.training.batches import Batch, RandomInputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.game import Game
from mtgan.training.requests import Requests
from mtgan.training.train import prepare

RECIPES = ("wgan-gp", "ac-wgan-b", "sc-wgan-b", "resnet-b", "dcgan-advantage")
# What a recipe is trained on where it names no size: color as the thesis, or gray.
SIDE, CHANNELS = 32, {"tiny": 1, "small": 3, "full": 3}
COMPARED, TOLERANCE = 8, 1e-9  # samples; of losses and gradients, relative, in float64
CEILING_SHAPE = (16, 128, 32, 32)
# Operations that start no kernel although they are no views.
FREE = {"aten::detach", "aten::empty", "aten::new_empty", "aten::empty_like", "aten::lift_fresh"}
# Kinds of operations by what their names contain; the first that fits counts.
KINDS = {
    "convolutions": "convolution",
    "products": "mm$|bmm|linear",
    "activations": "relu|tanh|sigmoid|soft",
    "normalization": "(batch|layer|group)_norm",
    "optimizer": "adam|rmsprop|_foreach|lerp",
    "copies": "copy|cat$|stack|pad|shuffle|index|fill|zero|clone",
}
PROFILED = 3  # iterations


def bench_data(recipe: Recipe, scale: str) -> Dataset:
    """Clothes of two label levels, at the size and in the channels that a recipe is timed on."""
    return load_dataset(
        "fashion-mnist-10k", size=recipe.data.size or SIDE, channels=CHANNELS.get(scale, 3)
    )


def machine() -> dict[str, Any]:
    """Processor, threads, PyTorch, and whether bfloat16 is computed in hardware."""
    found = torch.cpu.get_capabilities()
    return {
        "processor": found.get("cpu_name", "unknown"),
        "cores": found.get("num_physical_cores"),
        "threads": torch.get_num_threads(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "bf16_in_hardware": any(found.get(name) for name in ("avx512_bf16", "amx_bf16")),
        "torch": str(torch.__version__),
    }


# The same results ---------------------------------------------------------------------------------


def differences(recipe: Recipe, data: Dataset) -> dict[str, float]:
    """Largest relative difference of losses and of gradients, over all phases of the recipe.

    In float64, on few samples; gradients are compared network by network, as vectors.
    """
    info = DatasetInfo.of(data)
    game, plain = Game(recipe, info), PlainLoop(recipe, data)
    for network in (*game.networks.values(), *plain.networks.values()):
        network.double()
    random = torch.Generator().manual_seed(3)
    worst = {"loss": 0.0, "gradient": 0.0}
    for phase in game.phases:
        batch, inputs = _draw(recipe, info, plain, random)
        for network in (*game.networks.values(), *plain.networks.values()):
            network.zero_grad()
        updated = [p for name in phase.updates for p in game.groups[name]]
        ours = phase.aggregator.backward(phase.step(batch, inputs), updated)  # type: ignore[arg-type]
        theirs = _plain_loss(plain, phase.name, batch, inputs)
        theirs.backward()
        worst["loss"] = max(worst["loss"], _apart(ours, theirs))
        for name in (n for n in game.networks if n in phase.updates):
            gradients = [
                torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])
                for network in (game.networks[name], plain.networks[name])
            ]
            worst["gradient"] = max(worst["gradient"], _apart(*gradients))
    return worst


def _draw(
    recipe: Recipe, info: DatasetInfo, plain: PlainLoop, random: torch.Generator
) -> tuple[Batch, RandomInputs]:
    """Noise images under labels that occur in the data, and the noise of a step."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random, dtype=torch.float64)

    labels: Labels = plain.columns(Requests(info).draw(COMPARED, random))
    z = 2 * uniform(COMPARED, recipe.latent.dim) - 1
    real = 2 * uniform(COMPARED, *info.shape) - 1
    return Batch(real, labels), RandomInputs(z, labels, uniform(COMPARED))


def _plain_loss(plain: PlainLoop, phase: str, batch: Batch, inputs: RandomInputs) -> Tensor:
    if phase == "discriminator":
        return plain.discriminator_loss(batch.samples, batch.labels, inputs.latents, inputs.epsilon)
    if phase == "generator":
        return plain.generator_loss(inputs.labels, inputs.latents)
    return plain.classifier_loss(phase, batch.samples, batch.labels, inputs.latents)


def _apart(a: Tensor, b: Tensor) -> float:
    return float((a - b).detach().norm() / b.detach().norm().clamp_min(1e-12))


# Times --------------------------------------------------------------------------------------------


def compare(
    recipe: Recipe,
    data: Dataset,
    rounds: int,
    iterations: int,
    precision: str = "32",
) -> dict[str, Any]:
    """Time both loops, ours in `precision` and the plain one in float32, and count their work.

    Returns:
        A dictionary for JSON. Per side: seconds per iteration, images per second (real ones that
        a discriminator or classifier has seen, and generated ones that moved a generator),
        floating-point operations, their share of the ceiling (a large convolution at the same
        precision), and launches: PyTorch operations but views.

    Raises:
        UserError: The recipe has no plain twin, or losses or gradients of the two differ.
    """
    apart = differences(recipe, data)
    if max(apart.values()) > TOLERANCE:
        raise UserError(f"{recipe.name}: our loop and the plain one disagree, relatively: {apart}.")
    with tempfile.TemporaryDirectory() as folder:
        trainer = prepare(recipe, data, Path(folder) / "run", device="cpu", precision=precision)
        plain = PlainLoop(recipe, data)

        def ours() -> None:
            trainer.run_iteration()

        sides: dict[str, Callable[[], object]] = {"ours": ours, "plain": plain.iterate}
        every = recipe.schedule.classifier_every if plain.classifiers else 1
        # Images that the plain loop loads one by one are no launches; this also warms up.
        loading, plain.batches = plain.batches, repeat(next(plain.batches))
        work = {name: _work(step, every) for name, step in sides.items()}
        plain.batches = loading
        ceilings = {
            f"ceiling of {name}": convolution(kind)
            for name, kind in (("ours", precision), ("plain", "32"))
        }
        measured = take_turns(sides | ceilings, rounds, iterations * every)
    return {
        "recipe": recipe.name,
        "width": recipe.discriminator.width,
        "batch_size": recipe.training.batch_size,
        "shape": list(data.shape),
        "precision": precision,
        "rounds": rounds,
        "iterations_per_round": iterations * every,
        "differences": apart,
        "shares": shares(ours, PROFILED * every),
        **{name: _side(name, measured, work[name], _images(recipe, plain)) for name in sides},
        **ratios(measured["plain"], measured["ours"]),
    }


def take_turns(
    sides: Mapping[str, Callable[[], object]], rounds: int, count: int
) -> dict[str, list[float]]:
    """Seconds per call of every side, round by round."""
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, step in sides.items():
            measured[name].append(_seconds(step, count))
    return measured


def ratios(above: Sequence[float], below: Sequence[float]) -> dict[str, Any]:
    """Median and range of the rounds' ratios."""
    found = [a / b for a, b in zip(above, below, strict=True)]
    return {"ratio": statistics.median(found), "ratio_range": [min(found), max(found)]}


def _seconds(step: Callable[[], object], count: int) -> float:
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    began = clock()
    for _ in range(count):
        step()
    return (clock() - began) / count


class _Work(TorchDispatchMode):
    """Counts operations that write something, and their floating-point operations.

    By PyTorch's own formulas; its FlopCounterMode has hooks that a gradient's gradient breaks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.flops = self.launches = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.launches += not (func.is_view or func._schema.name in FREE)
        formula = flop_registry.get(func.overloadpacket)
        self.flops += formula(*args, **kwargs, out_val=result) if formula else 0
        return result


def _work(step: Callable[[], object], iterations: int) -> dict[str, float]:
    """Floating-point operations and launches per iteration."""
    with _Work() as work:
        for _ in range(iterations):
            step()
    return {"flops": work.flops / iterations, "launches": work.launches / iterations}


def shares(step: Callable[[], object], count: int) -> dict[str, float]:
    """Share of the time by kind of operation, by PyTorch's profiler, which itself costs some.

    The rest is other operations, autograd's own work and Python's.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it would announce its start on the terminal
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        began = time.perf_counter()
        for _ in range(count):
            step()
        total = 1e6 * (time.perf_counter() - began)
    found = dict.fromkeys(KINDS, 0.0)
    for event in profile.key_averages():
        kind = next((kind for kind, text in KINDS.items() if re.search(text, event.key)), None)
        if kind and event.key.startswith("aten::"):
            found[kind] += event.self_cpu_time_total / total
    return {**found, "rest": 1 - sum(found.values())}


def convolution(precision: str) -> Callable[[], object]:
    """One forward pass of a large convolution, which stands for what the machine can do."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    x = torch.randn(CEILING_SHAPE, dtype=dtype).contiguous(memory_format=torch.channels_last)
    w = torch.randn(CEILING_SHAPE[1], CEILING_SHAPE[1], 3, 3, dtype=dtype)
    w = w.contiguous(memory_format=torch.channels_last)
    return lambda: conv2d(x, w, padding=1)


def _images(recipe: Recipe, plain: PlainLoop) -> float:
    """Samples per iteration: a batch for each update."""
    part, schedule = recipe.training, recipe.schedule
    classifiers = len(plain.classifiers) / schedule.classifier_every
    generated = schedule.generator_steps * (part.generator_batch_size or part.batch_size)
    return part.batch_size * (schedule.discriminator_steps + classifiers) + generated


def _side(
    name: str, measured: Mapping[str, list[float]], work: dict[str, float], images: float
) -> dict[str, float]:
    seconds = statistics.median(measured[name])
    convolution_flops = 2 * CEILING_SHAPE[1] ** 2 * 9 * math.prod(CEILING_SHAPE) / CEILING_SHAPE[1]
    ceiling = convolution_flops / statistics.median(measured[f"ceiling of {name}"])
    return {
        "seconds": seconds,
        "images_per_second": images / seconds,
        "ceiling_flops_per_second": ceiling,
        "share_of_ceiling": work["flops"] / seconds / ceiling,
        **work,
    }


# What is printed ----------------------------------------------------------------------------------


def table(results: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> Group:
    """A rich table with a row per comparison, and the machine under it."""
    shown = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    shown.add_column("recipe")
    shown.add_column("scale")
    for heading in ("ratio", "rounds"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for heading in ("ms", "images/s", "GFLOP", "of ceiling", "launches"):
        shown.add_column(f"{heading}\nours / plain", justify="right")
    for each in results:
        sides = each["ours"], each["plain"]
        shown.add_row(
            each["recipe"],
            each["scale"],
            f"{each['ratio']:.2f}",
            "{:.2f}-{:.2f}".format(*each["ratio_range"]),
            " / ".join(f"{1000 * side['seconds']:,.0f}" for side in sides),
            " / ".join(f"{side['images_per_second']:,.0f}" for side in sides),
            " / ".join(f"{side['flops'] / 1e9:.1f}" for side in sides),
            " / ".join(f"{side['share_of_ceiling']:.0%}" for side in sides),
            " / ".join(f"{side['launches']:,.0f}" for side in sides),
        )
    return Group(shown, *_notes(results, about), "", "where our time goes:", _profiles(results))


def _profiles(results: Sequence[Mapping[str, Any]]) -> Table:
    shown = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for heading in ("recipe", "scale"):
        shown.add_column(heading)
    for kind in (*KINDS, "rest"):
        shown.add_column(kind, justify="right")
    for each in results:
        parts = (f"{share:.0%}" for share in each["shares"].values())
        shown.add_row(each["recipe"], each["scale"], *parts)
    return shown


def _notes(results: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> list[str]:
    first = results[0]
    rates = [statistics.median(r["ours"]["ceiling_flops_per_second"] for r in results)]
    rates += [statistics.median(r["plain"]["ceiling_flops_per_second"] for r in results)]
    apart = [max(r["differences"][kind] for r in results) for kind in ("loss", "gradient")]
    return [
        f"ours in {first['precision']}, plain in 32; {first['rounds']} rounds; "
        + ("CPU seconds of one thread" if about["threads"] == 1 else "wall-clock seconds"),
        f"machine: {about['processor']}, {about['threads']} of {about['cores']} cores, "
        f"{about['vectors']}, bf16 in hardware: {'yes' if about['bf16_in_hardware'] else 'no'}, "
        f"PyTorch {about['torch']}; ceiling {rates[0] / 1e9:.0f} GFLOP/s, "
        f"of float32 {rates[1] / 1e9:.0f}",
        f"same results: losses differ by {apart[0]:.0e} at most, gradients by {apart[1]:.0e}",
    ]
