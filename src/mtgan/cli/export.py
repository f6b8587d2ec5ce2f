"""`mtgan export`: a trained model for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Checkpoint, Quiet, Twin, as_step


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder, or a folder that export wrote.")],
    out: Annotated[
        Path, typer.Argument(help="FILE.onnx, FILE.pt2 (torch.export), or a folder for mtgan.load.")
    ],
    part: Annotated[
        str | None,
        typer.Option(
            help="Of a file: generator (when left out), between, discriminator or classifier."
        ),
    ] = None,
    twin: Twin = None,
    step: Checkpoint = None,
    floats: Annotated[
        bool, typer.Option("--floats", help="Of a file: images in [-1, 1], not uint8.")
    ] = False,
    license: Annotated[
        str | None, typer.Option(help="Of the weights, for a folder's model card, as mit.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a model to a file that needs no mtgan, or to a folder that others load by mtgan.load;
    a file is compared with mtgan's own samples before it is called done."""
    import mtgan

    options = {"part": part, "twin": twin, "floats": floats, "license": license}
    written = mtgan.export(run, out, step=as_step(step), **options)
    if not quiet:
        say(f"wrote {written}")
