"""What one rater's page is given, and the page: one for files, forms and the server."""

import base64
import json
from importlib import resources
from typing import Any

from mtgan.surveys.folder import Survey

_PAGE = resources.files("mtgan.surveys") / "page" / "rating.html"
_MARK = '"__SESSION__"'


def session_of(survey: Survey, seat: str, *, base: str = "", **more: Any) -> dict[str, Any]:
    """A seat's session, which says nothing of models or of what is right.

    base: where the images lie, an address that ends with /; without it the page holds them. more:
    further keys that the page reads, as `post`.
    """
    trials = [
        {
            "id": trial.id,
            "images": list(survey.shown(trial)),
            "of_class": survey.stimulus(trial).of_class,
        }
        for trial in survey.plan.seats[seat]
    ]
    words = survey.wording.model_dump(mode="json")
    labels = words.pop("answers")
    names = sorted({name for trial in trials for name in trial["images"]})
    return {
        "survey": survey.id,
        "wording": survey.wording_hash,
        "seat": seat,
        "words": words,
        "answers": [{"value": value, "label": labels[value]} for value in survey.plan.answers],
        "compares": survey.design.compares,
        "limit": survey.settings.limit_ms,
        "smooth": survey.settings.resampling != "nearest",
        "base": base,
        "pictures": {} if base else {name: _uri(survey, name) for name in names},
        "trials": trials,
        **more,
    }


def page_of(session: dict[str, Any]) -> str:
    """The rating page with a session in it."""
    return _PAGE.read_text("utf-8").replace(_MARK, in_script(session))


def page_parts() -> tuple[str, str]:
    """The page before and behind its session."""
    before, _, behind = _PAGE.read_text("utf-8").partition(_MARK)
    return before, behind


def in_script(value: Any) -> str:
    """JSON that ends no element of HTML in which it stands."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _uri(survey: Survey, name: str) -> str:
    content = base64.b64encode(survey.image(name).read_bytes()).decode()
    return f"data:image/png;base64,{content}"
