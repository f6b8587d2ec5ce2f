"""How a string is cut into tokens, and put together again."""

from collections.abc import Callable
from dataclasses import dataclass

from mtgan.errors import import_extra
from mtgan.registry import Registry


@dataclass(frozen=True)
class Tokenizer:
    """split: a string to its tokens, None where it has none; join: tokens to a string."""

    split: Callable[[str], list[str] | None]
    join: Callable[[list[str]], str]


TOKENIZERS: Registry[Tokenizer] = Registry("kind of tokens")


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
