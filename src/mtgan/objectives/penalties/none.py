"""No bound at all."""

from mtgan.objectives.penalties.base import Penalty
from mtgan.parts import PENALTIES

PENALTIES.register("none")(Penalty())
