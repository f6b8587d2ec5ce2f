"""`mtgan analyze`: questions to a run."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, print_json, say, working
from mtgan.cli.options import Checkpoint, Json, Quiet, Seed, Twin, as_step
from mtgan.limits import LARGEST_COUNT


@app.command()
def analyze(
    name: Annotated[
        str,
        typer.Argument(
            help="neighbors, interpolate, evolution, conditioning, probe, losses, weights or "
            "diagnose."
        ),
    ],
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[
        Path | None, typer.Option(help="Where NAME.png and NAME.json go; RUN/analysis if left out.")
    ] = None,
    n: Annotated[
        int | None,
        typer.Option(
            "--n", min=2, max=LARGEST_COUNT, help="Samples; by default the analysis's own."
        ),
    ] = None,
    twin: Twin = None,
    step: Checkpoint = None,
    data: Annotated[
        str | None, typer.Option(help="Another data set than the run's own (probe).")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            help="interpolate: from one label to the next, as fine=Bag; or at each, --dimension."
        ),
    ] = None,
    dimension: Annotated[
        int | None,
        typer.Option(min=0, help="interpolate: one latent dimension, counted from 0."),
    ] = None,
    features: Annotated[
        str, typer.Option(help="auto, classifier, imagenet-lite, inception, pixels, ...")
    ] = "auto",
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Ask RUN a question; a picture and a JSON file answer it."""
    from mtgan.analysis import Options, analyze_run, print_result
    from mtgan.training import Run

    with working(quiet or as_json) as progress:
        options = Options(
            n=n,
            seed=seed,
            step=as_step(step),
            features=features,
            data=data,
            label=tuple(label or ()),
            dimension=dimension,
            twin=twin,
            progress=progress,
        )
        result, files = analyze_run(name, Run.open(run), out, options)
    if as_json:
        print_json(result.to_dict())
    elif not quiet:
        print_result(result)
        say("wrote " + " and ".join(map(str, files)))
