"""Measures of molecules written as SMILES, as MOSES defines them (Polykovskiy et al. 2020).

They need the extra `chem` (rdkit; fcd_torch for the ChemNet distance); without it a UserError
says what to install. Generated strings are first parsed: the measures after validity are of the
valid ones, in the order in which they were generated, as canonical SMILES.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtgan.data.domains.tokens import parse_smiles
from mtgan.errors import UserError, import_extra
from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.evaluation.metrics.ngrams import require_strings
from mtgan.evaluation.pairwise.arrays import SmallSampleWarning

_RADIUS, _BITS = 2, 1024  # of Morgan fingerprints, as in MOSES
ASKED_BY = "Measures of molecules"


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


def property_distance(generated: Molecules, reference: Molecules, name: str) -> float:
    """Wasserstein-1 distance of a property's distributions; name: "qed" (Bickerton et al. 2012) or
    "logp" (Wildman & Crippen 1999)."""
    from scipy.stats import wasserstein_distance

    first, second = (property_of(molecules, name) for molecules in (generated, reference))
    return float(wasserstein_distance(first, second))


def property_of(molecules: Molecules, name: str) -> list[float]:
    """The property of each molecule; see property_distance."""
    require_strings(molecules.smiles, "valid")
    functions = {"qed": ("rdkit.Chem.QED", "qed"), "logp": ("rdkit.Chem.Crippen", "MolLogP")}
    if name not in functions:
        raise UserError(f"The property should be qed or logp; found {name!r}.")
    module, function = functions[name]
    of = getattr(import_extra(module, "chem", ASKED_BY), function)
    return [of(molecule) for molecule in molecules.molecules]


def chemnet_distance(generated: Molecules, reference: Molecules, device: str = "cpu") -> float:
    """Frechet ChemNet Distance (Preuer et al. 2018).

    Two samples of real molecules have a distance above zero that falls with their number; compare
    only what was measured with as many. UserError for fewer than two molecules on a side.
    """
    if min(len(generated.smiles), len(reference.smiles)) < 2:
        raise UserError("The ChemNet distance needs two valid molecules or more on each side.")
    both = (chemnet_features(molecules, device) for molecules in (generated, reference))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSampleWarning)
        return float(frechet_distance(*both))


def chemnet_features(molecules: Molecules, device: str = "cpu") -> np.ndarray:
    """float64 [N, 512]: activations of the ChemNet whose weights fcd_torch ships."""
    fcd = import_extra("fcd_torch", "chem", "The ChemNet distance")
    network = fcd.FCD(device=device, n_jobs=1, batch_size=64)
    return network.get_predictions(molecules.smiles).astype(np.float64)


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
