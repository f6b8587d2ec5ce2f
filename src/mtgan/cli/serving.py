"""Options of verbs that serve, and what they say when they do."""

from collections.abc import Callable
from typing import Annotated

import typer

from mtgan.cli.app import say

Host = Annotated[
    str, typer.Option(help="Where to listen; beyond 127.0.0.1 everybody needs the token.")
]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="TOKEN",
        help="Ask everybody for it; else that of MTGAN_TOKEN, or a new one where one is needed.",
    ),
]


def announcing(
    what: str, token: str | None, given: str | None, quiet: bool = False
) -> Callable[[str], None]:
    """What mtgan.web.server.serve calls when it serves: says what and where, and a token that
    nobody knows yet, be it quiet or not.

    what: begins the line, as "models"; token: the one that is asked for; given: by the user.
    """
    from mtgan.web.access import is_new

    def ready(address: str) -> None:
        if not quiet:
            say(f"{what} at {address} (Ctrl-C ends it)")
        if is_new(token, given):
            say(f"token: {token} (in a browser: {address}/?token={token})")

    return ready
