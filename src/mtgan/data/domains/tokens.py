"""How a string is cut into tokens, and put together again; and which strings are molecules."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mtgan.errors import import_extra
from mtgan.registry import Registry


@dataclass(frozen=True)
class Tokenizer:
    """split: a string to its tokens, None where it has none; join: tokens to a string."""

    split: Callable[[str], list[str] | None]
    join: Callable[[list[str]], str]


TOKENIZERS: Registry[Tokenizer] = Registry("kind of tokens", "mtgan.data.domains.tokens")


def _split_selfies(text: str) -> list[str] | None:
    selfies = import_extra("selfies", "chem", "tokens=selfies")
    try:
        return list(selfies.split_selfies(selfies.encoder(text)))
    except selfies.EncoderError:
        return None


def _join_selfies(tokens: list[str]) -> str:
    return import_extra("selfies", "chem", "tokens=selfies").decoder("".join(tokens))


TOKENIZERS.register("characters")(Tokenizer(list, "".join))
TOKENIZERS.register("selfies")(Tokenizer(_split_selfies, _join_selfies))


def parse_smiles(strings: Iterable[str], asked_by: str) -> list[Any]:
    """RDKit's molecule of each SMILES string, None where it is none; needs the extra `chem`.

    The whole string counts, but for blanks about it: RDKit takes what follows a blank for a name,
    and stops without a word at letters that are no ASCII. "" is no molecule here.
    """
    chem = import_extra("rdkit.Chem", "chem", asked_by)
    blocked = import_extra("rdkit.rdBase", "chem", asked_by).BlockLogs()
    molecules = []
    for string in strings:
        text = string.strip()
        whole = text.isascii() and text.isprintable() and " " not in text
        molecules.append(chem.MolFromSmiles(text) if text and whole else None)
    del blocked
    return molecules
