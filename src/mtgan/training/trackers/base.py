"""What follows a training: the protocol of a tracker, and their registry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from mtgan.registry import Registry

Ending = Literal["finished", "stopped", "failed"]
"""finished: after its last iteration, or because a callback or the time said so; stopped: by Ctrl-C
or SIGTERM, and saved; failed: by an error."""

PROJECT = "mtgan"
"""Under which a tracker keeps runs, unless its own variables of the environment say otherwise."""


@dataclass(frozen=True)
class Tracked:
    """The run that a tracker is opened for.

    folder: a folder within the run's for what it keeps, and there. id: 8 hexadecimal digits, the
    same whenever the run is gone on with. config: the recipe, with what the run records of data,
    seed and versions. new: whether this tracker has not followed it before; kept: what it knows the
    run by (`Tracker.kept`), None of a new one.
    """

    folder: Path
    id: str
    config: Mapping[str, Any]
    new: bool
    kept: str | None = None

    @property
    def name(self) -> str:
        """Tells runs apart also where their folders have one name."""
        return f"{self.folder.resolve().parent.name}-{self.id}"


class Tracker(Protocol):
    """Follows one training. Whatever it raises ends its following, not the training.

    kept: what it knows the run by, where that is not the run's id.
    """

    kept: str | None

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """step: iterations done. A step may come twice, with other names."""

    def picture(self, step: int, tag: str, image: np.ndarray) -> None:
        """image uint8 [H, W, 3]."""

    def close(self, ending: Ending) -> None:
        """Bring everything to where it is kept."""


TRACKERS: "Registry[Callable[[Tracked], Tracker]]" = Registry(
    "tracker",
    "mtgan.training.trackers",
    has=("__call__",),
    # The modules that it imports, and the extra of mtgan that installs them; whether it holds what
    # it is told of a step until the next one, and loses it where the process is killed.
    capabilities={"needs": (), "extra": "", "holds_last": False},
)
