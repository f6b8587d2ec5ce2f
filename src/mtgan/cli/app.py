"""The application object that every verb registers on, and what verbs share in printing."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import mtgan
from mtgan.text import console, literal, printable

app = typer.Typer(
    name="mtgan",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train and judge generative adversarial networks that learn several tasks at once.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mtgan {mtgan.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Train and judge generative adversarial networks that learn several tasks at once."""


def say(text: object = "", error: bool = False) -> None:
    """Write a line of text to standard output (or error), without escapes from outside."""
    print(printable(text), file=sys.stderr if error else sys.stdout)


def print_error(message: str) -> None:
    """Write one sentence for the user, on one line, to standard error."""
    say(f"mtgan: {' '.join(line.strip() for line in message.splitlines())}", error=True)


def print_json(value: Any) -> None:
    """Write a value as JSON for machines to standard output."""
    print(json.dumps(value, indent=2, default=str))


def show(values: Any, text: str, table: Any, json_file: Path | None, quiet: bool) -> None:
    """Print values for machines (`--json -`), or write them as `text` and print the table."""
    if str(json_file) == "-":
        print_json(values)
        return
    if json_file is not None:
        from mtgan import files

        files.write_text(json_file, text)
    if not quiet:
        console().print(table)


@contextlib.contextmanager
def working(quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """While something takes long, what is being done stands on the terminal; yields the function
    that says it."""
    with console(stderr=True, quiet=quiet).status(literal("preparing")) as status:
        yield lambda text: status.update(literal(text))
