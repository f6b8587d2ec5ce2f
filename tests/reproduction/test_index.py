"""The index is sound: ids, studies, arms and measures are there, and no figure is forgotten."""

import re
from collections import Counter

import pytest

import printed
from mtgan.analysis import ANALYSES
from mtgan.errors import UserError
from mtgan.reproduction.forms import FORMS
from mtgan.reproduction.index import DOCUMENTS, chosen, documents, entries
from mtgan.reproduction.rules import RULES
from mtgan.reproduction.schema import only
from mtgan.reproduction.studies import asked, check_arms, study_of
from mtgan.studies.load import study_names
from mtgan.studies.plan import make_plan

PLACES = [folder / "shared" / "sources" for folder in printed.DOCS.parents]
SOURCES = next((place for place in PLACES if place.is_dir()), PLACES[0])
UNREADABLE = {"3.4", "3.6"}  # captions that the text of the thesis has lost
THESIS = {
    "figure": {
        *(f"1.{n}" for n in range(1, 6)),
        *(f"2.{n}" for n in range(1, 7)),
        *(f"3.{n}" for n in range(1, 7)),
        *(f"5.{n}" for n in range(1, 22)),
        *(f"A.{n}" for n in range(1, 10)),
        *("D.1", "D.2"),
    },
    "table": {f"table-{n}" for n in ("2.1", "2.2", "4.1", "4.2", "4.3", "5.1", "5.2", "D.1")},
    "algorithm": {f"algorithm-{n}" for n in range(1, 5)},
}
FIGURES = {
    "proposal": {"1"},
    "g-advantage": {str(n) for n in range(8)},
    "multi-domain": {"elastic", "infogan", "padded", "multi-out-1", "multi-out-2"},
    "review": set(),
}


def numbers(document: str, kind: str) -> set[str]:
    return {e.number for e in documents()[document].entries.values() if e.kind == kind}


@pytest.mark.parametrize("kind", THESIS)
def test_every_numbered_thing_of_the_thesis_has_its_entry(kind: str) -> None:
    assert numbers("thesis", kind) == THESIS[kind]


def test_every_figure_of_the_other_documents_has_its_entry() -> None:
    assert {name: numbers(name, "figure") for name in FIGURES} == FIGURES
    for name in FIGURES:
        assert not numbers(name, "table") | numbers(name, "algorithm")


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the sources are not here")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_sources_text_names_nothing_else(name: str) -> None:
    text = (SOURCES / documents()[name].file).read_text()
    pattern = r"\bFigure ([A-D]?\d?\.\d+)" if name == "thesis" else r"\bFigure (\d+)\b"
    figures = set(re.findall(pattern, text))
    tables = {f"table-{n}" for n in re.findall(r"\bTable ((?:[A-D]|\d)\.\d+)", text)}
    algorithms = {f"algorithm-{n}" for n in re.findall(r"\bAlgorithm (\d) Training", text)}
    if name != "thesis":
        assert figures <= numbers(name, "figure")
        return
    assert figures | UNREADABLE == THESIS["figure"]
    assert tables == THESIS["table"]
    assert algorithms == THESIS["algorithm"]


def test_there_are_about_a_hundred_entries_and_their_form_is_known() -> None:
    found = entries()
    assert len(found) > 90
    assert Counter(entry.document for entry in found.values()).keys() == set(DOCUMENTS)
    for name, entry in found.items():
        assert entry.id == name
        if entry.kind == "claim":
            assert entry.claim or not entry.built or "probe" in str(entry.draw), name
        if not entry.built:
            assert not entry.not_built.endswith("."), name
            continue
        form, options = only(entry.draw)
        assert form in FORMS, name
        if form == "analysis":
            assert options["name"] in ANALYSES.names()
        assert all(rule in RULES for rule in entry.rule), name
        assert asked(entry)  # its options are valid
        assert entry.study in {*study_names(), ""}, name
        for recipe in re.findall(r"'recipe': '([^']+)'", str(options)):
            assert recipe


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scale", ["tiny", "small", "full"])
def test_every_arm_that_an_entry_names_is_there(scale: str) -> None:
    plans = {}
    for entry in entries().values():
        if entry.study:
            if entry.study not in plans:
                plans[entry.study] = make_plan(study_of(entry.study, scale))
            check_arms(entry, plans[entry.study])


def test_all_entries_of_a_study_ask_it_for_the_same() -> None:
    study = study_of("conditioning", "small")
    curves = {curve.name for curve in study.curves}
    assert {"frechet_distance", "inception_score", "discriminator/distance_estimate"} <= curves
    assert ("inception_score", "seconds") in {(c.name, c.over) for c in study.curves}
    assert {"inception_score"} <= {measure.name for measure in study.measures}


def test_entries_are_chosen_by_id_document_or_all() -> None:
    assert [entry.id for entry in chosen(["thesis/5.3"])] == ["thesis/5.3"]
    assert {entry.document for entry in chosen(["review"])} == {"review"}
    assert len(chosen(["all", "thesis/5.3"])) == len(entries())
    with pytest.raises(UserError, match=r"no entry 'thesis/5.33': did you mean 'thesis/5.3'"):
        chosen(["thesis/5.33"])
