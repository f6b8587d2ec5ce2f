"""`mtgan bench`: ours against plainly written references, as ratios."""

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mtgan.cli.app import app, print_json
from mtgan.cli.options import ScaleName

bench = typer.Typer(help="Measure speed against plainly written references.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.command()
def train(
    scale: ScaleName = "tiny",
    rounds: Annotated[int, typer.Option(help="How often the two take turns.")] = 5,
    iterations: Annotated[int, typer.Option(help="Iterations per turn.")] = 5,
    threads: Annotated[int | None, typer.Option(help="CPU threads; PyTorch's own choice.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Iterations per second of wgan-gp, our loop and the plain one alternately in one process."""
    compare = _benchmark("train").compare
    import torch

    from mtgan.data import load_dataset
    from mtgan.recipes import load_recipe

    if threads:
        torch.set_num_threads(threads)
    recipe = load_recipe("wgan-gp", {"training.evaluate_every": 0}, scale=scale)
    result = compare(recipe, load_dataset("fashion-mnist-10k"), rounds, iterations)
    if as_json:
        print_json(result)
        return
    speed, (low, high) = result["iterations_per_second"], result["ratio_range"]
    print(
        f"{result['recipe']}, {scale} (width {result['width']}, batch {result['batch_size']}), "
        f"{result['threads']} threads, {rounds} rounds of {iterations} iterations"
    )
    print(f"  plain loop {speed['plain']:.2f} it/s")
    print(f"  mtgan      {speed['ours']:.2f} it/s")
    print(f"  ratio      {result['ratio']:.2f} (rounds from {low:.2f} to {high:.2f})")


@bench.command()
def evaluate(
    n: Annotated[int, typer.Option("--n", min=100, help="Samples of each set.")] = 10_000,
    features: Annotated[int, typer.Option(min=2, help="Width of the features.")] = 1_280,
    rounds: Annotated[int, typer.Option(min=1, help="How often the two take turns.")] = 1,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads of either side.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """CPU seconds and memory of all measures, ours and the reference packages' alternately."""
    from rich.console import Console

    benchmark = _benchmark("evaluate")
    with Console(stderr=True, quiet=as_json).status("preparing") as status:
        result = benchmark.compare(n, features, rounds, threads, progress=status.update)
    if as_json:
        print_json(result)
    else:
        Console().print(benchmark.table(result))


def _benchmark(name: str) -> Any:
    """A module of the benchmarks folder, which lies beside the sources and is not installed."""
    from mtgan.errors import UserError

    root = Path(__file__).parents[3]
    if not (root / "benchmarks" / f"{name}.py").is_file():
        raise UserError(
            "The references are part of the source tree and not of the installed package; "
            "run mtgan bench from a clone (make bench)."
        )
    sys.path.insert(0, str(root))
    return importlib.import_module(f"benchmarks.{name}")
