"""What the training of a GAN keeps: evaluations and pictures of its samples, and checkpoints."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mtgan import processes
from mtgan.recipes import Recipe
from mtgan.training.batches import draw_latents
from mtgan.training.begin import lengthen
from mtgan.training.checkpoints import load_checkpoint, refuse_non_finite, state_of
from mtgan.training.commands import how_to_resume
from mtgan.training.game import Game
from mtgan.training.generation import generate
from mtgan.training.instruments import Evaluator
from mtgan.training.logs import Reporter, RunLog
from mtgan.training.optimizers import Optimizers
from mtgan.training.pictures import save_pictures
from mtgan.training.records import BestRecord, StateRecord, SumRecord
from mtgan.training.run import Run
from mtgan.training.seeds import mix_seed
from mtgan.training.snapshots import Snapshots
from mtgan.training.twins import evaluated_name


class GanSnapshots(Snapshots):
    """See Snapshots.

    run: whose recipe grows to more steps once a longer training begins. best: step and value of
    the lowest Frechet distance so far, by twin (None: the only one); empty before the first
    evaluation. notes: what is said before a new training begins. make_evaluator: called before
    the first evaluation, once for each own level of twins (mtgan.training.twins).
    """

    remedy = "A lower optimizer.learning_rate or a penalty (penalty.kind=gradient) usually helps."

    def __init__(
        self,
        run: Run,
        recipe: Recipe,
        game: Game,
        optimizers: Optimizers,
        seed: int,
        make_evaluator: Callable[[str | None], Evaluator],
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(run.path, recipe.training.keep_checkpoints)
        self.run, self._recipe, self._game = run, recipe, game
        self._optimizers, self._seed = optimizers, seed
        self._evaluator, self._notes = lru_cache(maxsize=None)(make_evaluator), notes
        self.twins: list[str | None] = [*recipe.twins] or [None]
        self.best: dict[str | None, BestRecord] = {}

    def tensors(self) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        return self._game.tensors(), self._optimizers.tensors()

    def state(self, iteration: int, log: RunLog, averages: Sequence[SumRecord]) -> dict[str, Any]:
        main, *others = self.twins
        best = {twin: record.model_dump() for twin, record in self.best.items()}
        return {
            "iteration": iteration,
            "best": best.get(main, {}),
            "twins_best": {twin: best[twin] for twin in others if twin in best},
            "averages": [part.model_dump() for part in averages],
            "clock": log.clock.state().model_dump(),
        }

    def read(self, path: Path) -> tuple[Mapping[str, Tensor], Mapping[str, Tensor], StateRecord]:
        networks, optimizers, state = load_checkpoint(path)
        refuse_non_finite(path, {**networks, **optimizers})
        return networks, optimizers, state_of(path, state)

    def accept(self, state: StateRecord) -> StateRecord:
        found = {twin: state.best_of(self._recipe, twin) for twin in self.twins}
        self.best = {twin: best for twin, best in found.items() if best is not None}
        return state

    def protected(self) -> frozenset[int]:
        kept = self._recipe.training.snapshot_steps
        return frozenset([*kept, *(best.step for best in self.best.values())])

    def how_to_resume(self) -> str:
        return how_to_resume(self.run)

    def begin(self, reporter: Reporter, new: bool) -> None:
        """What is kept of a training that has not learned anything."""
        if processes.is_first():  # and nobody else trains in the folder
            self.run = lengthen(self.run, self._recipe)
        for note in (*self._game.notes(), *(self._notes if new else ())):
            reporter.progress.say(f"note: {note}")
        if new:
            evaluate = bool(self._recipe.training.evaluate_every)
            processes.on_first_process(
                partial(self.keep, 0, reporter, evaluate, picture=True, save=True)
            )

    def picture(self, iteration: int, log: RunLog) -> None:
        for twin in self.twins:
            picture = save_pictures(self._game, self.folder, self._seed, iteration, twin)
            log.picture(iteration, picture, evaluated_name(self._recipe, twin, "samples"))

    def evaluate(self, iteration: int, reporter: Reporter) -> None:
        values = dict[str, float]()
        protocols = dict[str | None, Mapping[str, Any]]()
        for twin in self.twins:
            evaluator = self._evaluator(self._game.twin(twin).own_level)
            protocols[twin] = evaluator.protocol
            found = dict(evaluator(*self._generate(evaluator.n, twin)))
            self._compare_with_best(twin, iteration, found["frechet_distance"])
            values |= {evaluated_name(self._recipe, twin, k): v for k, v in found.items()}
            of_twin = "" if twin is None else f", twin {twin}"
            reporter.progress.say(
                f"iteration {iteration}{of_twin}: "
                + "  ".join(f"{name} {value:.4g}" for name, value in found.items())
                + f"  (n = {evaluator.n:,}, features {evaluator.protocol['features']})"
            )
        protocol, *_ = protocols.values()
        # Twins that learn from samples of their own are measured against these.
        unlike = {twin: other for twin, other in protocols.items() if other != protocol}
        stamps = {"protocol": protocol} | ({"twins_protocol": unlike} if unlike else {})
        reporter.log.write("evaluation", iteration, values, **stamps)
        reporter.listeners.tell(iteration, values)

    def _compare_with_best(self, twin: str | None, iteration: int, distance: float) -> None:
        best = self.best.get(twin)
        if best is None or distance < best.frechet_distance:
            self.best[twin] = BestRecord(step=iteration, frechet_distance=distance)

    def _generate(self, count: int, twin: str | None) -> tuple[np.ndarray, np.ndarray | None]:
        """Samples and their labels from a noise that is the same at every call."""
        random = torch.Generator().manual_seed(mix_seed(self._seed, "evaluation"))
        requests, recipe = self._game.asking(twin), self._game.recipe
        rows = requests.draw(count, random)
        latents = draw_latents(count, recipe.latent.dim, recipe.latent.distribution, random)
        images = generate(self._game, latents, rows, twin=twin)
        if not requests.judged:
            return images, None
        own = len(self._game.dataset_info.class_levels)
        return images, requests.given(rows.numpy())[:, :own]
