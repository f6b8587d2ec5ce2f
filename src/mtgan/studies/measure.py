"""Samples of a GAN, measured: one instrument for all runs of a study, and one shape of result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtgan.data import Dataset, Taxonomy
from mtgan.data.domains.parts import largest_part
from mtgan.errors import UserError
from mtgan.evaluation.domains import EvaluationOptions
from mtgan.evaluation.evaluate import cards_of, check_metrics, watched
from mtgan.evaluation.evaluate import prepare as prepare_evaluations
from mtgan.evaluation.inputs import as_dataset
from mtgan.evaluation.metrics.base import METRICS, chosen_metrics
from mtgan.evaluation.scorecard import Scorecard
from mtgan.recipes import Recipe
from mtgan.runs import plain_values, samples_of
from mtgan.studies.jobs import Job, Measured, load_data
from mtgan.studies.schema import Study
from mtgan.training import Run
from mtgan.training.twins import parts_of

if TYPE_CHECKING:
    from mtgan.studies.cells import Cell

AXIS = "axis/"
"""In front of an axis of the scorecard, among measures."""
HALVES = ("tuning", "reporting")
QUICK = ("frechet_distance", "inception_score")
"""The metrics of an evaluation that names none; besides it gives accuracy/LEVEL."""
_MOST_CLASSIFIED = 10_000
_WHOLE = {"subset": None, "labeled": None, "taxonomy": None}


def reference_of(data: Mapping[str, Any], split: str, half: str | None = None) -> Dataset:
    """What a run on `data` is measured against: the whole set under its own label hierarchy.

    half: of the test split, the images at its even positions ("tuning") or at its odd ones
    ("reporting"): disjoint, and the same whoever asks.
    """
    whole = load_data({**data, **_WHOLE, "split": split})
    if half is None:
        return whole
    return whole.select(np.arange(HALVES.index(half), len(whole), len(HALVES)))


def _instruments(evaluation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every instrument of an evaluation by its name, the main one by ""."""
    return {"": evaluation, **evaluation.get("beside", {})}


def prepare(study: Study, cells: "Sequence[Cell]") -> None:
    """Train the classifiers that runs are measured by now, once, and not in every worker.

    cells: the study's, whose recipes may have twins with samples of their own. UserError for a
    metric that is none, or a measure of one that is not computed.
    """
    _refuse_measures_of_other_metrics(study)
    seen = []
    for cell in cells:
        recipe = cell.recipe if isinstance(cell.recipe, Recipe) else None
        instrument = {**cell.data, **_WHOLE}, recipe and recipe.twins
        if instrument not in seen:
            seen.append(instrument)
            for wanted in (study.evaluation, *study.evaluation.beside.values()):
                whole = reference_of(cell.data, wanted.split, wanted.half)
                for data in [whole] if recipe is None else parts_of(recipe, whole):
                    check_metrics(wanted.metrics, data)
                    prepare_evaluations(data, EvaluationOptions(features=wanted.features))


def _refuse_measures_of_other_metrics(study: Study) -> None:
    """Before anything is trained: at the end the table would be empty."""
    computed = set(QUICK)
    if study.evaluation.metrics is not None:
        computed = {metric.name for metric in chosen_metrics(study.evaluation.metrics)}
    for wanted in study.measures:
        for name, metric in METRICS.items():
            if metric.output(wanted.name) and name not in computed:
                raise UserError(
                    f"Study {study.name} has the measure {wanted.name!r}, and its evaluation "
                    f"computes {', '.join(sorted(computed))}; name all that it needs, {name} among "
                    f"them, as evaluation: {{metrics: ...}} (scale {study.scale})."
                )


def measure(run: Run, job: Job) -> Measured:
    """A finished run's samples, measured.

    The averaged generator is asked for as many samples as the reference has, at most the study's.
    Each domain of a run over several is measured by itself, as "DOMAIN/MEASURE", and so is each
    twin but the main one, as "TWIN/MEASURE"; beside them stand `head_accuracies`. Raises UserError
    where the reference has other finest classes than the run.
    """

    def measured(twin: Run) -> Measured:
        def sample(reference: Dataset, wanted: Mapping[str, Any]) -> Any:
            count = min(wanted["samples"], largest_part(reference))
            return samples_of(twin, reference, count, wanted["seed"])

        return _measured(sample, job, twin.own_samples)

    found = with_twins({twin.twin_name or "": measured(twin) for twin in run.each_twin()})
    return replace(found, values={**found.values, **head_accuracies(run, job.data)})


