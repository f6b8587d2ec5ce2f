"""A tuning from its folder: trials as runs of a study, then the winner against the default."""

import math
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from mtgan.errors import Interrupted, Terminated, UserError, import_extra
from mtgan.files import hold, write_text
from mtgan.recipes import dump_recipe
from mtgan.registry import nearest
from mtgan.studies.collect import StudyResult, begin_folder, write_plan
from mtgan.studies.execute import Executor, JobOutcome
from mtgan.studies.jobs import Job, read_result
from mtgan.studies.kinds import KINDS
from mtgan.studies.measure import AXIS
from mtgan.studies.measures import Direction, Measure
from mtgan.studies.plan import StudyPlan
from mtgan.studies.pruning import PRUNED, Looks, ceilings, looks_of
from mtgan.studies.space import Settings
from mtgan.studies.study import require_packages, run_study
from mtgan.studies.tuning.search import Outcome, Search, Trial, best_of
from mtgan.studies.tuning.settings import (
    COMPARISON,
    DEFAULT,
    TRIAL_SEED,
    TRIALS,
    WINNER,
    Tuning,
    open_tuning,
    value_of,
)

_EARLIER = "it failed when this was run before"
Progress = Callable[[str, Outcome], None]
_LEAST_SCORE = 0.05
"""Of every axis, where the default recipe has no scores to go by."""


@dataclass(frozen=True)
class TuningResult:
    """What a tuning came to.

    outcomes: of the default recipe and every trial, by name. winner: the name of the best that can
    win; None where none can. comparison: the winner against the default on fresh seeds; None where
    the default has won, or nothing has. importances: see Search.importances.
    """

    path: Path
    tuning: Tuning
    better: Direction
    trials: Sequence[Trial]
    outcomes: Mapping[str, Outcome]
    floors: Mapping[str, float]
    winner: str | None
    comparison: StudyResult | None
    importances: Mapping[str, float]

    def settings(self, name: str) -> Settings:
        """What a trial sets, or the default recipe has, of the keys that were searched."""
        for trial in self.trials:
            if trial.name == name:
                return dict(trial.settings)
        recipe = self.tuning.resolved()
        return {key: value_of(recipe, key) for key in self.tuning.space.axes}


def tune(
    tuning: Tuning,
    out: Path,
    trials: int,
    executor: Callable[[Path], Executor],
    *,
    fresh_seeds: int = 5,
    jobs: int = 1,
    device: str = "auto",
    progress: Progress = lambda name, outcome: None,
) -> TuningResult:
    """Search for better settings, or go on with it, and compare the winner with the default.

    trials: proposals in all, beside the default recipe, `jobs` of them side by side. executor: of
    a study's folder. fresh_seeds: of the comparison, which no trial has seen. progress: called with
    each trial that has come to its end. Whatever is finished is not run again.

    A trial can win where its score reaches tuning.axis_share of the default's on every axis of the
    scorecard, so that no collapse wins by one raw number.

    Raises UserError for settings that do not fit, a folder that holds something else, and a measure
    that no card has; Interrupted after Ctrl-C or SIGTERM.
    """
    require_packages()
    import_extra("optuna", "tune", "mtgan tune")
    tuning.check_space()
    tuning.plan(TRIALS, {DEFAULT: {}}, [TRIAL_SEED])  # or say what does not fit
    open_tuning(tuning, out)
    lock = hold(out, "tuning in")
    try:
        return _Tuner(tuning, out, executor, device, progress).run(trials, jobs, fresh_seeds)
    except KeyboardInterrupt as stop:
        number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
        message = f"Stopped; the same command goes on where it was (tuning: {out})."
        raise Interrupted(message, number) from None
    finally:
        lock.release()


