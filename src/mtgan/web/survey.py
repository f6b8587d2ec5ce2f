"""A survey over HTTP: pages for raters, and the author's progress behind a token.

GET  /               a new rater, by a code made up, where codes are not handed out
GET  /r/CODE         her page, where she left it
GET  /images/NAME    what is shown
POST /answers        one answer: {rater, trial, answer, ms}
GET  /author/        how far the survey is; /author/progress as JSON; both behind the token
GET  /health         whether the server lives
"""

import re
import secrets
from collections.abc import Collection
from html import escape
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from mtgan.surveys import Survey
from mtgan.surveys.database import Database, Refused
from mtgan.surveys.session import page_of, session_of
from mtgan.web.base import new_app
from mtgan.web.bodies import read_body
from mtgan.web.refusals import JSON, Refusal, say_refusals

_CODE = re.compile(r"[\w-]{4,64}", re.ASCII)
_LARGEST = 2_000  # bytes of one answer
_DAY = 86_400_000
_KEEP = {"Cache-Control": "public, max-age=86400, immutable"}
_FRESH = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class AnswerBody(BaseModel):
    """One answer, as a rater's page sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rater: Annotated[str, Field(max_length=64)]
    trial: Annotated[str, Field(max_length=64)]
    answer: Annotated[str, Field(max_length=500)]
    ms: Annotated[int, Field(ge=0, le=_DAY)]


def build_survey_app(database: Database, token: str, codes: Collection[str] = ()) -> FastAPI:
    """The application of a survey.

    token: which the author brings. codes: of the raters who may take part; anybody where there are
    none, each by a code made up for her.
    """
    survey = database.survey
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    say_refusals(app)
    names = {name for one in survey.plan.stimuli.values() for name in one.images}

    @app.get("/health")
    def health() -> Response:
        return JSON({"status": "ok"})

    @app.get("/")
    def begin() -> Response:
        if codes:
            raise Refusal(403, "Take part by the address that you were given.")
        return RedirectResponse(f"/r/{secrets.token_urlsafe(9)}", 303, headers=_FRESH)

    @app.get("/r/{code}")
    def rate(code: str) -> Response:
        if not _CODE.fullmatch(code) or (codes and code not in codes):
            raise Refusal(404, "There is no such rater; take the address that you were given.")
        return HTMLResponse(_page(database, code), headers=_FRESH)

    @app.get("/images/{name}")
    def image(name: str) -> Response:
        if name not in names:
            raise Refusal(404, "There is no such picture.")
        return FileResponse(survey.image(name), media_type="image/png", headers=_KEEP)

    @app.post("/answers")
    async def answer(request: Request) -> Response:
        body = await read_body(request, AnswerBody, _LARGEST)
        given = (body.rater, body.trial, body.answer, body.ms)
        try:
            new = await run_in_threadpool(database.store, *given)
        except Refused as error:
            raise Refusal(422, str(error)) from None
        return JSON({"stored": True, "new": new})

    app.mount("/author", _author(database, token))
    return app


def _page(database: Database, code: str) -> str:
    survey: Survey = database.survey
    seat = database.claim(code)
    if seat is None:
        raise Refusal(410, "All seats of this survey are taken. Thank you all the same.")
    done = [
        {"trial": one.trial, "answer": one.answer, "ms": int(one.ms)}
        for one in database.answers(code)
    ]
    return page_of(
        session_of(survey, seat, base="/images/", each="/answers", rater=code, done=done)
    )


def _author(database: Database, token: str) -> FastAPI:
    app = new_app("survey", token)

    @app.get("/progress")
    def progress() -> Response:
        return JSON(database.progress())

    @app.get("/")
    def shown() -> Response:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{count:,}</td></tr>"
            for name, count in database.progress().items()
        )
        title = escape(database.survey.wording.title)
        return HTMLResponse(
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" '
            f'content="5"><title>{title}</title><h1>{title}</h1><table>{rows}</table>',
            headers=_FRESH,
        )

    return app
