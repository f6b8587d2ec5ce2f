"""Measures of strings without chemistry, and the card of them all."""

import sys
from types import ModuleType

import pytest
from scipy.spatial.distance import jensenshannon

from mtgan.data import load_dataset
from mtgan.errors import UserError
from mtgan.evaluation import Scorecard, evaluate
from mtgan.evaluation.domains import DOMAIN_METRICS
from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sequences import evaluate_strings
from mtgan.evaluation.strings.base import STRING_METRICS, register_string_metric
from mtgan.evaluation.strings.empty_share import empty_share
from mtgan.evaluation.strings.ngram_distance import ngram_counts, ngram_distance
from mtgan.evaluation.strings.novelty import novelty
from mtgan.evaluation.strings.uniqueness import uniqueness

WORDS = ["banana", "ananas", "bandana"]


def test_ngrams_are_counted_inside_strings():
    assert ngram_counts(["aab", "ab"], 2) == {"aa": 1, "ab": 2}
    assert not ngram_counts(["a", ""], 2)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_distance_is_scipys(n):
    other = ["cabana", "banal"]
    first, second = ngram_counts(WORDS, n), ngram_counts(other, n)
    grams = sorted(first | second)
    expected = jensenshannon([first[g] for g in grams], [second[g] for g in grams], base=2)
    assert ngram_distance(WORDS, other, n) == pytest.approx(expected, rel=1e-12)
    assert ngram_distance(other, WORDS, n) == pytest.approx(expected, rel=1e-12)


def test_its_ends():
    assert ngram_distance(WORDS, WORDS * 3, 2) == 0
    assert ngram_distance(["aa"], ["bb"], 1) == 1
    assert ngram_distance(["a"], ["bb"], 2) == 1
    assert ngram_distance(["a"], ["b"], 2) == 0


def test_uniqueness_novelty_and_emptiness():
    strings = ["a", "b", "a", ""]
    assert uniqueness(strings) == 3 / 4
    assert uniqueness(strings, 2) == 1
    assert novelty(strings, ["a", "z"]) == 2 / 3
    assert empty_share(strings) == 1 / 4


@pytest.mark.parametrize(
    "measure",
    [
        lambda: uniqueness([]),
        lambda: uniqueness(["a"], 2),
        lambda: novelty([], ["a"]),
        lambda: empty_share([]),
        lambda: ngram_distance(["a"], [], 1),
        lambda: ngram_distance(["a"], ["a"], 0),
    ],
)
def test_what_cannot_be_measured_is_refused(measure):
    with pytest.raises(UserError):
        measure()


def test_the_card_of_strings():
    card = evaluate_strings(["ab", "ab", ""], ["ab", "ba"], ["ab"])
    assert card["empty_share"] == pytest.approx(1 / 3)
    assert card["uniqueness"] == pytest.approx(2 / 3)
    assert card["novelty"] == 1 / 2
    assert set(card) >= {f"ngram_distance/{n}" for n in (1, 2, 3, 4)}
    assert Scorecard.from_json(card.to_json()) == card
    assert (card.protocol.generated, card.protocol.reference) == (3, 2)
    assert card.overall is None
    assert "novelty" not in evaluate_strings(["a"], ["a"])


@pytest.fixture
def vowels(monkeypatch):
    """A metric that is registered when all others are in use, of the module `own_letters`."""
    assert "vowels" not in DOMAIN_METRICS.get("strings").names()
    known = (STRING_METRICS._entries, STRING_METRICS._origins)
    for name, entries in zip(("_entries", "_origins"), known, strict=True):
        monkeypatch.setattr(STRING_METRICS, name, dict(entries))

    @register_string_metric("vowels", Output("vowels", "higher"))
    def vowels(comparison):
        return Outcome({"vowels": comparison.generated.samples.count("a")})

    module = ModuleType("own_letters")
    module.vowels, module.number = vowels, 3
    monkeypatch.setitem(sys.modules, "own_letters", module)


def test_a_metric_that_is_registered_later_is_measured(vowels):
    assert "vowels" in DOMAIN_METRICS.get("strings").names()
    assert evaluate_strings(["a", "b", "a"], ["a"])["vowels"] == 2


def test_a_metric_of_strings_is_named_by_its_module(vowels, tmp_path):
    (tmp_path / "words.txt").write_text("ab\nba\nabab\n" * 20)
    data = load_dataset(tmp_path / "words.txt", "all")
    options = {"metrics": "own_letters:vowels", "protocol": "plain"}
    for reference in (data, load_dataset(f"text={tmp_path}/words.txt+image=digits", "all")):
        samples = ["a", "b", "a"] if reference is data else {"text": ["a", "b", "a"]}
        assert evaluate(samples, reference, **options).entries.keys() == {"vowels"}
    with pytest.raises(UserError, match="there is no metric 'own_letters:number' of sequence"):
        evaluate(["a", "b"], data, metrics="own_letters:number")


def test_strings_against_themselves_say_so():
    assert evaluate_strings(WORDS, WORDS).notes == (
        "3 of 3 generated strings are in the reference; these are draws from one set.",
    )
    assert evaluate_strings(["banana", "no"], WORDS).notes == (
        "1 of 2 generated strings are in the reference.",
    )
    assert evaluate_strings(["no"], WORDS).notes == ()


def test_without_the_extra_all_else_works(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "rdkit"] + ["rdkit.Chem"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert evaluate_strings(["CC"], ["CC"])["uniqueness"] == 1
    with pytest.raises(UserError, match=r"pip install 'mtgan\[chem\]'"):
        evaluate_strings(["CC"], ["CC"], molecules=True)