class _Tuner:
    def __init__(
        self,
        tuning: Tuning,
        out: Path,
        executor: Callable[[Path], Executor],
        device: str,
        progress: Progress,
    ) -> None:
        self._tuning, self._out = tuning, out
        self._executor, self._device, self._progress = executor, device, progress
        self._variants: dict[str, Settings] = {DEFAULT: {}}
        self._outcomes: dict[str, Outcome] = {}
        self._floors: dict[str, float] = {}
        self._errors: dict[str, str] = {}  # by run

    def run(self, trials: int, jobs: int, fresh_seeds: int) -> TuningResult:
        [default] = self._measured([DEFAULT])
        self._outcomes[DEFAULT], better = self._as_default(default)
        self._progress(DEFAULT, self._outcomes[DEFAULT])
        search = Search(self._out, self._tuning.space, better, self._tuning.sampler_seed)
        self._take_up(search)
        while batch := self._next(search, trials, jobs):
            for trial, found in zip(batch, self._measured([t.name for t in batch]), strict=True):
                outcome = self._outcome(found)
                search.tell(trial.number, outcome)
                self._outcomes[trial.name] = outcome
                self._progress(trial.name, outcome)
        names = [DEFAULT, *(trial.name for trial in search.trials())]
        outcomes = {name: self._outcomes[name] for name in names if name in self._outcomes}
        winner = best_of(outcomes.items(), better)
        self._write_table()
        return TuningResult(
            self._out,
            self._tuning,
            better,
            search.trials(),
            outcomes,
            self._floors,
            winner,
            self._compared(winner, fresh_seeds),
            search.importances(),
        )

    # Trials

    def _take_up(self, search: Search) -> None:
        """What an earlier call has trained."""
        waiting = {trial.number for trial in search.waiting()}
        done = [trial for trial in search.trials() if trial.number not in waiting]
        fit = [trial for trial in done if self._fits(trial)]
        for trial, found in zip(fit, self._recorded(fit), strict=True):
            self._outcomes[trial.name] = self._outcome(found)

    def _next(self, search: Search, trials: int, jobs: int) -> list[Trial]:
        """Proposals that have no outcome, and new ones where there are fewer than `trials`."""
        batch = [trial for trial in search.waiting() if self._fits(trial)][:jobs]
        while len(batch) < jobs and len(search.trials()) < trials:
            trial = search.propose()
            if self._fits(trial):
                batch.append(trial)
            else:
                search.tell(trial.number, self._outcomes[trial.name])
                self._progress(trial.name, self._outcomes[trial.name])
        return batch

    def _fits(self, trial: Trial) -> bool:
        """Whether the recipe takes the settings; else that is what came of the trial."""
        try:
            self._tuning.resolved(trial.settings)
        except UserError as error:
            self._outcomes[trial.name] = Outcome("failed", error=str(error))
            return False
        self._variants[trial.name] = trial.settings
        return True

    def _plan(self) -> StudyPlan:
        return self._tuning.plan(TRIALS, self._variants, [TRIAL_SEED], looks=True)

    def _jobs(self, names: Sequence[str]) -> list[Job]:
        """Of these variants; trainings that are worse than most so far are to end early."""
        plan, folder = self._plan(), self._out / TRIALS
        begin_folder(plan, folder)
        write_plan(plan, folder)
        finished = [o.looks or {} for o in self._outcomes.values() if o.state == "complete"]
        given = {str(k): v for k, v in ceilings(finished, plan.cells[0].length).items()}
        known = {job.id: job for job in plan.jobs(folder.resolve(), self._device)}
        runs = {cell.variant: cell.run_id(TRIAL_SEED) for cell in plan.cells}
        return [replace(known[runs[name]], ceilings=given) for name in names]

    def _measured(self, names: Sequence[str]) -> list["_Found"]:
        """What was measured of these variants; what is not finished is run first."""
        jobs = self._jobs(names)
        waiting = {job.id: job for job in jobs if read_result(job) is None}
        if waiting:
            KINDS.get(jobs[0].kind).prepare(self._plan())
            for outcome in self._executor(self._out / TRIALS).run([*waiting.values()]):
                self._errors[outcome.job.id] = outcome.error
        return [self._read(job) for job in jobs]

    def _recorded(self, trials: Sequence[Trial]) -> list["_Found"]:
        return [self._read(job) for job in self._jobs([trial.name for trial in trials])]

    def _read(self, job: Job) -> "_Found":
        result = read_result(job)
        if result is None:
            return _Found({}, {}, {}, self._errors.get(job.id) or _EARLIER)
        values = {name: entry["value"] for name, entry in result["values"].items()}
        better = {name: entry["better"] for name, entry in result["values"].items()}
        return _Found(values, better, looks_of(KINDS.get(job.kind).log(Path(job.out))), "")

    # What came of them

    def _as_default(self, found: "_Found") -> tuple[Outcome, Direction]:
        """The outcome of the default recipe, to whose scores trials are held, and which way the
        measure is better."""
        values, name = found.values, self._tuning.measure
        if values and name not in values:
            raise UserError(f"No run has the measure {name!r}: {nearest(name, sorted(values))}")
        axes = {key: value for key, value in values.items() if AXIS in key}
        self._floors = {axis: self._tuning.axis_share * x for axis, x in axes.items()}
        recorded = found.better.get(name, "")
        better = self._tuning.better or Measure.model_validate(name).better or recorded
        if better not in {"lower", "higher"}:
            raise UserError(
                f"Which way {name} is better is not known; say --better lower or --better higher."
            )
        return self._outcome(found), cast(Direction, better)

    def _outcome(self, found: "_Found") -> Outcome:
        values, looks, error = found.values, found.looks, found.error
        if PRUNED in values:
            return Outcome("pruned", looks=looks)
        value = values.get(self._tuning.measure, math.nan)
        if not math.isfinite(value):
            return Outcome("failed", looks=looks, error=error or "its measure is not finite")
        floors = self._floors or {name: _LEAST_SCORE for name in values if AXIS in name}
        short = {axis: floor - values.get(axis, 0.0) for axis, floor in floors.items()}
        return Outcome("complete", value, short, looks)

    # At the end

    def _write_table(self) -> None:
        """The trials as a study's table."""
        run_study(self._plan(), self._out / TRIALS, _AsKnown(self._errors), self._device)

    def _compared(self, winner: str | None, fresh_seeds: int) -> StudyResult | None:
        """The winner trained anew, against the default."""
        if winner is None or winner == DEFAULT:
            return None
        settings = self._variants[winner]
        write_text(self._out / f"{WINNER}.yaml", dump_recipe(self._tuning.resolved(settings)))
        seeds = range(TRIAL_SEED + 1, TRIAL_SEED + 1 + fresh_seeds)
        plan = self._tuning.plan(COMPARISON, {DEFAULT: {}, WINNER: settings}, seeds)
        folder = self._out / COMPARISON
        return run_study(plan, folder, self._executor(folder), self._device)


@dataclass(frozen=True)
class _Found:
    """Values of a run, and which way each is better; its distances during training; why there are
    none."""

    values: dict[str, float]
    better: dict[str, str]
    looks: Looks
    error: str


@dataclass(frozen=True)
class _AsKnown:
    """An executor that runs nothing: what has no result by now has failed, and stays so."""

    errors: Mapping[str, str]

    def run(self, jobs: Sequence[Job]) -> Iterator[JobOutcome]:
        for job in jobs:
            yield JobOutcome(job, self.errors.get(job.id) or _EARLIER)
