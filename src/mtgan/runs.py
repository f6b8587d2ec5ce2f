"""Training and evaluation, which do not know each other, introduced: runs that are evaluated while
they are trained, and afterwards by what they recorded."""

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch

from mtgan import files, training
from mtgan.data import Dataset, Taxonomy
from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.names import class_map
from mtgan.errors import UserError
from mtgan.evaluation import Evaluator, Scorecard
from mtgan.evaluation import evaluate as evaluate_samples
from mtgan.evaluation.domains import evaluate_domain
from mtgan.evaluation.features.classifier import confusion
from mtgan.evaluation.protocol import protocol_rule
from mtgan.training import Run

P = ParamSpec("P")
T = TypeVar("T")

CARD = "evaluation.json"
_CHECKPOINT = "newest checkpoint, EMA weights"
_GENERATED = 50_000  # samples, at most, where a protocol takes all that there are
_OF_A_DOMAIN = 1_000  # samples, of a run over several


class UsualInstruments:
    """What measures for a training, unless others are handed over; see mtgan.training.instruments.

    The evaluator compares in the features that `auto` takes for the data.
    """

    def evaluator(self, data: Dataset, n: int, device: torch.device) -> Evaluator:
        return Evaluator(data, n=n, device=device)

    def confusion(self, data: Dataset, seed: int) -> np.ndarray:
        """The classifier learns from one half of the labeled samples, and is asked of the other."""
        known = np.flatnonzero(data.labels_of(data.taxonomy.levels[0]) >= 0)
        order = np.random.default_rng(seed).permutation(known)
        learned, asked = (data.select(np.sort(half)) for half in (order[::2], order[1::2]))
        return confusion(learned, asked, seed)


def _measured(function: Callable[P, T]) -> Callable[P, T]:
    """The function, with the usual instruments where no others are handed over."""

    @functools.wraps(function)
    def measured(*args: P.args, **options: P.kwargs) -> T:
        options.setdefault("instruments", UsualInstruments())
        return function(*args, **options)

    return measured


train = _measured(training.train)


def evaluate_run(run: Run, reference: Dataset | None = None, **options: Any) -> Scorecard:
    """The scorecard of a run's averaged generator at its newest checkpoint.

    reference: real data; the run's own when None, in the split of the protocol (or `split`).
    options: as of mtgan.evaluation.evaluate. UserError for a run over domains, each of which has
    metrics of its own (see evaluate_domains), and where the data have changed since the training.
    """
    if run.facts.domains:
        raise UserError(
            f"{run.path} was trained on several domains, each of which is judged by metrics of its "
            "own; take mtgan evaluate RUN, or mtgan.runs.evaluate_domains(run)."
        )
    rule = protocol_rule(options.get("protocol", "default"))
    if reference is None:
        reference = data_of_run(run, rule.reference_split(options.get("split")))
    n = options.get("n")
    wanted = rule.generated if rule.exact or n is None else n
    count, seed = min(wanted or _GENERATED, len(reference)), options.get("seed", 0)
    samples, labels = run.sample_with_labels(count, seed=seed)
    judged: Any = samples
    if labels is not None:
        taxonomy = run.facts.taxonomy
        if run.recipe.hierarchy:
            # What the recipe has made of the labels is no instrument: the data's own are.
            labels, taxonomy = reference_labels(labels, run, reference), reference.taxonomy
        judged = Dataset(np.asarray(samples), labels, taxonomy, str(run.path), "all")
    return evaluate_samples(judged, reference, **{"checkpoint": _CHECKPOINT, **options})


def evaluate_domains(
    run: Run, data: tuple[Dataset, Dataset] | None = None, n: int | None = None, **options: Any
) -> dict[str, dict[str, Any]]:
    """{"DOMAIN/METRIC": {"value", "better"}} of n samples of each domain of a run.

    data: training and held-out data, by default the run's own. n: 1,000 when None. options and
    errors as of mtgan.evaluation.domains.evaluate_domain.
    """
    training_data, held_out = data or (data_of_run(run), run.load_data("test"))
    training_data = training_data.in_order_of(run.facts.taxonomy)
    values: dict[str, dict[str, Any]] = {}
    for domain in run.facts.domains:
        asked = {DOMAIN_LEVEL: domain.name} if len(run.facts.domains) > 1 else None
        canvases, rows = run.sample_with_labels(n or _OF_A_DOMAIN, asked, options.get("seed", 0))
        values |= evaluate_domain(domain, canvases, rows, training_data, held_out, **options)
    return values


def data_of_run(run: Run, split: str | None = None) -> Dataset:
    """A split of the run's data, whole; UserError where the training data are not those of then."""
    data, recorded = run.load_data(), run.recipe.run
    # Under labels that the recipe makes, the run keeps no fingerprint of the data's own.
    if not run.recipe.hierarchy and data.fingerprint != recorded["data_fingerprint"]:
        raise UserError(
            f"{run.path} was trained on other samples or labels than {recorded['data_name']} holds "
            f"now (fingerprint {recorded['data_fingerprint'][:12]}, now {data.fingerprint[:12]}); "
            "give the real data by --data (in Python as reference)."
        )
    whole = recorded["data"].get("subset") is None
    return data if whole and split in {None, data.split} else run.load_data(split, whole=True)


def reference_labels(rows: np.ndarray, run: Run, reference: Dataset) -> np.ndarray:
    """Label rows [N, L] of the run as rows of the reference's taxonomy: by the finest class, and at
    the other levels by name where both taxonomies mean the same by them."""
    own, other = run.facts.taxonomy, reference.taxonomy
    theirs = other.classes[other.levels[0]] if other.levels else ()
    table = class_map(own.classes[own.levels[0]], theirs)
    if (table[:-1] < 0).any() or len(table) - 1 != len(theirs):
        raise UserError(
            f"{run.path} was trained on other finest classes than {reference.name} has, so its "
            "samples cannot be measured against it."
        )
    found = other.label_rows(table[rows[:, 0]])
    meant = _meanings(own)
    for column, level in enumerate(other.levels):
        if meant.get(level) == _meanings(other)[level]:
            index = class_map(own.classes[level], other.classes[level])
            labels = index[rows[:, own.levels.index(level)]]
            found[:, column] = np.where(found[:, column] >= 0, found[:, column], labels)
    return found


def _meanings(taxonomy: Taxonomy) -> dict[str, Any]:
    """What each level means: its classes, and which finer ones lie in them."""
    named = taxonomy.by_names()
    return {
        level: (
            set(classes),
            {finer: parents for finer, (above, parents) in named.items() if above == level},
        )
        for level, (_, classes) in named.items()
    }


def store(run: Run, values: Scorecard | Mapping[str, Any]) -> Path:
    """Keep the newest evaluation of a run in its folder, where its page finds it."""
    text = values.to_json() if isinstance(values, Scorecard) else json.dumps(values, indent=2)
    files.write_text(run.path / CARD, text)
    return run.path / CARD
