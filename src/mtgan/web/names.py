"""Models as the command line names them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtgan.errors import UserError
from mtgan.exporting import load
from mtgan.training.model import Model


def named_models(texts: Sequence[str]) -> Mapping[str, Model]:
    """Models by their names, see `named`; UserError for one that cannot be opened, and where two
    would have one name."""
    found = [named(text) for text in texts]
    counts = Counter(name for name, _ in found)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise UserError(
            f"Two models would be called {twice[0]!r}; give one of them a name, as in other=RUN."
        )
    return dict(found)


def named(text: str) -> tuple[str, Model]:
    """A name and a model of RUN, RUN:TWIN, NAME=RUN or NAME=RUN:TWIN.

    RUN is what mtgan.load takes; without a name it is called as its folder, with :TWIN. A path that
    is there is taken as it stands.
    """
    name, source = "", text
    if not Path(text).exists() and "=" in text:
        name, _, source = text.partition("=")
    twin = None
    if not Path(source).exists() and ":" in source:
        source, _, twin = source.rpartition(":")
    model = load(source)
    called = Path(source).resolve().name if Path(source).exists() else source
    return name or (called if twin is None else f"{called}:{twin}"), model.twin(twin)
