"""Trackio: in a database of this machine, or where its own variables say."""

import contextlib
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from mtgan.errors import import_extra
from mtgan.training.trackers.base import PROJECT, TRACKERS, Ending, Tracked


@TRACKERS.register("trackio")
class Trackio:
    """TRACKIO_DIR (the folder, read when trackio is imported) and TRACKIO_SPACE_ID hold. What it
    prints is left out."""

    needs = ("trackio",)
    extra = "trackio"
    kept: str | None = None

    def __init__(self, run: Tracked) -> None:
        self._trackio: Any = import_extra("trackio", "trackio", "--log trackio")
        with _quiet():
            self._run = self._trackio.init(
                PROJECT,
                run.name,
                config=dict(run.config),
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        with _quiet():
            self._run.log(dict(values), step=step)

    def picture(self, step: int, tag: str, image: np.ndarray) -> None:
        with _quiet():
            self._run.log({tag: self._trackio.Image(image)}, step=step)

    def close(self, ending: Ending) -> None:
        with _quiet():
            self._trackio.finish()


def _quiet() -> contextlib.AbstractContextManager[Any]:
    return contextlib.redirect_stdout(io.StringIO())
