"""The page that needs no server: the generator and what runs it are within it."""

from collections.abc import Mapping
from pathlib import Path

from mtgan.errors import UserError
from mtgan.exporting import export
from mtgan.files import write_text
from mtgan.files.write import temporary_folder
from mtgan.training.model import Model, Step
from mtgan.web.explore.facts import facts_of
from mtgan.web.explore.page import render_page
from mtgan.web.explore.runtime import runtime_files


def write_page(
    models: Mapping[str, Model], out: str | Path, step: Step = None, seed: int = 0
) -> Path:
    """Write a page of models by name to an HTML file that needs nothing else, and return its path.

    step: the checkpoint of each; seed: of the samples that the page begins with.

    Raises:
        UserError: A file that is there already, or has another ending; no models; what
            mtgan.export, facts_of and runtime_files refuse.
    """
    out = Path(out)
    if out.suffix.lower() not in {".html", ".htm"}:
        raise UserError(f"A page is written to FILE.html; found {out}.")
    if out.is_symlink() or out.exists():
        raise UserError(f"{out} exists already; name another, or remove it first.")
    facts = [facts_of(name, model, step, seed) for name, model in models.items()]
    parts = dict(runtime_files())
    for number, model in enumerate(models.values()):
        parts[f"graph-{number}"] = graph_of(model, step)
    write_text(out, render_page(facts, parts))
    return out


def graph_of(model: Model, step: Step = None) -> bytes:
    """The averaged generator as ONNX, between labels where it is told any; checked against
    mtgan."""
    told = model.game(step).averaged(model.twin_name).told()
    with temporary_folder() as folder:
        part = "between" if told else "generator"
        return export(model, folder / "graph.onnx", part=part, step=step).read_bytes()
