"""`mtgan strings`: a domain of strings against real ones."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say, show
from mtgan.cli.options import Quiet, Root, Samples, Seed, check_free, given


@app.command()
def strings(
    context: typer.Context,
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
    n: Samples = 1000,
    root: Root = None,
    seed: Seed = 0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the values as JSON; - prints them.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the first valid molecules to a .png.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite both files.")] = False,
    quiet: Quiet = False,
) -> None:
    """Judge strings: n-gram distances, uniqueness, novelty; of molecules also MOSES's measures."""
    from mtgan.data.domains.parts import real_strings
    from mtgan.evaluation.sequences import evaluate_strings

    for path in (picture, json_file):
        check_free(path, force)
    options = given(context, "domain", "n", "seed")
    generated, notes = _generated(samples, domain, n, seed, options)
    training, held_out = (real_strings(data, split, root) for split in ("train", "test"))
    card = evaluate_strings(generated, held_out, training, molecules=molecules)
    if picture is not None:
        _draw(generated, picture)
    show(json.loads(card.to_json()), card.to_json(), card.table(), json_file, quiet)
    if not quiet and str(json_file) != "-":
        for note in (*notes, *card.notes):
            say(note)


def _draw(generated: list[str], picture: Path) -> None:
    """The first valid molecules as one picture."""
    from mtgan import files
    from mtgan.errors import UserError
    from mtgan.evaluation.metrics.molecules import draw_molecules, parse_molecules

    drawing = draw_molecules(parse_molecules(generated).first(24))
    with files.replacing(picture) as temporary:
        try:
            drawing.save(temporary)
        except ValueError as error:  # a suffix that Pillow does not know
            raise UserError(f"The picture {picture} could not be written ({error}).") from error


def _generated(
    samples: Path, domain: str | None, n: int, seed: int, options: list[str]
) -> tuple[list[str], tuple[str, ...]]:
    """The strings to judge, each whole, and how they were read."""
    from mtgan.data.domains.strings import read_strings
    from mtgan.errors import UserError
    from mtgan.training import Run

    if not (samples / "recipe.yaml").is_file():
        if options:
            raise UserError(
                f"{samples} holds strings already, and is no run; leave {', '.join(options)} out."
            )
        read = read_strings(samples, titles=False)
        return read.texts, read.notes
    run = Run.open(samples)
    names = [d.name for d in run.facts.domains if "strings" in d.metrics]
    if domain is None and not names:
        raise UserError(f"{samples} was trained on no domain of strings.")
    asked = names[0] if domain is None else run.facts.domain(domain).name
    if asked not in names:
        raise UserError(f"The domain {domain!r} of {samples} is none of strings.")
    return run.sample_domain(n, asked, seed=seed), ()
