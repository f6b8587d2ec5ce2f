"""Seconds per iteration of our training loop against the plainly written one.

Both train the same networks on the same data and device, alternately in one process with a large
convolution (benchmarks.timing); the ratio of each round's times is what counts. Losses and
gradients of both are compared first, on the same samples and noise.

A GPU is faster than a DataLoader that converts image by image: there the plain loop is timed a
second time, on one batch that lies on the device already.
"""

import os
import re
import statistics
import tempfile
import time
from collections.abc import Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import torch
from benchmarks.plain import Labels, PlainLoop
from benchmarks.timing import (
    CPU,
    Step,
    clock_of,
    convolution,
    convolution_flops,
    cores,
    host_share,
    over_threads,
    ratios,
    take_turns,
    thread_counts,
)
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.training.batches import Batch, RandomInputs
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.devices import multiplies_bfloat16
from mtgan.training.game import Game
from mtgan.training.requests import Requests
from mtgan.training.train import prepare

RECIPES = ("wgan-gp", "ac-wgan-b", "sc-wgan-b", "resnet-b", "dcgan-advantage")
# What a recipe is trained on where it names no size: color as the thesis, or gray.
SIDE, CHANNELS = 32, {"tiny": 1, "small": 3, "full": 3}
COMPARED, TOLERANCE = 8, 1e-9  # samples; of losses and gradients, relative, in float64
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
GRAPHS = "ours, graphs"  # our loop by CUDA graphs
LOADED = "plain, loaded"  # the plain loop on a batch that lies on the device
WARMING = 3  # iterations on a GPU before any is timed


def bench_data(recipe: Recipe, scale: str) -> Dataset:
    """Clothes of two label levels, at the size and in the channels that a recipe is timed on."""
    return load_dataset(
        "fashion-mnist-10k", size=recipe.data.size or SIDE, channels=CHANNELS.get(scale, 3)
    )


def machine(device: torch.device = CPU) -> dict[str, Any]:
    """Processor, threads, PyTorch, whether bfloat16 is computed in hardware, and the GPU."""
    found = torch.cpu.get_capabilities()
    return {
        "device": device.type if device.type == "cpu" else torch.cuda.get_device_name(device),
        # Which products and convolutions of float32 a GPU rounds to TF32.
        "tf32": {
            "convolutions": torch.backends.cudnn.allow_tf32,
            "products": torch.backends.cuda.matmul.allow_tf32,
        },
        "processor": found.get("cpu_name", "unknown"),
        "cores": found.get("num_physical_cores"),
        "threads": torch.get_num_threads(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "bf16_in_hardware": multiplies_bfloat16(CPU),
        "torch": str(torch.__version__),
    }


# The same results ---------------------------------------------------------------------------------


def differences(recipe: Recipe, data: Dataset, device: torch.device = CPU) -> dict[str, float]:
    """Largest relative difference of losses and of gradients, over all phases of the recipe.

    In float64, on few samples; gradients are compared network by network, as vectors.
    """
    info = DatasetInfo.of(data)
    game, plain = Game(recipe, info), PlainLoop(recipe, data, device=device)
    game.to(device)
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
        return torch.rand(*shape, generator=random, dtype=torch.float64).to(plain.device)

    labels: Labels = plain.columns(Requests(info).draw(COMPARED, random).to(plain.device))
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
    device: torch.device = CPU,
) -> dict[str, Any]:
    """Time both loops, ours in `precision` and the plain one in float32, and count their work.

    Returns:
        A dictionary for JSON. Per side: seconds per iteration, images per second (real ones that
        a discriminator or classifier has seen, and generated ones that moved a generator),
        floating-point operations, their share of the ceiling (a large convolution at the same
        precision), and launches: PyTorch operations but views. On a CPU besides `shares` of our
        time by kind of operation, `threads`: our wall-clock seconds by the number of threads, and
        `halves`: the ratio of an iteration's seconds to those of one on half the batch. Two cores
        that share a batch without any loss between them are that many times as fast as one.
        On a GPU two sides more (GRAPHS, LOADED), and `host`, the host's share of each side's time.

    Raises:
        UserError: The recipe has no plain twin, or losses or gradients of the two differ.
    """
    apart = differences(recipe, data, device)
    if max(apart.values()) > TOLERANCE:
        raise UserError(f"{recipe.name}: our loop and the plain one disagree, relatively: {apart}.")
    plain = PlainLoop(recipe, data, device=device)
    every = recipe.schedule.classifier_every if plain.classifiers else 1
    count = iterations * every
    with tempfile.TemporaryDirectory() as folder:

        def ours(graphs: str, recipe: Recipe = recipe) -> Step:
            """Our loop, in a run folder of its own."""
            place = Path(tempfile.mkdtemp(dir=folder)) / "run"
            return prepare(
                recipe, data, place, device=device.type, precision=precision, graphs=graphs
            ).run_iteration

        sides: dict[str, Step] = {"ours": ours("off"), "plain": plain.iterate}
        # Images that the plain loop loads one by one are no launches; this also warms up.
        loading, plain.batches = plain.batches, repeat(next(plain.batches))
        work = {name: _work(step, every) for name, step in sides.items()}
        if device.type == "cuda":
            loaded = PlainLoop(recipe, data, device=device)
            loaded.batches, sides[LOADED] = plain.batches, loaded.iterate
            sides[GRAPHS] = ours("on")
            work |= {LOADED: work["plain"], GRAPHS: work["ours"]}
        plain.batches = loading
        ceilings = {
            f"ceiling of {name}": convolution(
                precision if name.startswith("ours") else "32", device
            )
            for name in sides
        }
        everything, clock = sides | ceilings, clock_of(device)
        if device.type == "cuda":
            take_turns(everything, 1, WARMING * every, clock)
        measured = take_turns(everything, rounds, count, clock)
        further = _on_a_gpu if device.type == "cuda" else _on_a_cpu
        about = further(sides, rounds, count, every, device)
        if device.type == "cpu":
            turns = {"whole": sides["ours"], "half": ours("off", _on_half_batches(recipe))}
            take_turns(turns, 1, every)
            times = take_turns(turns, rounds, count, clock)
            about["halves"] = ratios(times["whole"], times["half"])
    images = _images(recipe, plain)
    return {
        "recipe": recipe.name,
        "width": recipe.discriminator.width,
        "batch_size": recipe.training.batch_size,
        "shape": list(data.shape),
        "precision": precision,
        "rounds": rounds,
        "iterations_per_round": count,
        "differences": apart,
        **about,
        **{name: _side(name, measured, work[name], images, device) for name in sides},
        **ratios(measured["plain"], measured["ours"]),
    }


