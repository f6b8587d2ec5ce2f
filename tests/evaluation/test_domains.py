"""Data of one domain or several get scorecards, by the metrics of their kind."""

import sys

import numpy as np
import pytest

import mtgan
from mtgan.cli import main
from mtgan.data import Dataset, load_dataset
from mtgan.data.domains.parts import one_domain
from mtgan.errors import UserError
from mtgan.evaluation import DomainScorecard, Evaluator, Scorecard
from mtgan.evaluation.domains import EvaluationOptions
from mtgan.evaluation.evaluate import cards_of, watched
from mtgan.evaluation.scorecard import read_card

BOTH = "image=digits+smiles=nci-smiles,count=600"


@pytest.fixture(scope="module")
def both() -> tuple[Dataset, Dataset]:
    return load_dataset(BOTH), load_dataset(BOTH, "test")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """ChemNet takes seconds; what stands for it here sees lengths alone."""
    monkeypatch.setattr(
        "mtgan.evaluation.strings.chemnet_distance.chemnet_features",
        lambda found, device: np.array([[len(text), text.count("N")] for text in found.smiles]),
    )


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> tuple[Dataset, list[str]]:
    """A language of 3,000 words, some to train on, and others that are as real."""
    random = np.random.default_rng(0)
    parts = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    made = ["".join(random.choice(parts, size=3)) for _ in range(3000)]
    file = tmp_path_factory.mktemp("words") / "words.txt"
    file.write_text("".join(f"{word}\n" for word in made[:1500]))
    return load_dataset(f"text={file}"), made[1500:]


def test_images_are_watched_as_images_with_their_own_labels(both):
    training, held_out = both
    part = held_out.select(np.flatnonzero(held_out.labels[:, 1] == 0)[:200])
    images = one_domain(part, "image")
    card = watched({"image": (images.samples, images.labels)}, training, EvaluationOptions())[
        "image"
    ]
    evaluator = Evaluator(one_domain(training, "image").dataset(), n=200)
    assert dict(card) == dict(evaluator(images.samples, images.labels))
    assert card["accuracy/class"] > 0.8  # held-out digits are what they are
    assert dict(watched(part, training, EvaluationOptions())["image"]) == dict(card)
    assert (
        "accuracy/class"
        not in watched({"image": images.samples}, training, EvaluationOptions())["image"]
    )


def test_several_domains_get_a_card_each(both, tmp_path):
    pytest.importorskip("rdkit")
    training, held_out = both
    card = mtgan.evaluate(held_out, training, features="pixels", resamples=3)
    assert isinstance(card, DomainScorecard)
    assert set(card.parts) == {"image", "smiles"}
    smiles = card.parts["smiles"]
    assert smiles["validity"] == 1
    assert card["smiles/validity"] == 1
    assert set(card) >= {"image/frechet_distance", "smiles/chemnet_distance"}
    assert smiles.protocol.dataset.endswith("/smiles")
    assert smiles.overall > 0.95  # held-out real data are real
    assert card.parts["image"].overall is None  # pixels are no judge
    assert read_card(card.to_json()) == card
    assert card.picture(tmp_path / "card.png").stat().st_size > 10_000
    for text in (str(card), card._repr_html_()):
        assert "Domain" in text
        assert "validity" in text
    assert "image/conditional_accuracy/class" in card
    table = mtgan.compare({"a": card, "b": card})
    assert "smiles" in repr(table)
    with pytest.raises(UserError, match="unlike domains"):
        mtgan.compare([card, smiles])


def test_scores_of_strings_between_floor_and_real(words):
    data, real = words
    known = one_domain(data, "text").samples
    cards = {
        "real": mtgan.evaluate(real, data),
        "copies": mtgan.evaluate(known[:400], data),
        "few": mtgan.evaluate(real[:20] * 30, data),
        "letters": mtgan.evaluate(["".join(sorted(word)) for word in real], data),
    }
    axes = {name: {a: x.score for a, x in card.axes.items()} for name, card in cards.items()}
    assert min(axes["real"].values()) > 0.9
    assert axes["copies"]["authenticity"] < 0.1
    assert axes["few"]["diversity"] < 0.1
    assert axes["few"]["distribution"] < 0.3
    assert axes["letters"]["distribution"] < 0.3
    assert "copies of training strings" in cards["copies"].axes["authenticity"].reading
    for card in cards.values():
        assert isinstance(card, Scorecard)
        assert card.overall is None  # nothing here knows what a word is
        assert any("no overall figure" in sentence for sentence in card.judge)
        assert "validity" not in card
        assert card.entries["ngram_distance/2"].ceiling < card.entries["ngram_distance/2"].floor
        assert card.entries["novelty"].interval is not None


def test_without_scores_where_sets_are_small_or_all_are_compared(words):
    data, real = words
    few = mtgan.evaluate(real[:20], data)
    assert not few.axes
    assert any("no scores: 20 samples" in note for note in few.notes)
    plain = mtgan.evaluate(real, data, protocol="plain")
    assert not plain.axes
    assert plain.protocol.reference == len(data)
    assert plain.protocol.generated == len(real)


