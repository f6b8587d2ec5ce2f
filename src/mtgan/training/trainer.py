"""The training loop: it knows phases, and no model's name."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from mtgan import processes
from mtgan.errors import Interrupted
from mtgan.training.callbacks import Listeners
from mtgan.training.devices import computing_in
from mtgan.training.finite import FiniteCheck
from mtgan.training.graphs import Graphs
from mtgan.training.interrupt import StopRequest
from mtgan.training.logs import Averages, NoLog, Progress, Reporter, RunLog, as_vector, tidy
from mtgan.training.noise_scale import NoiseScale
from mtgan.training.optimizers import Optimizers
from mtgan.training.phases import Phase
from mtgan.training.seeds import mix_seed
from mtgan.training.snapshots import Snapshots
from mtgan.training.steps import StepResult
from mtgan.training.trackers import Trackers


class Players(Protocol):
    """Whom a Trainer moves: a GAN's Game, or a ClassifierGame.

    groups: parameters by the names that phases update them by; all others are frozen then.
    """

    groups: dict[str, list[nn.Parameter]]

    def begin(self, iteration: int) -> None:
        """Set what depends on the iteration (counted from 0) within the networks."""

    def phases_at(self, iteration: int, seed: int) -> Iterable[Phase]:
        """The phases of an iteration (counted from 0), in their order."""

    def logged(self, phase: Phase, loss: Tensor, result: StepResult) -> Mapping[str, Tensor]:
        """What is logged of a move, by name; its mean stands in the next line."""

    def summary(self, iterations: int, means: Mapping[str, float]) -> dict[str, float]:
        """The values of a line after so many iterations: these means, and what else there is."""


@dataclass(frozen=True)
class Schedule:
    """How long a training is, what happens every so many iterations (0: never), in which precision,
    and how its iterations are called.

    snapshots: iterations at which samples are drawn and a checkpoint is written in any case. unit:
    what an iteration is; line: the kind of its lines in the log; headline: how the names end
    of what the progress line shows; stream: names the randomness inside of networks.
    """

    steps: int
    checkpoint_every: int
    log_every: int = 1
    evaluate_every: int = 0
    sample_every: int = 0
    precision: str = "32"
    snapshots: frozenset[int] = frozenset()
    unit: str = "iteration"
    line: str = "train"
    headline: str = "/loss"
    stream: str = "global"


Draw = Callable[[Phase, int, int], tuple[Any, ...]]
"""From a phase, an iteration and the number of the repeat in it to the arguments of its step."""


Kept = TypeVar("Kept", bound=Snapshots)


class Trainer(Generic[Kept]):
    """Moves players by gradients, one iteration after another.

    Begins where the newest of the snapshots ends. graphs: by which moves are captured and replayed,
    where all that a step uses is drawn for it; None: kernel by kernel. noise: what measures how
    noisy gradients are.

    Attributes:
        iteration: Iterations done.
        averages: Means of what was computed since the last line of the log.
    """

    def __init__(
        self,
        game: Players,
        draw: Draw,
        optimizers: Optimizers,
        snapshots: Kept,
        schedule: Schedule,
        seed: int,
        device: torch.device,
        graphs: Graphs | None = None,
        noise: NoiseScale | None = None,
    ) -> None:
        self.game, self.draw, self.optimizers = game, draw, optimizers
        self.snapshots, self.schedule = snapshots, schedule
        self.seed, self.device, self.graphs = seed, device, graphs
        self.noise = noise
        self.finite = FiniteCheck(device)
        self.iteration = 0
        self.averages = Averages()
        if graphs is not None:
            optimizers.keep_rates_on_device()
        self._restored = snapshots.restore()
        if self._restored is not None:
            self.iteration = self._restored.iteration
            self.averages.restore(self._restored.averages, device)

    @property
    def rng_devices(self) -> list[torch.device]:
        """Those beside the CPU whose random state a training changes."""
        return [self.device] if self.device.type == "cuda" else []

    # The loop

    def fit(
        self,
        quiet: bool = False,
        listeners: Listeners | None = None,
        trackers: Trackers | None = None,
    ) -> None:
        """Run the iterations that are left; log, evaluate and save on the way.

        listeners: who is told, and may end it early; trackers: who follows it. Raises
        TrainingDiverged, and Interrupted after Ctrl-C or SIGTERM once the state is saved.
        """
        steps, unit, first = self.schedule.steps, self.schedule.unit, processes.is_first()
        if self.iteration >= steps:
            if first:
                tidy(self.snapshots.folder)
            return
        log = self._open_log(trackers) if first else NoLog()
        progress = Progress(steps, self.iteration, quiet or not first)
        with log, StopRequest(unit) as stop, progress:
            reporter = Reporter(log, progress, listeners or Listeners())
            self.snapshots.begin(reporter, new=self._restored is None)
            progress.begin()
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
                        f"Stopped at {unit} {self.iteration} of {steps}, and saved; "
                        f"{self.snapshots.how_to_resume()}",
                        stop.number,
                    )

    def run_iteration(self) -> None:
        """One iteration: every phase that is due, each with batches and noise of its own."""
        # All randomness, dropout's included, follows from the seed and the iteration.
        # Of several processes each draws its own: the seeds of the first are those of one alone.
        others = () if processes.is_first() else (processes.rank(),)
        torch.manual_seed(mix_seed(self.seed, self.schedule.stream, self.iteration, *others))
        self.optimizers.set_rates(self.iteration)
        self.game.begin(self.iteration)
        for phase in self.game.phases_at(self.iteration, self.seed):
            for repeat in range(phase.repeats):
                self.move(phase, repeat)
        self.iteration += 1

    def move(self, phase: Phase, repeat: int = 0) -> None:
        """One update of a phase's players: the `repeat`-th one in this iteration."""
        drawn = self.draw(phase, self.iteration, repeat)
        noise = self.noise if phase.updates else None
        if noise is not None and noise.due(self.iteration, repeat):
            with self._only(phase.updates):
                moved = self._parameters(phase)
                self.averages.add(*noise.measured(phase, drawn, moved))
        update = partial(self._update, phase)
        if self.graphs is None:
            logged = update(*drawn)
        else:
            logged = self.graphs.compute(phase.name, update, drawn, self._state)
        self.finite.note(phase.name, self.iteration)
        if phase.after is not None:
            phase.after(self.iteration)
        self.averages.add(*logged)

    def _update(self, phase: Phase, *drawn: Any) -> tuple[tuple[str, ...], Tensor]:
        """What is computed on the device alone, and can be captured: losses, gradients and the
        update. Returns what is logged of it, by names."""
        with self._only(phase.updates):
            with computing_in(self.schedule.precision, self.device):
                result = phase.step(*drawn)
            self.optimizers.zero_grad(phase.updates)
            parameters = self._parameters(phase)
            total = phase.aggregator.backward(result, parameters)
        gradients = [p.grad for p in parameters if p.grad is not None]
        self.finite.check(total.detach(), gradients)
        self.optimizers.step(phase.updates, self.finite.bad)
        self._keep_state(result)
        return as_vector(self.game.logged(phase, total, result))

    def _parameters(self, phase: Phase) -> list[nn.Parameter]:
        """What a phase moves."""
        return [p for name in phase.updates for p in self.game.groups[name]]

    def _state(self) -> list[Tensor]:
        """All tensors that an update changes."""
        kept = (values for part in self.snapshots.tensors() for values in part.values())
        return [*kept, *self.finite.tensors()]

    @torch.no_grad()
    def _keep_state(self, result: StepResult) -> None:
        """Set the buffers that a step wants set, unless updates are skipped."""
        for kept, value in result.state:
            kept.copy_(torch.where(self.finite.bad > 0, kept, value))

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

    def _open_log(self, trackers: Trackers | None) -> RunLog:
        state = self._restored
        unfinished = state is not None and bool(state.averages)
        start = None if state is None else self.iteration
        clock = state.clock if state else None
        return RunLog(self.snapshots.folder, start, clock, unfinished, trackers)

    def _due(self, every: int, ended: bool) -> bool:
        """Whether what happens every so often (0: never) and at the end happens now."""
        return every > 0 and (self.iteration % every == 0 or ended)

    def _report(self, reporter: Reporter, ended: bool, stopped: bool) -> bool:
        """Log the means since the last line where they are due; returns whether it ends here.

        Those of a last, shorter interval are kept, too, for a longer training that goes on.
        """
        due = self._due(self.schedule.log_every, ended)
        self._refuse_non_finite(reporter.log, whole=due or stopped or any(self._kept(ended)))
        if not due:
            return ended
        values = self.game.summary(self.iteration, self.averages.read())
        log, part = reporter.log, self.schedule
        rate = log.clock.rate(self.iteration)
        log.write(part.line, self.iteration, values, steps_per_second=rate)
        if processes.is_first():
            reporter.listeners.tell(self.iteration, values)
        reporter.progress.show(
            self.iteration,
            rate,
            {
                name.removesuffix(part.headline): value
                for name, value in values.items()
                if name.endswith(part.headline)
            },
        )
        if self._due(part.log_every, ended=False):
            self.averages.clear()
            log.clock.mark(self.iteration)
        return ended or reporter.listeners.enough()

    def _kept(self, ended: bool) -> tuple[bool, bool, bool]:
        """Whether there are due an evaluation, a picture, a checkpoint."""
        part = self.schedule
        wanted = self.iteration in part.snapshots
        return (
            self._due(part.evaluate_every, ended),
            wanted or self._due(part.sample_every, ended),
            wanted or self._due(part.checkpoint_every, ended),
        )

    def _keep(self, reporter: Reporter, ended: bool, stopped: bool) -> bool:
        """Evaluate, sample and save where it is due; returns whether it ends here."""
        evaluate, picture, save = self._kept(ended)
        if not (evaluate or picture or save or stopped or ended):
            return False
        averages = self.averages.state()
        keep = partial(self.snapshots.keep, self.iteration, reporter, evaluate, picture)
        processes.on_first_process(partial(keep, save or stopped, averages))
        return ended or reporter.listeners.enough()

    def _refuse_non_finite(self, log: RunLog, whole: bool) -> None:
        """Save the state apart and raise TrainingDiverged where a loss or gradient was not finite,
        or (where `whole`) anything is not that would be kept."""
        # A CPU has nothing to wait for; a GPU is asked only where it is waited for anyway.
        if self.device.type != "cpu" and not whole:
            return
        diverged = partial(self.snapshots.diverged, log)
        if found := self.finite.read():
            what, phase, iteration = found
            unit = self.schedule.unit
            where = f"The {what} of phase {phase!r} is not finite in {unit} {iteration + 1}"
            processes.on_first_process(
                partial(diverged, iteration, f"{where}; stopped before the update")
            )
        if whole:
            unit, done = self.schedule.unit, self.iteration
            processes.on_first_process(partial(self.snapshots.refuse_non_finite, log, done, unit))
