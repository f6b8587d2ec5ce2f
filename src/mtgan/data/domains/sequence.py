"""Strings as a domain: a text file, a column of a table, and sets of molecules as SMILES.

A string becomes tokens, tokens become one-hot rows of the canvas. What does not fit is left out and
counted in the notes, or refused under `strict`.

N: samples; L, V: length and channels of the canvas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from mtgan.data.domains.base import DOMAINS, Domain, DomainData, Preview, Size, write_lines
from mtgan.data.domains.strings import (
    STRING_SOURCES,
    Strings,
    is_text,
    read_strings,
    refuse_doubtful,
)
from mtgan.data.domains.tokens import TOKENIZERS, parse_smiles
from mtgan.data.folders.tables import names_images
from mtgan.data.held_out import held_out_rows
from mtgan.data.names import clean_name, natural_order
from mtgan.data.request import Request
from mtgan.errors import UserError, import_extra


@dataclass(frozen=True)
class SequenceOptions:
    """How strings are read.

    length: most tokens of a string (the longest one's when absent); tokens: kind of tokens;
    alphabet: the tokens allowed, written one after the other (all that occur when absent);
    padding: the symbol for "nothing"; column and labels: of a CSV file; canonical: rewrite as
    RDKit's canonical SMILES; count: keep so many, drawn by a fixed seed; strict: refuse instead of
    leaving out.
    """

    length: int | None = None
    tokens: str = "characters"
    alphabet: str | None = None
    padding: str = "|"
    column: str | None = None
    labels: str | None = None
    canonical: bool = False
    count: int | None = None
    strict: bool = False


@DOMAINS.register("sequence")
@dataclass(frozen=True)
class SequenceDomain(Domain):
    """Strings of at most `length` tokens, as one-hot rows (times 255).

    tokens: the alphabet, whose first entry is the padding symbol; kind: how a string is cut into
    tokens (mtgan.data.domains.tokens). What follows the first padding is not read.
    """

    kind: str
    tokens: Annotated[tuple[str, ...], Field(min_length=1)]
    length: Annotated[int, Field(ge=1)]
    type = "sequence"
    metrics = "strings"
    endings = (".smi", ".txt")
    options = tuple(item.name for item in fields(SequenceOptions))
    symbols = frozenset({"alphabet", "padding"})

    def __post_init__(self) -> None:
        super().__post_init__()
        TOKENIZERS.get(self.kind)

    @classmethod
    def recognizes(cls, data: str, options: Mapping[str, Any]) -> bool:
        """A set of strings that has a name, or a file of strings. A table that names images is none
        unless it is given with options of strings."""
        path, asked = Path(data), not options.keys().isdisjoint(cls.options)
        return data in STRING_SOURCES or (is_text(path) and (asked or not names_images(path)))

    @classmethod
    def usual_name(cls, data: str, options: Mapping[str, Any]) -> str:
        if data in STRING_SOURCES:
            return STRING_SOURCES.get(data).domain
        if not options:
            refuse_doubtful(Path(data))
        return cls.type

    @classmethod
    def load(cls, name: str, data: str, options: Mapping[str, Any], request: Request) -> DomainData:
        return read_sequences(data, name, sequence_options(options), request.split, request.root)

    @property
    def least_size(self) -> Size:
        return self.length, len(self.tokens)

    @property
    def vocabulary(self) -> int:
        return len(self.tokens)

    def encode(self, samples: Sequence[Sequence[str]], canvas: Size) -> np.ndarray:
        """Of token sequences, each of the alphabet and within the length."""
        index = {token: i for i, token in enumerate(self.tokens)}
        rows = np.zeros((len(samples), canvas[0]), dtype=np.int64)
        for row, sequence in zip(rows, samples, strict=True):
            row[: len(sequence)] = [index[token] for token in sequence]
        one_hot = np.arange(canvas[1]) == rows[..., None]
        return (one_hot[:, None] * np.uint8(255)).astype(np.uint8, copy=False)

    def decode(self, canvases: np.ndarray) -> list[str]:
        """The strings on canvases of any type: the most probable token of each row, up to the first
        padding; "" where there is padding alone."""
        join = TOKENIZERS.get(self.kind).join
        rows = canvases[:, 0, : self.length, : len(self.tokens)].argmax(axis=-1)
        ends = np.where((rows == 0).any(axis=1), (rows == 0).argmax(axis=1), self.length)
        return [
            join([self.tokens[i] for i in row[:end]])
            for row, end in zip(rows.tolist(), ends, strict=True)
        ]

    def read(self, path: Path) -> tuple[list[str], tuple[str, ...]]:
        """The strings of a file, each line whole."""
        found = read_strings(path, titles=False)
        return found.texts, found.notes

    def preview(self, samples: Sequence[str]) -> Preview:
        return Preview(tuple(samples))

    def export(self, samples: Sequence[str], out: Path) -> None:
        write_lines(samples, out)


def read_sequences(
    source: str, name: str, options: SequenceOptions, split: str, root: Path | None = None
) -> DomainData:
    """The strings of a source as a domain called `name`; one split of them.

    source: a name of STRING_SOURCES, or a file that read_strings reads. The alphabet is that of all
    splits. Raises UserError for files that cannot be read, options that do not fit, no string
    left, and under options.strict for any string that does not fit.
    """
    strings, usual_length = _read(source, options, root)
    reader = _Reader(name, options, options.length or usual_length)
    kept, tokens = reader.select(strings.texts)
    training = None if strings.training is None else int((kept < strings.training).sum())
    domain = reader.domain(tokens)
    names = [clean_name(label) for label in strings.labels or []]
    # As in tables of images, an empty cell and -1 mean that the label is missing.
    classes = tuple(natural_order(set(names) - {"", "-1"})) or (name,)
    place = {label: i for i, label in enumerate(classes)}
    labels = np.zeros(len(kept), dtype=np.int64)
    if names:
        labels[:] = [place.get(names[i], -1) for i in kept]
    rows = _split_rows(labels, split, training)
    if options.count is not None and options.count < len(rows):
        rows = np.sort(np.random.default_rng(0).permutation(rows)[: options.count])
    if not len(rows):
        raise UserError(f"The domain {name!r} ({source}) has no string in its {split} split.")
    notes = (*strings.notes, *reader.notes)
    return DomainData(domain, [tokens[i] for i in rows], labels[rows], classes, notes)


def _split_rows(labels: np.ndarray, split: str, training: int | None) -> np.ndarray:
    if training is None:
        return held_out_rows(labels[:, None], split)
    count = len(labels)
    bounds = {"train": (0, training), "test": (training, count), "all": (0, count)}
    return np.arange(*bounds[split])


def _read(source: str, options: SequenceOptions, root: Path | None) -> tuple[Strings, int | None]:
    if source in STRING_SOURCES:
        known = STRING_SOURCES.get(source)
        return known.read(root), known.length
    return read_strings(Path(source), options.column, options.labels), None


@dataclass
class _Reader:
    """Decides which strings fit, and counts the others by reason."""

    name: str
    options: SequenceOptions
    length: int | None
    notes: list[str] = field(default_factory=list)

    def select(self, texts: list[str]) -> tuple[np.ndarray, list[list[str]]]:
        """Positions [N] of the strings that fit, and their tokens."""
        allowed = self._allowed()
        split = TOKENIZERS.get(self.options.tokens).split
        dropped: dict[str, tuple[int, int]] = {}  # reason -> how many, position of the first
        kept, sequences = [], []
        for i, text in enumerate(self._canonical(texts)):
            tokens = split(text) if text else None
            reason = self._reason(text, tokens, allowed)
            if reason is None:
                assert tokens is not None
                kept.append(i)
                sequences.append(tokens)
            else:
                count, first = dropped.get(reason, (0, i))
                dropped[reason] = (count + 1, first)
        self._tell(dropped, texts)
        return np.array(kept, dtype=np.int64), sequences

    def domain(self, sequences: list[list[str]]) -> SequenceDomain:
        found = {token for tokens in sequences for token in tokens}
        alphabet = sorted(self._allowed() or found)
        length = self.length or max(map(len, sequences))
        tokens = (self.options.padding, *alphabet)
        return SequenceDomain(self.name, self.options.tokens, tokens, length)

    def _canonical(self, texts: list[str]) -> list[str | None]:
        """The strings without blanks about them; None for what should be a molecule and is none."""
        stripped = [text.strip() for text in texts]
        if not self.options.canonical:
            return list(stripped)
        chem = import_extra("rdkit.Chem", "chem", "canonical=true")
        molecules = parse_smiles(stripped, "canonical=true")
        return [
            text and (None if molecule is None else chem.MolToSmiles(molecule))
            for text, molecule in zip(stripped, molecules, strict=True)
        ]

    def _allowed(self) -> set[str] | None:
        alphabet = self.options.alphabet
        if alphabet is None:
            return None
        if self.options.tokens == "selfies":
            return set(import_extra("selfies", "chem", "tokens=selfies").split_selfies(alphabet))
        return set(alphabet)

    def _reason(
        self, text: str | None, tokens: list[str] | None, allowed: set[str] | None
    ) -> str | None:
        if text == "":
            return "empty"
        if text is None or tokens is None:
            return "no molecules that can be encoded"
        if self.options.padding in tokens:
            return f"with the padding symbol {self.options.padding!r} in them"
        if allowed is not None and not allowed.issuperset(tokens):
            return "with tokens outside the alphabet"
        if self.length is not None and len(tokens) > self.length:
            return f"longer than {self.length} tokens"
        return None

    def _tell(self, dropped: Mapping[str, tuple[int, int]], texts: list[str]) -> None:
        for reason, (count, first) in dropped.items():
            if self.options.strict:
                raise UserError(
                    f"The domain {self.name!r} has {count} strings that are {reason}, the first in "
                    f"place {first + 1} ({texts[first]!r}); mend them, or leave strict out."
                )
            self.notes.append(f"{self.name}: {count} strings left out that are {reason}.")
        if sum(count for count, _ in dropped.values()) == len(texts):
            raise UserError(
                f"The domain {self.name!r} is empty: of {len(texts)} strings none can be used. "
                + " ".join(self.notes)
            )


def sequence_options(values: Mapping[str, Any]) -> SequenceOptions:
    """Checked options from plain values; the keys are those of SequenceOptions."""
    options = SequenceOptions(**values)
    for item in fields(SequenceOptions):
        value, kind = getattr(options, item.name), item.type
        if value is not None and not isinstance(value, kind):  # type: ignore[arg-type]
            raise UserError(f"{item.name} should be {kind}; found {value!r}.")
    for key in ("length", "count"):
        value = getattr(options, key)
        if value is not None and value < 1:
            raise UserError(f"{key} should be at least 1; found {value}.")
    return options
