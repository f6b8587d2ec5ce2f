"""`mtgan tune`: a search for settings of a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app
from mtgan.cli.options import Device, Overrides, Quiet, Root, Seed, Steps, TaxonomyFile
from mtgan.cli.study import executor_named
from mtgan.limits import LARGEST_COUNT, MOST_SEEDS
from mtgan.text import console, file_name, printable

_Recipe = Annotated[str, typer.Argument(help="A recipe of the zoo, or a YAML file.")]
_Data = Annotated[
    str, typer.Option("--data", help="A data set by name (mtgan data list), or a path.")
]
_Trials = Annotated[int, typer.Option(min=1, max=10_000, help="Settings that are tried.")]
_Measure = Annotated[
    str, typer.Option(help="What is to be best: overall, or a measure of the scorecard.")
]
_Better = Annotated[
    str | None, typer.Option(help="lower or higher, of a measure that is not commonly known.")
]
_Space = Annotated[
    Path | None, typer.Option(help="A YAML file of the keys to search; a usual space if left out.")
]
_Scale = Annotated[str, typer.Option("--scale", help="tiny, small or full, as of mtgan train.")]
_Jobs = Annotated[int, typer.Option(min=1, max=1024, help="Runs side by side on one machine.")]
_Fresh = Annotated[
    int,
    typer.Option("--fresh-seeds", min=1, max=MOST_SEEDS - 1, help="Seeds of the comparison."),
]
_Share = Annotated[
    float,
    typer.Option(min=0, max=1, help="Of the default's score, to be reached on every axis."),
]
_Samples = Annotated[
    int, typer.Option("--n", min=1, max=LARGEST_COUNT, help="Samples that a run is measured by.")
]
_Features = Annotated[str, typer.Option(help="Feature space that they are measured in.")]
_Metrics = Annotated[str, typer.Option(help="Metrics of the scorecard, as of mtgan evaluate.")]
_Out = Annotated[
    Path | None, typer.Option(help="The folder; studies/tune-RECIPE-DATA when left out.")
]


@app.command()
def tune(
    recipe: _Recipe,
    data: _Data,
    trials: _Trials = 30,
    measure: _Measure = "overall",
    better: _Better = None,
    space: _Space = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    overrides: Overrides = None,
    scale: _Scale = "full",
    steps: Steps = None,
    fresh_seeds: _Fresh = 5,
    axis_share: _Share = 0.5,
    n: _Samples = 10_000,
    features: _Features = "auto",
    metrics: _Metrics = "default",
    seed: Seed = 0,
    jobs: _Jobs = 1,
    executor: Annotated[str, typer.Option(help="local, or ray for a cluster.")] = "local",
    address: Annotated[
        str | None, typer.Option(help="The Ray cluster's address; found by itself if left out.")
    ] = None,
    out: _Out = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Search for better settings of RECIPE, and compare the winner with the default.

    Each trial is a run of a study. The same command goes on where it was stopped, also with more
    --trials. A trial whose samples collapse on an axis of the scorecard cannot win.
    """
    from mtgan.errors import UserError
    from mtgan.recipes.load import parse_overrides
    from mtgan.reports.tuning import write_tuning_report
    from mtgan.studies.schema import StudyData
    from mtgan.studies.tuning import Tuning, read_space
    from mtgan.studies.tuning import tune as search

    if better not in {None, "lower", "higher"}:
        raise UserError(f"--better should be lower or higher; found {better!r}.")
    places = {"root": root and str(root), "taxonomy": taxonomy and str(taxonomy)}
    set_of = StudyData.model_validate({"name": data, **places})
    tuning = Tuning.of(
        recipe,
        None if space is None else read_space(space),
        data=set_of,
        measure=measure,
        better=better or "",
        scale=scale,
        steps=steps,
        set=parse_overrides(overrides or []),
        axis_share=axis_share,
        evaluation={"samples": n, "features": features, "metrics": metrics},
        sampler_seed=seed,
    )
    folder = out or Path("studies") / file_name(f"tune-{tuning.label}-{Path(data).name}")
    terminal = console(stderr=True)

    def tell(name: str, outcome: object) -> None:
        if not quiet:
            terminal.print(printable(f"{name}: {outcome}"), soft_wrap=True, markup=False)

    result = search(
        tuning,
        folder,
        trials,
        executor_named(executor, jobs, address),
        fresh_seeds=fresh_seeds,
        jobs=jobs,
        device=device,
        progress=tell,
    )
    page, markdown = write_tuning_report(result)
    if not quiet:
        print(printable(markdown.read_text()))
        print(printable(f"page: {page}"))
