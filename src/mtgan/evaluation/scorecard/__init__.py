"""The result of an evaluation: its values, their scores, tables, picture and notes."""

from mtgan.evaluation.scorecard.card import FORMAT, CardTable, Scorecard, compare
from mtgan.evaluation.scorecard.values import Axis, CorruptionLevel, Entry

__all__ = ["FORMAT", "Axis", "CardTable", "CorruptionLevel", "Entry", "Scorecard", "compare"]
