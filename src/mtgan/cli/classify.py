"""`mtgan classify`: multitask classifiers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.cli.app import app, print_error, print_json
from mtgan.cli.options import (
    DataName,
    Device,
    Json,
    Log,
    MaxTime,
    Overrides,
    Quiet,
    Resume,
    Root,
    TaxonomyFile,
    given,
    parse_log,
    parse_time,
    tell_notes,
)
from mtgan.errors import UserError
from mtgan.limits import LARGEST_SEED, MOST_SEEDS
from mtgan.text import file_name, printable

if TYPE_CHECKING:
    from mtgan.classification import ClassifierRun


_RecipeOrRun = Annotated[
    str | None,
    typer.Argument(
        help="stl, mtl-soft, mtl-hard, good-baseline, ..., or a YAML; with --resume, a run."
    ),
]
_Auxiliary = Annotated[
    str | None, typer.Option(help="The auxiliary labels: a level, same, random or clustered.")
]
_AuxiliaryData = Annotated[
    str | None, typer.Option(help="Another data set for the auxiliary task.")
]
_Fraction = Annotated[float | None, typer.Option(help="Share of the training images, in (0, 1].")]
_Seed = Annotated[
    int | None,
    typer.Option(
        min=0, max=LARGEST_SEED, help="Seed of everything random; 0 when left out. One run's."
    ),
]
_Sweep = Annotated[
    str | None, typer.Option(help="Deprecated: mtgan study mtl-hard-against-soft, and so on.")
]
_Scale = Annotated[
    str | None, typer.Option(help="With --sweep alone: tiny, or full when left out.")
]
_Seeds = Annotated[
    int | None, typer.Option(min=1, max=MOST_SEEDS, help="With --sweep alone: how many.")
]
_Out = Annotated[Path | None, typer.Option(help="The folder; under runs/ when left out.")]
_OF_A_NEW_RUN = (
    *("root", "taxonomy", "auxiliary", "auxiliary_data", "overrides", "fraction", "seed", "scale"),
    *("seeds", "out"),
)


@app.command()
def classify(
    context: typer.Context,
    recipe: _RecipeOrRun = None,
    data: DataName = None,
    root: Root = None,
    taxonomy: TaxonomyFile = None,
    auxiliary: _Auxiliary = None,
    auxiliary_data: _AuxiliaryData = None,
    overrides: Overrides = None,
    fraction: _Fraction = None,
    seed: _Seed = None,
    sweep: _Sweep = None,
    scale: _Scale = None,
    seeds: _Seeds = None,
    out: _Out = None,
    resume: Resume = False,
    device: Device = "auto",
    max_time: MaxTime = None,
    log: Log = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a classifier, with an auxiliary task beside it if RECIPE shares something."""
    if (recipe is None) == (sweep is None):
        raise UserError(
            "Say what to train: a recipe (mtgan classify mtl-hard --data ...). Many runs are a "
            "study (mtgan study mtl-hard-against-soft --data ...)."
        )
    seconds = None if max_time is None else parse_time("--max-time", max_time)
    names = parse_log(log)
    if resume and data is None and recipe is not None:
        _go_on(recipe, given(context, *_OF_A_NEW_RUN), device, seconds, names, json, quiet)
        return
    if data is None:
        raise UserError("Say on what to train: --data NAME or PATH (mtgan data list).")
    if sweep is not None:
        _refuse_options(
            "a study, which has seeds, fractions and data sets of its own, always goes on, and "
            "keeps its values in statistics.json",
            {"--seed": seed, "--fraction": fraction, "--auxiliary-data": auxiliary_data},
            {"--resume": resume or None, "--json": json or None, "--max-time": max_time},
            {"--log": log},
        )
        if auxiliary is not None:
            overrides = [*(overrides or []), f"auxiliary.labels={auxiliary}"]
        _study(sweep, data, root, taxonomy, scale or "full", seeds, overrides, out, device, quiet)
        return
    assert recipe is not None
    _refuse_options("one run; mtgan study runs many", {"--scale": scale, "--seeds": seeds})
    values = _values(overrides, auxiliary, auxiliary_data, fraction)
    _run(
        *(recipe, data, root, taxonomy, auxiliary_data, values, seed or 0, out),
        resume=resume,
        device=device,
        seconds=seconds,
        names=names,
        json=json,
        quiet=quiet,
    )


def _values(
    overrides: list[str] | None,
    auxiliary: str | None,
    auxiliary_data: str | None,
    fraction: float | None,
) -> dict[str, Any]:
    """Keys of the recipe that the command line sets."""
    from mtgan.recipes.load import parse_overrides

    values = parse_overrides(overrides or [])
    if auxiliary_data is not None:
        values["auxiliary.labels"] = "fine"  # of that data set
    if auxiliary is not None:
        values["auxiliary.labels"] = auxiliary
    if fraction is not None:
        values["data.fraction"] = fraction
    return values


