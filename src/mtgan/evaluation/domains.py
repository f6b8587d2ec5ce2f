"""Judging samples of domains: data over several are taken apart, and each part gets its card."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image

from mtgan.data import Dataset
from mtgan.data.domains.base import Domain
from mtgan.data.domains.parts import DomainSamples, on_canvases, one_domain
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.evaluation.data import in_split, with_held_out
from mtgan.evaluation.inputs import Images, Size, apart
from mtgan.evaluation.protocol import UNKNOWN_CHECKPOINT, protocol_rule
from mtgan.evaluation.scorecard import Scorecard
from mtgan.registry import Registry, nearest

AUTO = "auto"


@dataclass(frozen=True, eq=False)
class EvaluationOptions:
    """Options as of mtgan.evaluation.evaluate; told: as of DomainContext."""

    metrics: str | Sequence[str] | None = None
    labels: np.ndarray | None = None
    heldout: Images | None = None
    split: str | None = None
    size: Size | None = None
    n: int | None = None
    seed: int = 0
    device: str | torch.device = "cpu"
    protocol: str = "default"
    checkpoint: str = UNKNOWN_CHECKPOINT
    resamples: int = 16
    corruptions: bool = True
    features: str = AUTO
    weights: str | Path | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda message: None


@dataclass(frozen=True)
class DomainSets:
    """What of one domain is compared: the samples, the reference, and held-out real data where
    there are scores; notes: on how they were read."""

    generated: DomainSamples
    real: DomainSamples
    held_out: DomainSamples | None = None
    notes: tuple[str, ...] = ()

    def training(self) -> DomainSamples:
        """What a generator may have copied from: the training split, if there is one."""
        return self.real if self.real.split in {"train", "all"} else self.real.in_split("train")


@dataclass(frozen=True)
class Drawing:
    """Samples of a domain as those who know it draw them."""

    title: str
    picture: Image.Image
    caption: str


class DomainMetrics(ABC):
    """A group of metrics: what judges the samples of a domain.

    Attributes:
        takes: Options of an evaluation that mean something here and not for every domain.
    """

    takes: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def names(self) -> list[str]:
        """Of the metrics that it has, as `metrics` calls them."""

    def has(self, name: str) -> bool:
        """Whether a metric is one of these; module:Name, too, where they have a registry."""
        return name in self.names()

    @abstractmethod
    def card(
        self, sets: DomainSets, metrics: Sequence[str] | None, options: EvaluationOptions
    ) -> Scorecard:
        """The card of chosen metrics, the usual ones when None."""

    @abstractmethod
    def watch(self, sets: DomainSets, options: EvaluationOptions) -> Scorecard:
        """Quick numbers without scores, by which many runs are followed."""

    def prepare(self, real: DomainSamples, options: EvaluationOptions) -> None:
        """Make now, once, what every evaluation against these real samples needs."""
        return None

    def drawing(self, samples: Any, real: Any) -> Drawing | None:
        """The samples beyond their preview; None where there is no such picture."""
        return None


DOMAIN_METRICS: Registry[DomainMetrics] = Registry(
    "group of metrics of a domain",
    *("mtgan.evaluation.images", "mtgan.evaluation.sequences"),
    has=("names", "card", "watch"),
)
"""By the name that a type of domain has in `metrics`."""

_OPTIONS = {"features": AUTO, "weights": None}


def evaluate_domains(
    samples: Any, reference: Dataset, options: EvaluationOptions
) -> dict[str, Scorecard]:
    """The card of each domain by its name; see mtgan.evaluation.evaluate."""
    rule = protocol_rule(options.protocol)
    real = in_split(reference, rule.reference_split(options.split))
    generated = taken_apart(samples, real)
    groups = {name: metrics_of(part.domain) for name, part in generated.items()}
    _refuse_unfit(options, groups)
    unseen: Dataset | None = None
    said: list[str] = []
    if rule.calibrated:
        real, unseen, said = with_held_out(real, options.heldout, options.seed)
    chosen = metrics_by_domain(options.metrics, groups)
    cards = {}
    for name, group in groups.items():
        if options.metrics is not None and not chosen[name]:
            continue
        sets = DomainSets(
            generated[name],
            one_domain(real, name),
            None if unseen is None else one_domain(unseen, name),
            (*generated[name].notes, *said),
        )
        cards[name] = group.card(sets, chosen[name], options)
    return cards


def watch_domains(
    samples: Any, reference: Dataset, options: EvaluationOptions
) -> dict[str, Scorecard]:
    """Quick numbers of each domain by its name, without scores, against a reference."""
    return {
        name: metrics_of(part.domain).watch(DomainSets(part, one_domain(reference, name)), options)
        for name, part in taken_apart(samples, reference).items()
    }


def prepare_domains(reference: Dataset, options: EvaluationOptions) -> None:
    """What evaluations against each domain of a reference need."""
    for domain in reference.domains:
        metrics_of(domain).prepare(one_domain(reference, domain.name), options)


def metrics_of(domain: Domain) -> DomainMetrics:
    """The metrics of a domain."""
    return DOMAIN_METRICS.get(domain.metrics)


def taken_apart(samples: Any, reference: Dataset) -> dict[str, DomainSamples]:
    """Generated samples by domain.

    Args:
        samples: A Dataset over domains; canvases that a run sampled; {domain: samples}, as the
            domain decodes them, or a file of them; or of a reference of one domain these samples.
        reference: Names the domains.

    Raises:
        UserError: Domains that the reference has not, no samples, or no word on which is meant.
    """
    known = {domain.name: domain for domain in reference.domains}
    if isinstance(samples, Samples):
        samples = on_canvases(samples, reference)
    if isinstance(samples, Dataset) and samples.domains:
        parts = {domain.name: one_domain(samples, domain.name) for domain in samples.domains}
        samples = {name: part for name, part in parts.items() if len(part)}
    elif not isinstance(samples, Mapping):
        if len(known) > 1:
            raise UserError(
                f"{reference.name} holds the domains {', '.join(known)}: give samples by domain, "
                f"as {{{next(iter(known))!r}: ...}}, or name the data of one domain."
            )
        samples = {next(iter(known)): samples}
    for name in samples:
        if name not in known:
            raise UserError(f"{reference.name} has no domain {name!r}: {nearest(name, [*known])}")
    return {name: _samples_of(known[name], given) for name, given in samples.items()}


def _samples_of(domain: Domain, given: Any) -> DomainSamples:
    if isinstance(given, DomainSamples):
        return given
    given, labels = apart(given, None)
    notes: Sequence[str] = ()
    if isinstance(given, str | Path):
        given, notes = domain.read(Path(given))
    if not len(given):
        raise UserError(f"There are no samples of the domain {domain.name!r}; give some.")
    rows = None if labels is None else np.asarray(labels).reshape(len(labels), -1)
    return DomainSamples(domain, given, rows, (), domain.name, "all", notes=tuple(notes))


def _refuse_unfit(options: EvaluationOptions, groups: Mapping[str, DomainMetrics]) -> None:
    """UserError for options that mean nothing to any of the domains that are judged."""
    known = {key for group in groups.values() for key in group.takes}
    odd = [key for key, usual in _OPTIONS.items() if getattr(options, key) != usual]
    if lost := [key for key in odd if key not in known]:
        raise UserError(
            f"{' and '.join(lost)} mean nothing for samples of {', '.join(groups)}: leave "
            f"{'it' if len(lost) == 1 else 'them'} out"
        )


def metrics_by_domain(
    metrics: str | Sequence[str] | None, groups: Mapping[str, DomainMetrics]
) -> dict[str, list[str] | None]:
    """Of the metrics asked for those that each domain has; None for its usual ones."""
    if metrics is None:
        return dict.fromkeys(groups)
    names = metrics.split(",") if isinstance(metrics, str) else list(metrics)
    wanted = [name.strip() for name in names]
    everywhere = [name for group in groups.values() for name in group.names()]
    whole = {"default", "all"}
    for name in wanted:
        if name not in whole and not any(group.has(name) for group in groups.values()):
            raise UserError(
                f"there is no metric {name!r} of {', '.join(groups)}: choose from "
                f"{', '.join(dict.fromkeys(everywhere))}, or all, or default."
            )
    return {
        name: [item for item in wanted if item in whole or group.has(item)]
        for name, group in groups.items()
    }
