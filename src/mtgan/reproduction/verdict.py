"""What came of a claim: holds, contradicted, or not decided, by the rule of its entry."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mtgan.reproduction.material import TINY, Material
from mtgan.reproduction.rules import (
    NOT_JUDGED,
    RULES,
    Finding,
    Outcome,
    undecided,
)
from mtgan.reproduction.schema import only

OBEYING = 0.8
"""Of what real images get: below it in every arm, a regime is too weak to decide anything."""


@dataclass(frozen=True)
class Verdict:
    """The outcome, why, and what was found of each part of the claim."""

    outcome: Outcome
    reason: str = ""
    parts: tuple[str, ...] = ()
    seeds_needed: int | None = None

    def __str__(self) -> str:
        return f"{self.outcome}: {self.reason}" if self.reason else self.outcome

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.outcome,
            "reason": self.reason,
            "parts": list(self.parts),
            "seeds_needed": self.seeds_needed,
        }


def judge(material: Material) -> Verdict:
    """The verdict on an entry's claim, from what is there of its runs."""
    entry = material.entry
    if not entry.rule:
        return Verdict(
            NOT_JUDGED, "looked at, no rule decides" if entry.claim else "claims nothing"
        )
    name, options = only(entry.rule)
    rule = RULES.get(name)
    finding = rule.judge(rule.options.model_validate(options), material)
    if reason := _unfinished(material) or _too_weak(material):
        finding = Finding(undecided(reason).outcome, reason, finding.parts)
    needed = [part.seeds_needed for part in finding.parts if part.seeds_needed is not None]
    parts = tuple(map(str, finding.parts))
    return Verdict(finding.outcome, finding.reason, parts, max(needed, default=None))


def _unfinished(material: Material) -> str:
    """How much is missing of the study; "" where nothing is. Who judges while runs are coming in
    can stop where the claim happens to be shown."""
    if material.result is None or not (left := material.study.unfinished):
        return ""
    return f"{len(left)} of the {len(material.study.planned)} runs of its study are not finished"


def _too_weak(material: Material) -> str:
    """Why no rule may decide, whatever it says; "" where it may."""
    if material.scale == TINY:
        return "the scale tiny shows that it runs, and decides nothing"
    measure = material.entry.obeys
    if not measure or material.result is None:
        return ""
    reached = {arm: material.values(arm, measure) for arm in material.study.labels}
    means = {arm: float(np.mean(values)) for arm, values in reached.items() if len(values)}
    if not means:
        return f"no finished run has the measure {measure}"
    best = max(means, key=lambda arm: means[arm])
    real = material.real(measure)
    if means[best] >= OBEYING * real:
        return ""
    return (
        f"too weak a regime (the best arm, {best}, has {measure} {means[best]:.3g}, under "
        f"{OBEYING:g} of the {real:.3g} of real images)"
    )
