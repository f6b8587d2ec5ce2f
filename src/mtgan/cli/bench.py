"""`mtgan bench`: ours against plainly written references, as ratios."""

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mtgan.cli.app import app, print_json, say, working
from mtgan.cli.options import Device, Json, Overrides, Quiet, Root
from mtgan.text import console

bench = typer.Typer(help="Measure speed against plainly written references.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.command()
def train(
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="Which recipes; repeatable. Five kinds of games when absent."),
    ] = None,
    scale: Annotated[
        list[str] | None, typer.Option(help="Which scales; repeatable. tiny and full when absent.")
    ] = None,
    overrides: Overrides = None,
    rounds: Annotated[
        int, typer.Option(min=1, max=1_000, help="How often the two take turns.")
    ] = 5,
    iterations: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100_000,
            help="Iterations per turn, times those between classifier steps; 1, on a GPU 20.",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=1_024, help="CPU threads of either side.")] = 1,
    precision: Annotated[
        str, typer.Option(help="Of our loop: 32 or bf16; the plain is 32.")
    ] = "32",
    device: Device = "cpu",
    as_json: Json = False,
) -> None:
    """Seconds per iteration, our loop and the plain one alternately in one process.

    On a CPU also by the number of threads, up to all cores.
    """
    import torch

    from mtgan.cli.options import read_recipe
    from mtgan.training.devices import choose_device

    benchmark, place = _benchmark("train"), choose_device(device)
    turn = iterations or (20 if place.type == "cuda" else 1)
    torch.set_num_threads(threads)
    results = []
    with working(as_json) as progress:
        for size in scale or ("tiny", "full"):
            for name in recipe or benchmark.RECIPES:
                progress(f"{name}, {size}")
                loaded = read_recipe(name, overrides, size)
                data = benchmark.bench_data(loaded, size)
                result = benchmark.compare(loaded, data, rounds, turn, precision, place)
                results.append({"scale": size, **result})
    about = benchmark.machine(place)
    if as_json:
        print_json({"machine": about, "results": results})
    else:
        console().print(_benchmark("train_table").table(results, about))


@bench.command()
def evaluate(
    n: Annotated[
        int, typer.Option("--n", min=100, max=1_000_000, help="Samples of each set.")
    ] = 10_000,
    features: Annotated[
        int, typer.Option(min=2, max=65_536, help="Width of the features.")
    ] = 1_280,
    rounds: Annotated[
        int, typer.Option(min=1, max=1_000, help="How often the two take turns.")
    ] = 1,
    threads: Annotated[int, typer.Option(min=1, max=1_024, help="CPU threads of either side.")] = 1,
    as_json: Json = False,
) -> None:
    """CPU seconds and memory of all measures, ours and the reference packages' alternately."""
    benchmark = _benchmark("evaluate")
    with working(as_json) as progress:
        result = benchmark.compare(n, features, rounds, threads, progress=progress)
    if as_json:
        print_json(result)
    else:
        console().print(benchmark.table(result))


@bench.command()
def data(
    folder: Annotated[str, typer.Option("--data", help="A prepared folder (mtgan data prepare).")],
    batch_size: Annotated[int, typer.Option(min=1, max=1_000_000, help="Samples per batch.")] = 64,
    rounds: Annotated[
        int, typer.Option(min=1, max=1_000, help="How often the two take turns.")
    ] = 5,
    batches: Annotated[int, typer.Option(min=1, max=1_000_000, help="Batches per turn.")] = 200,
    as_json: Json = False,
) -> None:
    """Batches read from a memory-mapped folder and from memory, alternately; one thread."""
    benchmark = _benchmark("data")
    import torch

    from mtgan.data import load_dataset

    torch.set_num_threads(1)
    result = benchmark.compare(load_dataset(folder), batch_size, rounds, batches)
    if as_json:
        print_json(result)
    else:
        say(benchmark.sentence(result))


@bench.command()
def start(
    data: Annotated[str, typer.Option("--data", help="What the training is on.")],
    recipe: Annotated[str, typer.Option(help="What is trained.")] = "wgan-gp",
    scale: Annotated[str, typer.Option(help="At which scale.")] = "tiny",
    rounds: Annotated[
        int, typer.Option(min=1, max=1_000, help="How often each command is started.")
    ] = 3,
    as_json: Json = False,
) -> None:
    """Seconds until help, the list of recipes, and a training's first step are there."""
    benchmark = _benchmark("start")
    result = benchmark.measure(recipe, data, scale, rounds)
    if as_json:
        print_json(result)
    else:
        say("\n".join(benchmark.lines(result)))


