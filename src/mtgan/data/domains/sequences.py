"""Data sets of strings: a text file, a CSV column, and two of molecules as SMILES.

A string becomes tokens, tokens become one-hot rows of a canvas (mtgan.data.domains.canvas). What
does not fit is left out and counted in the notes, or refused under `strict`.
"""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data.domains.canvas import SequenceDomain
from mtgan.data.domains.strings import Strings, read_strings
from mtgan.data.domains.tokens import TOKENIZERS, parse_smiles
from mtgan.data.held_out import held_out_rows
from mtgan.data.taxonomy import clean_name, natural_order
from mtgan.errors import UserError, import_extra
from mtgan.registry import Registry


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


@dataclass(frozen=True)
class Sequences:
    """One domain of strings, read: token sequences of one split, their class indices, notes."""

    domain: SequenceDomain
    tokens: list[list[str]]
    labels: np.ndarray  # int64 [N]
    classes: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class StringSource:
    """A set of strings that has a name: what its domain is called, and its usual length."""

    read: Callable[[Path | None], Strings]
    domain: str
    length: int | None = None


STRING_SOURCES: Registry[StringSource] = Registry("set of strings", "mtgan.data.domains.sequences")


def read_sequences(
    source: str, name: str, options: SequenceOptions, split: str, root: Path | None = None
) -> Sequences:
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
    return Sequences(domain, [tokens[i] for i in rows], labels[rows], classes, notes)


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


def _package_folder(package: str, install: str) -> Path:
    """Where an installed package lies, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise UserError(f"These strings lie in the package {package!r}; install it with {install}.")
    return Path(found.origin).parent


def _nci_smiles(root: Path | None) -> Strings:
    folder = root or _package_folder("rdkit", "pip install 'mtgan[chem]'") / "Data" / "NCI"
    return read_strings(folder / "first_5K.smi")


def _moses(root: Path | None) -> Strings:
    """MOSES (Polykovskiy et al. 2020): training and test molecules, from their package's files."""
    import gzip

    install = "pip install --no-deps molsets (its code is not imported)"
    folder = root or _package_folder("moses", install) / "dataset" / "data"
    parts = []
    for part in ("train", "test"):
        path = folder / f"{part}.csv.gz"
        try:
            with gzip.open(path, "rt") as file:
                parts.append([line.split(",")[0].strip() for line in file][1:])
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is missing or corrupt ({error}); {install}.") from error
    return Strings(parts[0] + parts[1], training=len(parts[0]))


STRING_SOURCES.register("nci-smiles")(StringSource(_nci_smiles, "smiles", length=32))
STRING_SOURCES.register("moses")(StringSource(_moses, "smiles"))