def test_molecules_are_known_by_themselves_or_by_the_user(words, monkeypatch):
    pytest.importorskip("rdkit")
    data, real = words
    assert mtgan.evaluate(real, data, told={"molecules": True}, resamples=0)["validity"] == 0
    data = load_dataset("nci-smiles,count=300")
    strings = one_domain(data, "smiles").samples
    assert "validity" not in mtgan.evaluate(strings, data, told={"molecules": False}, resamples=0)
    monkeypatch.setitem(sys.modules, "rdkit.Chem", None)
    assert "validity" not in mtgan.evaluate(strings, data, resamples=0)


def test_each_domain_takes_its_metrics(both):
    training, held_out = both

    def options(metrics: str) -> EvaluationOptions:
        return EvaluationOptions(metrics, resamples=0, corruptions=False, features="pixels")

    cards = cards_of(held_out, training, options("frechet_distance,novelty"))
    assert {name: list(card) for name, card in cards.items()} == {
        "image": ["frechet_distance"],
        "smiles": ["novelty"],
    }
    assert list(cards_of(held_out, training, options("novelty"))) == ["smiles"]
    with pytest.raises(UserError, match="no metric 'fad' of image, smiles: choose from"):
        cards_of(held_out, training, options("fad"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"features": "pixels"}, "features mean nothing for samples of text"),
        ({"weights": "x.pth"}, "weights mean nothing for samples of text"),
        ({"size": 8}, "size cannot be used for the domains"),
        ({"labels": np.zeros((5, 1), int)}, "labels cannot be used for the domains"),
        ({"protocol": "thesis"}, "the protocol thesis is one of images"),
        ({"protocol": "fid-50k-train"}, "the protocol fid-50k-train is one of images"),
        ({"metrics": "frechet_distance"}, "no metric 'frechet_distance' of text"),
        ({"step": 3}, "samples have none"),
        ({"resamples": -1}, "resamples"),
        ({"n": 0}, "number of samples of each set"),
        ({"split": "test", "heldout": "digits"}, "."),
    ],
)
def test_options_that_mean_nothing_for_strings_are_refused(words, options, sentence):
    data, real = words
    with pytest.raises(UserError, match=sentence):
        mtgan.evaluate(real, data, **options)


def test_options_that_strings_have_are_applied(words):
    data, real = words
    card = mtgan.evaluate(
        real, data, n=70, seed=3, split="test", resamples=0, corruptions=False, metrics="novelty"
    )
    stamp = card.protocol
    assert (stamp.generated, stamp.reference, stamp.seed, stamp.split) == (70, 70, 3, "test")
    assert list(card) == ["novelty"]
    assert card.corruption_levels == ()
    assert card.entries["novelty"].interval is None
    held_out = mtgan.evaluate(real, data, heldout=data.load_split("test"), resamples=0)
    assert dict(held_out) == dict(mtgan.evaluate(real, data, resamples=0))


def test_samples_of_unlike_kinds_are_refused(both, words, tmp_path):
    training, _ = both
    data, real = words
    with pytest.raises(UserError, match="give samples by domain"):
        mtgan.evaluate(real, training)
    with pytest.raises(UserError, match="no domain 'smile': did you mean 'smiles'"):
        mtgan.evaluate({"smile": real}, training)
    with pytest.raises(UserError, match="There are no samples of the domain 'text'"):
        mtgan.evaluate([], data)
    file = tmp_path / "made.txt"
    file.write_text("\n".join(real))
    with pytest.raises(UserError, match="of the domain 'sequence' and the reference digits holds"):
        mtgan.evaluate(file, "digits")
    with pytest.raises(UserError, match="cannot be used for images"):
        mtgan.evaluate(np.zeros((9, 1, 8, 8), np.uint8), "digits", told={"molecules": True})


def command(capsys, *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    out, err = capsys.readouterr()
    assert not ended.value.code, err
    return " ".join(out.split())


def test_the_command_line_judges_files_and_draws(tmp_path, capsys):
    pytest.importorskip("rdkit")
    made = tmp_path / "made.smi"
    made.write_text("smiles\nCCO\nCC(C)O\nCC this is junk\nc1ccccc1\n")
    files = ("--json", tmp_path / "x.json", "--picture", tmp_path / "x.png")
    shown = command(capsys, "strings", made, "--data", "nci-smiles,count=200", *files)
    assert "validity" in shown
    assert "'smiles', is no molecule" in shown
    assert "1 generated strings hold a blank" in shown
    card = Scorecard.from_json((tmp_path / "x.json").read_text())
    assert card["validity"] == 0.75
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"
    again = tmp_path / "y.json"
    command(capsys, "evaluate", made, "--data", "nci-smiles,count=200", "--json", again, "--quiet")
    assert dict(Scorecard.from_json(again.read_text())) == dict(card)
    options = ("--no-molecules", "--protocol", "plain", "--json", again, "--force", "--quiet")
    command(capsys, "strings", made, "--data", "nci-smiles,count=200", *options)
    plain = Scorecard.from_json(again.read_text())
    assert "validity" not in plain
    assert plain.protocol.reference > 100
