"""Pages in Markdown: of one entry, and of all."""

from mtgan.markup import markdown
from mtgan.reproduction.forms import Drawn, Table
from mtgan.reproduction.schema import Entry
from mtgan.reproduction.verdict import Verdict


def entry_page(entry: Entry, drawn: Drawn, verdict: Verdict | None, error: str) -> str:
    """An entry: what it shows and claims, ours beside the source's, and the verdict."""
    said = str(verdict) if verdict is not None else error
    parts = [
        f"# {entry.id}",
        markdown(entry.shows),
        f"**Claim.** {markdown(entry.claim)}" if entry.claim else "",
        f"**Verdict.** {markdown(said)}",
        "\n".join(f"- {markdown(part)}" for part in (verdict.parts if verdict else ())),
        *(f"![{markdown(entry.shows)}]({file.name})" for file in drawn.files),
        table(drawn.table) if drawn.table else "",
        *map(markdown, drawn.notes),
        f"**Not as in the source.** {markdown(entry.differs)}" if entry.differs else "",
        f"Answered by the study `{entry.study}`." if entry.study else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(shown: Table) -> str:
    """A table in Markdown."""
    lines = [shown.columns, ("---",) * len(shown.columns), *shown.rows]
    return "\n".join(f"| {' | '.join(markdown(cell) for cell in line)} |" for line in lines)
