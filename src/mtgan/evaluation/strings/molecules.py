"""Molecules written as SMILES: parsing, drawing, and the valid ones of a comparison.

Their metrics are defined as by MOSES (Polykovskiy et al. 2020) and need the extra `chem` (rdkit;
fcd_torch for the ChemNet distance); without it a UserError says what to install. Generated strings
are first parsed: the metrics after validity are of the valid ones, in the order in which they were
generated, as canonical SMILES.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtgan.data.domains.tokens import parse_smiles
from mtgan.errors import UserError, import_extra
from mtgan.evaluation.sets import DomainComparison, DomainContext, DomainSet
from mtgan.evaluation.strings.base import require_strings

ASKED_BY = "Measures of molecules"
_LOOKED_AT = 100  # real strings that say whether all are molecules


@dataclass(frozen=True)
class Molecules:
    """The strings that are molecules: how many there were, canonical SMILES, RDKit's objects."""

    total: int
    smiles: list[str]
    molecules: list[Any]

    @property
    def validity(self) -> float:
        """Share of the strings that RDKit parses and sanitizes, each as a whole; "" is none."""
        return len(self.smiles) / self.total

    def first(self, count: int) -> "Molecules":
        """The first `count` valid ones."""
        return Molecules(count, self.smiles[:count], self.molecules[:count])


def parse_molecules(strings: Sequence[str]) -> Molecules:
    """The valid ones of SMILES strings; UserError where there is no string.

    As in MOSES, but that text after a blank counts: "CC junk" is no molecule called junk.
    """
    require_strings(strings, "generated")
    chem = import_extra("rdkit.Chem", "chem", ASKED_BY)
    valid = [molecule for molecule in parse_smiles(strings, ASKED_BY) if molecule is not None]
    smiles = [chem.MolToSmiles(molecule) for molecule in valid]
    return Molecules(len(strings), smiles, valid)


def draw_molecules(molecules: Molecules, columns: int = 6, side: int = 160) -> Any:
    """A PIL image with the molecules drawn by RDKit, row by row."""
    require_strings(molecules.smiles, "valid")
    draw = import_extra("rdkit.Chem.Draw", "chem", "A picture of molecules")
    return draw.MolsToGridImage(
        molecules.molecules,
        molsPerRow=columns,
        subImgSize=(side, side),
        legends=molecules.smiles,
        returnPNG=False,
    )


def are_molecules(strings: Sequence[str]) -> bool:
    """Whether real strings are SMILES; False where RDKit is not installed to tell."""
    try:
        return bool(len(strings)) and parse_molecules(strings[:_LOOKED_AT]).validity > 0.9
    except UserError:
        return False


def told_molecules(comparison: DomainComparison) -> bool:
    """Whether the strings are molecules: what the user says of them, else what RDKit does."""
    context, real = comparison.context, comparison.reference.samples
    told = context.told.get("molecules")
    return told if told is not None else context.once("are molecules", lambda: are_molecules(real))


def valid_molecules(strings: DomainSet, context: DomainContext) -> Molecules:
    """The valid ones of a set, parsed once."""

    def parse(texts: list[str]) -> list[Any]:
        chem = import_extra("rdkit.Chem", "chem", ASKED_BY)
        found = parse_smiles(texts, ASKED_BY)
        return [
            None if molecule is None else (chem.MolToSmiles(molecule), molecule)
            for molecule in found
        ]

    found = [pair for pair in context.of_each("molecule", strings.samples, parse) if pair]
    smiles, molecules = ([pair[i] for pair in found] for i in (0, 1))
    return Molecules(len(strings), smiles, molecules)


def molecules_of_both(comparison: DomainComparison) -> tuple[Molecules, Molecules]:
    """The valid molecules of the generated set, and of the reference."""
    generated, reference = comparison.generated, comparison.reference
    context = comparison.context
    return valid_molecules(generated, context), valid_molecules(reference, context)


def of_each_molecule(
    key: str, found: Molecules, context: DomainContext, compute: Callable[[Molecules], Any]
) -> np.ndarray:
    """A value or a row for each molecule, computed once for each SMILES string."""
    objects = dict(zip(found.smiles, found.molecules, strict=True))

    def of_new(smiles: list[str]) -> Any:
        return compute(Molecules(len(smiles), smiles, [objects[text] for text in smiles]))

    return np.asarray(context.of_each(key, found.smiles, of_new))


def _few_valid(comparison: DomainComparison) -> str:
    valid = len(valid_molecules(comparison.generated, comparison.context).smiles)
    return "" if valid > 1 else "fewer than two generated strings are valid molecules"


VALID = {"two valid molecules": _few_valid}
"""What metrics need; see `Metric.needs`."""
