"""`mtgan data`: what there is, what is in it, and sets larger than memory."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.cli.app import app, print_json, say
from mtgan.cli.options import Force, ImageSize, Json, Quiet, Root, TaxonomyFile
from mtgan.text import file_name

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from mtgan.cli.begin import Beginning
    from mtgan.data import Dataset

data = typer.Typer(help="Data sets: list them, look into one, prepare one.", no_args_is_help=True)
app.add_typer(data, name="data")

_Name = Annotated[str, typer.Argument(help="A data set by name, a folder, or an .npz file.")]
_Channels = Annotated[int | None, typer.Option(help="1 (grey) or 3 (RGB).")]


@data.command("list")
def list_command(as_json: Json = False) -> None:
    """Every data set that has a name."""
    from mtgan.data import list_datasets

    found = list_datasets()
    if as_json:
        print_json(found)
        return
    from rich.table import Table

    from mtgan.text import console

    table = Table("data set", "about")
    for name, about in found.items():
        table.add_row(name, about)
    console().print(table)
    say("Or the path of a folder of images (class/x.jpg), an .npz, or a prepared folder.")


@data.command()
def info(
    name: _Name,
    root: Root = None,
    size: ImageSize = None,
    channels: _Channels = None,
    taxonomy: TaxonomyFile = None,
    picture: Annotated[
        Path | None,
        typer.Option(help="Where to write a picture of samples; NAME-samples.png if left out."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Size, labels, counts and warnings of a data set, a picture of it, and how to begin."""
    from mtgan.cli.begin import NamedData, beginning
    from mtgan.data import load_dataset

    if picture:
        _check_target(picture, force)  # before the work of loading
    train = load_dataset(name, root=root, size=size, channels=channels, taxonomy=taxonomy)
    test = train.load_split("test")
    target = picture or Path(file_name(f"{train.name}-samples.png"))
    _check_target(target, force)
    facts = _facts(train, test)
    begin = beginning(NamedData(name, root, size, channels, taxonomy), train, facts["settings"])
    _save(_draw(train), target, force)
    if as_json:
        print_json({**facts, "command": begin.command, "picture": str(target)})
        return
    _print(train, facts)
    say(f"picture: {target}")
    _say_how_to_begin(begin, train)


@data.command()
def prepare(
    source: _Name,
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    root: Root = None,
    size: ImageSize = None,
    channels: _Channels = None,
    taxonomy: TaxonomyFile = None,
    quiet: Quiet = False,
) -> None:
    """Write a data set as a memory-mapped folder, for sets larger than memory."""
    from mtgan.data import load_dataset, prepare_dataset

    prepare_dataset(source, out, root=root, size=size, channels=channels, taxonomy=taxonomy)
    if not quiet:
        prepared = load_dataset(out, "all")
        c, h, w = prepared.shape
        say(f"wrote {len(prepared):,} samples of {c} x {h} x {w} to {out}")
        for note in prepared.notes:
            say(note)


def _facts(train: "Dataset", test: "Dataset") -> dict[str, Any]:
    channels, height, width = train.shape
    levels = train.taxonomy.levels
    return {
        "name": train.name,
        "fingerprint": train.fingerprint,
        "samples": {"train": len(train), "test": len(test)},
        "shape": {"channels": channels, "height": height, "width": width},
        "levels": {
            level: {
                "classes": train.taxonomy.num_classes(level),
                "parent": train.taxonomy.parents.get(level, (None,))[0],
                "missing": int((train.labels_of(level) < 0).sum()),
            }
            for level in levels
        },
        "numbers": {name: _about(values) for name, values in train.numbers.items()},
        "counts": train.class_counts(),
        "settings": _settings(train),
        "notes": list(dict.fromkeys((*train.notes, *test.notes))),
        "warnings": train.warnings(),
    }


def _about(values: "np.ndarray") -> dict[str, Any]:
    """The range of numbers [N], and how many are missing."""
    from mtgan.data.numbers import NumberRange

    known = NumberRange.of(values)
    return {"low": known.low, "high": known.high, "missing": int((values != values).sum())}


def _settings(train: "Dataset") -> dict[str, Any]:
    """The recipe to begin with, as `mtgan train` takes it where none is named, and its keys."""
    from mtgan.recipes.defaults import default_recipe

    _, height, width = train.shape
    name, keys = default_recipe(
        train.taxonomy, train.shape, train.domains, train.labels, len(train), train.number_ranges
    )
    size = {} if train.domains else {"data.size": [height, width]}
    return {**size, **keys, "recipe": name}