def _go_on(
    run: str,
    options: list[str],
    device: str,
    seconds: float | None,
    names: list[str] | None,
    json: bool,
    quiet: bool,
) -> None:
    """Go on with a run by what it recorded."""
    from mtgan.classification import ClassifierRun
    from mtgan.classification import classify as train

    if options:
        raise UserError(
            f"--resume {run} goes on with what that run recorded; leave {', '.join(options)} out."
        )
    opened = ClassifierRun.open(run)
    data, auxiliary = opened.load_data()
    again = train(
        opened.recipe,
        data,
        opened.path,
        auxiliary_data=auxiliary,
        seed=opened.recipe.run["seed"],
        resume=True,
        device=device,
        quiet=quiet or json,
        log=names,
        max_seconds=seconds,
    )
    _tell(again, json, quiet)


def _refuse_options(what: str, *options: dict[str, Any]) -> None:
    """UserError that names an option which was given and has no meaning here."""
    for name, value in (item for group in options for item in group.items()):
        if value is not None:
            raise UserError(f"{name} has no meaning for {what}; leave it out.")


def _run(
    recipe: str,
    data: str,
    root: Path | None,
    taxonomy: Path | None,
    auxiliary_data: str | None,
    values: dict[str, Any],
    seed: int,
    out: Path | None,
    resume: bool,
    device: str,
    seconds: float | None,
    names: list[str] | None,
    json: bool,
    quiet: bool,
) -> None:
    from mtgan.classification import classify as train
    from mtgan.classification import load_classifier_recipe
    from mtgan.classification.tasks import load_auxiliary_data, load_data

    resolved = load_classifier_recipe(recipe, values)
    dataset = load_data(data, resolved.data, root, taxonomy)
    other = load_auxiliary_data(auxiliary_data, dataset) if auxiliary_data else None
    folder = out or Path("runs") / file_name(f"{resolved.name}-{dataset.name}-s{seed}")
    run = train(
        resolved,
        dataset,
        folder,
        auxiliary_data=other,
        seed=seed,
        resume=resume,
        device=device,
        quiet=quiet or json,
        log=names,
        max_seconds=seconds,
    )
    tell_notes(dataset, quiet or json)
    _tell(run, json, quiet)


def _tell(run: "ClassifierRun", json: bool, quiet: bool) -> None:
    """Print what came of a run."""
    if json:
        print_json({"run": str(run.path), **(run.result or {})})
    elif not quiet:
        print(_summary(run))
        print(printable(f"run: {run.path}"))


def _summary(run: "ClassifierRun") -> str:
    result = run.result
    if result is None:
        epochs = run.recipe.training.epochs
        return f"{len(run.metrics())} of {epochs} epochs; {printable(run.how_to_resume())}"
    return (
        f"validation accuracy, maximum over epochs: {result['maximum_validation_accuracy']:.4f} "
        f"(epoch {result['chosen_epoch']}; {result['validation_images']} images)\n"
        f"test accuracy at that epoch: {result['test_accuracy']:.4f}, cross-entropy "
        f"{result['test_cross_entropy']:.4f} ({result['test_images']} images)"
    )


def _study(
    sweep: str,
    data: str,
    root: Path | None,
    taxonomy: Path | None,
    scale: str,
    seeds: int | None,
    overrides: list[str] | None,
    out: Path | None,
    device: str,
    quiet: bool,
) -> None:
    """What --sweep was, as the study that it is now."""
    from mtgan.cli.study import study
    from mtgan.files import read_yaml
    from mtgan.text import command

    own = sweep.endswith((".yaml", ".yml"))
    if own and Path(sweep).is_file() and "settings" in (read_yaml(sweep) or {}):
        raise UserError(
            f"{sweep} is a sweep of an earlier version: as a study of kind: classifier, its "
            "settings are recipes, its fractions variants with data.fraction, and its baseline "
            "{recipe: ...} (docs/multitask-classification.md, Many runs)."
        )
    file = sweep if own else f"mtl-{sweep}"
    options = {
        "--scale": None if scale == "full" else scale,
        "--seeds": seeds,
        "--data": data,
        "--root": root,
        "--taxonomy": taxonomy,
        "--out": out,
        "--device": None if device == "auto" else device,
    }
    words = [word for name, value in options.items() if value is not None for word in (name, value)]
    words += [word for text in overrides or [] for word in ("--set", text)]
    instead = command("mtgan", "study", file, *words)
    print_error(f"--sweep is deprecated; this runs: {instead}")
    study(
        file,
        scale=scale,
        seeds=seeds,
        data=data,
        root=root,
        taxonomy=taxonomy,
        overrides=overrides,
        out=out,
        device=device,
        quiet=quiet,
    )
