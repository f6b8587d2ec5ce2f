"""The training loop: it knows phases, and no model's name."""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtgan import processes
from mtgan.data import Dataset
from mtgan.data.domains import DOMAIN_LEVEL
from mtgan.data.images import make_grid
from mtgan.errors import UserError
from mtgan.evaluation import QuickEvaluator
from mtgan.objectives.adversarial import log_loss_ratio
from mtgan.recipes import Recipe, dump_recipe
from mtgan.training.batches import Batch, Feed, draw_latents, draw_noise, mix_seed
from mtgan.training.checkpoints import (
    checkpoint_name,
    list_checkpoints,
    load_checkpoint,
    prune_checkpoints,
    restore_tensors,
    save_checkpoint,
)
from mtgan.training.devices import choose_device, computing_in, with_precision
from mtgan.training.export import export_domain
from mtgan.training.facts import DataFacts
from mtgan.training.game import Game, Phase
from mtgan.training.hierarchies import with_hierarchies
from mtgan.training.logs import Averages, NoLog, Progress, RunLog
from mtgan.training.optimizers import Optimizers
from mtgan.training.run import Run, generate
from mtgan.training.watch import Watch


class Interrupted(UserError):
    """Training was interrupted, and its state saved."""


class TrainingDiverged(UserError):
    """A loss or a gradient is not finite."""


