"""The body of a request, as the schema has it that a route takes."""

import json
from typing import Any, NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from mtgan.recipes.sentences import sentence
from mtgan.web.refusals import Refusal

LARGEST_BODY = 1 << 20
"""Bytes."""
Schema = TypeVar("Schema", bound=BaseModel)


async def read_body(request: Request, schema: type[Schema], most: int = LARGEST_BODY) -> Schema:
    """The JSON object in a request's body.

    Refusal: 400 for no JSON, 413 for more than `most` bytes, 415 for what is said to be something
    else, 422 for JSON of another form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refusal(
            415, f"The body should be Content-Type: application/json; found {kind or 'none'}."
        )
    values = _parsed(await _bytes(request, most))
    if not isinstance(values, dict):
        raise Refusal(422, 'The body should be a JSON object, as {"n": 1}.')
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise Refusal(422, sentence(error, schema)) from None


async def _bytes(request: Request, most: int) -> bytes:
    found = bytearray()
    async for part in request.stream():
        found += part
        if len(found) > most:
            raise Refusal(413, f"The body should have at most {most:,} bytes.")
    return bytes(found)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text, parse_float=_number, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The body is no JSON: {error}.") from None


def _number(text: str) -> float:
    """JSON has one kind of numbers: 6.0 is 6, and counts as whole."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")
