"""Judging a domain of strings: generated ones against held-out ones, and against training ones."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mtgan.errors import UserError
from mtgan.evaluation.metrics.molecules import (
    Molecules,
    chemnet_distance,
    internal_diversity,
    parse_molecules,
    property_distance,
)
from mtgan.evaluation.metrics.ngrams import empty_share, ngram_distance, novelty, uniqueness

if TYPE_CHECKING:
    from rich.table import Table

# Which way a measure is better, by its name before a "/" or "@".
BETTER = {
    "empty_share": "lower",
    "uniqueness": "higher",
    "novelty": "higher",
    "ngram_distance": "lower",
    "validity": "higher",
    "valid_uniqueness": "higher",
    "valid_novelty": "higher",
    "internal_diversity": "higher",
    "qed_distance": "lower",
    "logp_distance": "lower",
    "chemnet_distance": "lower",
}
_NGRAMS = (1, 2, 3, 4)
_FIRST = (1_000, 10_000)  # valid molecules of unique@k, as in MOSES


@dataclass(frozen=True)
class SequenceCard(Mapping[str, float]):
    """Values by name, and what they are of; a mapping."""

    values_by_name: dict[str, float]
    counts: dict[str, int]
    notes: tuple[str, ...] = field(default=())

    def __getitem__(self, name: str) -> float:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def to_json(self) -> str:
        card = {"values": self.values_by_name, "counts": self.counts, "notes": list(self.notes)}
        return json.dumps(card, indent=2)

    def table(self) -> "Table":
        """A table for the terminal."""
        from rich.table import Table

        title = ", ".join(f"{count} {name}" for name, count in self.counts.items())
        table = Table("measure", "value", title=title)
        for name, value in self.values_by_name.items():
            table.add_row(name.replace("_", " "), f"{value:.4g}")
        return table


def evaluate_strings(
    generated: Sequence[str],
    reference: Sequence[str],
    training: Sequence[str] = (),
    *,
    molecules: bool = False,
    device: str = "cpu",
) -> SequenceCard:
    """Measure generated strings.

    Args:
        generated: The strings to judge, "" among them where a canvas was padding alone.
        reference: Real strings that were not trained on.
        training: Those trained on, for novelty; without them it is left out.
        molecules: Whether the strings are SMILES, to be measured as MOSES does (extra `chem`).
        device: Where the ChemNet distance computes.

    Returns:
        `empty_share`, `uniqueness`, `novelty`, `ngram_distance/1` to `/4`; for molecules also
        `validity`, `valid_uniqueness` (and `@1000`, `@10000` where there are as many valid ones),
        `valid_novelty`, `internal_diversity/1` and `/2`, `qed_distance`, `logp_distance`,
        `chemnet_distance`. Those of valid molecules are left out where there are fewer than two.

    Raises:
        UserError: No string on a side; a missing extra.
    """
    values = {
        "empty_share": empty_share(generated),
        "uniqueness": uniqueness(generated),
        **({"novelty": novelty(generated, training)} if len(training) else {}),
        **{f"ngram_distance/{n}": ngram_distance(generated, reference, n) for n in _NGRAMS},
    }
    counts = {"generated": len(generated), "reference": len(reference), "training": len(training)}
    notes = _shared(generated, reference)
    if molecules:
        found = parse_molecules(generated)
        values["validity"] = found.validity
        counts["valid"] = len(found.smiles)
        more, others = _of_molecules(found, reference, training, device)
        values |= more
        notes += _with_blanks(generated) + others
    return SequenceCard(values, counts, tuple(notes))


def _shared(generated: Sequence[str], reference: Sequence[str]) -> list[str]:
    """A sentence where generated strings are those that they are compared with."""
    known = set(reference)
    same = sum(text in known for text in generated)
    if not same:
        return []
    draws = "; these are draws from one set" if same == len(generated) else ""
    return [f"{same:,} of {len(generated):,} generated strings are in the reference{draws}."]


def _with_blanks(generated: Sequence[str]) -> list[str]:
    """A sentence where strings have a blank, as in files of molecules with titles."""
    count = sum(len(text.split()) > 1 for text in generated)
    if not count:
        return []
    return [
        f"{count:,} generated strings hold a blank and are judged as a whole, as no molecules; cut "
        "titles off if that is what follows."
    ]


def _of_molecules(
    found: Molecules, reference: Sequence[str], training: Sequence[str], device: str
) -> tuple[dict[str, float], list[str]]:
    """The measures of valid molecules, and sentences about what they are not of."""
    if len(found.smiles) < 2:
        return {}, ["Fewer than two generated strings are valid: no measure of molecules applies."]
    real = parse_molecules(reference)
    notes = _invalid(real, "reference")
    values = {"valid_uniqueness": uniqueness(found.smiles)}
    for k in _FIRST:
        if k <= len(found.smiles):
            values[f"valid_uniqueness@{k}"] = uniqueness(found.smiles, k)
    if len(training):
        known = parse_molecules(training)
        notes += _invalid(known, "training")
        values["valid_novelty"] = novelty(found.smiles, set(known.smiles))
    measures: dict[str, Callable[[], float]] = {
        "internal_diversity/1": lambda: internal_diversity(found, 1),
        "internal_diversity/2": lambda: internal_diversity(found, 2),
        "qed_distance": lambda: property_distance(found, real, "qed"),
        "logp_distance": lambda: property_distance(found, real, "logp"),
        "chemnet_distance": lambda: chemnet_distance(found, real, device),
    }
    for name, measure in measures.items():
        try:
            values[name] = measure()
        except UserError as error:
            notes.append(f"{name} is left out: {error}")
    return values, notes


def _invalid(real: Molecules, side: str) -> list[str]:
    """A sentence where real strings are no molecules."""
    count = real.total - len(real.smiles)
    if not count:
        return []
    return [f"{count:,} of {real.total:,} {side} strings are no molecules and are left out."]
