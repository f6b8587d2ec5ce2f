"""Which measures of scorecards put the models in the order in which people do?"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from scipy import stats

from mtgan.evaluation.scorecard import AnyScorecard, read_card
from mtgan.evaluation.scorecard.values import Entry
from mtgan.files import read_text
from mtgan.surveys.folder import Survey

_FEWEST = 4  # models, for a rank correlation


@dataclass(frozen=True)
class Agreement:
    """Attributes:
    measure: Its name.
    models: How many have a value.
    same, pairs: Of how many pairs of models it says the same as people, which one is better.
    correlation: Spearman's; None of fewer than four models.
    p: Of none.
    """

    measure: str
    models: int
    same: int
    pairs: int
    correlation: float | None
    p: float | None


def agreements_with(survey: Survey, people: Mapping[str, float]) -> tuple[list[Agreement], str]:
    """How every measure agrees with what people say of models, larger being better; and a sentence
    where nothing can be said, else ""."""
    cards = {
        name: read_card(read_text(survey.card(name), "The scorecard"))
        for name in people
        if survey.card(name).is_file()
    }
    if len(cards) < 2:
        return [], (
            f"Fewer than two models have a scorecard, so no measure can be compared with people: "
            f"evaluate the runs before the survey is planned, or put each card into "
            f"{survey.path / 'scorecards'} as NAME.json."
        )
    if unlike := _unlike(cards):
        return [], f"The scorecards were made by unlike protocols ({unlike}); evaluate all alike."
    entries = [card.parts[""].entries for card in cards.values()]
    shared = [name for name in entries[0] if all(name in own for own in entries)]
    found = []
    for measure in shared:
        values = [_goodness(own[measure]) for own in entries]
        if all(value is not None for value in values):
            own = {name: v for name, v in zip(cards, values, strict=True) if v is not None}
            found.append(agreement(measure, own, people))
    return found, ""


def _unlike(cards: Mapping[str, AnyScorecard]) -> str:
    """What differs between the first card's protocol and another's."""
    first, *others = (card.parts.get("") for card in cards.values())
    for other in others:
        if first is None or other is None:
            return "of several domains"
        if differences := first.protocol.differences(other.protocol):
            return "; ".join(differences)
    return ""


def _goodness(entry: Entry) -> float | None:
    """A measure so that more is better; None where nothing says which way that is."""
    if entry.value != entry.value:
        return None
    if entry.better == "like real":
        return None if entry.ceiling is None else -abs(entry.value - entry.ceiling)
    return {"higher": entry.value, "lower": -entry.value}.get(entry.better)


def agreement(
    measure: str, goodness: Mapping[str, float], people_say: Mapping[str, float]
) -> Agreement:
    """How a measure, of which more is better, agrees with people about the models that it has."""
    values = list(goodness.values())
    people = [people_say[name] for name in goodness]
    pairs = list(combinations(range(len(values)), 2))
    same = sum((values[i] - values[j]) * (people[i] - people[j]) > 0 for i, j in pairs)
    correlation = p = None
    if len(values) >= _FEWEST and len({*values}) > 1 and len({*people}) > 1:
        found = stats.spearmanr(values, people)
        correlation, p = float(found.statistic), float(found.pvalue)
    return Agreement(measure, len(values), same, len(pairs), correlation, p)
