"""`mtgan explore`: a page on which a generator's samples are chosen and changed."""

from pathlib import Path
from typing import Annotated

import typer

from mtgan.cli.app import app, say
from mtgan.cli.options import Checkpoint, Device, Quiet, Seed, as_step, given
from mtgan.cli.serving import Host, Port, Token, announcing

_OF_A_SERVER = ("host", "port", "token", "device")


@app.command()
def explore(
    context: typer.Context,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Run folders, or what mtgan.load takes; RUN:TWIN for a twin, NAME=RUN for a name.",
        ),
    ],
    static: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", help="Write the page to a file that needs no server, and end."
        ),
    ] = None,
    seed: Seed = 0,
    step: Checkpoint = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token: Token = None,
    device: Device = "cpu",
    quiet: Quiet = False,
) -> None:
    """A page with menus of labels, sliders along directions of the latent, and morphs."""
    if static is None:
        _serve(runs, as_step(step), seed, (host, port), token, device, quiet)
        return
    from mtgan.errors import UserError
    from mtgan.web.explore.static import write_page
    from mtgan.web.names import named_models

    if odd := given(context, *_OF_A_SERVER):
        raise UserError(f"{odd[0]} is of a server, and --static needs none; leave one of them out.")
    written = write_page(named_models(runs), static, as_step(step), seed)
    if not quiet:
        say(f"wrote {written} ({written.stat().st_size / 1e6:.1f} MB); open it in a browser")


def _serve(
    runs: list[str],
    step: int | str | None,
    seed: int,
    place: tuple[str, int],
    token: str | None,
    device: str,
    quiet: bool,
) -> None:
    from mtgan.web import require_packages

    require_packages("mtgan explore without --static")
    from mtgan.web.access import choose_token
    from mtgan.web.app import build_app
    from mtgan.web.explore.routes import explore_router
    from mtgan.web.served import open_models
    from mtgan.web.server import serve

    asked = choose_token(place[0], token)
    with open_models(runs, step, device) as models:
        application = build_app(models, asked)
        application.include_router(explore_router(application.state.models, step, seed))
        names = ", ".join(model.name for model in models)
        serve(application, *place, announcing(f"exploring {names}", asked, token, quiet))
