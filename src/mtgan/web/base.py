"""What all applications of mtgan share: who may ask, and how they refuse."""

from typing import Any

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

import mtgan
from mtgan.web.access import Guard
from mtgan.web.refusals import say_refusals

# Says in OpenAPI that there is a token; the guard is what asks for it.
_BEARER = HTTPBearer(auto_error=False, description="The token that the server was started with.")


def new_app(title: str, token: str | None = None, description: str = "") -> FastAPI:
    """An application without routes, which refuses in one form (mtgan.web.refusals) and lets in
    whom mtgan.web.access.Guard lets in.

    Its pages of documentation, which would be loaded from elsewhere, are left out;
    /openapi.json is there.
    """
    app = FastAPI(
        title=title,
        version=mtgan.__version__,
        description=description,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    say_refusals(app)
    app.add_middleware(Guard, token=token)
    return app


def needs_token(token: str | None) -> list[Any]:
    """The `dependencies` of routes, by which OpenAPI says that they need the token if there is
    one."""
    return [] if token is None else [Security(_BEARER)]