def _print(train: "Dataset", facts: dict[str, Any]) -> None:
    from rich.table import Table

    from mtgan.data.domains.base import in_words
    from mtgan.text import console

    terminal, samples = console(), facts["samples"]
    what, size = in_words(train.domains, train.shape)
    say(
        f"{facts['name']}: {samples['train']:,} training and {samples['test']:,} test {what} of "
        f"{size}"
    )
    for level, about in facts["levels"].items():
        refines = f", refines {about['parent']}" if about["parent"] else ""
        say(f"  level {level}: {about['classes']} classes{refines}, {about['missing']} missing")
    for name, about in facts["numbers"].items():
        say(f"  number {name}: {about['low']:g} to {about['high']:g}, {about['missing']} missing")
    for level, counts in facts["counts"].items():
        table = Table("class", "samples", title=f"{level} (training)", title_justify="left")
        shown = list(counts.items())
        for name, count in shown[:30]:
            table.add_row(name, f"{count:,}")
        if len(shown) > 30:
            table.add_row(f"... {len(shown) - 30} more", "")
        terminal.print(table)
    settings = facts["settings"]
    say(f"settings: {', '.join(f'{key}={_written(value)}' for key, value in settings.items())}")
    for note in facts["notes"]:
        say(f"note: {note}")
    for warning in facts["warnings"]:
        say(f"warning: {warning}")


def _written(value: Any) -> str:
    """A setting as --set takes it."""
    return json.dumps(value) if isinstance(value, list) else str(value)


def _say_how_to_begin(begin: "Beginning", train: "Dataset") -> None:
    from mtgan.cli.begin import time_needed
    from mtgan.errors import UserError

    try:
        needed = time_needed(begin.recipe, train)
    except UserError as error:
        say(f"No training is proposed: {error}")
        return
    say("")
    for note in (needed, *begin.notes):
        say(note)
    say("To begin:")
    say(f"  {begin.command}")


def _draw(train: "Dataset") -> "Image":
    """A grid of samples: a row per class of the finest level (the first 20), or just rows."""
    import numpy as np

    from mtgan.data.images import make_grid

    columns = 10
    few = np.asarray(train.samples[: columns * 8])
    if not train.taxonomy.levels:
        return make_grid(few, columns)
    level = train.taxonomy.levels[0]
    rows, names = [], []
    for index, name in enumerate(train.taxonomy.classes[level][:20]):
        members = np.flatnonzero(train.labels_of(level) == index)[:columns]
        if not len(members):
            continue
        row = np.full((columns, *train.shape), 255, dtype=np.uint8)
        row[: len(members)] = train.samples[members]
        rows.append(row)
        names.append(name)
    if not rows:
        return make_grid(few, columns)
    return make_grid(np.concatenate(rows), columns, row_labels=names)


def _check_target(target: Path, force: bool) -> None:
    """UserError where a picture cannot be there: beside what is no file, or another file."""
    from mtgan.errors import UserError

    if not target.is_symlink() and not target.exists():
        return
    if not target.is_file():
        kind = "a folder" if target.is_dir() else "no regular file (a pipe, device or broken link)"
        raise UserError(f"{target} is {kind}; give another --picture.")
    if not force and target.stat().st_size and _pixels(target) is None:
        raise UserError(_exists(target))


def _exists(target: Path) -> str:
    return f"{target} exists already; give another --picture, or --force."


def _pixels(target: Path) -> "np.ndarray | None":
    """What a picture shows that an earlier `info` drew; None of any other file."""
    import numpy as np
    from PIL import Image

    from mtgan.data.images import MARK_OVERVIEW, is_marked

    try:
        with Image.open(target) as image:
            return np.asarray(image) if is_marked(image, MARK_OVERVIEW) else None
    except (OSError, ValueError):
        return None


def _save(grid: "Image", target: Path, force: bool) -> None:
    """Write the picture; one that is there already is kept where it shows the same, and replaced by
    force alone."""
    import numpy as np

    from mtgan import files
    from mtgan.data.images import MARK_OVERVIEW, marked
    from mtgan.errors import UserError

    if not force and target.exists() and target.stat().st_size:
        shown = _pixels(target)
        if shown is None or not np.array_equal(shown, np.asarray(grid)):
            raise UserError(_exists(target))
        return
    with files.replacing(target) as temporary:
        try:
            # Other formats than PNG ignore the mark.
            grid.save(temporary, pnginfo=marked(MARK_OVERVIEW))
        except ValueError as error:  # a suffix that Pillow does not know
            raise UserError(f"The picture {target} could not be written ({error}).") from error
