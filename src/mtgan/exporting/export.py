"""A trained model into a file or folder, by the format that its name ends in."""

from pathlib import Path

from mtgan.errors import UserError
from mtgan.exporting.base import FORMATS, Export, Format
from mtgan.training.model import Model, Step


def export(
    model: Model,
    out: str | Path,
    *,
    part: str | None = None,
    twin: str | None = None,
    step: Step = None,
    floats: bool = False,
    license: str | None = None,
) -> Path:
    """Write a model to `out` so that others can use it, and return that path.

    Args:
        model: A run, or what mtgan.load gave.
        out: FILE.onnx, FILE.pt2 (torch.export), or a folder for mtgan.load and model hubs. A file
            is compared with mtgan's own samples before it is called done.
        part: Of a file: generator (when None), whose samples are those of `Run.sample`; between,
            the same between two labels; discriminator, with what its heads say; classifier.
        twin: Of a file: whose, of a run with twins; the main one when None.
        step: The checkpoint's iteration, or "best"; the newest when None.
        floats: Of a generator's file: images as float32 in [-1, 1], not as uint8.
        license: Of the weights, as a model hub calls it ("mit"); for a folder's model card.

    Raises:
        UserError: A path that is taken or has another ending, a network that the model does not
            have, a missing package, a model without a checkpoint, a file that differs from mtgan.
    """
    out = Path(out)
    chosen = format_of(out)
    if out.is_symlink() or out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UserError(f"{out} exists already; name another, or remove it first.")
    meant = model if twin is None else model.twin(twin)
    asked = Export(meant, step, part, floats, license)
    chosen.check(asked)
    chosen.write(asked, out)
    return out


def format_of(out: Path) -> Format:
    """The format that a path ends in; UserError where it is none."""
    formats = {entry.ending: entry for _, entry in FORMATS.items()}
    ending = out.suffix.lower()
    if not out.name or ending not in formats:
        files = " or ".join(f"FILE{known}" for known in sorted(filter(None, formats)))
        raise UserError(f"A model is exported to {files}, or to a folder; found {out}.")
    return formats[ending]
