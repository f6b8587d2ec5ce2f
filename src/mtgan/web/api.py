"""The routes of `mtgan serve`."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from mtgan.web.base import needs_token
from mtgan.web.bodies import read_body
from mtgan.web.describe import (
    DESCRIBED,
    HEALTH,
    SAMPLES,
    body_schema,
    describe,
)
from mtgan.web.refusals import JSON, Refusal, as_json, documented
from mtgan.web.samples import answer, check_labels, request_of_at_most
from mtgan.web.served import ServedModel
from mtgan.web.worker import RETRY_AFTER


def api_router(models: Mapping[str, ServedModel], token: str | None, most: int) -> APIRouter:
    """POST /samples, GET /models and GET /health, of these models."""
    routes = APIRouter()
    guarded = needs_token(token)
    schema = request_of_at_most(most)
    unknown = [401] if guarded else [403]
    described = as_json({"models": [describe(served) for served in models.values()]})

    @routes.get("/health", responses={200: HEALTH, **documented()}, response_class=JSON)
    async def health() -> Response:
        """Whether the server lives; needs no token."""
        return JSON({"status": "ok"})

    @routes.get(
        "/models",
        responses={200: DESCRIBED, **documented(*unknown)},
        response_class=JSON,
        dependencies=guarded,
    )
    async def list_models() -> Response:
        """Every model, its levels and classes, and what it was trained on."""
        return Response(described, media_type=JSON.media_type)

    @routes.post(
        "/samples",
        responses={200: SAMPLES, **documented(*unknown, *_REFUSED, headers=_HEADERS)},
        response_class=Response,
        dependencies=guarded,
        openapi_extra={"requestBody": body_schema(models, schema)},
    )
    async def make_samples(request: Request) -> Response:
        """Samples of a model; those of one seed are the same whenever they are asked for, and are
        what Run.sample gives for it."""
        asked = await read_body(request, schema)
        served = _called(models, asked.model)
        check_labels(served, asked.labels)
        return await served.worker.run(answer, served, asked)

    return routes


def _called(models: Mapping[str, ServedModel], name: str | None) -> ServedModel:
    """The model that is meant; without a name the only one."""
    if name is None and len(models) == 1:
        return next(iter(models.values()))
    if name is None or name not in models:
        found = "is missing" if name is None else f"is {name!r}"
        raise Refusal(422, f"model {found}; there are {', '.join(map(repr, models))}.")
    return models[name]


_REFUSED = (400, 409, 413, 415, 422, 503)
_HEADERS = {
    503: {
        "Retry-After": {
            "description": "Seconds.",
            "required": True,
            "schema": {"type": "string", "const": RETRY_AFTER},
        }
    }
}
