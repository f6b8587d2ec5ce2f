"""The page from a server, and what it asks the server for.

The routes are of the page, and no part of the interface that OpenAPI describes: that is POST
/samples.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from mtgan.limits import LARGEST_SEED
from mtgan.training import Run
from mtgan.training.model import Step
from mtgan.web.bodies import read_body
from mtgan.web.explore.facts import SAMPLES, facts_of, samples_of
from mtgan.web.explore.making import Asked, images_of, nearest_of
from mtgan.web.explore.page import render_page
from mtgan.web.refusals import JSON, Refusal
from mtgan.web.served import ServedModel

_LARGEST_BODY = 4 << 20  # 64 latents of thousands of numbers


class StartRequest(BaseModel):
    """The body of POST /explore/start: samples of which model, by which seed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)]


def explore_router(
    models: Mapping[str, ServedModel], step: Step = None, seed: int = 0
) -> APIRouter:
    """GET / is the page; POST /explore/images, /start and /nearest answer it.

    step: as of which the models were opened, by which their evaluation is found; seed: of the
    samples that the page begins with. UserError for a model that makes no images.
    """
    routes = APIRouter(include_in_schema=False)
    page = render_page([_facts(served, step, seed) for served in models.values()])

    def called(name: str) -> ServedModel:
        if name not in models:
            raise Refusal(422, f"model is {name!r}; there are {', '.join(map(repr, models))}.")
        return models[name]

    @routes.get("/", response_class=HTMLResponse)
    async def show_page() -> Response:
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    @routes.post("/explore/images")
    async def make_images(request: Request) -> Response:
        """The pixels uint8 [N, C, H, W]."""
        asked = await read_body(request, Asked, _LARGEST_BODY)
        served = called(asked.model)
        made = await served.worker.run(images_of, served, asked)
        return Response(made.tobytes(), media_type="application/octet-stream")

    @routes.post("/explore/start")
    async def start(request: Request) -> Response:
        """Latents, labels and numbers of run.sample."""
        asked = await read_body(request, StartRequest)
        served = called(asked.model)
        made = await served.worker.run(served.model.sample, SAMPLES, seed=asked.seed)
        return JSON(samples_of(served.requests, made))

    @routes.post("/explore/nearest")
    async def find_nearest(request: Request) -> Response:
        """The training images nearest to the first sample."""
        asked = await read_body(request, Asked, _LARGEST_BODY)
        served = called(asked.model)
        return JSON(await served.worker.run(nearest_of, served, asked))

    return routes


def _facts(served: ServedModel, step: Step, seed: int) -> dict[str, Any]:
    """What the page knows of a model, and what it can ask the server for."""
    source, is_run = served.source, isinstance(served.source, Run)
    facts = facts_of(served.name, source, step, seed)
    steps = source.steps if isinstance(source, Run) else [facts["step"]]
    return {**facts, "steps": steps, "nearest": is_run}
