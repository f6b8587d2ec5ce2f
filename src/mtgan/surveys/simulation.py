"""Simulated raters, whose strengths, lapses, leanings and carelessness are known.

To rehearse a survey before anybody is asked, and to test what is computed of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mtgan.surveys.designs import DESIGNS
from mtgan.surveys.returned import Given, Returned
from mtgan.surveys.schema import NOISE, REAL, Plan, Stimulus, Trial

SIMULATED = "simulated"
"""What stands in the place of the wording's hash: nobody has read anything."""

_NOISE = -4.0  # log odds that noise is found real, or to be its class


@dataclass(frozen=True)
class Crowd:
    """Attributes:
    strengths: How real each model looks, on the scale of log odds; 0 where it is not named, and
        2 for real samples.
    lapse: Share of trials that are answered by chance.
    side: Log odds by which whatever stands at the left is preferred.
    between_raters: Standard deviation of how raters differ about each model.
    between_stimuli: Standard deviation of how stimuli differ.
    careless: Share of raters who answer by chance, quickly.
    bots: Share of raters who always give the first answer.
    """

    strengths: Mapping[str, float] = field(default_factory=dict)
    lapse: float = 0.02
    side: float = 0.0
    between_raters: float = 0.5
    between_stimuli: float = 0.5
    careless: float = 0.0
    bots: float = 0.0

    def strength(self, arm: str) -> float:
        return self.strengths.get(arm, {REAL: 2.0, NOISE: _NOISE}.get(arm, 0.0))


def simulate(plan: Plan, crowd: Crowd, seed: int) -> list[Returned]:
    """What simulated raters answer in all seats of a survey."""
    random = np.random.default_rng(seed)
    names = list(plan.stimuli)
    of_stimulus = dict(zip(names, random.normal(0, crowd.between_stimuli, len(names)), strict=True))
    kinds = random.random(len(plan.seats))
    found = []
    for kind, (seat, trials) in zip(kinds, plan.seats.items(), strict=True):
        likes = {arm: random.normal(0, crowd.between_raters) for arm in plan.arms}
        chances, lapses = random.random(len(trials)), random.random(len(trials))
        times = random.lognormal(np.log(2_000), 0.4, len(trials))
        answers = []
        for place, trial in enumerate(trials):
            shown = plan.stimuli[trial.stimulus]
            chance = float(np.clip(chances[place], 1e-9, 1 - 1e-9))
            if kind < crowd.bots:
                answer, ms = plan.answers[0], 400.0
            elif kind < crowd.bots + crowd.careless:
                answer, ms = plan.answers[int(chance * len(plan.answers))], 400.0
            elif lapses[place] < crowd.lapse:
                answer, ms = plan.answers[int(chance * len(plan.answers))], times[place]
            else:
                strength = _strength(crowd, shown, trial, likes) + of_stimulus[trial.stimulus]
                answer, ms = _answer(plan, shown, trial, strength, chance), times[place]
            answers.append(Given(trial.id, answer, float(round(ms))))
        found.append(Returned(seat, seat, SIMULATED, tuple(answers), "simulation"))
    return found


def _strength(crowd: Crowd, shown: Stimulus, trial: Trial, likes: Mapping[str, float]) -> float:
    of_arms = [crowd.strength(arm) + likes[arm] for arm in shown.arms]
    if len(of_arms) == 1:
        return of_arms[0]
    return of_arms[0] - of_arms[1] + (-crowd.side if trial.flipped else crowd.side)


def _answer(plan: Plan, shown: Stimulus, trial: Trial, strength: float, chance: float) -> str:
    design = DESIGNS.get(plan.settings.design)
    return design.respond(strength, plan.answers, shown.of_class, trial.flipped, chance)
