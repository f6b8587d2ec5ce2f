"""The training loop: it knows phases, and no model's name."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch

from mtgan import processes
from mtgan.data import Dataset
from mtgan.errors import Interrupted
from mtgan.objectives.adversarial import log_loss_ratio
from mtgan.recipes import Recipe
from mtgan.training.batches import Batch, Feed, Noise, draw_noise, mix_seed
from mtgan.training.begin import lengthen
from mtgan.training.callbacks import Listeners
from mtgan.training.commands import how_to_resume
from mtgan.training.devices import computing_in
from mtgan.training.game import Game
from mtgan.training.instruments import Evaluator
from mtgan.training.interrupt import StopRequest
from mtgan.training.logs import Averages, NoLog, Progress, Reporter, RunLog, headline, tidy
from mtgan.training.optimizers import Optimizers
from mtgan.training.phases import Phase
from mtgan.training.run import Run
from mtgan.training.snapshots import Snapshots
from mtgan.training.watch import Watch


class Trainer:
    """Moves the players of a game by gradients, one iteration after another.

    recipe: that of the run, perhaps with more steps. make_evaluator: called before the first
    evaluation. Begins where the newest checkpoint of the run ends.

    Attributes:
        iteration: Iterations done.
        averages: Means of what was computed since the last line of the log.
    """

    def __init__(
        self,
        run: Run,
        recipe: Recipe,
        game: Game,
        data: Dataset,
        seed: int,
        device: torch.device,
        make_evaluator: Callable[[], Evaluator],
    ) -> None:
        self.run, self.recipe, self.game = run, recipe, game
        self.seed, self.device = seed, device
        self.optimizers = Optimizers(recipe, game.groups)
        self.watch = Watch(device)
        self.feed = Feed(
            data, game.requests, device, seed, recipe.data.flip, recipe.schedule.domains
        )
        self.snapshots = Snapshots(run.path, game, self.optimizers, seed, make_evaluator)
        self.iteration = 0
        self.averages = Averages()
        self._restored = self.snapshots.restore()
        if self._restored is not None:
            self.iteration = self._restored.iteration
            self.averages.restore(self._restored.averages, device)

    @property
    def rng_devices(self) -> list[torch.device]:
        """Those beside the CPU whose random state a training changes."""
        return [self.device] if self.device.type == "cuda" else []

    # The loop

    def fit(self, quiet: bool = False, listeners: Listeners | None = None) -> Run:
        """Run the iterations that are left; log, evaluate and save on the way.

        listeners: who is told, and may end it early. Raises TrainingDiverged, and Interrupted
        after Ctrl-C or SIGTERM once the state is saved.
        """
        steps, first = self.recipe.training.steps, processes.is_first()
        if self.iteration >= steps:
            if first:
                tidy(self.run.path)
            return self.run
        log = self._open_log() if first else NoLog()
        progress = Progress(steps, self.iteration, quiet or not first)
        with StopRequest() as stop, progress, contextlib.closing(log):
            reporter = Reporter(log, progress, listeners or Listeners())
            self._begin(reporter)
            ended = reporter.listeners.enough(timed=False)  # there is time for one iteration
            while self.iteration < steps and not ended:
                self.run_iteration()
                progress.advance(self.iteration)
                stopped = processes.any_of(stop.requested)
                ended = self.iteration == steps or reporter.listeners.enough()
                ended = self._report(reporter, ended, stopped)
                ended = self._keep(reporter, ended, stopped)
                if stopped and not ended:
                    raise Interrupted(
                        f"Stopped at iteration {self.iteration} of {steps}, and saved; "
                        f"{how_to_resume(self.run)}",
                        stop.number,
                    )
        return self.run

    def run_iteration(self) -> None:
        """One iteration: every phase that is due, each with batches and noise of its own."""
        # All randomness, dropout's included, follows from the seed and the iteration.
        # Of several processes each draws its own: the seeds of the first are those of one alone.
        others = () if processes.is_first() else (processes.rank(),)
        torch.manual_seed(mix_seed(self.seed, "global", self.iteration, *others))
        self.optimizers.set_rates(self.iteration)
        for phase in self.game.phases_at(self.iteration, self.seed):
            for repeat in range(phase.repeats):
                self.move(phase, repeat)
        self.iteration += 1

    def move(self, phase: Phase, repeat: int = 0) -> None:
        """One update of a phase's players: the `repeat`-th one in this iteration."""
        batch, noise = self._draw(phase, repeat)
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
        self.averages.add({f"{phase.name}/{name}": value for name, value in values.items()})

    def _draw(self, phase: Phase, repeat: int) -> tuple[Batch | None, Noise]:
        """What a phase is given: real samples where it needs them, and noise."""
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
        return batch, noise

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

    # What happens every so often

    def _open_log(self) -> RunLog:
        state = self._restored
        unfinished = state is not None and bool(state.averages)
        start = None if state is None else self.iteration
        return RunLog(self.run.path, start, state.clock if state else None, unfinished)

    def _begin(self, reporter: Reporter) -> None:
        """Before the first iteration: what is kept of a training that has not learned anything."""
        if processes.is_first():  # and nobody else trains in the folder
            self.run = lengthen(self.run, self.recipe)
        if note := self.game.requests.note():
            reporter.progress.say(f"note: {note}")
        if self._restored is None:
            evaluate = bool(self.recipe.training.evaluate_every)
            keep = partial(self.snapshots.keep, self.iteration, reporter)
            processes.by_first(partial(keep, evaluate, picture=True, save=True))
        reporter.progress.begin()

    def _due(self, every: int, ended: bool) -> bool:
        """Whether what happens every so often (0: never) and at the end happens now."""
        return every > 0 and (self.iteration % every == 0 or ended)

    def _report(self, reporter: Reporter, ended: bool, stopped: bool) -> bool:
        """Log the means since the last line where they are due; returns whether it ends here.

        Those of a last, shorter interval are kept, too, for a longer training that goes on.
        """
        due = self._due(self.recipe.training.log_every, ended)
        # A CPU has nothing to wait for; a GPU is asked only where it is waited for anyway.
        if self.device.type == "cpu" or due or stopped or any(self._kept(ended)):
            self._refuse_non_finite(reporter.log)
        if not due:
            return ended
        values = self.averages.read()
        values |= self._loss_ratios(values)
        log = reporter.log
        rate = log.clock.rate(self.iteration)
        log.write("train", self.iteration, values, steps_per_second=rate)
        if processes.is_first():
            reporter.listeners.tell(self.iteration, values)
        reporter.progress.show(self.iteration, rate, headline(values))
        if self._due(self.recipe.training.log_every, ended=False):
            self.averages.clear()
            log.clock.mark(self.iteration)
        return ended or reporter.listeners.enough()

    def _kept(self, ended: bool) -> tuple[bool, bool, bool]:
        """Whether there are due an evaluation, a picture, a checkpoint."""
        part = self.recipe.training
        return (
            self._due(part.evaluate_every, ended),
            self._due(part.sample_every, ended),
            self._due(part.checkpoint_every, ended),
        )

    def _keep(self, reporter: Reporter, ended: bool, stopped: bool) -> bool:
        """Evaluate, sample and save where it is due; returns whether it ends here."""
        evaluate, picture, save = self._kept(ended)
        if not (evaluate or picture or save or stopped or ended):
            return False
        averages = self.averages.state()
        keep = partial(self.snapshots.keep, self.iteration, reporter, evaluate, picture)
        processes.by_first(partial(keep, save or stopped, averages))
        return ended or reporter.listeners.enough()

    def _refuse_non_finite(self, log: RunLog) -> None:
        found = self.watch.read()
        if found is None:
            return
        what, phase, iteration = found
        where = f"The {what} of phase {phase!r} is not finite in iteration {iteration + 1}"
        sentence = f"{where}; stopped before the update"
        processes.by_first(partial(self.snapshots.diverged, log, iteration, sentence))

    def _loss_ratios(self, values: Mapping[str, float]) -> dict[str, float]:
        """log10 of generator to discriminator loss, per pair (Weaver 2017, figure 1)."""
        ratios = {}
        for twin in self.game.twins:
            names = [f"{p}{twin.label}/adversarial" for p in ("generator", "discriminator")]
            if all(name in values for name in names):
                pair = [torch.tensor(values[name]) for name in names]
                ratios[f"log_loss_ratio{twin.label}"] = log_loss_ratio(*pair).item()
        return ratios
