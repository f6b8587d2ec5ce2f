"""`mtgan data`: what there is, what is in it, and sets larger than memory."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.cli.app import app, print_json, say
from mtgan.cli.options import Quiet, Root, TaxonomyFile
from mtgan.text import file_name

if TYPE_CHECKING:
    import numpy as np

    from mtgan.data import Dataset

data = typer.Typer(help="Data sets: list them, look into one, prepare one.", no_args_is_help=True)
app.add_typer(data, name="data")

_Name = Annotated[str, typer.Argument(help="A data set by name, a folder, or an .npz file.")]
_Size = Annotated[str | None, typer.Option(help="One side (32) or HxW (64x128).")]
_Channels = Annotated[int | None, typer.Option(help="1 (grey) or 3 (RGB).")]
_Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@data.command("list")
def list_command(as_json: _Json = False) -> None:
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
    size: _Size = None,
    channels: _Channels = None,
    taxonomy: TaxonomyFile = None,
    picture: Annotated[
        Path | None,
        typer.Option(help="Where to write a picture of samples; NAME-samples.png if left out."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the picture.")] = False,
    as_json: _Json = False,
) -> None:
    """Size, labels, counts, warnings and derived settings of a data set, and a picture of it."""
    from mtgan.data import load_dataset

    if picture and not force:
        _spare(picture)  # before the work of loading
    train = load_dataset(name, root=root, size=size, channels=channels, taxonomy=taxonomy)
    test = train.load_split("test")
    target = picture or Path(file_name(f"{train.name}-samples.png"))
    if not force:
        _spare(target)
    facts = _facts(train, test)
    _draw(train, target)
    if as_json:
        print_json({**facts, "picture": str(target)})
        return
    _print(train, facts)
    say(f"picture: {target}")


@data.command()
def prepare(
    source: _Name,
    out: Annotated[Path, typer.Argument(help="The folder to write.")],
    root: Root = None,
    size: _Size = None,
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
        "counts": train.class_counts(),
        "settings": _settings(train),
        "notes": list(dict.fromkeys((*train.notes, *test.notes))),
        "warnings": train.warnings(),
    }


def _settings(train: "Dataset") -> dict[str, Any]:
    """Keys of a recipe that follow from the data, and the recipe to begin with."""
    from mtgan.recipes.suggest import suggest

    _, height, width = train.shape
    if train.domains:  # canvases, each row drawn by one number of the latent
        return {"latent.dim": height + 64, "recipe": "multidomain-gp"}
    counts = train.class_counts()
    poor = [level for level, each in counts.items() if sum(n > 0 for n in each.values()) < 2]
    return {"data.size": [height, width], **suggest(train.taxonomy, without=poor)}


def _print(train: "Dataset", facts: dict[str, Any]) -> None:
    from rich.table import Table

    from mtgan.text import console

    terminal = console()
    shape, samples = facts["shape"], facts["samples"]
    say(
        f"{facts['name']}: {samples['train']:,} training and {samples['test']:,} test images of "
        f"{shape['height']} x {shape['width']}, {shape['channels']} "
        f"channel{'s' if shape['channels'] > 1 else ''}"
    )
    for level, about in facts["levels"].items():
        refines = f", refines {about['parent']}" if about["parent"] else ""
        say(f"  level {level}: {about['classes']} classes{refines}, {about['missing']} missing")
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


def _draw(train: "Dataset", target: Path) -> None:
    """A grid of samples: a row per class of the finest level (the first 20), or just rows."""
    import numpy as np

    columns = 10
    if not train.taxonomy.levels:
        _save(np.asarray(train.samples[: columns * 8]), target, columns)
        return
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
        _save(np.asarray(train.samples[: columns * 8]), target, columns)
        return
    _save(np.concatenate(rows), target, columns, names)


# By which a picture of `info` is known again: such a one may be overwritten, no other file may.
_MARK = {"Software": "mtgan data info"}


def _spare(target: Path) -> None:
    """UserError where there is a file that an earlier `info` did not write, nor an empty one."""
    from PIL import Image

    from mtgan.errors import UserError

    if not target.exists() or (target.is_file() and target.stat().st_size == 0):
        return
    try:
        with Image.open(target) as image:
            ours = _MARK.items() <= image.info.items()
    except (OSError, ValueError):
        ours = False
    if not ours:
        raise UserError(f"{target} exists already; give another --picture, or --force.")


def _save(images: "np.ndarray", target: Path, columns: int, names: list[str] | None = None) -> None:
    from PIL.PngImagePlugin import PngInfo

    from mtgan import files
    from mtgan.data.images import make_grid
    from mtgan.errors import UserError

    mark = PngInfo()
    for key, text in _MARK.items():
        mark.add_text(key, text)
    grid = make_grid(images, columns, row_labels=names)
    with files.replacing(target) as temporary:
        try:
            grid.save(temporary, pnginfo=mark)  # other formats than PNG ignore the mark
        except ValueError as error:  # a suffix that Pillow does not know
            raise UserError(f"The picture {target} could not be written ({error}).") from error
