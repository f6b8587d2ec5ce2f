"""What a training keeps every so often: an evaluation, pictures, a checkpoint."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from mtgan import processes
from mtgan.errors import UserError
from mtgan.training.batches import draw_latents, mix_seed
from mtgan.training.checkpoints import (
    checkpoint_name,
    first_not_finite,
    list_checkpoints,
    load_checkpoint,
    prune_checkpoints,
    refuse_non_finite,
    restore_tensors,
    save_checkpoint,
    state_of,
)
from mtgan.training.game import Game
from mtgan.training.instruments import Evaluator
from mtgan.training.logs import Reporter, RunLog
from mtgan.training.optimizers import Optimizers
from mtgan.training.pictures import save_pictures
from mtgan.training.record import StateRecord, SumRecord
from mtgan.training.run import generate


class TrainingDiverged(UserError):
    """A loss, a gradient, a weight or a batch statistic is not finite."""


class Snapshots:
    """Keeps the state of a training in its run folder, and restores it.

    best: step and value of the lowest Frechet distance so far; {} before the first evaluation.
    make_evaluator: called once, before the first evaluation. All but `restore` is called in the
    first process alone.
    """

    def __init__(
        self,
        run: Path,
        game: Game,
        optimizers: Optimizers,
        seed: int,
        make_evaluator: Callable[[], Evaluator],
    ) -> None:
        self._run, self._game, self._optimizers, self._seed = run, game, optimizers, seed
        self._make_evaluator = make_evaluator
        self._evaluator: Evaluator | None = None
        self.best: dict[str, float] = {}

    @property
    def _checkpoints(self) -> Path:
        return self._run / "checkpoints"

    def restore(self) -> StateRecord | None:
        """Go on from the newest checkpoint, and return what else it says; None without one."""
        newest = processes.by_first(self._newest)
        if newest is None:
            return None
        path, networks, optimizers, state = newest
        restore_tensors(self._game.tensors(), networks, path)
        restore_tensors(self._optimizers.tensors(), optimizers, path)
        self.best = state.best.model_dump() if state.best else {}
        return state

    def _newest(self) -> tuple[Path, dict[str, Any], dict[str, Any], StateRecord] | None:
        checkpoints = list_checkpoints(self._checkpoints)
        if not checkpoints:
            return None  # killed before the first: begin again
        path = checkpoints[-1][1]
        networks, optimizers, state = load_checkpoint(path)
        refuse_non_finite(path, {**networks, **optimizers})
        return path, networks, optimizers, state_of(path, state)

    def keep(
        self,
        iteration: int,
        reporter: Reporter,
        evaluate: bool,
        picture: bool,
        save: bool,
        averages: Sequence[SumRecord] = (),
    ) -> None:
        """Evaluate, sample, and write a checkpoint, in this order, where asked to.

        averages: what the log has not written yet. Raises TrainingDiverged where a tensor is not
        finite.
        """
        log = reporter.log
        name = first_not_finite({**self._game.tensors(), **self._optimizers.tensors()})
        if name is not None:
            self.diverged(
                log, iteration, f"{name} is not finite after iteration {iteration}; stopped"
            )
        began = log.clock.seconds
        if evaluate:
            self._evaluate(iteration, reporter)
            picture, save = (asked or reporter.listeners.asked for asked in (picture, save))
        if picture:
            log.picture(iteration, save_pictures(self._game, self._run, self._seed, iteration))
        log.clock.leave_out(log.clock.seconds - began)
        if save:
            log.flush()
            self._save(iteration, log, averages)

    def _save(
        self, iteration: int, log: RunLog, averages: Sequence[SumRecord], prefix: str = ""
    ) -> None:
        state = {
            "iteration": iteration,
            "best": self.best,
            "averages": [part.model_dump() for part in averages],
            "clock": log.clock.state().model_dump(),
        }
        save_checkpoint(
            self._checkpoints / f"{prefix}{checkpoint_name(iteration)}",
            self._game.tensors(),
            self._optimizers.tensors(),
            state,
        )
        protected = frozenset({int(self.best["step"])}) if self.best else frozenset[int]()
        kept = self._game.recipe.training.keep_checkpoints
        prune_checkpoints(self._checkpoints, kept, protected)

    def diverged(self, log: RunLog, iteration: int, what: str) -> NoReturn:
        """Save the state beside the checkpoints, and raise TrainingDiverged."""
        self._save(iteration, log, (), "diverged-")
        raise TrainingDiverged(
            f"{what}, and saved as {self._checkpoints / f'diverged-{checkpoint_name(iteration)}'}. "
            "A lower optimizer.learning_rate or a penalty (penalty.kind=gradient) usually helps."
        )

    def _evaluate(self, iteration: int, reporter: Reporter) -> None:
        if self._evaluator is None:
            self._evaluator = self._make_evaluator()
        evaluator = self._evaluator
        values = dict(evaluator(*self._generate(evaluator.n)))
        reporter.log.write("evaluation", iteration, values, protocol=evaluator.protocol)
        reporter.listeners.tell(iteration, values)
        distance = values["frechet_distance"]
        if not self.best or distance < self.best["frechet_distance"]:
            self.best = {"step": iteration, "frechet_distance": distance}
        reporter.progress.say(
            f"iteration {iteration}: "
            + "  ".join(f"{name} {value:.4g}" for name, value in values.items())
            + f"  (n = {evaluator.n:,}, features {evaluator.protocol['features']})"
        )

    def _generate(self, count: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Samples and their labels from a noise that is the same at every call."""
        random = torch.Generator().manual_seed(mix_seed(self._seed, "evaluation"))
        requests, recipe = self._game.requests, self._game.recipe
        rows = requests.draw(count, random)
        latents = draw_latents(count, recipe.latent.dim, recipe.latent.distribution, random)
        images = generate(self._game, latents, rows)
        conditioned = recipe.generator.conditioning != "none"
        return images, requests.given(rows.numpy()) if conditioned else None
