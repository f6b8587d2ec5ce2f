"""Pure functions of scores, logits and weights: what each player is asked to make small."""

from mtgan.objectives.adversarial import AdversarialObjective
from mtgan.objectives.penalties import Penalty
from mtgan.objectives.sharing import shared_distance
from mtgan.objectives.tasks import accuracy, cross_entropy
from mtgan.parts import NORMS, OBJECTIVES, PENALTIES

__all__ = [
    "NORMS",
    "OBJECTIVES",
    "PENALTIES",
    "AdversarialObjective",
    "Penalty",
    "accuracy",
    "cross_entropy",
    "shared_distance",
]
