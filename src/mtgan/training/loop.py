"""The training loop: it knows phases, and no model's name."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtgan import processes
from mtgan.data import Dataset
from mtgan.errors import Interrupted, UserError
from mtgan.evaluation import QuickEvaluator
from mtgan.limits import LARGEST_SEED, check_whole
from mtgan.objectives.adversarial import log_loss_ratio
from mtgan.recipes import Recipe
from mtgan.recipes.rules import RecipeWarning
from mtgan.training.batches import Batch, Feed, draw_latents, draw_noise, mix_seed
from mtgan.training.begin import begin_run, find_run, lengthen, refuse_other_run
from mtgan.training.callbacks import Callback, Listeners
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
from mtgan.training.commands import how_to_resume
from mtgan.training.devices import (
    choose_device,
    computing_in,
    refuse_compiling,
    with_precision,
)
from mtgan.training.facts import DataFacts
from mtgan.training.game import Game
from mtgan.training.hierarchies import with_hierarchies
from mtgan.training.inputs import as_data, as_recipe, usual_folder
from mtgan.training.interrupt import StopRequest
from mtgan.training.logs import Averages, NoLog, Progress, RunLog, headline, tidy
from mtgan.training.optimizers import Optimizers
from mtgan.training.phases import Phase
from mtgan.training.pictures import save_pictures
from mtgan.training.record import StateRecord, SumRecord
from mtgan.training.run import Run, generate
from mtgan.training.watch import Watch


class TrainingDiverged(UserError):
    """A loss, a gradient, a weight or a batch statistic is not finite."""


def train(
    recipe: Recipe | str | Path,
    data: Dataset | str | Path,
    out: str | Path | None = None,
    *,
    steps: int | None = None,
    scale: str = "full",
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
    resume: bool = False,
    device: str = "auto",
    precision: str | None = None,
    compile: bool = False,
    quiet: bool = False,
    callbacks: Sequence[Callback] = (),
    max_seconds: float | None = None,
) -> Run:
    """Train a recipe on a data set into the run folder `out`, and return the Run.

    recipe: whole, or by its name or file, then with the scale and overrides of load_recipe; data:
    whole, or by a name or path that load_dataset takes. out: runs/RECIPE-DATA-sSEED when None.
    steps: instead of the recipe's training.steps.
    seed: of initialization, order, noise and labels; from 0 to 2**31 - 1. resume: go on from the
    newest complete checkpoint of `out` (on the CPU, bit for bit as if never stopped, the logged
    values too), or begin where there is none; the recipe and the data must be those of the run,
    except that training.steps may grow. device: auto, cpu or cuda; precision: 32 or bf16 (networks
    run in mixed bfloat16, weights stay float32) instead of the recipe's training.precision.
    compile: the networks by torch.compile, wherever they are differentiated once.

    callbacks: functions called with the iterations done and the values, by name, of every line of
    metrics.jsonl; one that returns True ends the training. max_seconds: of wall-clock time, after
    which it ends. Either end is one as after the last step, evaluated and saved, and can be gone on
    with by resume.

    Where torchrun started several processes, all of them call this alike, and train one run as
    one process would; see mtgan.processes.

    Raises UserError for what does not fit or cannot be written, TrainingDiverged when a loss or
    gradient (or, at a checkpoint, a weight or statistic) is not finite, Interrupted after Ctrl-C
    or SIGTERM once the state is saved.
    """
    listeners = Listeners(callbacks, max_seconds)
    recipe = as_recipe(recipe, scale, steps, overrides)
    data = as_data(data, recipe)
    folder = usual_folder(recipe.name, data.name, seed) if out is None else Path(out)
    trainer = Trainer(recipe, data, folder, seed, resume, device, precision, compile)
    with torch.random.fork_rng(devices=trainer.rng_devices):
        return trainer.run_to_the_end(quiet, listeners)


def count_parameters(recipe: Recipe, data: Dataset) -> dict[str, int]:
    """Number of parameters by network (a shared layer counts in each), without training.

    Raises UserError where the recipe does not fit the data.
    """
    # How many superclasses there are decides, not which: nothing need be clustered for it.
    hierarchies = [
        part if part.kind == "same" else part.model_copy(update={"kind": "random"})
        for part in recipe.hierarchy
    ]
    facts = DataFacts.of(with_hierarchies(data, hierarchies))
    return Game(recipe, facts).parameter_counts()


class Trainer:
    """One training: players, feed, optimizers, run folder, and the position in the schedule."""

    def __init__(
        self,
        recipe: Recipe,
        data: Dataset,
        out: Path,
        seed: int,
        resume: bool,
        device: str,
        precision: str | None,
        compile: bool = False,
    ) -> None:
        check_whole("seed", seed, 0, LARGEST_SEED)
        if precision is not None:
            recipe = with_precision(recipe, precision)
        self.device = choose_device(device)
        self.rng_devices = [self.device] if self.device.type == "cuda" else []
        processes.join(self.device)
        processes.refuse_differences([recipe.model_dump(), data.fingerprint, seed])
        found = processes.by_first(partial(find_run, out, resume))
        if found is not None:
            # As it was: a clustering may come out otherwise elsewhere, and an order of classes.
            was = found.facts.taxonomy
            data = data.with_taxonomy(was) if recipe.hierarchy else data.in_order_of(was)
        else:
            data = with_hierarchies(data, recipe.hierarchy)
        self.recipe, self.data, self.seed = recipe, data, seed
        if len(data) < recipe.training.batch_size:
            raise UserError(
                f"{data.name} has {len(data)} training samples, fewer than one batch of "
                f"{recipe.training.batch_size}; set training.batch_size to at most {len(data)}."
            )
        self.facts = DataFacts.of(data)
        self.game = Game(recipe, self.facts, seed)
        _warn_of_untold_tasks(self.game)
        _refuse_uneven_shares(self.game.phases)
        if compile:
            refuse_compiling(self.device)
        if found is None:
            found = processes.by_first(partial(begin_run, out, recipe, data, self.facts, seed))
        refuse_other_run(found, recipe, data, seed)
        self.run = found
        self.game.to(self.device)
        if compile:
            for network in self.game.networks.values():
                # Calls alone: penalties call Discriminator.score instead, since a compiled graph
                # cannot be differentiated twice.
                network.compile(dynamic=False)
        self.optimizers = Optimizers(recipe, self.game.groups)
        self.watch = Watch(self.device)
        self.feed = Feed(
            data, self.game.requests, self.device, seed, recipe.data.flip, recipe.schedule.domains
        )
        self.iteration = 0  # iterations done
        self.best: dict[str, float] = {}  # step and value of the lowest Frechet distance so far
        self.averages = Averages()  # of what was computed since the last line of the log
        self.restored = self._restore()

    # Checkpoints

    @property
    def _checkpoints(self) -> Path:
        return self.run.path / "checkpoints"

    def _save(self, log: RunLog, averages: list[SumRecord], name: str | None = None) -> None:
        state = {
            "iteration": self.iteration,
            "best": self.best,
            "averages": [part.model_dump() for part in averages],
            "clock": log.clock.state().model_dump(),
        }
        save_checkpoint(
            self._checkpoints / (name or checkpoint_name(self.iteration)),
            self.game.tensors(),
            self.optimizers.tensors(),
            state,
        )
        protected = frozenset({int(self.best["step"])}) if self.best else frozenset[int]()
        prune_checkpoints(self._checkpoints, self.recipe.training.keep_checkpoints, protected)

    def _newest(self) -> tuple[Path, dict[str, Any], dict[str, Any], StateRecord] | None:
        checkpoints = list_checkpoints(self._checkpoints)
        if not checkpoints:
            return None  # killed before the first: begin again
        path = checkpoints[-1][1]
        networks, optimizers, state = load_checkpoint(path)
        refuse_non_finite(path, {**networks, **optimizers})
        return path, networks, optimizers, state_of(path, state)

    def _restore(self) -> StateRecord | None:
        """Go on from the newest checkpoint, and return what else it says; None without one."""
        newest = processes.by_first(self._newest)
        if newest is None:
            return None
        path, networks, optimizers, state = newest
        restore_tensors(self.game.tensors(), networks, path)
        restore_tensors(self.optimizers.tensors(), optimizers, path)
        self.iteration = state.iteration
        self.best = state.best.model_dump() if state.best else {}
        self.averages.restore(state.averages, self.device)
        return state

    # The loop

    def run_to_the_end(self, quiet: bool, listeners: Listeners | None = None) -> Run:
        self.listeners = listeners or Listeners()
        part, first = self.recipe.training, processes.is_first()
        if self.iteration >= part.steps:
            if first:
                tidy(self.run.path)
            return self.run
        log = self._open_log() if first else NoLog()
        progress = Progress(part.steps, self.iteration, quiet or not first)
        with StopRequest() as stop, progress, contextlib.closing(log):
            if first:  # and nobody else trains in the folder
                self.run = lengthen(self.run, self.recipe)
            keep = partial(self._keep, log, progress)  # called by the first process alone
            if note := self.game.requests.note():
                progress.say(f"note: {note}")
            if self.restored is None:
                processes.by_first(partial(keep, bool(part.evaluate_every), True, True))
            ended = self.listeners.enough(timed=False)  # there is time for one iteration
            progress.begin()
            while self.iteration < part.steps and not ended:
                self._iterate(self.averages)
                self.iteration += 1
                stopped = processes.any_of(stop.requested)
                ended = self.iteration == part.steps or self.listeners.enough()

                progress.advance(self.iteration)
                report = self._due(part.log_every, ended)
                rest = (part.evaluate_every, part.sample_every, part.checkpoint_every)
                due = any(self._due(every, ended) for every in rest) or stopped
                # A CPU has nothing to wait for; a GPU is asked only where it is waited for anyway.
                if self.device.type == "cpu" or report or due:
                    self._refuse_non_finite(log)
                if report:
                    self._report(log, progress)
                    ended = ended or self.listeners.enough()
                if due or ended:
                    evaluate, picture, save = (self._due(every, ended) for every in rest)
                    kept = (evaluate, picture, save or stopped, self.averages.state())
                    processes.by_first(partial(keep, *kept))
                    ended = ended or self.listeners.enough()
                if stopped and not ended:
                    raise Interrupted(
                        f"Stopped at iteration {self.iteration} of {part.steps}, and saved; "
                        f"{how_to_resume(self.run)}",
                        stop.number,
                    )
        return self.run

    def _open_log(self) -> RunLog:
        state = self.restored
        unfinished = state is not None and bool(state.averages)
        start = None if state is None else self.iteration
        return RunLog(self.run.path, start, state.clock if state else None, unfinished)

    def _due(self, every: int, done: bool) -> bool:
        """Whether what happens every so often (0: never) and at the end happens now."""
        return every > 0 and (self.iteration % every == 0 or done)

    def _report(self, log: RunLog, progress: Progress) -> None:
        """Log the means since the last line; those of a last, shorter interval are kept, too, for
        a longer training that goes on from here."""
        values = self.averages.read()
        values |= self._loss_ratios(values)
        rate = log.clock.rate(self.iteration)
        log.write("train", self.iteration, values, steps_per_second=rate)
        if processes.is_first():
            self.listeners.tell(self.iteration, values)
        progress.show(self.iteration, rate, headline(values))
        if self._due(self.recipe.training.log_every, done=False):
            self.averages.clear()
            log.clock.mark(self.iteration)

    def _keep(
        self,
        log: RunLog,
        progress: Progress,
        evaluate: bool,
        picture: bool,
        save: bool,
        averages: Sequence[SumRecord] = (),
    ) -> None:
        """Evaluate, sample, and write a checkpoint, in this order, where asked to."""
        name = first_not_finite({**self.game.tensors(), **self.optimizers.tensors()})
        if name is not None:
            self._diverged(log, f"{name} is not finite after iteration {self.iteration}; stopped")
        began = log.clock.seconds
        if evaluate:
            self._evaluate(log, progress)
            picture, save = (asked or self.listeners.asked for asked in (picture, save))
        if picture:
            log.picture(
                self.iteration,
                save_pictures(self.game, self.run.path, self.seed, self.iteration),
            )
        log.clock.leave_out(log.clock.seconds - began)
        if save:
            log.flush()
            self._save(log, list(averages))

    def _iterate(self, averages: Averages) -> None:
        """One iteration: every phase that is due, each with batches and noise of its own."""
        # All randomness, dropout's included, follows from the seed and the iteration.
        # Of several processes each draws its own: the seeds of the first are those of one alone.
        others = () if processes.is_first() else (processes.rank(),)
        torch.manual_seed(mix_seed(self.seed, "global", self.iteration, *others))
        self.optimizers.set_rates(self.iteration)
        for phase in self.game.phases_at(self.iteration, self.seed):
            for repeat in range(phase.repeats):
                self._move(phase, repeat, averages)

    def _move(self, phase: Phase, repeat: int, averages: Averages) -> None:
        generator = torch.Generator().manual_seed(
            mix_seed(self.seed, phase.name, self.iteration, repeat)
        )
        turn = (self.iteration // phase.every) * phase.repeats + repeat
        batch: Batch | None = None
        if phase.needs_real:
            batch = self.feed.batch(phase.name, turn, phase.batch_size, generator)
        latent = self.recipe.latent
        noise = draw_noise(
            phase.batch_size,
            latent.dim,
            latent.distribution,
            self.game.requests,
            generator,
            self.device,
            partial(self.feed.draw_labels, phase.name, turn, phase.needs_real),
        )
        with self._only(phase.updates):
            with computing_in(self.recipe.training.precision, self.device):
                result = phase.step(batch, noise)  # type: ignore[arg-type]
            self.optimizers.zero_grad(phase.updates)
            parameters = [p for name in phase.updates for p in self.game.groups[name]]
            total = phase.aggregator.backward(result, parameters)
        gradients = [p.grad for p in parameters if p.grad is not None]
        self.watch.look(phase.name, self.iteration, total.detach(), gradients)
        self.optimizers.step(phase.updates, self.watch.bad)
        if phase.after is not None:
            phase.after()
        if phase.ends_generator_step:
            self.game.update_average(self.recipe.training.ema_decay, self.iteration)
        terms = {name: term.value for name, term in result.terms.items()}
        values = {"loss": total, **terms, **result.logs}
        averages.add({f"{phase.name}/{name}": value for name, value in values.items()})

    @contextlib.contextmanager
    def _only(self, updates: tuple[str, ...]) -> Iterator[None]:
        """Freeze every parameter group but these, so that nothing is computed for the others."""
        frozen = [
            parameter
            for name, parameters in self.game.groups.items()
            if name not in updates
            for parameter in parameters
        ]
        for parameter in frozen:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in frozen:
                parameter.requires_grad_(True)

    def _refuse_non_finite(self, log: RunLog) -> None:
        found = self.watch.read()
        if found is None:
            return
        what, phase, iteration = found
        what = f"The {what} of phase {phase!r} is not finite in iteration {iteration + 1}; stopped"
        processes.by_first(partial(self._diverged, log, f"{what} before the update", iteration))

    def _diverged(self, log: RunLog, what: str, iteration: int | None = None) -> None:
        """Save the state beside the checkpoints, and raise TrainingDiverged."""
        name = f"diverged-{checkpoint_name(self.iteration if iteration is None else iteration)}"
        self._save(log, [], name)
        raise TrainingDiverged(
            f"{what}, and saved as {self._checkpoints / name}. A lower optimizer.learning_rate or "
            "a penalty (penalty.kind=gradient) usually helps."
        )

    # What happens every so often

    @cached_property
    def _evaluator(self) -> QuickEvaluator:
        count = min(self.recipe.training.evaluate_samples, len(self.data))
        return QuickEvaluator(self.data, n=count, device=str(self.device))

    def _generate(self, count: int, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Samples and their labels from a noise that is the same at every call."""
        random = torch.Generator().manual_seed(mix_seed(self.seed, name))
        requests = self.game.requests
        rows = requests.draw(count, random)
        latent = self.recipe.latent
        latents = draw_latents(count, latent.dim, latent.distribution, random)
        images = generate(self.game, latents, rows)
        conditioned = self.recipe.generator.conditioning != "none"
        return images, requests.given(rows.numpy()) if conditioned else None

    def _evaluate(self, log: RunLog, progress: Progress) -> None:
        evaluator = self._evaluator
        images, labels = self._generate(evaluator.n, "evaluation")
        values = evaluator(images, labels)
        log.write("evaluation", self.iteration, values, protocol=evaluator.protocol)
        self.listeners.tell(self.iteration, values)
        distance = values["frechet_distance"]
        if not self.best or distance < self.best["frechet_distance"]:
            self.best = {"step": self.iteration, "frechet_distance": distance}
        progress.say(
            f"iteration {self.iteration}: "
            + "  ".join(f"{name} {value:.4g}" for name, value in values.items())
            + f"  (n = {evaluator.n:,}, features {evaluator.protocol['features']})"
        )

    def _loss_ratios(self, values: Mapping[str, float]) -> dict[str, float]:
        """log10 of generator to discriminator loss, per pair (Weaver 2017, figure 1)."""
        ratios = {}
        for twin in self.game.twins:
            names = [f"{p}{twin.label}/adversarial" for p in ("generator", "discriminator")]
            if all(name in values for name in names):
                pair = [torch.tensor(values[name]) for name in names]
                ratios[f"log_loss_ratio{twin.label}"] = log_loss_ratio(*pair).item()
        return ratios


def _warn_of_untold_tasks(game: Game) -> None:
    """A task that asks the generator for what it is not told has nothing to teach it."""
    if untold := game.untold_tasks():
        told = [level for twin in game.twins for level in twin.generator.levels]
        levels = ",".join(dict.fromkeys([*told, *untold]))
        warnings.warn(
            f"Recipe {game.recipe.name}: a task judges samples by {', '.join(map(repr, untold))}, "
            f"of which the generator is told nothing; set condition_on=[{levels}].",
            RecipeWarning,
            stacklevel=2,
        )


def _refuse_uneven_shares(phases: Sequence[Phase]) -> None:
    """UserError where processes would get batches of different sizes, or not one sample."""
    for size in sorted({phase.batch_size for phase in phases}):
        if size % processes.count():
            raise UserError(
                f"A batch of {size} cannot be shared evenly by {processes.count()} processes; "
                "set training.batch_size (and generator_batch_size) to a multiple of them."
            )
