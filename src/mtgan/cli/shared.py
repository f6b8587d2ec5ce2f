"""Options of every verb: which modules of the user's own are imported before it begins."""

from typing import Annotated, Any

import typer

from mtgan import plugins

_ALONE = typer.Typer(add_completion=False)


def _use(names: list[str] | None) -> None:
    plugins.use(plugins.split_names(names or []))


def _trust(wanted: bool) -> None:
    if wanted:
        plugins.trust()


@_ALONE.command()
def _options(
    trust: Annotated[
        bool,
        typer.Option(
            "--trust",
            is_eager=True,
            callback=_trust,
            help="Import the modules that a run's folder names, though they are not installed.",
        ),
    ] = False,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--plugins",
            metavar="MODULE",
            is_eager=True,
            callback=_use,
            help="A module of your own that registers parts; repeatable.",
        ),
    ] = None,
) -> None:
    """What `share` gives to every verb."""


def share(command: Any) -> None:
    """Give these options to a command, or to all commands of a group."""
    members = getattr(command, "commands", None)
    if members is None:
        shared = [
            parameter
            for parameter in typer.main.get_command(_ALONE).params
            if parameter.name != "help"
        ]
        for parameter in shared:
            parameter.expose_value = False
        command.params.extend(shared)
        return
    for member in members.values():
        share(member)
