"""Judging one domain of a generator over several, by the measures of its kind."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtgan.data import Dataset
from mtgan.data.domains.canvas import Domain
from mtgan.data.domains.parts import one_domain, own_labels
from mtgan.errors import UserError
from mtgan.evaluation.cache import to_device
from mtgan.evaluation.metrics.molecules import parse_molecules
from mtgan.evaluation.quick import QuickEvaluator
from mtgan.evaluation.sequences import BETTER, evaluate_strings

_LOOKED_AT = 100  # real strings that say whether a domain is one of molecules


def evaluate_domain(
    domain: Domain,
    canvases: np.ndarray,
    rows: np.ndarray | None,
    training: Dataset,
    held_out: Dataset,
    *,
    features: str = "auto",
    device: str = "cpu",
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """Measure the generated samples of one domain.

    Args:
        domain: Which, and how it lies on the canvas.
        canvases: Generated, uint8 [N, 1, L, V].
        rows: The label rows [N, 2] that they were asked to have, if any.
        training, held_out: Real data over all domains. Images are compared with those trained on,
            in at most as many samples as there are; strings with held-out ones, and novelty with
            those trained on.
        features, device, seed: As of QuickEvaluator.

    Returns:
        {"DOMAIN/MEASURE": {"value": ..., "better": "higher", "lower" or ""}}: for images what
        QuickEvaluator measures, for strings what evaluate_strings does, as molecules where the
        real ones are and RDKit is there.

    Raises:
        UserError: As those two.
    """
    real, samples = one_domain(training, domain.name), domain.read(canvases)
    if isinstance(real, Dataset):
        assert isinstance(samples, np.ndarray)
        evaluator = QuickEvaluator(real, len(canvases), features, device=device, seed=seed)
        asked = None if rows is None else own_labels(rows, training.taxonomy, domain.name)
        values: Mapping[str, float] = evaluator(samples, asked)
        better = dict.fromkeys(values, "higher") | {"frechet_distance": "lower"}
    else:
        others = one_domain(held_out, domain.name)
        assert isinstance(others, list)
        assert isinstance(samples, list)
        values = evaluate_strings(
            samples, others, real, molecules=are_molecules(others), device=str(to_device(device))
        )
        better = {name: BETTER.get(re.split("[/@]", name)[0], "") for name in values}
    return {f"{domain.name}/{k}": {"value": v, "better": better[k]} for k, v in values.items()}


def are_molecules(strings: Sequence[str]) -> bool:
    """Whether real strings are SMILES; False where RDKit is not installed to tell."""
    try:
        return parse_molecules(strings[:_LOOKED_AT]).validity > 0.9
    except UserError:
        return False
