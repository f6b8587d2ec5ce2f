"""`mtgan data compare` and `mtgan data corruptions`: real data, judged."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtgan.cli.app import show, working
from mtgan.cli.data import data
from mtgan.cli.options import CardFile, Device, Force, ImageSize, Quiet, Seed, check_free
from mtgan.limits import LARGEST_COUNT

if TYPE_CHECKING:
    from mtgan.data import Dataset

_Features = Annotated[
    str, typer.Option(help="auto, classifier, imagenet-lite, inception, pixels, module:function.")
]


@data.command()
def compare(
    sets: Annotated[list[str], typer.Argument(help="Real sets by name or path.")],
    n: Annotated[
        int | None,
        typer.Option("--n", min=1, max=LARGEST_COUNT, help="Samples of a half of each set."),
    ] = None,
    halvings: Annotated[
        int, typer.Option(min=1, max=100, help="How often each set is halved at random.")
    ] = 4,
    split: Annotated[str, typer.Option(help="all, train or test of each set.")] = "all",
    size: ImageSize = None,
    features: _Features = "imagenet-lite",
    seed: Seed = 0,
    device: Device = "auto",
    json_file: CardFile = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Judge real SETS by themselves (one half against the other) and by each other."""
    import json

    from mtgan.data import load_dataset
    from mtgan.evaluation.real_sets import judge_real_sets

    check_free(json_file, force)
    with working(quiet or str(json_file) == "-") as progress:
        found = judge_real_sets(
            _by_name({name: load_dataset(name, split, size=size) for name in sets}),
            n=n,
            halvings=halvings,
            features=features,
            seed=seed,
            device=device,
            progress=progress,
        )
    values = found.to_dict()
    show(values, json.dumps(values, indent=2), found.table(), json_file, quiet)


@data.command()
def corruptions(
    name: Annotated[str, typer.Argument(help="Real data by name or path.")],
    out: Annotated[Path, typer.Option(help="The picture: a .png, .svg or .pdf.")],
    corruption: Annotated[
        list[str] | None, typer.Option(help="One of images, repeatable; all when left out.")
    ] = None,
    strength: Annotated[
        list[float] | None, typer.Option(help="Above 0, at most 1; repeatable.")
    ] = None,
    other: Annotated[
        str | None, typer.Option(help="A set whose images are mixed in, as a corruption.")
    ] = None,
    metrics: Annotated[
        str, typer.Option(help="Measures of images alone, with commas between them.")
    ] = "fid,is",
    n: Annotated[
        int, typer.Option("--n", min=2, max=LARGEST_COUNT, help="Images of each side, at most.")
    ] = 2_000,
    size: ImageSize = None,
    features: _Features = "auto",
    seed: Seed = 0,
    device: Device = "auto",
    json_file: CardFile = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Draw what metrics say of held-out real images under corruptions of rising strength."""
    import json

    from mtgan.cli.app import say
    from mtgan.data import load_dataset
    from mtgan.evaluation.corruption_curves import STRENGTHS, corruption_curves

    for path in (out, json_file):
        check_free(path, force)
    real = load_dataset(name, size=size)
    printing = str(json_file) == "-"
    with working(quiet or printing) as progress:
        found = corruption_curves(
            real,
            corruptions=corruption,
            strengths=strength or STRENGTHS,
            metrics=metrics,
            other=None if other is None else _alike(other, real),
            n=n,
            features=features,
            seed=seed,
            device=device,
            progress=progress,
        )
        found.picture(out)
    values = found.to_dict()
    show(values, json.dumps(values, indent=2), found.table(), json_file, quiet)
    if not quiet and not printing:
        say(f"wrote {out}")


def _by_name(sets: "dict[str, Dataset]") -> "dict[str, Dataset]":
    """Sets by their own names, where these differ, and else by what was typed."""
    named = {data.name: data for data in sets.values()}
    return named if len(named) == len(sets) else sets


def _alike(name: str, real: "Dataset") -> "Dataset":
    """Another data set, scaled to the shape of the first."""
    from mtgan.data import load_dataset

    channels, height, width = real.shape
    return load_dataset(name, size=(height, width), channels=channels)