@bench.command()
def serve(
    run: Annotated[str, typer.Argument(help="What is served: a run folder.")],
    requests: Annotated[
        int, typer.Option(min=100, max=10_000_000, help="Pictures, by 8 clients.")
    ] = 10_000,
    rounds: Annotated[
        int, typer.Option(min=1, max=1_000, help="How often it takes turns with run.sample.")
    ] = 15,
    as_json: Json = False,
) -> None:
    """Waiting times, throughput and memory of mtgan serve on one core, beside run.sample.

    On Linux.
    """
    benchmark = _benchmark("serve")
    result = benchmark.measure(run, requests, rounds)
    if as_json:
        print_json(result)
    else:
        say("\n".join(benchmark.lines(result)))


@bench.command()
def quality(
    recipe: Annotated[
        list[str] | None,
        typer.Option(help="Which recipes: of the study, of the zoo, files; repeatable. All."),
    ] = None,
    marks: Annotated[
        str | None, typer.Option(help="CPU seconds at which is measured, as 15,30,60.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Which seeds, as 0,1,2 or 5..9.")] = None,
    half: Annotated[
        str, typer.Option(help="Of the held-out images: tuning, or reporting.")
    ] = "tuning",
    data: Annotated[
        str | None, typer.Option("--data", help="A data set in place of the clothes.")
    ] = None,
    root: Root = None,
    overrides: Overrides = None,
    scale: Annotated[str, typer.Option(help="Of the study: full, small or tiny.")] = "full",
    jobs: Annotated[int, typer.Option(min=1, max=1024, help="Runs side by side.")] = 1,
    out: Annotated[Path | None, typer.Option(help="The study's folder.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan alone.")] = False,
    quiet: Quiet = False,
) -> None:
    """What the CPU seconds of one thread buy: recipes beside plain scripts, as the study quality.

    Finished runs are never repeated. Choose settings by seeds 0 to 4 and the half `tuning`; report
    by seeds 5 to 9 and the half `reporting`.
    """
    import os

    from mtgan.cli.study import Carrying
    from mtgan.errors import UserError
    from mtgan.recipes.load import parse_overrides
    from mtgan.studies.load import load_study, on_data, restricted
    from mtgan.studies.plan import make_plan
    from mtgan.studies.study import require_packages

    require_packages()
    _benchmark("twins")
    # Where workers, and the scripts that they call, find the folder of benchmarks.
    places = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(places)
    study = load_study("quality", scale, None, parse_overrides(overrides or []))
    if data is not None:
        study = on_data(study, data, root)
    elif root is not None:
        raise UserError("--root belongs to a data set: name it by --data.")
    study = restricted(
        study,
        recipe or [],
        [_number(text, "--marks") for text in (marks or "").split(",") if text],
        _seeds(seeds or ""),
        half,
    )
    how = Carrying(jobs, dry_run=dry_run, quiet=quiet, device="cpu")
    how.carry_out(make_plan(study), out)


def _seeds(text: str) -> list[int]:
    """5..9 as 5 to 9, 0,2 as these; none of an empty text."""
    first, dots, last = text.partition("..")
    if dots:
        low, high = (int(_number(end, "--seeds")) for end in (first, last))
        return list(range(low, high + 1))
    return [int(_number(part, "--seeds")) for part in text.split(",") if part]


def _number(text: str, option: str) -> float:
    from mtgan.errors import UserError

    try:
        return float(text)
    except ValueError as error:
        raise UserError(f"{option} takes numbers, as 15,30,60; found {text!r}.") from error


_ROOT = Path(__file__).parents[3]


def _benchmark(name: str) -> Any:
    """A module of the benchmarks folder, which lies beside the sources and is not installed."""
    from mtgan.errors import UserError

    if not (_ROOT / "benchmarks" / f"{name}.py").is_file():
        raise UserError(
            "The references are part of the source tree and not of the installed package; "
            "run mtgan bench from a clone (make bench)."
        )
    sys.path.insert(0, str(_ROOT))
    return importlib.import_module(f"benchmarks.{name}")
