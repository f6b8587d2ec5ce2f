"""What a training keeps every so often: an evaluation, pictures, a checkpoint."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from torch import Tensor

from mtgan import processes
from mtgan.errors import UserError
from mtgan.training.checkpoints import (
    checkpoint_name,
    first_not_finite,
    list_checkpoints,
    prune_checkpoints,
    restore_tensors,
    save_checkpoint,
)
from mtgan.training.folders import DIVERGED
from mtgan.training.logs import Reporter, RunLog
from mtgan.training.records import StateRecord, SumRecord


class TrainingDiverged(UserError):
    """A loss, a gradient, a weight or a batch statistic is not finite."""


class Snapshots(ABC):
    """Keeps the state of a training in its run folder, and restores it.

    folder: the run's; keep: of how many checkpoints; remedy: what helps a training that diverged.
    All but `restore` and `begin` is called in the first process alone.
    """

    remedy: str

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder, self._keep = folder, keep

    @property
    def _checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    # What differs between trainings

    @abstractmethod
    def tensors(self) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor]]:
        """All that is kept by name, of networks and of optimizers."""

    @abstractmethod
    def state(self, iteration: int, log: RunLog, averages: Sequence[SumRecord]) -> dict[str, Any]:
        """What else is kept, for JSON. averages: what the log has not written yet."""

    @abstractmethod
    def read(self, path: Path) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor], Any]:
        """What `tensors` and `state` gave, of a checkpoint; UserError where it is broken."""

    @abstractmethod
    def accept(self, state: Any) -> StateRecord:
        """Go on from the state that was read."""

    @abstractmethod
    def how_to_resume(self) -> str:
        """The end of a sentence: by which command the training goes on."""

    # These three do nothing unless a kind of training does.

    def begin(self, reporter: Reporter, new: bool) -> None:  # noqa: B027
        """Before the first iteration of a new or resumed training, in every process."""

    def evaluate(self, iteration: int, reporter: Reporter) -> None:  # noqa: B027
        """Measure samples, and log what came of it."""

    def picture(self, iteration: int, log: RunLog) -> None:  # noqa: B027
        """Draw samples."""

    def protected(self) -> frozenset[int]:
        """Iterations whose checkpoints stay."""
        return frozenset()

    # What does not

    def restore(self) -> StateRecord | None:
        """Go on from the newest checkpoint, and return what else it says; None without one."""
        newest = processes.on_first_process(self._newest)
        if newest is None:
            return None
        path, saved, state = newest
        for live, tensors in zip(self.tensors(), saved, strict=True):
            restore_tensors(live, tensors, path)
        return self.accept(state)

    def _newest(self) -> tuple[Path, tuple[Mapping[str, Tensor], Mapping[str, Tensor]], Any] | None:
        checkpoints = list_checkpoints(self._checkpoints)
        if not checkpoints:
            return None  # killed before the first: begin again
        path = checkpoints[-1][1]
        networks, optimizers, state = self.read(path)
        return path, (networks, optimizers), state

    def keep(
        self,
        iteration: int,
        reporter: Reporter,
        evaluate: bool,
        picture: bool,
        save: bool,
        averages: Sequence[SumRecord] = (),
    ) -> None:
        """Evaluate, sample, and write a checkpoint, in this order, where asked to; a checkpoint
        also of what has just become protected.

        averages: what the log has not written yet.
        """
        log = reporter.log
        began = log.clock.seconds
        if evaluate:
            self.evaluate(iteration, reporter)
            picture, save = (asked or reporter.listeners.asked for asked in (picture, save))
        if picture:
            self.picture(iteration, log)
        log.clock.leave_out(log.clock.seconds - began)
        if save or iteration in self.protected():
            log.flush()
            self._save(iteration, log, averages)

    def _save(
        self, iteration: int, log: RunLog, averages: Sequence[SumRecord], prefix: str = ""
    ) -> None:
        state = self.state(iteration, log, averages)
        target = self._checkpoints / f"{prefix}{checkpoint_name(iteration)}"
        save_checkpoint(target, *self.tensors(), state)
        prune_checkpoints(self._checkpoints, self._keep, self.protected())

    def refuse_non_finite(self, log: RunLog, iteration: int, unit: str) -> None:
        """TrainingDiverged where a tensor that would be kept is not finite."""
        networks, optimizers = self.tensors()
        if name := first_not_finite({**networks, **optimizers}):
            self.diverged(log, iteration, f"{name} is not finite after {unit} {iteration}; stopped")

    def diverged(self, log: RunLog, iteration: int, what: str) -> NoReturn:
        """Save the state beside the checkpoints, and raise TrainingDiverged."""
        self._save(iteration, log, (), DIVERGED)
        kept = self._checkpoints / f"{DIVERGED}{checkpoint_name(iteration)}"
        raise TrainingDiverged(f"{what}, and saved as {kept}. {self.remedy}")
