"""`mtgan sample`: images from a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Checkpoint, Device, Quiet, Seed, Twin, as_step
from mtgan.limits import LARGEST_COUNT

if TYPE_CHECKING:
    import numpy as np

_COUNT = 64


_Out = Annotated[
    Path,
    typer.Option(help="FILE.npz, FILE.png (a grid), a folder of PNGs; FILE.txt for strings."),
]
_Number = Annotated[
    int | None,
    typer.Option(
        "--n",
        min=1,
        max=LARGEST_COUNT,
        help="How many samples; 64, or as many as there are rows of labels or latents.",
    ),
]
_Label = Annotated[
    list[str] | None,
    typer.Option(help="LEVEL=CLASS, as fine=Bag, or NUMBER=VALUE, as angle=0.3; repeatable."),
]
_Labels = Annotated[
    Path | None,
    typer.Option(help="CSV file: a column per level, a row per sample, empty cells drawn."),
]
_Latents = Annotated[Path | None, typer.Option(help="FILE.npy: latents [n, Z] to make them from.")]
_Domain = Annotated[
    str | None, typer.Option(help="One domain of a run over several, read back from its canvas.")
]
_Truncation = Annotated[
    float | None,
    typer.Option(help="Latents lie within this of 0: fewer odd samples, less variety."),
]
_BatchSize = Annotated[
    int, typer.Option(min=1, max=LARGEST_COUNT, help="Samples that are made at once.")
]


@app.command()
def sample(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: _Out,
    n: _Number = None,
    label: _Label = None,
    labels: _Labels = None,
    latents: _Latents = None,
    truncation: _Truncation = None,
    domain: _Domain = None,
    twin: Twin = None,
    seed: Seed = 0,
    step: Checkpoint = None,
    device: Device = "cpu",
    batch_size: _BatchSize = 250,
    quiet: Quiet = False,
) -> None:
    """Draw samples from a run's averaged generator; the run folder alone is enough."""
    from mtgan.data.export import IMAGE_ENDINGS, check_target, export_samples
    from mtgan.errors import UserError
    from mtgan.training import Run

    if label and labels:
        raise UserError("Give --label, for all samples, or --labels, for each; not both.")
    wanted: Any = _of_each(labels) if labels else _of_all(label or [])
    made_from = None if latents is None else _read_latents(latents)
    opened = Run.open(run).twin(twin)
    described = None if domain is None else opened.dataset_info.domain(domain)
    check_target(out, described.endings if described else IMAGE_ENDINGS)
    if domain is not None:
        wanted = opened.of_domain(domain, wanted)
    if n is None and not labels and made_from is None:
        n = _COUNT
    how: dict[str, Any] = {"latents": made_from, "truncation": truncation, "device": device}
    samples = opened.sample(n, wanted, seed, as_step(step), batch_size, **how)
    if described:
        described.export(described.decode(samples), out)
    else:
        assert samples.taxonomy is not None
        export_samples(samples, samples.labels, samples.taxonomy, out, samples.numbers)
    if not quiet:
        for note in samples.notes:
            say(f"note: {note}")
        say(f"wrote {len(samples)} samples to {out} (seed {samples.seed})")


def _of_all(texts: list[str]) -> dict[str, str]:
    """LEVEL=CLASS, one of each level."""
    from mtgan.errors import UserError

    labels: dict[str, str] = {}
    for text in texts:
        level, equals, name = (part.strip() for part in text.partition("="))
        if not equals:
            raise UserError(f"--label takes LEVEL=CLASS, as in fine=Bag; found {text!r}.")
        if level in labels:
            raise UserError(f"--label {level} is given twice; a sample has one class of a level.")
        labels[level] = name
    return labels


def _of_each(path: Path) -> Any:
    """The rows of a file, as labels that say where they stand."""
    from mtgan.data.folders.tables import read_wanted
    from mtgan.training.samples import LabelList

    rows, lines = read_wanted(path)
    return LabelList(rows, [f"{path}, line {line}" for line in lines])


def _read_latents(path: Path) -> "np.ndarray":
    import numpy as np

    from mtgan.errors import UserError

    try:
        found = np.load(path, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            raise ValueError("it holds several arrays")
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path} is no file of latents, as numpy.save writes it: {error}") from None
    return found