def train(
    recipe: Recipe,
    data: Dataset,
    out: str | Path,
    *,
    seed: int = 0,
    resume: bool = False,
    device: str = "auto",
    precision: str | None = None,
    compile: bool = False,
    quiet: bool = False,
) -> Run:
    """Train a recipe on a data set into the run folder `out`, and return the Run.

    seed: of initialization, order, noise and labels. resume: go on from the newest complete
    checkpoint of `out` (on the CPU, bit for bit as if never stopped); the recipe and the data
    must be those of the run, except that training.steps may grow. device: auto, cpu or cuda;
    precision: 32 or bf16 (networks run in mixed bfloat16, weights stay float32) instead of the
    recipe's training.precision. compile: the networks by torch.compile, wherever they are
    differentiated once.

    Where torchrun started several processes, all of them call this alike, and train one run as
    one process would; see mtgan.processes.

    Raises UserError for what does not fit or cannot be written, TrainingDiverged when a loss or
    gradient is not finite, Interrupted after Ctrl-C or SIGTERM once the state is saved.
    """
    trainer = Trainer(recipe, data, Path(out), seed, resume, device, precision, compile)
    with torch.random.fork_rng(devices=trainer.rng_devices):
        return trainer.run_to_the_end(quiet)


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
        if precision is not None:
            recipe = with_precision(recipe, precision)
        self.device = choose_device(device)
        self.rng_devices = [self.device] if self.device.type == "cuda" else []
        processes.join(self.device)
        _refuse_differences([recipe.model_dump(), data.fingerprint, seed])
        if resume:  # as it was: a clustering may come out otherwise elsewhere, an order of classes
            was = processes.by_first(lambda: Run.open(out).facts.taxonomy)
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
        _refuse_uneven_shares(self.game.phases)
        if compile:
            _refuse_compiling(self.device)
        self.run = processes.by_first(
            partial(_reopen, out, recipe, data, seed)
            if resume
            else partial(Run.create, out, recipe, data, self.facts, seed)
        )
        self.game.to(self.device)
        if compile:
            for network in self.game.networks.values():
                # Calls alone: penalties call Discriminator.score instead, since a compiled graph
                # cannot be differentiated twice.
                network.compile(dynamic=False)
        self.optimizers = Optimizers(recipe, self.game.groups)
        self.watch = Watch(self.device)
        self.feed = Feed(
            data, self.facts, self.device, seed, recipe.data.flip, recipe.schedule.domains
        )
        self.iteration = 0  # iterations done
        self.best: dict[str, float] = {}  # step and value of the lowest Frechet distance so far
        if resume:
            self._restore()

    # Checkpoints

    @property
    def _checkpoints(self) -> Path:
        return self.run.path / "checkpoints"

    def _save(self, name: str | None = None) -> None:
        save_checkpoint(
            self._checkpoints / (name or checkpoint_name(self.iteration)),
            self.game.tensors(),
            self.optimizers.tensors(),
            {"iteration": self.iteration, "best": self.best},
        )
        protected = frozenset({int(self.best["step"])}) if self.best else frozenset[int]()
        prune_checkpoints(self._checkpoints, self.recipe.training.keep_checkpoints, protected)

    def _newest(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]] | None:
        checkpoints = list_checkpoints(self._checkpoints)
        return load_checkpoint(checkpoints[-1][1]) if checkpoints else None

    def _restore(self) -> None:
        newest = processes.by_first(self._newest)
        if newest is None:
            return  # killed before the first checkpoint: begin again
        networks, optimizers, state = newest
        restore_tensors(self.game.tensors(), networks)
        restore_tensors(self.optimizers.tensors(), optimizers)
        self.iteration, self.best = state["iteration"], state["best"]

    # The loop

    def run_to_the_end(self, quiet: bool) -> Run:
        part = self.recipe.training
        first = processes.is_first()
        log = RunLog(self.run.path, self.iteration) if first else NoLog()
        averages = Averages()
        stop = _StopRequest()
        clock = _Clock(self.iteration)
        progress = Progress(part.steps, self.iteration, quiet or not first)
        with stop, progress, contextlib.closing(log):
            keep = partial(self._keep, log, progress)  # called by the first process alone
            if self.iteration == 0:
                processes.by_first(partial(keep, bool(part.evaluate_every), True, True))
            while self.iteration < part.steps:
                self._iterate(averages)
                self.iteration += 1
                stopped = processes.any_of(stop.requested)
                done = stopped or self.iteration == part.steps

                progress.advance(self.iteration)
                evaluate = self._due(part.evaluate_every, self.iteration == part.steps)
                picture, save, report = (
                    self._due(every, done)
                    for every in (part.sample_every, part.checkpoint_every, part.log_every)
                )
                # A CPU has nothing to wait for; a GPU is asked only where it is waited for anyway.
                if self.device.type == "cpu" or evaluate or picture or save or report:
                    self._refuse_non_finite()
                if report:
                    values = averages.read()
                    values |= self._loss_ratios(values)
                    rate = clock.rate(self.iteration)
                    log.write("train", self.iteration, values, steps_per_second=rate)
                    progress.show(self.iteration, rate, _headline(values))
                if evaluate or picture or save:
                    processes.by_first(partial(keep, evaluate, picture, save))
                if stopped and self.iteration < part.steps:
                    raise Interrupted(
                        f"Stopped at iteration {self.iteration} of {part.steps}, and saved; the "
                        f"same command with --resume goes on from there (run: {self.run.path})."
                    )
        return self.run

    def _due(self, every: int, done: bool) -> bool:
        """Whether what happens every so often (0: never) and at the end happens now."""
        return every > 0 and (self.iteration % every == 0 or done)

    def _keep(
        self, log: RunLog, progress: Progress, evaluate: bool, picture: bool, save: bool
    ) -> None:
        """Evaluate, sample, and write a checkpoint, in this order, where asked to."""
        if evaluate:
            self._evaluate(log, progress)
        if picture:
            self._picture(log)
        if save:
            log.flush()
            self._save()

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
            self.facts,
            generator,
            self.device,
            partial(self.feed.mixture.draw_labels, phase.name, turn),
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

    def _refuse_non_finite(self) -> None:
        found = self.watch.read()
        if found is None:
            return
        what, phase, iteration = found
        name = f"diverged-{checkpoint_name(iteration)}"
        processes.by_first(partial(self._save, name))
        raise TrainingDiverged(
            f"The {what} of phase {phase!r} is not finite in iteration {iteration + 1}; stopped "
            f"before the update, and saved as {self._checkpoints / name}. A lower "
            "optimizer.learning_rate or a penalty (penalty.kind=gradient) usually helps."
        )

    # What happens every so often

    @cached_property
    def _evaluator(self) -> QuickEvaluator:
        count = min(self.recipe.training.evaluate_samples, len(self.data))
        return QuickEvaluator(self.data, n=count, device=str(self.device))

    def _generate(self, count: int, name: str) -> tuple[np.ndarray, np.ndarray | None]:
        """Samples and their labels from a noise that is the same at every call."""
        random = torch.Generator().manual_seed(mix_seed(self.seed, name))
        rows = self.facts.draw_labels(count, random)
        latent = self.recipe.latent
        latents = draw_latents(count, latent.dim, latent.distribution, random)
        images = generate(self.game, latents, rows)
        conditioned = self.recipe.generator.conditioning != "none"
        return images, rows.numpy() if conditioned else None

    def _evaluate(self, log: RunLog, progress: Progress) -> None:
        evaluator = self._evaluator
        images, labels = self._generate(evaluator.n, "evaluation")
        values = evaluator(images, labels)
        log.write("evaluation", self.iteration, values, protocol=evaluator.protocol)
        distance = values["frechet_distance"]
        if not self.best or distance < self.best["frechet_distance"]:
            self.best = {"step": self.iteration, "frechet_distance": distance}
        progress.say(
            f"iteration {self.iteration}: "
            + "  ".join(f"{name} {value:.4g}" for name, value in values.items())
            + f"  (n = {evaluator.n})"
        )

    def _picture(self, log: RunLog) -> None:
        images, columns = self._sample_grid()
        folder = self.run.path / "samples"
        folder.mkdir(exist_ok=True)
        grid = make_grid(images, columns=columns)
        grid.save(folder / f"{checkpoint_name(self.iteration)}.png")
        log.picture(self.iteration, np.asarray(grid.convert("RGB")))
        self._domain_samples()

    def _domain_samples(self) -> None:
        """Samples of each domain as domains/NAME/step-..., the same latents every time."""
        if self.recipe.generator.conditioning == "none" and len(self.facts.domains) > 1:
            return  # it cannot be asked for one
        latent = self.recipe.latent
        for index, domain in enumerate(self.facts.domains):
            random = torch.Generator().manual_seed(mix_seed(self.seed, "picture", domain.name))
            rows = self.facts.draw_labels(50, random, {DOMAIN_LEVEL: index})
            latents = draw_latents(50, latent.dim, latent.distribution, random)
            folder = self.run.path / "domains" / domain.name
            canvases = generate(self.game, latents, rows)
            export_domain(domain, canvases, folder / checkpoint_name(self.iteration))

    def _sample_grid(self) -> tuple[np.ndarray, int]:
        """Samples for the picture: the same latents every time; one row per class (at most 10)
        where the generator is conditioned, the same latents in every row."""
        columns = 10
        latent = self.recipe.latent
        random = torch.Generator().manual_seed(mix_seed(self.seed, "picture"))
        level = self.game.twins[0].level
        if level is None:
            latents = draw_latents(columns * 8, latent.dim, latent.distribution, random)
            rows = self.facts.draw_labels(len(latents), random)
        else:
            present = np.unique(self.facts.label_rows[:, self.facts.taxonomy.levels.index(level)])[
                :10
            ]
            row = draw_latents(columns, latent.dim, latent.distribution, random)
            latents = row.repeat(len(present), 1)
            rows = torch.cat(
                [self.facts.draw_labels(columns, random, {level: int(c)}) for c in present]
            )
        return generate(self.game, latents, rows), columns

    def _loss_ratios(self, values: Mapping[str, float]) -> dict[str, float]:
        """log10 of generator to discriminator loss, per pair (Weaver 2017, figure 1)."""
        ratios = {}
        for twin in self.game.twins:
            names = [f"{p}{twin.label}/adversarial" for p in ("generator", "discriminator")]
            if all(name in values for name in names):
                pair = [torch.tensor(values[name]) for name in names]
                ratios[f"log_loss_ratio{twin.label}"] = log_loss_ratio(*pair).item()
        return ratios


