"""What trackers are told of a training, each thing once, however often it is gone on with."""

import uuid
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtgan import files
from mtgan.errors import UserError, import_extra
from mtgan.recipes.records import read_record
from mtgan.training.folders import TRACKERS as FOLDER
from mtgan.training.records import TrackersRecord
from mtgan.training.trackers.base import TRACKERS, Ending, Tracked, Tracker

TOLD = "told.json"


def chosen_trackers(folder: Path, names: Sequence[str] | None) -> list[str]:
    """The names, or those that the run in the folder has, where names are None.

    UserError for a name that is none, one that stands twice, and a package that is missing.
    """
    names = list(_read(folder)) if names is None else list(names)
    for name in names:
        TRACKERS.get(name)
        if names.count(name) > 1:
            raise UserError(f"The tracker {name!r} is named twice; name it once.")
        for module in TRACKERS.capability(name, "needs"):
            import_extra(module, TRACKERS.capability(name, "extra"), f"--log {name}")
    return names


def _read(folder: Path) -> dict[str, Any]:
    """By tracker what the run's folder keeps of it."""
    path = folder / FOLDER / TOLD
    remedy = "remove it, and trackers follow a new run"
    return read_record(path, TrackersRecord, remedy)["trackers"] if path.exists() else {}


class Trackers:
    """Tells several trackers of one training.

    names: of `chosen_trackers`; config: see Tracked. The run's folder keeps by what each knows the
    run, and what it was told: the last step of each kind of line. So whatever a killed training
    told is not told again when it is gone on with, and what a tracker has missed is told it then.
    """

    def __init__(
        self, folder: Path, names: Sequence[str] = (), config: Mapping[str, Any] | None = None
    ) -> None:
        self._run, self._names, self._config = folder, names, config or {}
        self._open: dict[str, Tracker] = {}
        self._record: dict[str, Any] = {}
        # Of those that hold their last step, what they were told before it.
        self._before: dict[str, dict[str, int]] = {}

    @property
    def _own(self) -> Path:
        return self._run / FOLDER

    def begin(self, lines: Callable[[], Iterable[Mapping[str, Any]]]) -> None:
        """Open them, and tell each what it has missed of the lines of metrics.jsonl.

        UserError where one cannot be opened; the others are closed then.
        """
        if not self._names:
            return
        self._record = _read(self._run)
        with files.writing(self._own):
            self._own.mkdir(exist_ok=True)
        try:
            for name in self._names:
                self._begin(name)
        except BaseException:
            self.close("failed")
            raise
        for line in lines():
            self.write(line["kind"], line["step"], line["values"])

    def _begin(self, name: str) -> None:
        known = self._record.get(name)
        kept = known or {"id": uuid.uuid4().hex[:8], "kept": None, "told": {}}
        run = Tracked(self._own, kept["id"], self._config, known is None, kept["kept"])
        try:
            tracker = TRACKERS.get(name)(run)
        except UserError:
            raise
        except Exception as error:  # of any kind: these are programs of others
            raise UserError(
                f"The tracker {name} cannot follow {self._run} ({_said(error)}); mend that, or "
                "leave it out of --log."
            ) from error
        self._open[name] = tracker
        self._record[name] = {**kept, "kept": tracker.kept}
        self._save()

    def write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """One line of metrics.jsonl."""
        self._tell(kind, step, lambda tracker: tracker.scalars(step, values))

    def picture(self, step: int, tag: str, image: np.ndarray) -> None:
        """image uint8 [H, W, 3]."""
        self._tell(f"picture {tag}", step, lambda tracker: tracker.picture(step, tag, image))

    def _tell(self, kind: str, step: int, tell: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._open.items()):
            told = self._record[name]["told"]
            if step > max(told.values(), default=-1) and TRACKERS.capability(name, "holds_last"):
                self._before[name] = dict(told)
            if step > told.get(kind, -1) and self._without_it(name, lambda: tell(tracker)):  # noqa: B023
                told[kind] = step
                self._save()

    def _without_it(self, name: str, call: Callable[[], None]) -> bool:
        """Whether the call went well; where not, the training goes on without this tracker."""
        try:
            call()
        except Exception as error:
            self._open.pop(name, None)
            warnings.warn(
                f"The tracker {name} fails ({_said(error)}), and the training goes on without it; "
                "gone on with, it is told what it has missed.",
                stacklevel=4,
            )
            return False
        return True

    def _save(self) -> None:
        """Keep what they were told, and hold no more."""
        kept = {
            name: {**known, "told": self._before.get(name, known["told"])}
            for name, known in self._record.items()
        }
        files.write_json(self._own / TOLD, {"trackers": kept})

    def close(self, ending: Ending) -> None:
        """Let all of them bring to where it is kept what they were told."""
        for name, tracker in list(self._open.items()):
            if self._without_it(name, lambda: tracker.close(ending)):  # noqa: B023
                self._before.pop(name, None)
        if self._open:
            self._save()
        self._open.clear()


def _said(error: Exception) -> str:
    """The first line of what an error says, on one line."""
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0].rstrip(": .")