def head_accuracies(run: Run, data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """head_accuracy/LEVEL: how often the run's classifiers are right of real images that it has not
    seen: of at most 10,000 of the test split, those that have a label there. Levels that the run
    has made for itself, or orders otherwise, are left out; nothing where there is no such split."""
    if not run.recipe.tasks or run.dataset_info.domains:
        return {}
    try:
        unseen = run.own_samples(reference_of(data, "test"))
    except UserError:  # the study's own measures need no held-out images
        return {}
    if len(unseen) > _MOST_CLASSIFIED:
        rows = np.random.default_rng(0).permutation(len(unseen))[:_MOST_CLASSIFIED]
        unseen = unseen.select(np.sort(rows))
    found = {}
    for level, said in run.classify(unseen.samples[:]).items():
        if not _same_level(level, run.dataset_info.taxonomy, unseen.taxonomy):
            continue
        right = unseen.labels_of(level)
        if (right >= 0).any():
            share = float((said.argmax(1) == right)[right >= 0].mean())
            found[f"head_accuracy/{level}"] = {"value": share, "better": "higher"}
    return found


def _same_level(level: str, one: Taxonomy, other: Taxonomy) -> bool:
    """Whether a level has the same classes in both, of the same finer ones."""

    def meaning(taxonomy: Taxonomy) -> tuple[Any, Any]:
        below = {f: list(p) for f, (above, p) in taxonomy.parents.items() if above == level}
        return taxonomy.classes.get(level), below

    return meaning(one) == meaning(other)


def with_twins(measured: Mapping[str, Measured]) -> Measured:
    """What was measured of each twin, by name, as one; the first is the main one."""
    main, *others = measured.items()
    beside = {f"{twin}/{name}": value for twin, own in others for name, value in own.values.items()}
    return replace(main[1], values={**main[1].values, **beside})


def measure_samples(
    path: Path, job: Job, own: Callable[[Dataset], Dataset] = lambda data: data
) -> Measured:
    """As `measure`, of samples that are there; labels that they have are those asked for. own: the
    part of a reference that they are measured against (Run.own_samples)."""
    samples = as_dataset(path, "the samples")

    def some(reference: Dataset, wanted: Mapping[str, Any]) -> Dataset:
        count = min(wanted["samples"], len(reference), len(samples))
        random = np.random.default_rng(wanted["seed"])
        return samples.select(np.sort(random.permutation(len(samples))[:count]))

    return _measured(some, job, own)


def _measured(
    take: Callable[[Dataset, Mapping[str, Any]], Any],
    job: Job,
    own: Callable[[Dataset], Dataset],
) -> Measured:
    """By all instruments; take: the samples for a reference and an instrument."""
    found = {}
    for name, wanted in _instruments(job.evaluation).items():
        reference = own(reference_of(job.data, wanted["split"], wanted.get("half")))
        found[name] = measured_by(take(reference, wanted), reference, wanted, job.device)
    beside = {
        f"{name}/{key}": value
        for name, one in found.items()
        if name
        for key, value in one.values.items()
    }
    return replace(found[""], values={**found[""].values, **beside})


def measured_by(
    samples: Any, reference: Dataset, wanted: Mapping[str, Any], device: str
) -> Measured:
    """By full scorecards where the instrument names metrics, else by the quick measurement."""
    quick = wanted["metrics"] is None
    options = EvaluationOptions(
        metrics=wanted["metrics"],
        split=None if quick else wanted["split"],
        n=min(wanted["samples"], largest_part(reference)),
        features=wanted["features"],
        seed=wanted["seed"],
        device=device,
        resamples=0,
        corruptions=False,
    )
    cards = (watched if quick else cards_of)(samples, reference, options)
    first = next(iter(cards.values())).protocol
    # As many as were taken, which held-out data may limit.
    taken = {"generated": first.generated, "reference": first.reference}
    named = {"features": wanted["features"], "metrics": wanted["metrics"]}
    whole = quick and len(cards) == 1
    values = {**plain_values(cards), **_scores(cards)}
    return Measured(values, first.as_dict() if whole else {**named, **taken})


def _scores(cards: Mapping[str, Scorecard]) -> dict[str, dict[str, Any]]:
    """The overall figures and axes of cards by domain, as `plain_values` names measures:
    DOMAIN/overall and DOMAIN/axis/NAME."""
    found: dict[str, dict[str, Any]] = {}
    for domain, card in cards.items():
        scores = {f"{AXIS}{name}": axis.score for name, axis in card.axes.items()}
        if card.overall is not None:
            scores["overall"] = card.overall
        before = f"{domain}/" if domain else ""
        found |= {f"{before}{k}": {"value": v, "better": "higher"} for k, v in scores.items()}
    return found
