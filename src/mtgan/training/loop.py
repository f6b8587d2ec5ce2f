"""The training loop: it knows phases, and no model's name."""

import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

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
from mtgan.training.export import export_domain
from mtgan.training.facts import DataFacts
from mtgan.training.game import Game, Phase
from mtgan.training.hierarchies import with_hierarchies
from mtgan.training.logs import Averages, Progress, RunLog
from mtgan.training.optimizers import Optimizers
from mtgan.training.run import Run, generate

_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed"}


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
    precision: str = "32",
    quiet: bool = False,
) -> Run:
    """Train a recipe on a data set into the run folder `out`, and return the Run.

    seed: of initialization, order, noise and labels. resume: go on from the newest complete
    checkpoint of `out` (on the CPU, bit for bit as if never stopped); the recipe and the data
    must be those of the run, except that training.steps may grow. device: auto, cpu or cuda;
    precision: 32 or bf16 (networks run in mixed bfloat16, weights stay float32).

    Raises UserError for what does not fit or cannot be written, TrainingDiverged when a loss or
    gradient is not finite, Interrupted after Ctrl-C or SIGTERM once the state is saved.
    """
    trainer = Trainer(recipe, data, Path(out), seed, resume, device, precision)
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
        precision: str,
    ) -> None:
        if precision not in _PRECISIONS:
            raise UserError(f"precision should be 32 or bf16; found {precision!r}.")
        self.fabric = _fabric(device, _PRECISIONS[precision])
        self.device = self.fabric.device
        self.rng_devices = [self.device] if self.device.type == "cuda" else []
        if resume and recipe.hierarchy:  # as it was: a clustering may come out otherwise elsewhere
            data = data.with_taxonomy(Run.open(out).facts.taxonomy)
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
        self.run = (
            _reopen(out, recipe, data, seed)
            if resume
            else Run.create(out, recipe, data, self.facts, seed)
        )
        self.game.to(self.device)
        self.optimizers = Optimizers(recipe, self.game.groups)
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

    def _restore(self) -> None:
        checkpoints = list_checkpoints(self._checkpoints)
        if not checkpoints:
            return  # killed before the first checkpoint: begin again
        networks, optimizers, state = load_checkpoint(checkpoints[-1][1])
        restore_tensors(self.game.tensors(), networks)
        self.optimizers.load(optimizers)
        self.iteration, self.best = state["iteration"], state["best"]

    # The loop

    def run_to_the_end(self, quiet: bool) -> Run:
        part = self.recipe.training
        evaluator = self._evaluator(quiet)
        log = RunLog(self.run.path, self.iteration)
        averages = Averages()
        stop = _StopRequest()
        clock = _Clock(self.iteration)
        with stop, Progress(part.steps, self.iteration, quiet) as progress, contextlib.closing(log):
            if self.iteration == 0:
                self._evaluate(evaluator, log, progress)
                self._picture(log)
                self._save()
            while self.iteration < part.steps:
                self._iterate(averages)
                self.iteration += 1
                done = self.iteration == part.steps or stop.requested

                progress.advance(self.iteration)
                if self.iteration % part.log_every == 0 or done:
                    values = averages.read()
                    values |= self._loss_ratios(values)
                    rate = clock.rate(self.iteration)
                    log.write("train", self.iteration, values, steps_per_second=rate)
                    progress.show(self.iteration, rate, _headline(values))

                if part.evaluate_every and (
                    self.iteration % part.evaluate_every == 0 or self.iteration == part.steps
                ):
                    self._evaluate(evaluator, log, progress)
                if self.iteration % part.sample_every == 0 or done:
                    self._picture(log)
                if self.iteration % part.checkpoint_every == 0 or done:
                    log.flush()
                    self._save()
                if stop.requested and self.iteration < part.steps:
                    raise Interrupted(
                        f"Stopped at iteration {self.iteration} of {part.steps}, and saved; the "
                        f"same command with --resume goes on from there (run: {self.run.path})."
                    )
        return self.run

    def _iterate(self, averages: Averages) -> None:
        """One iteration: every phase that is due, each with batches and noise of its own."""
        # All randomness, dropout's included, follows from the seed and the iteration.
        torch.manual_seed(mix_seed(self.seed, "global", self.iteration))
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
            with self.fabric.autocast():
                result = phase.step(batch, noise)  # type: ignore[arg-type]
            self.optimizers.zero_grad(phase.updates)
            parameters = [p for name in phase.updates for p in self.game.groups[name]]
            total = phase.aggregator.backward(result, parameters)
            self._refuse_non_finite(phase, total)
        self.optimizers.step(phase.updates)
        if phase.after is not None:
            phase.after()
        if phase.ends_generator_step:
            self.game.update_average(self.recipe.training.ema_decay, self.iteration)
        averages.add(f"{phase.name}/loss", total)
        for name, term in result.terms.items():
            averages.add(f"{phase.name}/{name}", term.value)
        for name, value in result.logs.items():
            averages.add(f"{phase.name}/{name}", value)

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

    def _refuse_non_finite(self, phase: Phase, total: torch.Tensor) -> None:
        gradients = [
            parameter.grad
            for name in phase.updates
            for parameter in self.game.groups[name]
            if parameter.grad is not None
        ]
        norm = torch.nn.utils.get_total_norm(gradients)
        if math.isfinite(total.item()) and math.isfinite(norm.item()):
            return
        name = f"diverged-{checkpoint_name(self.iteration)}"
        self._save(name)
        what = "loss" if not math.isfinite(total.item()) else "gradient"
        raise TrainingDiverged(
            f"The {what} of phase {phase.name!r} is not finite in iteration {self.iteration + 1}; "
            f"stopped before the update, and saved as {self._checkpoints / name}. A lower "
            "optimizer.learning_rate or a penalty (penalty.kind=gradient) usually helps."
        )

    # What happens every so often

    def _evaluator(self, quiet: bool) -> Callable[[np.ndarray, np.ndarray | None], Any] | None:
        part = self.recipe.training
        if not part.evaluate_every:
            return None
        count = min(part.evaluate_samples, len(self.data))
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

    def _evaluate(self, evaluator: Any, log: RunLog, progress: Progress) -> None:
        if evaluator is None:
            return
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
        self._before: dict[int, Any] = {}

    def _request(self, number: int, frame: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
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


def _fabric(device: str, precision: Any) -> Fabric:
    known = {"auto": "cuda" if torch.cuda.is_available() else "cpu", "cpu": "cpu", "cuda": "cuda"}
    if device not in known:
        raise UserError(f"device should be auto, cpu or cuda; found {device!r}.")
    if known[device] == "cuda" and not torch.cuda.is_available():
        raise UserError("device=cuda was asked for, and PyTorch finds no CUDA device here.")
    return Fabric(accelerator=known[device], devices=1, precision=precision)


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
