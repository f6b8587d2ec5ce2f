"""One page of all entries: what came of each, and the command that gives it."""

import warnings
from collections import Counter
from pathlib import Path

import mtgan
from mtgan.errors import UserError
from mtgan.files import read_text, write_text
from mtgan.recipes.rules import RecipeWarning
from mtgan.reproduction.forms import Table
from mtgan.reproduction.index import documents, entries
from mtgan.reproduction.machine import (
    NOT_BUILT,
    NOT_RUN,
    Reproduced,
    Setting,
    draw,
    known_state,
    open_results,
)
from mtgan.reproduction.page import table
from mtgan.studies.collect import is_study_folder
from mtgan.studies.plan import StudyPlan
from mtgan.text import command, duration

_BEGINNING = "# Reproduction of the sources"


def write_report(setting: Setting, out: Path | None = None) -> Path:
    """Judge again all entries that have results, and write the page (into the folder of results
    where `out` is None). UserError where `out` is a file of somebody else's."""
    open_results(setting, begin=False)
    out = out or setting.folder / "reproduction.md"
    if out.exists() and not read_text(out, "The page").startswith(_BEGINNING):
        raise UserError(f"{out} exists already, and mtgan did not write it; give another --page.")
    plans: dict[str, StudyPlan] = {}
    found = [
        _again(entry_id, setting, plans)
        for entry_id, entry in entries().items()
        if known_state(entry, setting) not in {NOT_RUN, NOT_BUILT}
        or (entry.study and is_study_folder(setting.study_folder(entry.study)))
    ]
    write_text(out, page({one.entry.id: one for one in found}, setting))
    return out


def _again(entry_id: str, setting: Setting, plans: dict[str, StudyPlan]) -> Reproduced:
    entry = entries()[entry_id]
    plan = None
    if entry.study:
        plan = plans.setdefault(entry.study, setting.plan(entry.study))
    return draw(entry, setting, plan)


def page(found: dict[str, Reproduced], setting: Setting) -> str:
    """All entries by document, with those that were not run."""
    states = {entry_id: _state(entry_id, found) for entry_id in entries()}
    counts = Counter(state for state, _ in states.values())
    said = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    again = command("mtgan", "reproduce", "ID", "--scale", setting.scale)
    parts = [
        _BEGINNING,
        f"Made by `mtgan reproduce report --scale {setting.scale}`, mtgan {mtgan.__version__}. "
        f"{len(states)} entries: {said}. Each by `{again}`; what the words mean: "
        "[reproduction.md](../reproduction.md).",
        _studies(setting),
    ]
    for document in documents().values():
        rows = [
            (entry.id, entry.claim or entry.shows, *states[entry.id])
            for entry in document.entries.values()
        ]
        columns = ("id", "claim, or what it shows", "verdict", "why")
        parts += [f"## {document.title}", table(Table(columns, rows))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _state(entry_id: str, found: dict[str, Reproduced]) -> tuple[str, str]:
    """In a word, and why."""
    entry, made = entries()[entry_id], found.get(entry_id)
    if not entry.built:
        return NOT_BUILT, entry.not_built
    if made is None:
        return NOT_RUN, ""
    if made.verdict is None:
        return made.state, made.error
    return made.state, made.verdict.reason or "; ".join(made.verdict.parts)


def _studies(setting: Setting) -> str:
    """How long the runs of each study took."""
    from mtgan.studies.collect import StudyResult

    rows = []
    for name in sorted({entry.study for entry in entries().values() if entry.study}):
        folder = setting.study_folder(name)
        if not is_study_folder(folder):
            continue
        result = StudyResult.open(folder)
        seconds = sum(done["seconds"] for done in result.results.values())
        seeds = str(len(result.study.seeds))
        rows.append((name, str(len(result.results)), seeds, duration(seconds)))
    if not rows:
        return ""
    return table(Table(("study", "finished runs", "seeds", "training, one after another"), rows))


def listing(document: str, setting: Setting) -> Table:
    """Entries, what each shows and claims, what answers it, its cost and its state; what there is
    to say of a recipe is said where it is trained."""
    from mtgan.reproduction.index import EVERYTHING, chosen
    from mtgan.reproduction.studies import cost

    costs: dict[str, str] = {}
    rows = []
    for entry in chosen([document or EVERYTHING]):
        if entry.study and entry.study not in costs:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RecipeWarning)
                costs[entry.study] = cost(setting.plan(entry.study))
        answer = entry.study or next(iter(entry.draw), "")
        rows.append(
            (
                *(entry.id, entry.shows, entry.claim, answer, costs.get(entry.study, "")),
                known_state(entry, setting),
            )
        )
    price = f"cost at {setting.scale}"
    return Table(("id", "shows", "claim", "answered by", price, "state"), rows)
