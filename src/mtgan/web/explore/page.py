"""The page: one HTML file, whose only parts from outside are those that are written into it."""

import base64
import gzip
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

import mtgan
from mtgan.web.explore.runtime import NAME, VERSION

_SCRIPTS = (
    *("basics.js", "labels.js", "backends.js", "pictures.js", "controls.js", "classes.js"),
    *("asking.js", "steering.js", "explore.js"),
)


def render_page(
    models: Sequence[Mapping[str, Any]],
    parts: Mapping[str, bytes] | None = None,
) -> str:
    """The page of models, as facts_of has them.

    parts: what it needs to make pictures by itself: the files of ONNX Runtime Web and each model's
    graph, by the names that scripts look for. Without parts it asks the server that it came from.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_file("page.html")).render(
        title=", ".join(str(model["name"]) for model in models),
        version=mtgan.__version__,
        facts={"models": list(models), "server": parts is None},
        parts={name: _packed(content) for name, content in (parts or {}).items()},
        style=_file("style.css"),
        scripts=[_file(name) for name in _SCRIPTS],
        runtime=f"{NAME} {VERSION}",
        license=_file("onnxruntime-license.txt"),
    )


def _file(name: str) -> str:
    return (files("mtgan.web.explore") / "files" / name).read_text("utf-8")


def _packed(content: bytes) -> str:
    """Base64 of what gzip makes of it, the same each time."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()
