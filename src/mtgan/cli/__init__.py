"""The `mtgan` command: thin verbs that parse, call the library, and print.

One file per verb (or family of verbs) beside this one; each registers itself on
`mtgan.cli.app.app` with a decorator, and is found here by its presence alone. Verbs import the
library inside their bodies, so that `mtgan --help` answers without importing torch.
"""

import importlib
import pkgutil
import sys
from typing import Any

from mtgan.cli.signals import stopped, terminated_by_an_exception


def main(arguments: list[str] | None = None) -> None:
    """Run the command line, and exit with the code of mtgan.cli.ending's table."""
    with terminated_by_an_exception():
        try:
            from mtgan.cli.ending import finish
        except KeyboardInterrupt as error:
            sys.exit(stopped(error))
        sys.exit(finish(lambda: _run(sys.argv[1:] if arguments is None else arguments)))


def _run(arguments: list[str]) -> None:
    import typer.main

    from mtgan.cli.app import app
    from mtgan.cli.shared import share

    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    command: Any = typer.main.get_command(app)
    share(command)
    # A shell that completes asks by a variable of the environment: answer it, and end.
    command._main_shell_completion({}, "mtgan")
    with command.make_context("mtgan", list(arguments)) as context:
        command.invoke(context)
