"""What a model can be asked for, for clients and in OpenAPI's terms."""

from collections.abc import Mapping
from typing import Any

from mtgan.errors import UserError
from mtgan.training.requests import Requests
from mtgan.web.samples import ANSWERS, SEED, STEP, SampleRequest
from mtgan.web.served import ServedModel

Schema = dict[str, Any]


def learned(requests: Requests) -> dict[str, dict[int, str]]:
    """By level the classes that a generator can be asked for, as names by index."""
    found = {}
    for level in requests.askable:
        if level not in requests.dataset_info.numbers:
            names = dict(enumerate(requests.taxonomy.classes[level]))
            found[level] = {i: name for i, name in names.items() if _can_be(requests, level, i)}
    return found


def _can_be(requests: Requests, level: str, index: int) -> bool:
    try:
        requests.row({level: index})
    except UserError:
        return False
    return True


def describe(served: ServedModel) -> dict[str, Any]:
    """What GET /models says of a model."""
    model, requests = served.model, served.requests
    info = requests.dataset_info
    numbers = {k: info.numbers[k] for k in requests.askable if k in info.numbers}
    return {
        "name": served.name,
        "recipe": model.recipe.name,
        "step": model.step,
        "twin": model.twin_name,
        "shape": list(info.shape),
        "latent": {"dim": model.recipe.latent.dim, "law": model.recipe.latent.distribution},
        "levels": {level: list(names.values()) for level, names in learned(requests).items()},
        "numbers": {name: {"low": r.low, "high": r.high} for name, r in numbers.items()},
        "parents": model.dataset_info.taxonomy.to_dict()["parents"],
        "domains": [domain.name for domain in info.domains],
    }


def body_schema(models: Mapping[str, ServedModel], request: type[SampleRequest]) -> Schema:
    """OpenAPI's requestBody of POST /samples: of each model its own labels."""
    schemas = [_of_model(served, request, alone=len(models) == 1) for served in models.values()]
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _of_model(served: ServedModel, request: type[SampleRequest], alone: bool) -> Schema:
    schema = request.model_json_schema()
    schema["title"] = f"Samples of {served.name}"
    values = schema["properties"]
    values["labels"] |= {"additionalProperties": False, "properties": _labels(served.requests)}
    named = {"type": "string", "const": served.name}
    if alone:
        values["model"] |= {"anyOf": [named, {"type": "null"}]}
    else:
        values["model"] = {**named, "description": values["model"]["description"]}
        schema["required"] = ["model"]
    return schema


def _labels(requests: Requests) -> Schema:
    found: Schema = {}
    for level, names in learned(requests).items():
        found[level] = {"enum": [*names.values(), *names]}
    numbers = requests.dataset_info.numbers
    for name in requests.askable:
        if name in numbers:
            known = numbers[name]
            found[name] = {"type": "number", "minimum": known.low, "maximum": known.high}
    return found


def _json(schema: Schema, description: str) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _by_name(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}


_TEXT, _WHOLE, _NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
_NAMES: Schema = {"type": "array", "items": _TEXT}

HEALTH = _json(_object(status={"const": "ok"}), "The server lives.")
DESCRIBED = _json(
    _object(
        models={
            "type": "array",
            "items": _object(
                name=_TEXT,
                recipe=_TEXT,
                step=_WHOLE,
                twin={"type": ["string", "null"]},
                shape={"type": "array", "items": _WHOLE},
                latent=_object(dim=_WHOLE, law=_TEXT),
                levels=_by_name(_NAMES),
                numbers=_by_name(_object(low=_NUMBER, high=_NUMBER)),
                parents={"type": "object"},
                domains=_NAMES,
            ),
        }
    ),
    "The models.",
)
_SAMPLE: Schema = {
    "type": "object",
    "properties": {
        "labels": _by_name({"type": ["string", "number"]}),
        "image": {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
        "text": {"type": "string", "description": "In place of an image, where it is a string."},
    },
    "required": ["labels"],
}
_SCHEMAS: dict[str, Schema] = {
    "json": _object(
        model=_TEXT,
        step=_WHOLE,
        seed=_WHOLE,
        notes=_NAMES,
        samples={"type": "array", "items": _SAMPLE},
    )
}
_BINARY: Schema = {"type": "string", "format": "binary"}
SAMPLES: Schema = {
    "description": "The samples.",
    "content": {
        kind.media_type: {"schema": _SCHEMAS.get(name, _BINARY)} for name, kind in ANSWERS.items()
    },
    "headers": {
        SEED: {
            "description": "With which they are made again.",
            "schema": _WHOLE,
            "required": True,
        },
        STEP: {"description": "Of the checkpoint.", "schema": _WHOLE, "required": True},
    },
}
