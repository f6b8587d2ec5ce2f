"""`mtgan serve`: models over HTTP."""

from typing import Annotated

import typer

from mtgan.cli.app import app
from mtgan.cli.options import Checkpoint, Device, Quiet, as_step
from mtgan.cli.serving import Host, Port, Token, announcing

_Most = Annotated[
    int, typer.Option("--max-n", min=1, max=100_000, help="Samples of one request, at most.")
]
_Queue = Annotated[
    int,
    typer.Option(min=1, max=100_000, help="Requests to a model that may wait; more are refused."),
]


@app.command()
def serve(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Run folders, or what mtgan.load takes; RUN:TWIN for a twin, NAME=RUN for a name.",
        ),
    ],
    host: Host = "127.0.0.1",
    port: Port = 8000,
    token: Token = None,
    step: Checkpoint = None,
    max_n: _Most = 256,
    queue: _Queue = 64,
    device: Device = "cpu",
    quiet: Quiet = False,
) -> None:
    """Make samples of models for other programs: POST /samples, GET /models, GET /health."""
    from mtgan.web import require_packages

    require_packages("mtgan serve")
    from mtgan.web.access import choose_token
    from mtgan.web.app import build_app
    from mtgan.web.served import open_models
    from mtgan.web.server import serve as answer

    asked = choose_token(host, token)
    with open_models(runs, as_step(step), device, queue) as models:
        names = ", ".join(f"{m.name} (iteration {m.model.step:,})" for m in models)
        ready = announcing(f"serving {names}", asked, token, quiet)
        answer(build_app(models, asked, max_n), host, port, ready)
