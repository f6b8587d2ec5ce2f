"""What a client is told that is refused: one form for every status, {"error": "a sentence"}."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from mtgan.errors import UserError
from mtgan.text import printable

_FORM = {
    "type": "object",
    "properties": {"error": {"type": "string", "description": "What is wrong, in one sentence."}},
    "required": ["error"],
    "additionalProperties": False,
}


class Refusal(HTTPException):
    """A request that is refused: a status, a sentence, headers."""

    def __init__(
        self, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, sentence, headers)


class JSON(Response):
    """Values as JSON of ASCII letters, so that whatever a client wrote can be said back to it."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return as_json(content)


def as_json(content: Any) -> bytes:
    """JSON of ASCII letters."""
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def refusal(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that is refused."""
    return JSON({"error": printable(sentence)}, status, headers)


def documented(*statuses: int, headers: Mapping[int, Any] | None = None) -> dict[int | str, Any]:
    """OpenAPI's `responses` of an operation that may refuse with these statuses."""
    found: dict[int | str, Any] = {}
    for status in statuses:
        content = {"application/json": {"schema": _FORM}}
        found[status] = {"description": HTTPStatus(status).phrase, "content": content}
        if headers and status in headers:
            found[status]["headers"] = headers[status]
    return found


def say_refusals(app: FastAPI) -> None:
    """Have an application say everything that it refuses in the one form."""
    # Each is called with the error that it stands beside.
    handlers: dict[Any, Any] = {
        HTTPException: _of_http,
        RequestValidationError: _of_fields,
        UserError: _of_user,
        Exception: _of_ours,
    }
    for error, handler in handlers.items():
        app.add_exception_handler(error, handler)


async def _of_http(request: Request, error: HTTPException) -> Response:
    sentence = str(error.detail)
    if not isinstance(error, Refusal):
        sentence = _SENTENCES.get(error.status_code, "{status}: {detail}.").format(
            method=request.method,
            path=request.url.path,
            status=error.status_code,
            detail=sentence,
        )
    return refusal(error.status_code, sentence, error.headers)


_SENTENCES = {
    404: "There is no {path} here; /openapi.json says what there is.",
    405: "{path} does not take {method}; /openapi.json says what it takes.",
}


async def _of_fields(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return refusal(422, f"{where}: {first['msg']}.")


async def _of_user(request: Request, error: UserError) -> Response:
    return refusal(422, str(error))


async def _of_ours(request: Request, error: Exception) -> Response:
    return refusal(500, "This is a fault of mtgan and not yours; the server's log has more.")
