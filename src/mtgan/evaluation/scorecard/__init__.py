"""The result of an evaluation: its values, their scores, tables, picture and notes."""

from mtgan.evaluation.scorecard.card import FORMAT, Scorecard
from mtgan.evaluation.scorecard.comparing import CardTable, compare
from mtgan.evaluation.scorecard.several import AnyScorecard, DomainScorecard, read_card
from mtgan.evaluation.scorecard.values import Axis, CorruptionLevel, Entry

__all__ = [
    "FORMAT",
    "AnyScorecard",
    "Axis",
    "CardTable",
    "CorruptionLevel",
    "DomainScorecard",
    "Entry",
    "Scorecard",
    "compare",
    "read_card",
]
