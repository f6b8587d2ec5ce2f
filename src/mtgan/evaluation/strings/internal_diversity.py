"""How unlike each other are the valid molecules?"""

import numpy as np

from mtgan.errors import import_extra
from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import UNIT, register_string_metric, require_strings
from mtgan.evaluation.strings.molecules import (
    ASKED_BY,
    VALID,
    Molecules,
    molecules_of_both,
    of_each_molecule,
)

_RADIUS, _BITS = 2, 1024  # of Morgan fingerprints, as in MOSES


def internal_diversity(molecules: Molecules, p: int = 1) -> float:
    """1 - mean(T^p)^(1/p), T the Tanimoto similarity of Morgan fingerprints over all pairs, each
    with itself among them (Benhenda 2017; MOSES, IntDiv_p).

    The mean is over rows of means, which for p > 1 MOSES takes before the root: mean over x of
    (mean over y of T^p)^(1/p), and so does this. UserError where there is no molecule.
    """
    return diversity_of(fingerprints(molecules), p)


def diversity_of(bits: np.ndarray, p: int = 1) -> float:
    """internal_diversity of fingerprints [N, B] of 0 and 1."""
    sizes, common = bits.sum(axis=1), bits @ bits.T
    similarity = common / np.maximum(sizes[:, None] + sizes[None] - common, 1)
    return float(1 - ((similarity**p).mean(axis=1) ** (1 / p)).mean())


def fingerprints(molecules: Molecules) -> np.ndarray:
    """Morgan fingerprints, float64 [N, 1024] of 0 and 1."""
    require_strings(molecules.smiles, "valid")
    make = import_extra("rdkit.Chem.rdFingerprintGenerator", "chem", ASKED_BY)
    generator = make.GetMorganGenerator(radius=_RADIUS, fpSize=_BITS)
    return np.stack([generator.GetFingerprintAsNumPy(m) for m in molecules.molecules]).astype(float)


# 32 molecules over and over have 0.87 where real ones have 0.91: no axis can be built on it.
@register_string_metric(
    "internal_diversity",
    Output("internal_diversity", "higher", range=UNIT),
    needs=VALID,
    source="Benhenda 2017",
    molecules=True,
)
def of_comparison(comparison: DomainComparison) -> Outcome:
    """1 less the mean Tanimoto similarity of Morgan fingerprints over all pairs."""
    found, _ = molecules_of_both(comparison)
    bits = of_each_molecule("bits", found, comparison.context, fingerprints)
    return Outcome({f"internal_diversity/{p}": diversity_of(bits, p) for p in (1, 2)})
