"""One page of all entries: what came of each, and the command that gives it."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

import mtgan
from mtgan.errors import UserError
from mtgan.files import read_text, write_bytes, write_text
from mtgan.recipes.rules import RecipeWarning
from mtgan.reproduction.forms import Table
from mtgan.reproduction.index import documents, entries
from mtgan.reproduction.machine import Setting, draw, known_state, open_results
from mtgan.reproduction.page import Place, anchor, study_page, table, without_runs_page
from mtgan.reproduction.reproduced import NOT_BUILT, NOT_RUN, Reproduced
from mtgan.studies.collect import StudyResult, is_study_folder
from mtgan.text import command, duration

_BEGINNING = "# Reproduction of the sources"
_MADE_BY = "Made by `mtgan reproduce report"
_WITHOUT_RUNS = "without-runs"
_QUALITY = 70  # of pictures, of 100


def write_report(setting: Setting, out: Path | None = None) -> Path:
    """Judge again all entries that have results, and write the page (into the folder of results
    where `out` is None). A folder of its name beside it has a page for each study that was run,
    with its entries and their pictures, and one for those that need no runs.

    UserError where a file of somebody else's is in the way.
    """
    open_results(setting, begin=False)
    out = out or setting.folder / "reproduction.md"
    _check_ours(out)
    had = [
        entry
        for entry in entries().values()
        if known_state(entry, setting) not in {NOT_RUN, NOT_BUILT}
        or (entry.study and is_study_folder(setting.study_folder(entry.study)))
    ]
    with warnings.catch_warnings():  # what there is to say of a recipe was said before its training
        warnings.simplefilter("ignore", RecipeWarning)
        plans = {name: setting.plan(name) for name in {entry.study for entry in had} - {""}}
    found = [draw(entry, setting, plans.get(entry.study)) for entry in had]
    links = _write_answers(found, setting, out.with_suffix(""))
    write_text(out, page({one.entry.id: one for one in found}, setting, links))
    return out


def _check_ours(out: Path) -> None:
    if out.exists() and _MADE_BY not in read_text(out, "The page"):
        raise UserError(f"{out} exists already, and mtgan did not write it; give another --page.")


def _write_answers(found: Sequence[Reproduced], setting: Setting, folder: Path) -> dict[str, str]:
    """A page for each study; addresses of the entries in them, by id."""
    links: dict[str, str] = {}
    by_study: dict[str, list[Reproduced]] = {}
    for made in found:
        if made.state not in {NOT_RUN, NOT_BUILT}:
            by_study.setdefault(made.entry.study, []).append(made)
    for study, own in by_study.items():
        out = folder / f"{study or _WITHOUT_RUNS}.md"
        _check_ours(out)
        write_text(out, _answers(study, own, setting, _placing(out.with_suffix(""), setting)))
        links |= {
            made.entry.id: f"{folder.name}/{out.name}#{anchor(made.entry.id)}" for made in own
        }
    return links


def _answers(study: str, own: Sequence[Reproduced], setting: Setting, place: Place) -> str:
    if study:
        result = StudyResult.open(setting.study_folder(study))
        return study_page(result, own, place, _made_by(setting))
    return without_runs_page(own, place, _made_by(setting))


def _placing(folder: Path, setting: Setting) -> Place:
    """Copies pictures into a folder beside a page, as WebP: to be kept with a project's pages, a
    grid of samples as PNG is large."""

    def place(file: Path) -> str:
        name = "-".join(file.relative_to(setting.folder).with_suffix(".webp").parts)
        small = BytesIO()
        with Image.open(file) as picture:
            picture.save(small, "WEBP", quality=_QUALITY)
        write_bytes(folder / name, small.getvalue())
        return f"{folder.name}/{name}"

    return place


def _made_by(setting: Setting) -> str:
    return f"{_MADE_BY} --scale {setting.scale}`, mtgan {mtgan.__version__}."


def page(found: dict[str, Reproduced], setting: Setting, links: Mapping[str, str]) -> str:
    """All entries by document, with those that were not run. links: where each is answered."""
    states = {entry_id: _state(entry_id, found) for entry_id in entries()}
    counts = Counter(state for state, _ in states.values())
    said = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    again = command("mtgan", "reproduce", "ID", "--scale", setting.scale)
    parts = [
        _BEGINNING,
        f"{_made_by(setting)} {len(states)} entries: {said}. Each by `{again}`; what the words "
        "mean: [reproduction.md](../reproduction.md).",
        _studies(setting),
    ]
    for document in documents().values():
        rows = [
            (entry.id, entry.claim or entry.shows, *states[entry.id])
            for entry in document.entries.values()
        ]
        columns = ("id", "claim, or what it shows", "verdict", "why")
        parts += [f"## {document.title}", table(Table(columns, rows), links)]
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
