"""Schemathesis finds no fault with the schema, nor with what is answered to inputs of all kinds."""

from collections import Counter
from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import EngineFinished, FatalError, NonFatalError, ScenarioFinished

from mtgan.training import Run
from mtgan.web.app import build_app
from mtgan.web.served import ServedModel

HEADERS = {"Host": "localhost", "Authorization": "Bearer 0123456789abcdef"}


@pytest.fixture(params=["one model", "two models, and a token"])
def schema(request, run: Run, bars: Run) -> Iterator[schemathesis.BaseSchema]:
    several = "two" in request.param
    models = [ServedModel("toy", run), *([ServedModel("bars", bars)] if several else [])]
    app = build_app(models, "0123456789abcdef" if several else None, most=8)
    config = SchemathesisConfig.from_dict(
        {
            "headers": HEADERS,
            "generation": {"deterministic": True, "max-examples": 100, "database": "none"},
        }
    )
    yield schemathesis.openapi.from_asgi("/openapi.json", app, headers=HEADERS, config=config)
    for model in models:
        model.close()


@pytest.mark.slow
def test_nothing_is_found(schema) -> None:
    found, errors, answers = {}, [], Counter()
    for event in from_schema(schema).execute():
        if isinstance(event, NonFatalError | FatalError):
            errors.append(event)
        if isinstance(event, EngineFinished):
            errors += event.failures
        if isinstance(event, ScenarioFinished):
            for checks in event.recorder.checks.values():
                faults = [check.failure_info for check in checks if check.failure_info]
                if faults:
                    found[event.recorder.label] = (faults[0].failure, faults[0].code_sample)
            for each in event.recorder.interactions.values():
                answers[event.recorder.label, each.response.status_code] += 1
    print(answers)
    assert (found, errors) == ({}, [])
    assert {label for label, _ in answers} >= {"GET /health", "GET /models", "POST /samples"}
    assert answers["POST /samples", 200] > 20
    assert answers["POST /samples", 422] > 20
