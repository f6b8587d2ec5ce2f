"""The search itself: Optuna proposes settings, and is told what came of them."""

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtgan.errors import import_extra
from mtgan.studies.measures import Direction
from mtgan.studies.space import Axis, Settings
from mtgan.studies.tuning.space import TuningSpace

STORAGE = "search.db"
_ASKED_BY = "mtgan tune"


@dataclass(frozen=True)
class Trial:
    """A proposal: its number, from 1, and what it sets."""

    number: int
    settings: Settings

    @property
    def name(self) -> str:
        return f"trial {self.number}"


@dataclass(frozen=True)
class Outcome:
    """What came of a trial's training.

    state: complete, pruned (ended early, since it was worse than most) or failed. value: of the
    measure, where it is complete. short: by axis of the scorecard how much its score lies below
    what is asked, at most 0 where it does not. looks: its distance by iteration, lower is better.
    """

    state: str
    value: float | None = None
    short: Mapping[str, float] | None = None
    looks: Mapping[int, float] | None = None
    error: str = ""

    @property
    def low(self) -> list[str]:
        """The axes that lie below what is asked."""
        return [axis for axis, short in (self.short or {}).items() if short > 0]

    @property
    def feasible(self) -> bool:
        """Whether it can win."""
        return self.state == "complete" and not self.low

    def __str__(self) -> str:
        if self.state == "failed":
            return f"failed: {self.error}"
        if self.state == "pruned":
            return f"pruned at {max(self.looks or {0: 0.0}):,}"
        return f"low: {', '.join(self.low)}" if self.low else "complete"


class Search:
    """Proposals kept in a database of a folder, so that a search that was killed goes on.

    A proposal follows from the seed, its number and what is known by then, whether or not the
    search was interrupted. better: which way the measure is. UserError without Optuna.
    """

    def __init__(self, folder: Path, space: TuningSpace, better: Direction, seed: int) -> None:
        self._optuna: Any = import_extra("optuna", "tune", _ASKED_BY)
        self._optuna.logging.set_verbosity(self._optuna.logging.WARNING)
        self._space, self._seed = space, seed
        self._higher = better == "higher"
        self._study = self._optuna.create_study(
            storage=f"sqlite:///{folder.resolve() / STORAGE}",
            study_name="tuning",
            direction="maximize" if self._higher else "minimize",
            load_if_exists=True,
        )
        self._axes = {key: self._distribution(axis) for key, axis in space.axes.items()}
        for trial in self._study.trials:  # killed in the middle of a proposal
            if trial.state.name == "RUNNING" and trial.params.keys() != self._axes.keys():
                self._study.tell(trial.number, state=self._state("failed"))

    def _distribution(self, axis: Axis) -> Any:
        found = self._optuna.distributions
        if axis.choice:
            return found.CategoricalDistribution([json.dumps(value) for value in axis.choice])
        if axis.log_uniform:
            return found.FloatDistribution(*axis.log_uniform, log=True)
        assert axis.uniform is not None
        return found.FloatDistribution(*axis.uniform)

    def trials(self) -> list[Trial]:
        """All proposals, in order."""
        return [
            Trial(i + 1, self._space.settings(trial.params)) for i, trial in enumerate(self._whole)
        ]

    @property
    def _whole(self) -> list[Any]:
        return [t for t in self._study.trials if t.params.keys() == self._axes.keys()]

    def waiting(self) -> list[Trial]:
        """Proposals of which it has not been told what came of them."""
        states = [trial.state.name for trial in self._whole]
        return [t for t, state in zip(self.trials(), states, strict=True) if state == "RUNNING"]

    def propose(self) -> Trial:
        """One more, by a tree-structured Parzen estimator (Bergstra et al. 2011)."""
        number = len(self._whole) + 1
        seed = zlib.crc32(f"{self._seed}/{number}".encode())
        self._study.sampler = self._optuna.samplers.TPESampler(seed=seed)
        trial = self._study.ask(self._axes)
        return Trial(number, self._space.settings(trial.params))

    def tell(self, number: int, outcome: Outcome) -> None:
        """What came of a proposal."""
        kept = self._whole[number - 1]
        trial = self._optuna.trial.Trial(self._study, kept._trial_id)
        for step, distance in (outcome.looks or {}).items():
            trial.report(-distance if self._higher else distance, step)
        for axis, short in (outcome.short or {}).items():
            trial.set_constraint(axis, short)
        self._study.tell(trial, outcome.value, state=self._state(outcome.state))

    def _state(self, name: str) -> Any:
        known = self._optuna.trial.TrialState
        return {"complete": known.COMPLETE, "pruned": known.PRUNED, "failed": known.FAIL}[name]

    def importances(self) -> dict[str, float]:
        """Share of the measure's variance that each key explains over complete trials (fANOVA,
        Hutter et al. 2014), largest first; none of fewer than four, or where nothing varies."""
        values = [t.value for t in self._study.trials if t.state.name == "COMPLETE"]
        if len(values) < _LEAST_FOR_IMPORTANCE or len(set(values)) == 1:
            return {}
        evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=self._seed)
        found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return dict(sorted(found.items(), key=lambda item: -item[1]))


_LEAST_FOR_IMPORTANCE = 4


def best_of(outcomes: Iterable[tuple[str, Outcome]], better: Direction) -> str | None:
    """Whose value is the best of those that can win; the first of equals, None where none can."""
    sign = -1 if better == "higher" else 1
    known = [(sign * o.value, name) for name, o in outcomes if o.feasible and o.value is not None]
    return min(known, key=lambda pair: pair[0])[1] if known else None
