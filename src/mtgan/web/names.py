"""Models as the command line names them."""

from collections import Counter
from collections.abc import Mapping, Sequence

from mtgan.errors import UserError
from mtgan.exporting import load
from mtgan.training.folders import address_of
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
    """A name and a model; text: as of mtgan.training.folders.address_of, the source being what
    mtgan.load takes."""
    name, source, twin = address_of(text)
    return name, load(source).twin(twin)
