"""What POST /samples takes and gives."""

import base64
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.export import write_npz
from mtgan.data.images import MARK_GENERATED, make_grid, marked, to_image
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.limits import LARGEST_SEED
from mtgan.training.samples import LARGEST_TRUNCATION, RequestedLabels
from mtgan.web.refusals import Refusal, as_json
from mtgan.web.served import ServedModel

MOST = 256
"""Samples of one request, unless the server is started otherwise."""
SEED, STEP = "Mtgan-Seed", "Mtgan-Step"
"""Headers of an answer: with which seed and checkpoint it is made again."""


class SampleRequest(BaseModel):
    """The body of POST /samples; means what the arguments of Run.sample mean."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = Field(None, description="Which one of those that /models lists.")
    labels: dict[str, str | int | float] = Field(
        {}, description="A class by its name or index, or a number, by level; the rest is drawn."
    )
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] | None = Field(
        None, description="The same one gives the same samples; drawn when left out."
    )
    n: Annotated[int, Field(ge=1, le=MOST)] = Field(1, description="How many samples.")
    truncation: Annotated[float, Field(gt=0, le=LARGEST_TRUNCATION)] | None = Field(
        None, description="Latents lie within this of 0: fewer odd samples, less variety."
    )
    format: Literal["png", "npz", "json"] = Field(
        "png", description="One picture, or a grid of several; arrays; pictures in JSON."
    )


_REMEMBERED = 10_000  # labels that were found to be good
_QUICK = 1  # of zlib: a fifth of the time of its usual 6, for a seventh more bytes


def request_of_at_most(most: int) -> type[SampleRequest]:
    """A SampleRequest of at most so many samples."""
    count: Any = (Annotated[int, Field(ge=1, le=most)], SampleRequest.model_fields["n"])
    return create_model("SampleRequest", __base__=SampleRequest, n=count)


def check_labels(served: ServedModel, labels: dict[str, Any]) -> None:
    """UserError for a label that the model cannot be asked for; Refusal (409) for labels that it
    can be asked for one by one, but not together."""
    key = tuple(labels.items())
    if key in served.accepted:
        return
    _check(served, labels)
    if len(served.accepted) < _REMEMBERED:
        served.accepted.add(key)


def _check(served: ServedModel, labels: dict[str, Any]) -> None:
    numbers = served.requests.dataset_info.numbers
    for level, value in labels.items():
        RequestedLabels({level: value}, 1, served.requests)
        if level in numbers and isinstance(value, str):
            raise UserError(f"labels.{level} should be a number; found {value!r}.")
    try:
        RequestedLabels(labels, 1, served.requests)
    except UserError as error:
        raise Refusal(409, str(error)) from error


def answer(served: ServedModel, asked: SampleRequest) -> Response:
    """The samples, as they were asked for; to be computed in the model's thread."""
    model = served.model
    how: dict[str, Any] = {"truncation": asked.truncation, "device": model.device.type}
    made = model.sample(asked.n, asked.labels or None, asked.seed, **how)
    headers = {SEED: str(made.seed), STEP: str(model.step), "Cache-Control": "no-store"}
    kind = ANSWERS[asked.format]
    return Response(kind.write(served, made), 200, headers, kind.media_type)


def _png(served: ServedModel, made: Samples) -> bytes:
    if len(made) == 1:
        return _picture(made[0])
    file = io.BytesIO()
    grid = make_grid(np.asarray(made), columns=math.ceil(math.sqrt(len(made))), scale=1)
    grid.save(file, "png", compress_level=_QUICK)
    return file.getvalue()


def _npz(served: ServedModel, made: Samples) -> bytes:
    assert made.taxonomy is not None
    file = io.BytesIO()
    write_npz(np.asarray(made), made.labels, made.taxonomy, file, made.numbers)
    return file.getvalue()


def _json(served: ServedModel, made: Samples) -> bytes:
    labels = labels_of(made)
    values = {
        "model": served.name,
        "step": served.model.step,
        "seed": made.seed,
        "notes": list(made.notes),
        "samples": [
            {"labels": told, **_shown(served, sample, told)}
            for told, sample in zip(labels, np.asarray(made), strict=True)
        ],
    }
    return as_json(values)


def labels_of(made: Samples) -> list[dict[str, str | float]]:
    """Of each sample the class by level and the number by name, where it was given one."""
    found: list[dict[str, str | float]] = [{} for _ in made]
    if made.labels is not None and made.taxonomy is not None:
        for level, column in zip(made.taxonomy.levels, made.labels.T.tolist(), strict=True):
            names: Sequence[str] = made.taxonomy.classes[level]
            for told, label in zip(found, column, strict=True):
                if label >= 0:
                    told[level] = names[label]
    for name, values in made.numbers.items():
        for told, value in zip(found, values.tolist(), strict=True):
            if not math.isnan(value):
                told[name] = value
    return found


def _shown(served: ServedModel, sample: np.ndarray, told: dict[str, Any]) -> dict[str, str]:
    """A sample uint8 [C, H, W] as text where it is a string, else as a picture."""
    domains = {domain.name: domain for domain in served.model.dataset_info.domains}
    if domains:
        domain = domains[told.get(DOMAIN_LEVEL, next(iter(domains)))]
        (decoded,) = domain.decode(sample[None])
        if isinstance(decoded, str):
            return {"text": decoded}
        sample = np.asarray(decoded)
    return {"image": base64.b64encode(_picture(sample)).decode("ascii")}


def _picture(sample: np.ndarray) -> bytes:
    file = io.BytesIO()
    to_image(sample).save(file, "png", compress_level=_QUICK, pnginfo=marked(MARK_GENERATED))
    return file.getvalue()


@dataclass(frozen=True)
class Format:
    """media_type: what it is called in HTTP; write: the bytes of samples."""

    media_type: str
    write: Callable[[ServedModel, Samples], bytes]


ANSWERS = {
    "png": Format("image/png", _png),
    "npz": Format("application/zip", _npz),
    "json": Format("application/json", _json),
}
