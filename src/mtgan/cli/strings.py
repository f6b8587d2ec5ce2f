"""`mtgan strings`: a domain of strings against real ones."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app
from mtgan.cli.options import Quiet, Root, Seed


@app.command()
def strings(
    samples: Annotated[Path, typer.Argument(help="A run over domains, or a file of strings.")],
    data: Annotated[
        str, typer.Option("--data", help="The real strings, as in nci-smiles,length=32.")
    ],
    domain: Annotated[
        str | None, typer.Option(help="Which domain of a run; its first of strings if left out.")
    ] = None,
    molecules: Annotated[
        bool, typer.Option("--molecules", help="They are SMILES; needs the extra chem.")
    ] = False,
    n: Annotated[int, typer.Option("--n", help="How many strings a run generates.")] = 1000,
    root: Root = None,
    seed: Seed = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the values as JSON.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the first valid molecules to a .png.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Judge strings: n-gram distances, uniqueness, novelty; of molecules also MOSES's measures."""
    from rich.console import Console

    from mtgan.data.domains import real_strings
    from mtgan.evaluation.metrics.molecules import draw_molecules, parse_molecules
    from mtgan.evaluation.sequences import evaluate_strings
    from mtgan.text import printable

    generated, notes = _generated(samples, domain, n, seed)
    training, held_out = (real_strings(data, split, root) for split in ("train", "test"))
    card = evaluate_strings(generated, held_out, training, molecules=molecules)
    if json_file is not None:
        json_file.write_text(card.to_json())
    if picture is not None:
        draw_molecules(parse_molecules(generated).first(24)).save(picture)
    if not quiet:
        Console().print(card.table())
        for note in (*notes, *card.notes):
            print(printable(note))


def _generated(
    samples: Path, domain: str | None, n: int, seed: int
) -> tuple[list[str], tuple[str, ...]]:
    """The strings to judge, each whole, and how they were read."""
    from mtgan.data.strings import read_strings
    from mtgan.errors import UserError
    from mtgan.training import Run

    if not (samples / "recipe.yaml").is_file():
        read = read_strings(samples, titles=False)
        return read.texts, read.notes
    run = Run.open(samples)
    names = [d.name for d in run.facts.domains if d.type == "sequence"]
    if domain is None and not names:
        raise UserError(f"{samples} was trained on no domain of strings.")
    found = run.sample_domain(n, domain or names[0], seed=seed)
    if not isinstance(found, list):
        raise UserError(f"The domain {domain!r} of {samples} is one of images.")
    return found, ()
