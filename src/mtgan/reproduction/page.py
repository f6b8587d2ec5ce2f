"""Pages in Markdown: of one entry, of a study with all entries that it answers, and of all."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mtgan.markup import markdown
from mtgan.reproduction.forms import Table
from mtgan.reproduction.reproduced import Reproduced
from mtgan.studies.collect import StudyResult
from mtgan.text import command

Place = Callable[[Path], str]
"""From a picture to the address under which a page shows it."""


def entry_page(made: Reproduced, place: Place, heading: str = "#") -> str:
    """An entry: what it shows and claims, ours beside the source's, and the verdict."""
    entry, verdict, drawn = made.entry, made.verdict, made.drawn
    said = str(verdict) if verdict is not None else made.error
    parts = [
        f"{heading} {entry.id}",
        markdown(entry.shows),
        f"**Claim.** {markdown(entry.claim)}" if entry.claim else "",
        f"**Verdict.** {markdown(said)}",
        "\n".join(f"- {markdown(part)}" for part in (verdict.parts if verdict else ())),
        *(f"![{markdown(entry.shows)}]({place(file)})" for file in drawn.files),
        table(drawn.table) if drawn.table else "",
        *map(markdown, drawn.notes),
        f"**Not as in the source.** {markdown(entry.differs)}" if entry.differs else "",
        f"Answered by the study `{entry.study}`." if entry.study and heading == "#" else "",
    ]
    return _joined(parts)


def study_page(result: StudyResult, found: Sequence[Reproduced], place: Place, made_by: str) -> str:
    """A study: its question, its cells, what came of each claim that it answers, and all of its
    comparisons."""
    from mtgan.reports.study import study_content
    from mtgan.studies.study import write_results

    study = result.study
    content = study_content(result, write_results(result))
    overview = content["overview"]
    again = command("mtgan", "reproduce", found[0].entry.id, "--scale", study.scale)
    parts = [
        f"# {markdown(content['title'])}",
        made_by,
        markdown(study.about),
        f"```sh\n{again}\n```",
        table(Table(("", ""), content["facts"])),
        *(entry_page(made, place, "##") for made in found),
    ]
    if overview is not None:
        rows = [(row["label"], *row["values"]) for row in overview["rows"]]
        parts += [
            "## All measures",
            "Mean over seeds ± half the width of its 95 % interval (Student's t).",
            table(Table(("", *overview["titles"]), rows)),
        ]
    for measure in content["measures"]:
        keys = ("pair", "verdict", "difference", "p_paired", "p_holm", "needed")
        rows = [tuple(row[key] for key in keys) for row in measure["comparisons"]]
        columns = ("", "verdict", "difference", "p paired t", "p Holm", "seeds needed")
        if rows:
            parts += [f"## Comparisons: {measure['title']}", table(Table(columns, rows))]
    if content["family"] > 1:
        parts.append(
            f"95 % bootstrap intervals in brackets; p Holm is corrected over {content['family']} "
            "comparisons, all of the study's; verdicts on claims over the parts of the claim."
        )
    return _joined(parts)


def without_runs_page(found: Sequence[Reproduced], place: Place, made_by: str) -> str:
    """Entries that are drawn from recipes, data and mathematics alone."""
    sections = (entry_page(made, place, "##") for made in found)
    return _joined(["# What needs no runs", made_by, *sections])


def table(shown: Table, links: Mapping[str, str] = {}) -> str:
    """A table in Markdown. links: addresses of what stands in its first column."""

    def first(cell: str) -> str:
        return f"[{markdown(cell)}]({links[cell]})" if cell in links else markdown(cell)

    lines = [shown.columns, ("---",) * len(shown.columns), *shown.rows]
    return "\n".join(f"| {' | '.join([first(a), *map(markdown, rest)])} |" for a, *rest in lines)


def anchor(heading: str) -> str:
    """The fragment by which Markdown's readers link to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part.rstrip() for part in parts if part) + "\n"
