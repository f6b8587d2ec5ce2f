"""The players of a run, as its checkpoints have them."""

from pathlib import Path

from mtgan import files
from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.training.checkpoints import (
    WEIGHTS,
    CheckpointReplaced,
    list_checkpoints,
    load_checkpoint,
    refuse_non_finite,
    restore_tensors,
    state_of,
)
from mtgan.training.dataset_info import DatasetInfo
from mtgan.training.folders import resume_command
from mtgan.training.game import Game
from mtgan.training.records import StateRecord

_LOOKS = 50  # at checkpoints that are replaced while they are read


class SavedGames:
    """Reads the checkpoints in the run folder `path`; the players read last are kept."""

    def __init__(self, path: Path, recipe: Recipe, dataset_info: DatasetInfo) -> None:
        self.path = path
        self._recipe, self._info = recipe, dataset_info
        self._kept: tuple[int, Game] | None = None

    @property
    def steps(self) -> list[int]:
        """Iterations at which there is a complete checkpoint, oldest first."""
        return [step for step, _ in list_checkpoints(self.path / "checkpoints")]

    def game(self, step: int | None) -> Game:
        """The players as of an iteration (None: the newest), on the CPU; see Run.game."""
        for _ in range(_LOOKS):
            found, path = self._checkpoint(step)
            if self._kept is None or self._kept[0] != found:
                try:
                    self._kept = (found, self._load(path))
                except CheckpointReplaced:  # by a training that goes on
                    continue
            return self._kept[1]
        raise UserError(f"The checkpoints of {self.path} change too fast to be read; ask again.")

    def weights(self, step: int | None) -> Path:
        """The file of the networks as of an iteration (None: the newest)."""
        return self._checkpoint(step)[1] / WEIGHTS

    def newest_state(self) -> StateRecord:
        """What the newest checkpoint holds beside tensors."""
        _, path = self._checkpoint(None)
        return state_of(path, files.read_json(path / "state.json"))

    def _checkpoint(self, step: int | None) -> tuple[int, Path]:
        checkpoints = dict(list_checkpoints(self.path / "checkpoints"))
        if not checkpoints:
            train_on = resume_command(self.path)
            raise UserError(f"{self.path} has no complete checkpoint yet; train on by {train_on}")
        step = max(checkpoints) if step is None else step
        if step not in checkpoints:
            raise UserError(
                f"{self.path} has no checkpoint of step {step}; there are "
                f"{', '.join(map(str, checkpoints))}."
            )
        return step, checkpoints[step]

    def _load(self, path: Path) -> Game:
        game = Game(self._recipe, self._info)
        networks, _, state = load_checkpoint(path)
        state_of(path, state)
        refuse_non_finite(path, networks)
        restore_tensors(game.tensors(), networks, path)
        return game
