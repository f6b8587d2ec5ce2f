"""Where an application listens, and until when."""

import logging
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from mtgan.errors import UserError

_PATIENCE = 5  # seconds that requests in progress have when the server is stopped
_BACKLOG = 2048  # connections that wait to be taken


def serve(
    app: ASGIApp, host: str, port: int, ready: Callable[[str], object] = lambda address: None
) -> None:
    """Answer requests until SIGINT or SIGTERM, which is raised again afterwards, as without it.

    port: 0 takes a free one. ready: hears the address (http://127.0.0.1:8000) when connections are
    taken. UserError where the host is none of this machine's, or the port is in use.
    """
    with listen(host, port) as listening:
        config = uvicorn.Config(
            app,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_PATIENCE,
        )
        ready(address_of(host, listening))
        uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; UserError where there can be none."""
    try:
        family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
    except OSError as error:
        raise UserError(f"--host {host} is no address of this machine: {error.strerror}.") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise UserError(
            f"{host} cannot be listened to at port {port} ({error.strerror}); give another --port, "
            "or 0 for any that is free."
        ) from None
    return listening


def address_of(host: str, listening: socket.socket) -> str:
    """http://HOST:PORT, with the port that it has become."""
    shown = f"[{host.strip('[]')}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"
