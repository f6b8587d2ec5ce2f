"""Are properties of the valid molecules distributed as those of real ones?"""

from functools import partial

from mtgan.errors import UserError, import_extra
from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import MOSES, register_string_metric, require_strings
from mtgan.evaluation.strings.molecules import (
    ASKED_BY,
    VALID,
    Molecules,
    molecules_of_both,
    of_each_molecule,
)

_PROPERTIES = {"qed": ("rdkit.Chem.QED", "qed"), "logp": ("rdkit.Chem.Crippen", "MolLogP")}


def property_distance(generated: Molecules, reference: Molecules, name: str) -> float:
    """Wasserstein-1 distance of a property's distributions; name: "qed" (Bickerton et al. 2012) or
    "logp" (Wildman & Crippen 1999)."""
    from scipy.stats import wasserstein_distance

    first, second = (property_of(molecules, name) for molecules in (generated, reference))
    return float(wasserstein_distance(first, second))


def property_of(molecules: Molecules, name: str) -> list[float]:
    """The property of each molecule; see property_distance."""
    require_strings(molecules.smiles, "valid")
    if name not in _PROPERTIES:
        raise UserError(f"The property should be qed or logp; found {name!r}.")
    module, function = _PROPERTIES[name]
    of = getattr(import_extra(module, "chem", ASKED_BY), function)
    return [of(molecule) for molecule in molecules.molecules]


def _of_comparison(comparison: DomainComparison, name: str) -> Outcome:
    from scipy.stats import wasserstein_distance

    first, second = (
        of_each_molecule(name, found, comparison.context, partial(property_of, name=name))
        for found in molecules_of_both(comparison)
    )
    return Outcome({f"{name}_distance": float(wasserstein_distance(first, second))})


@register_string_metric(
    "qed_distance", Output("qed_distance", "lower"), needs=VALID, source=MOSES, molecules=True
)
def of_drug_likeness(comparison: DomainComparison) -> Outcome:
    """Wasserstein-1 distance of drug-likeness (QED)."""
    return _of_comparison(comparison, "qed")


@register_string_metric(
    "logp_distance", Output("logp_distance", "lower"), needs=VALID, source=MOSES, molecules=True
)
def of_solubility(comparison: DomainComparison) -> Outcome:
    """Wasserstein-1 distance of the logarithm of the octanol-water partition coefficient."""
    return _of_comparison(comparison, "logp")
