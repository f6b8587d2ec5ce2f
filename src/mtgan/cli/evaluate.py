"""`mtgan evaluate`: samples of any origin, or a run, against real data."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.cli.app import app, show, working
from mtgan.cli.options import (
    Quiet,
    Root,
    Seed,
    TaxonomyFile,
    check_free,
    given,
)
from mtgan.limits import LARGEST_COUNT

if TYPE_CHECKING:
    from rich.table import Table

_OF_A_DOMAIN = 1_000  # samples, of a run over several
_NOT_OF_DOMAINS = (
    *("picture", "metrics", "split", "size", "taxonomy", "weights", "protocol", "ladder"),
)


@app.command()
def evaluate(
    context: typer.Context,
    samples: Annotated[
        str, typer.Argument(help="A run, a folder of images, an .npz, or a data set by name.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            "--data", help="The real data, by name or path; of a run its own if left out."
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Split of the reference: train or test.")
    ] = None,
    features: Annotated[
        str,
        typer.Option(help="auto, classifier, imagenet-lite, inception, pixels, module:function."),
    ] = "auto",
    weights: Annotated[Path | None, typer.Option(help="Weight file of the features.")] = None,
    metrics: Annotated[
        str | None, typer.Option(help="Measures with commas between them, default, or all.")
    ] = None,
    n: Annotated[
        int | None,
        typer.Option("--n", min=1, max=LARGEST_COUNT, help="Samples of each set, at most."),
    ] = None,
    protocol: Annotated[
        str, typer.Option(help="default, plain, fid-50k-train, fid-10k-test, thesis, training.")
    ] = "default",
    size: Annotated[
        str | None,
        typer.Option(help="Scale all images to a side or HxW, as data prepare does."),
    ] = None,
    ladder: Annotated[
        bool, typer.Option("--ladder/--no-ladder", help="Measure known damages of the real data.")
    ] = True,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the scorecard as JSON; - prints it.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the scorecard to a .png, .svg or .pdf.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite both files.")] = False,
    quiet: Quiet = False,
) -> None:
    """Judge SAMPLES against real data: distances, fidelity, diversity, conditioning, copies."""
    from mtgan.api import as_run, reference_of
    from mtgan.api import evaluate as evaluate_samples
    from mtgan.data import load_dataset
    from mtgan.errors import UserError
    from mtgan.evaluation.protocol import protocol_rule

    printing = str(json_file) == "-"
    for path in (picture, json_file):
        check_free(path, force)
    run = as_run(samples)
    if data is None and (run is None or (odd := given(context, "root", "taxonomy"))):
        raise UserError(
            f"{samples} is no run, which would bring its own data; name the real data by --data."
            if run is None
            else f"{' and '.join(odd)} belongs to --data; give both, or neither."
        )
    if run is not None and run.facts.domains:
        _refuse_of_domains(samples, given(context, *_NOT_OF_DOMAINS))
        training, held_out = (
            load_dataset(data, part, root=root) if data else run.load_data(part, whole=True)
            for part in ("train", "test")
        )
        with working(quiet or printing):
            values = run.evaluate_domains(
                *(training, held_out, _OF_A_DOMAIN if n is None else n),
                features=features,
                device=device,
                seed=seed,
            )
        show(values, json.dumps(values, indent=2), _domain_table(values), json_file, quiet)
        return
    rule = protocol_rule(protocol)
    part = split or rule.split or "train"
    if data is not None:
        reference = load_dataset(data, part, root=root, taxonomy=taxonomy, size=size)
    else:
        assert run is not None
        reference = reference_of(run, None, part)
    with working(quiet or printing) as progress:
        card = evaluate_samples(
            run or samples,
            reference,
            features=features,
            metrics=metrics,
            n=n,
            split=split,
            size=size,
            seed=seed,
            device=device,
            weights=weights,
            protocol=protocol,
            ladder=ladder,
            progress=progress,
        )
        if picture is not None:
            card.picture(picture)
    show(card.to_dict(), card.to_json(), card.table(), json_file, quiet)


def _refuse_of_domains(samples: str, options: list[str]) -> None:
    """UserError for options that mean nothing where each domain has measures of its own."""
    from mtgan.errors import UserError

    if options:
        raise UserError(
            f"{samples} was trained on several domains, each of which is judged by measures of "
            f"its own; leave {', '.join(options)} out, or sample one domain and judge that."
        )


def _domain_table(values: Mapping[str, Mapping[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table("measure", "value", "better")
    for name, entry in values.items():
        table.add_row(name.replace("_", " "), f"{entry['value']:.4g}", entry["better"])
    return table
