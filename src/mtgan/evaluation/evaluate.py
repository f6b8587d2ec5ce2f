"""`evaluate`: samples and a reference in, one scorecard out, whatever the samples are."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.domains import (
    EvaluationOptions,
    evaluate_domains,
    metrics_by_domain,
    metrics_of,
    prepare_domains,
    watch_domains,
)
from mtgan.evaluation.features import AUTO
from mtgan.evaluation.images import evaluate_images, prepare_images, watch_images
from mtgan.evaluation.inputs import Images, Labeled, Size, as_dataset
from mtgan.evaluation.metrics import chosen_metrics
from mtgan.evaluation.protocol import UNKNOWN_CHECKPOINT, protocol_rule
from mtgan.evaluation.scorecard import DomainScorecard, Scorecard
from mtgan.limits import check_number
from mtgan.renamed import warn_renamed


def evaluate(
    samples: Images | Labeled | Mapping[str, Any] | Sequence[str],
    reference: Images,
    *,
    labels: np.ndarray | None = None,
    features: str = AUTO,
    metrics: str | Sequence[str] | None = None,
    n: int | None = None,
    heldout: Images | None = None,
    split: str | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    weights: str | Path | None = None,
    protocol: str = "default",
    size: Size | None = None,
    checkpoint: str = UNKNOWN_CHECKPOINT,
    resamples: int = 16,
    corruptions: bool = True,
    progress: Callable[[str], None] = lambda message: None,
    told: Mapping[str, Any] | None = None,
    ladder: bool | None = None,
) -> Scorecard | DomainScorecard:
    """Judge generated samples against real data.

    Args:
        samples: Generated images: uint8 [N, C, H, W], a Dataset, a folder or an .npz; or such
            images and their labels as a pair, as Run.sample_with_labels gives. Against data of a
            domain of strings: strings, or a file of them; against data over several domains
            {domain: samples}, or a Dataset over the same ones.
        reference: Real data: images in the same forms, or a data set over domains. A Dataset with a
            test split brings its own held-out data.
        labels: int64 [N, L] that images were asked to have, columns as in the reference's
            taxonomy, -1 where none; None takes those that come with `samples`, if any.
        features: Feature space of images by name, `module:function`, or "auto".
        metrics: Names of metrics (or one string with commas), "default", or "all"; over several
            domains each takes those that it has, and one that has none of them gets no card.
        n: Sample size of every set, at most; the smallest set decides.
        heldout: Real data that are not in the reference: the ceiling of the scorecard.
        split: Split of the reference, when the protocol's is not wanted.
        seed: Seed of every random draw.
        device: Where features and distances are computed.
        weights: Path to a weight file, for feature spaces that take one.
        protocol: Name of a usual way of measuring (`protocol.PROTOCOLS`).
        size: One side, (H, W) or "HxW": all images are scaled to cover it, and cropped.
        checkpoint: The rule by which a run's checkpoint was chosen, for the stamp.
        resamples: Half-samples for 95 % intervals, at most 10,000; 0 for none.
        corruptions: Whether to measure known corruptions, so that axes can be read aloud.
        progress: Called with a sentence before each part that takes a while.
        told: What is known of samples of a domain, as {"molecules": True} of strings; what is left
            out is told by the real ones.
        ladder: The old name of `corruptions`, for one release.

    Returns:
        The scorecard; of data over several domains a DomainScorecard, which holds one for each.

    Raises:
        UserError: Sets that cannot be compared, too few samples, unknown names, missing weights,
            options that mean nothing for such samples.
    """
    if ladder is not None:
        warn_renamed("The option `ladder` of evaluate", "`corruptions`")
        corruptions = ladder
    options = EvaluationOptions(
        metrics=metrics,
        labels=labels,
        heldout=heldout,
        split=split,
        size=size,
        n=n,
        seed=seed,
        device=device,
        protocol=protocol,
        checkpoint=checkpoint,
        resamples=resamples,
        corruptions=corruptions,
        features=features,
        weights=weights,
        told=told or {},
        progress=progress,
    )
    cards = cards_of(samples, reference, options)
    return DomainScorecard(cards) if len(cards) > 1 else next(iter(cards.values()))


def cards_of(samples: Any, reference: Images, options: EvaluationOptions) -> dict[str, Scorecard]:
    """The card of each domain by its name, of plain images by ""; see evaluate."""
    check_number("resamples", options.resamples, 0, 10_000)
    rule = protocol_rule(options.protocol)
    if isinstance(reference, str | Path):
        split = rule.reference_split(options.split)
        reference = as_dataset(reference, "reference", split, options.size)
    if not isinstance(reference, Dataset) or not reference.domains:
        _refuse({f"told={key!r}": True for key in options.told}, "images")
        return {"": evaluate_images(samples, reference, options)}
    lost = {"labels": options.labels, "size": options.size}
    _refuse(lost, f"the domains of {reference.name}")
    return evaluate_domains(samples, reference, options)


def _refuse(options: Mapping[str, Any], what: str) -> None:
    """UserError for options that are given and mean nothing."""
    if lost := [key for key, value in options.items() if value is not None]:
        raise UserError(f"{' and '.join(lost)} cannot be used for {what}: leave it out")


def check_metrics(metrics: str | Sequence[str] | None, data: Dataset) -> None:
    """UserError for names of metrics that samples like these data have not."""
    if data.domains:
        metrics_by_domain(metrics, {domain.name: metrics_of(domain) for domain in data.domains})
    else:
        chosen_metrics(metrics or "default")


def watched(samples: Any, reference: Dataset, options: EvaluationOptions) -> dict[str, Scorecard]:
    """Quick numbers, without scores, of each domain by its name, and of plain images by ""."""
    if reference.domains:
        return watch_domains(samples, reference, options)
    return {"": watch_images(samples, reference, options)}


def prepare(reference: Dataset, options: EvaluationOptions) -> None:
    """Make now, once, what every evaluation against a reference needs."""
    if reference.domains:
        prepare_domains(reference, options)
    else:
        prepare_images(reference, options)
