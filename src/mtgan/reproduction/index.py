"""The index: entries of all documents, by id."""

from collections.abc import Sequence
from functools import cache
from importlib import resources

from pydantic import ValidationError

from mtgan.errors import UserError
from mtgan.recipes.load import read_mapping, sentence
from mtgan.registry import nearest
from mtgan.reproduction.schema import Document, Entry

_FILES = resources.files("mtgan.reproduction") / "index"
DOCUMENTS = ("thesis", "proposal", "multi-domain", "g-advantage", "review")
EVERYTHING = "all"


@cache
def documents() -> dict[str, Document]:
    """All documents by name, in the order of DOCUMENTS."""
    return {name: _document(name) for name in DOCUMENTS}


def _document(name: str) -> Document:
    values = read_mapping((_FILES / f"{name}.yaml").read_text(), f"The index of {name}")
    try:
        found = Document.model_validate(values)
    except ValidationError as error:
        raise UserError(f"The index of {name}: {sentence(error, Document)}") from error
    entries = {
        number: entry.model_copy(update={"id": f"{name}/{number}"})
        for number, entry in found.entries.items()
    }
    return found.model_copy(update={"entries": entries})


def entries() -> dict[str, Entry]:
    """All entries by id."""
    return {
        entry.id: entry for document in documents().values() for entry in document.entries.values()
    }


def chosen(names: Sequence[str]) -> list[Entry]:
    """The entries of these ids, or documents, or "all"; in the index's order, each once.

    UserError that names the nearest for what is none.
    """
    found = entries()
    wanted: set[str] = set()
    for name in names:
        ids = _meant(name, list(found))
        if not ids:
            known = [EVERYTHING, *DOCUMENTS, *found]
            raise UserError(
                f"The index has no entry {name!r}: {nearest(name, known)} "
                "(mtgan reproduce list shows them.)"
            )
        wanted |= ids
    return [entry for name, entry in found.items() if name in wanted]


def _meant(name: str, ids: Sequence[str]) -> set[str]:
    if name == EVERYTHING:
        return set(ids)
    return {one for one in ids if name in (one, one.partition("/")[0])}