class _StopRequest:
    """Turns Ctrl-C and SIGTERM into a flag while it is entered; a second Ctrl-C is immediate."""

    def __init__(self) -> None:
        self.requested = False
        self._since = 0.0
        self._before: dict[int, Any] = {}

    def _request(self, number: int, frame: object) -> None:
        if self.requested and time.monotonic() - self._since < 1:
            return  # the same request once more: a terminal tells torchrun, which passes it on
        if self.requested:
            raise KeyboardInterrupt
        self.requested, self._since = True, time.monotonic()
        print("\nfinishing this step, then saving ...", file=sys.stderr)

    def __enter__(self) -> "_StopRequest":
        with contextlib.suppress(ValueError):  # not the main thread: signals go elsewhere
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class _Clock:
    """Iterations per second since it was last asked."""

    def __init__(self, step: int) -> None:
        self._step, self._time = step, time.perf_counter()

    def rate(self, step: int) -> float:
        now = time.perf_counter()
        rate = (step - self._step) / max(now - self._time, 1e-9)
        self._step, self._time = step, now
        return rate


def _headline(values: Mapping[str, float]) -> dict[str, float]:
    """What the progress line shows: each player's loss."""
    return {
        name.removesuffix("/loss"): value
        for name, value in values.items()
        if name.endswith("/loss")
    }


