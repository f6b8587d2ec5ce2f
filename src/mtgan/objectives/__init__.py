"""Pure functions of scores, logits and weights: what each player is asked to make small."""

from mtgan.objectives.adversarial import OBJECTIVES, AdversarialObjective
from mtgan.objectives.penalties import PENALTIES, Penalty
from mtgan.objectives.sharing import NORMS, shared_distance
from mtgan.objectives.tasks import accuracy, cross_entropy

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
