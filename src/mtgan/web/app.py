"""The application of `mtgan serve`, on which pages can be mounted."""

from collections.abc import Sequence

from fastapi import FastAPI

from mtgan.web.api import api_router
from mtgan.web.base import new_app
from mtgan.web.samples import MOST
from mtgan.web.served import ServedModel, by_name


def build_app(models: Sequence[ServedModel], token: str | None = None, most: int = MOST) -> FastAPI:
    """An application that makes samples of models: POST /samples, GET /models, GET /health.

    token: which everybody has to bring, see mtgan.web.access; most: samples of one request. More
    can be added by `include_router`; routes find the models by name in `app.state.models`.
    """
    app = new_app("mtgan", token, "Samples of trained models.")
    app.state.models = by_name(models)
    app.include_router(api_router(app.state.models, token, most))
    return app
