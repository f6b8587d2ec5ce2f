"""Weights & Biases: at its server with an account, without one in files that it can send later."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from mtgan.errors import import_extra
from mtgan.training.trackers.base import PROJECT, TRACKERS, Ending, Tracked


@TRACKERS.register("wandb")
class Wandb:
    """Its variables (WANDB_MODE, WANDB_PROJECT, WANDB_DIR, ...) hold; without WANDB_API_KEY and
    WANDB_MODE it writes RUN/trackers/wandb/offline-run-... and reaches for no network."""

    needs = ("wandb",)
    extra = "trackers"
    holds_last = True
    kept: str | None = None

    def __init__(self, run: Tracked) -> None:
        self._wandb: Any = import_extra("wandb", "trackers", "--log wandb")
        asked = "WANDB_MODE" in os.environ or "WANDB_API_KEY" in os.environ
        self._run = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            dir=os.environ.get("WANDB_DIR", run.folder),
            id=run.id,
            name=run.name,
            resume="allow",
            config=dict(run.config),
            mode=None if asked else "offline",
            # The terminal is the progress line's.
            settings=self._wandb.Settings(console="off", silent=True),
            reinit="create_new",  # another training of the same script is a run of its own
        )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def picture(self, step: int, tag: str, image: np.ndarray) -> None:
        self._run.log({tag: self._wandb.Image(image)}, step=step)

    def close(self, ending: Ending) -> None:
        self._run.finish(exit_code=0 if ending == "finished" else 1)
