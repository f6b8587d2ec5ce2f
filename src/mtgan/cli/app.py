"""The application object that every verb registers on, and what verbs share in printing."""

import json
import sys
from typing import Annotated, Any

import typer

import mtgan

app = typer.Typer(
    name="mtgan",
    no_args_is_help=True,
    add_completion=False,
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


def print_error(message: str) -> None:
    """Write one sentence for the user to standard error."""
    print(f"mtgan: {message}", file=sys.stderr)


def print_json(value: Any) -> None:
    """Write a value as JSON for machines to standard output."""
    print(json.dumps(value, indent=2, default=str))