def _refuse_differences(mine: list[Any]) -> None:
    """UserError in a process that was started with something else than the first one."""
    if processes.by_first(lambda: mine) != mine:
        raise UserError(
            f"Process {processes.rank()} was started with another recipe, data set or seed "
            "than process 0; start all of them by the same command."
        )


def _refuse_compiling(device: torch.device) -> None:
    """UserError where networks cannot be compiled."""
    if processes.count() > 1:
        raise UserError("--compile on is for one process; leave it out, or start one alone.")
    compiler = os.environ.get("CXX", "g++")
    if device.type == "cpu" and shutil.which(compiler) is None:
        raise UserError(
            f"--compile on needs a C++ compiler, and {compiler!r} is not to be found; install one, "
            "name it by the variable CXX, or leave --compile out."
        )


def _refuse_uneven_shares(phases: Sequence[Phase]) -> None:
    """UserError where processes would get batches of different sizes, or not one sample."""
    for size in sorted({phase.batch_size for phase in phases}):
        if size % processes.count():
            raise UserError(
                f"A batch of {size} cannot be shared evenly by {processes.count()} processes; "
                "set training.batch_size (and generator_batch_size) to a multiple of them."
            )


def _reopen(out: Path, recipe: Recipe, data: Dataset, seed: int) -> Run:
    """The run to resume; UserError where recipe, data or seed differ from what it recorded."""
    run = Run.open(out)
    recorded = run.recipe.run
    if recorded["data_fingerprint"] != data.fingerprint:
        raise UserError(
            f"{out} was trained on {recorded['data_name']} with other samples or labels "
            f"(fingerprint {recorded['data_fingerprint'][:12]}, now {data.fingerprint[:12]}); "
            "resume with the same data, or train into another folder."
        )
    if recorded["seed"] != seed:
        raise UserError(f"{out} was trained with seed {recorded['seed']}, not {seed}; resume so.")
    was = run.recipe.model_dump(exclude={"run", "extends"})
    now = recipe.model_dump(exclude={"run", "extends"})
    was["training"]["steps"] = max(was["training"]["steps"], now["training"]["steps"])
    if was != now:
        key = _first_difference(was, now)
        raise UserError(
            f"{out} was trained with another recipe: {key} differs; resume with the same recipe "
            "(only training.steps may grow), or train into another folder."
        )
    if now["training"]["steps"] > run.recipe.training.steps:
        run = Run(run.path, recipe.model_copy(update={"run": recorded}), run.facts)
        temporary = run.path / ".recipe.yaml.partial"
        temporary.write_text(dump_recipe(run.recipe))
        os.replace(temporary, run.path / "recipe.yaml")
    return run


def _first_difference(was: Any, now: Any, path: str = "") -> str:
    if isinstance(was, dict) and isinstance(now, dict):
        for key in {**was, **now}:
            if was.get(key) != now.get(key):
                return _first_difference(was.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    return f"{path} ({was!r} then, {now!r} now)"
