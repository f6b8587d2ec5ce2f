"""Are the valid molecules distributed as real ones in the eyes of ChemNet?"""

import importlib.util
import warnings
from functools import partial

import numpy as np

from mtgan.errors import UserError, import_extra
from mtgan.evaluation.metrics import Outcome, Output
from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.evaluation.pairwise.arrays import SmallSampleWarning
from mtgan.evaluation.sets import DomainComparison
from mtgan.evaluation.strings.base import register_string_metric
from mtgan.evaluation.strings.molecules import (
    VALID,
    Molecules,
    molecules_of_both,
    of_each_molecule,
)


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


def _without_chemnet(comparison: DomainComparison) -> str:
    found = importlib.util.find_spec("fcd_torch") is not None
    return "" if found else "it needs pip install 'mtgan[chem]'"


@register_string_metric(
    "chemnet_distance",
    Output("chemnet_distance", "lower", "distribution", "distance"),
    needs=VALID | {"`mtgan[chem]`": _without_chemnet},
    source="Preuer et al. 2018",
    molecules=True,
)
def of_comparison(comparison: DomainComparison) -> Outcome:
    """Frechet distance of the activations of ChemNet."""
    features = partial(chemnet_features, device=comparison.context.device)
    both = (
        of_each_molecule("chemnet", found, comparison.context, features)
        for found in molecules_of_both(comparison)
    )
    return Outcome({"chemnet_distance": float(frechet_distance(*both))})