def _on_half_batches(recipe: Recipe) -> Recipe:
    part = recipe.training
    other = part.generator_batch_size
    halves = {"batch_size": part.batch_size // 2, "generator_batch_size": other and other // 2}
    return recipe.model_copy(update={"training": part.model_copy(update=halves)})


def _on_a_cpu(
    sides: Mapping[str, Step], rounds: int, count: int, every: int, device: torch.device
) -> dict[str, Any]:
    """Shares of our time by kind of operation, and our times by the number of threads."""
    counts = thread_counts(cores())
    return {
        "shares": shares(sides["ours"], PROFILED * every),
        "threads": over_threads(sides["ours"], rounds, count, counts),
    }


def _on_a_gpu(
    sides: Mapping[str, Step], rounds: int, count: int, every: int, device: torch.device
) -> dict[str, Any]:
    """The host's share of every side's time."""
    return {"host": {name: host_share(step, count, device) for name, step in sides.items()}}


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


def _work(step: Step, iterations: int) -> dict[str, float]:
    """Floating-point operations and launches per iteration."""
    with _Work() as work:
        for _ in range(iterations):
            step()
    return {"flops": work.flops / iterations, "launches": work.launches / iterations}


def shares(step: Step, count: int) -> dict[str, float]:
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


def _images(recipe: Recipe, plain: PlainLoop) -> float:
    """Samples per iteration: a batch for each update."""
    part, schedule = recipe.training, recipe.schedule
    classifiers = len(plain.classifiers) / schedule.classifier_every
    generated = schedule.generator_steps * (part.generator_batch_size or part.batch_size)
    return part.batch_size * (schedule.discriminator_steps + classifiers) + generated


def _side(
    name: str,
    measured: Mapping[str, list[float]],
    work: Mapping[str, float],
    images: float,
    device: torch.device,
) -> dict[str, Any]:
    """What is told of a side; its `ratio` is that of the plain loop's seconds to its own."""
    seconds = statistics.median(measured[name])
    ceiling = convolution_flops(device) / statistics.median(measured[f"ceiling of {name}"])
    return {
        "seconds": seconds,
        "images_per_second": images / seconds,
        "ceiling_flops_per_second": ceiling,
        "share_of_ceiling": work["flops"] / seconds / ceiling,
        **work,
        **ratios(measured["plain"], measured[name]),
    }
