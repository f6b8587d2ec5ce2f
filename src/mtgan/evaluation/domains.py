"""Judging one domain of a generator over several, by the metrics of its kind."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtgan.data import Dataset
from mtgan.data.domains.base import Domain
from mtgan.data.domains.parts import DomainSamples, one_domain, own_labels
from mtgan.errors import UserError
from mtgan.evaluation.cache import to_device
from mtgan.evaluation.evaluator import Evaluator
from mtgan.evaluation.metrics.molecules import parse_molecules
from mtgan.evaluation.sequences import BETTER, evaluate_strings
from mtgan.registry import Registry

_MOLECULES_OF = 100  # real strings that say whether a domain is one of molecules

Values = Mapping[str, tuple[float, str]]
"""By the name of a metric its value, and which way it is better: "higher", "lower" or ""."""


@dataclass(frozen=True)
class DomainComparison:
    """Generated samples of one domain, and the real ones that they are compared with.

    generated: n samples, as the domain decodes them; labels: int64 [n, 1], the classes that were
    asked for, if any; training, held_out: real samples; features, device, seed: as of
    Evaluator.
    """

    generated: Any
    labels: np.ndarray | None
    training: DomainSamples
    held_out: DomainSamples
    features: str = "auto"
    device: str = "cpu"
    seed: int = 0


DOMAIN_METRICS: Registry[Callable[[DomainComparison], Values]] = Registry(
    "group of metrics of a domain", "mtgan.evaluation.domains", has=("__call__",)
)
"""Functions DomainComparison -> values by name, which a type of domain names in `metrics`."""


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
        training, held_out: Real data over all domains.
        features, device, seed: As of Evaluator.

    Returns:
        {"DOMAIN/MEASURE": {"value": ..., "better": "higher", "lower" or ""}}, of all metrics that
        the domain names.

    Raises:
        UserError: As those metrics do.
    """
    asked = None if rows is None else own_labels(rows, training.taxonomy, domain.name)
    compared = DomainComparison(
        domain.decode(np.asarray(canvases)),
        asked,
        one_domain(training, domain.name),
        one_domain(held_out, domain.name),
        features,
        device,
        seed,
    )
    return {
        f"{domain.name}/{metric}": {"value": value, "better": better}
        for name in domain.metrics
        for metric, (value, better) in DOMAIN_METRICS.get(name)(compared).items()
    }


@DOMAIN_METRICS.register("images")
def image_metrics(compared: DomainComparison) -> Values:
    """What Evaluator measures, against those trained on, in at most as many samples as there
    are."""
    evaluator = Evaluator(
        compared.training.dataset(),
        n=len(compared.generated),
        features=compared.features,
        device=compared.device,
        seed=compared.seed,
    )
    card = evaluator(compared.generated, compared.labels)
    return {name: (entry.value, entry.better) for name, entry in card.entries.items()}


@DOMAIN_METRICS.register("strings")
def string_metrics(compared: DomainComparison) -> Values:
    """What evaluate_strings measures: against held-out strings, novelty against those trained on;
    as molecules where the real ones are and RDKit is there."""
    held_out = compared.held_out.samples
    values = evaluate_strings(
        compared.generated,
        held_out,
        compared.training.samples,
        molecules=are_molecules(held_out),
        device=str(to_device(compared.device)),
    )
    return {name: (v, BETTER.get(re.split("[/@]", name)[0], "")) for name, v in values.items()}


def are_molecules(strings: Sequence[str]) -> bool:
    """Whether real strings are SMILES; False where RDKit is not installed to tell."""
    try:
        return parse_molecules(strings[:_MOLECULES_OF]).validity > 0.9
    except UserError:
        return False
