"""Samples of a GAN, measured: one instrument for all runs of a study, and one shape of result."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.data import Dataset
from mtgan.data.domains.parts import image_sets
from mtgan.evaluation import Evaluator, Scorecard, evaluate
from mtgan.evaluation.inputs import as_dataset, fitting_labels
from mtgan.evaluation.metrics import chosen_metrics
from mtgan.runs import evaluate_domains, reference_labels
from mtgan.studies.jobs import Job, Measured, load_data
from mtgan.studies.schema import Study
from mtgan.training import Run

_WHOLE = {"subset": None, "labeled": None, "taxonomy": None}


def reference_of(data: Mapping[str, Any], split: str) -> Dataset:
    """What a run on `data` is measured against: the whole set under its own label hierarchy."""
    return load_data({**data, **_WHOLE, "split": split})


def prepare(study: Study, loadings: Sequence[Mapping[str, Any]]) -> None:
    """Train the classifiers that runs are measured by now, once, and not in every worker.

    loadings: of the data sets of the study's cells. UserError for a metric that is none.
    """
    wanted = study.evaluation
    chosen_metrics((wanted.metrics or "default").split(","))
    seen = []
    for loading in loadings:
        whole = {**loading, **_WHOLE}
        if whole not in seen:
            seen.append(whole)
            for reference in image_sets(reference_of(loading, wanted.split)):
                Evaluator(reference, n=2, features=wanted.features)


def measure(run: Run, job: Job) -> Measured:
    """A finished run's samples, measured.

    The averaged generator is asked for as many samples as the reference has, at most the study's.
    Each domain of a run over several is measured by itself, as "DOMAIN/MEASURE". Raises UserError
    where the reference has other finest classes than the run.
    """
    wanted = job.evaluation
    if run.facts.domains:
        return _domains(run, job)
    reference = reference_of(job.data, wanted["split"])
    count = min(wanted["samples"], len(reference))
    images, rows = run.sample_with_labels(count, seed=wanted["seed"])
    labels = None if rows is None else reference_labels(rows, run, reference)
    return _images(images, labels, reference, count, job)


def measure_samples(path: Path, job: Job) -> Measured:
    """As `measure`, of samples that are there; labels that they have are those asked for."""
    wanted = job.evaluation
    reference = reference_of(job.data, wanted["split"])
    samples = as_dataset(path, "the samples")
    count = min(wanted["samples"], len(reference), len(samples))
    random = np.random.default_rng(wanted["seed"])
    samples = samples.select(np.sort(random.permutation(len(samples))[:count]))
    labels = fitting_labels(samples, reference, None)
    return _images(np.asarray(samples.samples), labels, reference, count, job)


def _images(
    images: np.ndarray, labels: np.ndarray | None, reference: Dataset, count: int, job: Job
) -> Measured:
    """By a full scorecard where the study names metrics, else by the quick measurement."""
    wanted = job.evaluation
    if wanted["metrics"] is None:
        evaluator = Evaluator(
            reference,
            n=count,
            features=wanted["features"],
            device=job.device,
            seed=wanted["seed"],
        )
        card = evaluator(images, labels)
        return Measured(_values(card), card.protocol.as_dict())
    card = evaluate(
        images,
        reference,
        labels=labels,
        features=wanted["features"],
        metrics=wanted["metrics"],
        n=count,
        split=wanted["split"],
        seed=wanted["seed"],
        device=job.device,
        resamples=0,
        ladder=False,
    )
    # As many as were taken, which held-out data may limit.
    taken = {"generated": card.protocol.generated, "reference": card.protocol.reference}
    chosen = {"features": wanted["features"], "metrics": wanted["metrics"]}
    return Measured(_values(card), {**chosen, **taken})


def _values(card: Scorecard) -> dict[str, dict[str, Any]]:
    return {
        name: {"value": entry.value, "better": entry.better} for name, entry in card.entries.items()
    }


def _domains(run: Run, job: Job) -> Measured:
    wanted = job.evaluation
    training, held_out = (reference_of(job.data, split) for split in ("train", "test"))
    values = evaluate_domains(
        run,
        (training, held_out),
        wanted["samples"],
        features=wanted["features"],
        device=job.device,
        seed=wanted["seed"],
    )
    return Measured(values, {"features": wanted["features"], "generated": wanted["samples"]})
