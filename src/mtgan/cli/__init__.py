"""The `mtgan` command: thin verbs that parse, call the library, and print.

One file per verb (or family of verbs) beside this one; each registers itself on
`mtgan.cli.app.app` with a decorator, and is found here by its presence alone. Verbs import the
library inside their bodies, so that `mtgan --help` answers without importing torch.
"""

import importlib
import pkgutil
import sys


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits with 0, or 2 and one sentence for the user's mistakes."""
    from mtgan.cli.app import app, print_error
    from mtgan.errors import UserError

    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        importlib.import_module(f"{__name__}.{module}")
    try:
        app(arguments, prog_name="mtgan")
    except UserError as error:
        print_error(str(error))
        sys.exit(2)
