"""`mtgan evaluate`: samples of any origin, or a run, against real data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.cli.app import app, print_error, say, show, working
from mtgan.cli.options import (
    CardFile,
    Checkpoint,
    Device,
    Force,
    Quiet,
    Root,
    Seed,
    TaxonomyFile,
    Twin,
    as_step,
    check_free,
    given,
)
from mtgan.limits import LARGEST_COUNT
from mtgan.text import command

if TYPE_CHECKING:
    from mtgan.evaluation.scorecard import AnyScorecard
    from mtgan.training import Run


_Samples = Annotated[
    str, typer.Argument(help="A run, a folder of images, an .npz, strings, or a data set.")
]
_Data = Annotated[
    str | None,
    typer.Option("--data", help="Real data by name or path; of a run its own if left out."),
]
_Split = Annotated[str | None, typer.Option(help="Split of the reference: train or test.")]
_Features = Annotated[
    str, typer.Option(help="auto, classifier, imagenet-lite, inception, pixels, module:function.")
]
_Weights = Annotated[Path | None, typer.Option(help="Weight file of the features.")]
_Metrics = Annotated[
    str | None, typer.Option(help="Measures with commas between them, default, or all.")
]
_Number = Annotated[
    int | None, typer.Option("--n", min=1, max=LARGEST_COUNT, help="Samples of each set, at most.")
]
_Protocol = Annotated[
    str, typer.Option(help="default, plain, fid-50k-train, fid-10k-test, thesis, training.")
]
_Size = Annotated[
    str | None, typer.Option(help="Scale all images to a side or HxW, as data prepare does.")
]
_Corruptions = Annotated[
    bool,
    typer.Option(
        "--corruptions/--no-corruptions", help="Measure known corruptions of the real data."
    ),
]
_Ladder = Annotated[bool | None, typer.Option("--ladder/--no-ladder", hidden=True)]
_Picture = Annotated[
    Path | None, typer.Option("--picture", help="Draw the scorecard to a .png, .svg or .pdf.")
]


@app.command()
def evaluate(
    context: typer.Context,
    samples: _Samples,
    data: _Data = None,
    split: _Split = None,
    features: _Features = "auto",
    weights: _Weights = None,
    metrics: _Metrics = None,
    n: _Number = None,
    protocol: _Protocol = "default",
    size: _Size = None,
    corruptions: _Corruptions = True,
    ladder: _Ladder = None,
    twin: Twin = None,
    step: Checkpoint = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    seed: Seed = 0,
    device: Device = "auto",
    json_file: CardFile = None,
    picture: _Picture = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Judge SAMPLES against real data: distances, fidelity, diversity, conditioning, copies."""
    from mtgan.api import as_run

    if ladder is not None:
        print_error("--ladder is called --corruptions now, --no-ladder --no-corruptions.")
    printing = str(json_file) == "-"
    for path in (picture, json_file):
        check_free(path, force)
    run = as_run(samples)
    _refuse_options_without_data(data, run, given(context, "root", "taxonomy"))
    _refuse_options_without_run(samples, run, given(context, "twin", "step"))
    options: dict[str, Any] = {
        "features": features,
        "metrics": metrics,
        "n": n,
        "split": split,
        "size": size,
        "seed": seed,
        "device": device,
        "weights": weights,
        "protocol": protocol,
        "corruptions": corruptions if ladder is None else ladder,
    }
    with working(quiet or printing) as progress:
        options |= {"progress": progress}
        if run is not None:
            run, options["step"] = run.twin(twin), as_step(step)
        card = _judge(samples, run, data, root, taxonomy, options)
        if picture is not None:
            card.picture(picture)
    show(card.to_dict(), card.to_json(), card.table(), json_file, quiet)
    if run is not None:
        _store(run, card, as_step(step), quiet or printing)


def _judge(
    samples: str,
    run: "Run | None",
    data: str | None,
    root: Path | None,
    taxonomy: Path | None,
    options: dict[str, Any],
) -> "AnyScorecard":
    """The card of a run, or of samples that are there already."""
    from mtgan.data import load_dataset
    from mtgan.evaluation import evaluate as evaluate_samples
    from mtgan.evaluation.protocol import protocol_rule

    reference = None
    if data is not None:
        split = protocol_rule(options["protocol"]).reference_split(options["split"])
        reference = load_dataset(data, split, root=root, taxonomy=taxonomy, size=options["size"])
    if run is None:
        assert reference is not None
        return evaluate_samples(samples, reference, **options)
    from mtgan.runs import evaluate_run

    return evaluate_run(run, reference, **options)


def _store(run: "Run", card: "AnyScorecard", step: int | str | None, quiet: bool) -> None:
    """Keep the evaluation in the run's folder; said last, since the table is shown in any case."""
    from mtgan.runs import store

    path = store(run, card, step)
    if not quiet:
        shown = f"; {command('mtgan', 'report', run.path)} shows it" if step is None else ""
        say(f"kept in {path}{shown}")


def _refuse_options_without_data(data: str | None, run: "Run | None", options: list[str]) -> None:
    """UserError where there is nothing to compare with, or options speak of data not named."""
    from mtgan.errors import UserError

    if data is None and run is None:
        raise UserError("Name the real data by --data; a run alone brings its own.")
    if data is None and options:
        raise UserError(
            f"{' and '.join(options)} says how to read --data, and none is named; a run brings its "
            "own data as it read them."
        )


def _refuse_options_without_run(samples: str, run: "Run | None", options: list[str]) -> None:
    """UserError where a twin or a checkpoint is named of what is no run."""
    from mtgan.errors import UserError

    if run is None and options:
        raise UserError(
            f"{' and '.join(options)} is asked of a run, and {samples} is none; leave it out."
        )
