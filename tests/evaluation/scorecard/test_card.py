"""Cards: written and read without loss, compared only when that means something."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from mtgan.errors import UserError
from mtgan.evaluation.protocol import PROTOCOLS, Protocol, protocol_rule
from mtgan.evaluation.scorecard import Axis, CorruptionLevel, Entry, Scorecard, compare
from mtgan.evaluation.scorecard.picture import card_figure


def protocol(**changes) -> Protocol:
    values = {
        "name": "default",
        "generated": 2000,
        "reference": 2000,
        "dataset": "clothes",
        "split": "train",
        "data": "aa",
        "features": "classifier",
        "extractor": "0123456789abcdef",
        "preprocess": "native",
        "images": "uint8 1x28x28",
    }
    return Protocol(**(values | changes))


def card(**changes) -> Scorecard:
    entries = {
        "frechet_distance": Entry(
            1.5, "lower", "distribution", "classifier@01234567", 2000, (1.2, 1.8), 0.2, 40.0, 0.71
        ),
        "spectrum_distance": Entry(float("nan"), "lower", "fidelity", "pixels", 2000),
    }
    return Scorecard(
        protocol=protocol(**changes),
        entries=entries,
        axes={"distribution": Axis(0.71, (0.68, 0.74), "like real data with 2 of 10 gone")},
        overall=0.71,
        interval=(0.68, 0.74),
        gate=1.0,
        corruption_levels=(CorruptionLevel("noise", "5% noise", 0.05, {"distribution": 0.9}, 0.9),),
        details={"conditional_accuracy/fine": {"Bag": 0.5, "Coat": float("nan")}},
        notes=("features: classifier",),
    )


def text(renderable, width=200) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def test_is_a_mapping():
    assert card()["frechet_distance"] == 1.5
    assert list(card()) == ["frechet_distance", "spectrum_distance"]
    assert len(card()) == 2
    with pytest.raises(KeyError):
        card()["no such measure"]


def test_json_round_trip_keeps_everything():
    written = card().to_json()
    json.loads(written, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    again = Scorecard.from_json(written)
    assert again.to_json() == written
    assert again.axes == card().axes
    assert again.corruption_levels == card().corruption_levels
    assert again.entries["frechet_distance"] == card().entries["frechet_distance"]
    assert again["spectrum_distance"] != again["spectrum_distance"], "nan comes back as nan"


def test_a_card_of_the_first_format_opens_under_todays_names():
    values = json.loads(card().to_json())
    levels = values.pop("corruption_levels")
    old = [{**level, "damage": level.pop("corruption")} for level in levels]
    values |= {"format": "mtgan-scorecard-1", "ladder": old}
    assert Scorecard.from_json(json.dumps(values)).to_json() == card().to_json()


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"format": "other"}', '{"format": 3'])
def test_foreign_json_is_refused(broken):
    with pytest.raises(UserError, match="not a scorecard"):
        Scorecard.from_json(broken)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("entries", "frechet_distance", "value"), "small"),
        (("entries", "frechet_distance", "interval"), [1]),
        (("entries", "frechet_distance", "samples"), None),
        (("axes", "distribution", "score"), {}),
        (("protocol", "generated"), "many"),
        (("corruption_levels",), [{"corruption": 1}]),
        (("details",), {"a": [1]}),
        (("notes",), [1]),
        (("overall",), "0.5 or so"),
        (("entries",), []),
    ],
)
def test_json_edited_by_hand_is_refused_at_the_door(path, value):
    values = json.loads(card().to_json())
    place = values
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(UserError, match="not a scorecard"):
        Scorecard.from_json(json.dumps(values))


def test_json_with_unknown_keys_is_refused():
    values = json.loads(card().to_json()) | {"surprise": 1}
    with pytest.raises(UserError, match="not a scorecard"):
        Scorecard.from_json(json.dumps(values))


def test_table_says_size_and_space_beside_every_number():
    shown = text(card().table())
    for row in ("frechet_distance", "spectrum_distance"):
        line = next(line for line in shown.splitlines() if row in line)
        assert "2,000" in line
    assert "classifier@01234567" in shown
    assert "like real data with 2 of 10 gone" in shown
    assert "seed 0" in shown


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"generated": 1000}, "generated: 2000 and 1000"),
        ({"features": "pixels"}, "features: classifier and pixels"),
        ({"extractor": "ff"}, "extractor"),
        ({"split": "test"}, "split"),
    ],
)
def test_unlike_protocols_are_never_compared(change, word):
    with pytest.raises(UserError, match=word):
        compare([card(), card(**change)])


def test_like_protocols_are_compared():
    shown = text(compare({"ours": card(), "theirs": card(checkpoint="best")}))
    assert "ours" in shown
    assert "theirs" in shown
    compare([card(), card(seed=1)])
    with pytest.raises(UserError, match="checkpoint"):
        compare([card(checkpoint="newest"), card(checkpoint="best")])


def test_uncalibrated_card_has_no_scores():
    plain = replace(card(), overall=None, axes={}, corruption_levels=(), gate=None)
    shown = text(plain.table())
    assert "frechet_distance" in shown
    assert "overall" not in shown


@pytest.mark.parametrize("calibrated", [True, False])
def test_picture(tmp_path, calibrated):
    drawn = card() if calibrated else replace(card(), overall=None, axes={})
    path = drawn.picture(tmp_path / "new" / "card.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(UserError, match="cannot be written"):
        drawn.picture(tmp_path / "card.nonsense")


ODD = "[red]a[/nope] $b_{ :smile: <i>\x1b[31m"


@pytest.mark.filterwarnings("error:Glyph")
def test_names_come_out_as_they_went_in(tmp_path):
    """No markup, no emoji, no formula, and no control reaches the terminal."""
    named = replace(
        card(dataset=ODD),
        entries={f"conditional_accuracy/{ODD}": card().entries["frechet_distance"]},
        axes={f"conditioning/{ODD}": Axis(0.7, None, f"like {ODD}")},
        notes=(f"left out: {ODD}",),
    )
    for shown in (text(named.table()), text(compare({ODD: named, "b": named}))):
        assert "\x1b" not in shown
        assert shown.count("[red]a[/nope] $b_{ :smile: <i>\\x1b[31m") >= 3
    for drawn in (named, replace(named, overall=None, axes={})):
        assert drawn.picture(tmp_path / "card.png").stat().st_size > 5_000


def test_a_panel_for_what_the_card_has():
    plain = replace(card(), overall=None, axes={})
    alone = replace(card(), corruption_levels=())
    figures = [card_figure({"": each}) for each in (card(), alone, plain)]
    assert [len(figure.axes) for figure in figures] == [3, 2, 1]
    assert len(card_figure({"a": card(), "b": alone}).axes) == 5


def test_a_picture_that_fails_leaves_the_older_one(tmp_path, monkeypatch):
    path = card().picture(tmp_path / "card.png")
    kept = path.read_bytes()

    def full(self, file, **options):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    with pytest.raises(UserError, match="no space left"):
        card().picture(path)
    assert path.read_bytes() == kept
    assert list(tmp_path.iterdir()) == [path]


def test_protocols_by_name():
    assert {"default", "fid-50k-train", "fid-10k-test", "thesis"} <= set(PROTOCOLS.names())
    with pytest.raises(UserError, match="choose one of default"):
        protocol_rule("fid")
    for _, rule in PROTOCOLS.items():
        assert not rule.calibrated or rule.reference == "equal", "a score needs equal N"


def test_only_inception_protocols_are_called_fid():
    for name, rule in PROTOCOLS.items():
        assert "fid" not in name or rule.features == "inception"
