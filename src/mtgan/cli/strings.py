"""`mtgan strings`: a domain of strings against real ones."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, show, working
from mtgan.cli.options import CardFile, Force, Quiet, Root, Samples, Seed, Twin, check_free, given


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
    twin: Twin = None,
    molecules: Annotated[
        bool | None,
        typer.Option(
            "--molecules/--no-molecules",
            help="Whether they are SMILES (extra chem); the real ones tell if left out.",
        ),
    ] = None,
    n: Samples = 1000,
    protocol: Annotated[
        str, typer.Option(help="default (sets of one size, scores), or plain (all with all).")
    ] = "default",
    root: Root = None,
    seed: Seed = 0,
    json_file: CardFile = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the first valid molecules to a .png.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Judge strings: n-gram distances, uniqueness, novelty; of molecules also MOSES's measures."""
    from mtgan.data.domains.parts import data_of_strings
    from mtgan.evaluation import evaluate

    printing = str(json_file) == "-"
    for path in (picture, json_file):
        check_free(path, force)
    options = given(context, "domain", "twin", "n")
    generated, notes = _generated(samples, domain, twin, n, seed, options)
    told = {} if molecules is None else {"molecules": molecules}
    with working(quiet or printing) as progress:
        card = evaluate(
            generated,
            data_of_strings(data, "train", root),
            seed=seed,
            protocol=protocol,
            told=told,
            progress=progress,
        ).noted(*notes)
    if picture is not None:
        _draw(generated, picture)
    show(card.to_dict(), card.to_json(), card.table(), json_file, quiet)


def _draw(generated: list[str], picture: Path) -> None:
    """The first valid molecules as one picture."""
    from mtgan import files
    from mtgan.errors import UserError
    from mtgan.evaluation.strings.molecules import draw_molecules, parse_molecules

    drawing = draw_molecules(parse_molecules(generated).first(24))
    with files.replacing(picture) as temporary:
        try:
            drawing.save(temporary)
        except ValueError as error:  # a suffix that Pillow does not know
            raise UserError(f"The picture {picture} could not be written ({error}).") from error


def _generated(
    samples: Path,
    domain: str | None,
    twin: str | None,
    n: int,
    seed: int,
    options: list[str],
) -> tuple[list[str], tuple[str, ...]]:
    """The strings to judge, each whole, and how they were read."""
    from mtgan.data.domains.strings import read_strings
    from mtgan.errors import UserError
    from mtgan.training import Run
    from mtgan.training.folders import is_run_folder

    if not is_run_folder(samples):
        if options:
            raise UserError(
                f"{samples} holds strings already, and is no run; leave {', '.join(options)} out."
            )
        read = read_strings(samples, titles=False)
        return read.texts, read.notes
    run = Run.open(samples).twin(twin)
    names = [domain.name for domain in run.dataset_info.domains if domain.metrics == "strings"]
    if domain is None and not names:
        raise UserError(f"{samples} was trained on no domain of strings.")
    asked = names[0] if domain is None else run.dataset_info.domain(domain).name
    if asked not in names:
        raise UserError(f"The domain {domain!r} of {samples} is none of strings.")
    return run.sample_domain(n, asked, seed=seed), ()
