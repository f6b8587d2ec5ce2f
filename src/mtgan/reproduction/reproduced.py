"""What came of an entry."""

from dataclasses import dataclass, field
from pathlib import Path

from mtgan.reproduction.forms import Drawn
from mtgan.reproduction.schema import Entry
from mtgan.reproduction.verdict import Verdict

NOT_BUILT, NOT_RUN, NOT_DRAWN = "not built", "not run", "not drawn"


@dataclass(frozen=True)
class Reproduced:
    """An entry, what was drawn and judged; error: why not, where it was not.

    state: the verdict in a word, or one of NOT_DRAWN, NOT_RUN and NOT_BUILT.
    """

    entry: Entry
    folder: Path
    state: str
    verdict: Verdict | None = None
    drawn: Drawn = field(default_factory=Drawn)
    error: str = ""
