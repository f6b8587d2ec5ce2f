"""Training and evaluation, which do not know each other, introduced: runs that are evaluated while
they are trained, and afterwards by what they recorded."""

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch

from mtgan import files, training
from mtgan.data import Dataset, Taxonomy
from mtgan.data.domains.parts import largest_part
from mtgan.data.names import class_map
from mtgan.errors import UserError
from mtgan.evaluation import Evaluator, Scorecard
from mtgan.evaluation import evaluate as evaluate_samples
from mtgan.evaluation.data import in_split
from mtgan.evaluation.domains import EvaluationOptions
from mtgan.evaluation.evaluate import watched
from mtgan.evaluation.features import AUTO
from mtgan.evaluation.features.classifier import confusion
from mtgan.evaluation.protocol import protocol_rule
from mtgan.evaluation.scorecard import AnyScorecard
from mtgan.training import Run
from mtgan.training.model import Model
from mtgan.training.run import Step

P = ParamSpec("P")
T = TypeVar("T")

CARD = "evaluation.json"
_GENERATED = 50_000  # samples, at most, where a protocol takes all that there are
_OF_A_DOMAIN = 1_000  # samples, of a run over several


class UsualInstruments:
    """What measures for a training, unless others are handed over (mtgan.training.instruments)."""

    def evaluator(
        self,
        data: Dataset,
        n: int,
        device: torch.device,
        *,
        protocol: str = "training",
        features: str = AUTO,
        metrics: Sequence[str] = (),
    ) -> Evaluator:
        """A protocol's own features are taken where `features` are auto. No card is calibrated."""
        rule = protocol_rule(protocol)
        reference = in_split(data, rule.split or data.split)
        if reference is not data:  # under the levels that the recipe has made
            reference = reference.with_taxonomy(data.taxonomy)
        count = rule.generated if rule.exact and rule.generated else n
        sizes = {"equal": None, "all": len(reference)}
        compared = sizes.get(str(rule.reference), rule.reference)
        return Evaluator(
            reference,
            beside=metrics,
            n=count if compared is None else int(compared),
            generated=None if compared is None else count,
            features=rule.features if features == AUTO else features,
            device=device,
            protocol=protocol,
        )

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


def evaluate_run(
    run: Run, reference: Dataset | None = None, *, step: Step = None, **options: Any
) -> AnyScorecard:
    """The scorecard of a run's averaged generator at its newest checkpoint; of a run with twins,
    of the one that it is as of (Run.twin), else of the main one.

    reference: real data; the run's own when None, in the split of the protocol (or `split`); of
    image sets side by side (mtgan.training.twins.own_level), those of the twin. step:
    another checkpoint, by its iteration or as "best"; its samples are never those by which the best
    one was found, so that the choice does not flatter it. options: as of mtgan.evaluation.evaluate.
    A run over several domains has as many samples of each. UserError where the data have changed
    since the training.
    """
    if options.get("labels") is not None:
        raise UserError(f"{run.path} says itself which labels its samples have: leave labels out.")
    run = run.twin(run.twin_name)
    rule = protocol_rule(options.get("protocol", "default"))
    if reference is None:
        reference = data_of_run(run, rule.reference_split(options.get("split")))
    else:
        reference = run.own_samples(reference)
    n = options.get("n")
    wanted = rule.generated if rule.exact or n is None else n
    count = min(wanted or _GENERATED, largest_part(reference))
    # What the recipe has made of the labels is no instrument: the data's own are.
    own = bool(run.recipe.hierarchy)
    judged = samples_of(run, reference, count, options.get("seed", 0), step, translated=own)
    chosen = "chosen" if isinstance(step, int) else step or "newest"
    stamp = {"checkpoint": f"{chosen} checkpoint, EMA weights", **options}
    card = evaluate_samples(judged, reference, **stamp)
    if run.twins:
        card = card.noted(f"samples of the twin {run.twin_name!r}")
    if step is None:
        return card
    notes = [f"samples of iteration {run.resolve(step):,} of {run.steps[-1]:,}"]
    return card.noted(*notes, *([_on_best(run)] if step == "best" else []))


def _on_best(run: Run) -> str:
    """By what the best step was found, and that it is judged by something else.

    The noise of evaluations during training follows from the run's seed by a hash
    (mtgan.training.gan_snapshots), and that of samples is drawn by their own seed.
    """
    count = sum(line["kind"] == "evaluation" for line in run.metrics())
    return (
        f"it is the best of {count:,} evaluations during training, by its Frechet distance of "
        f"{run.best.frechet_distance:.4g} there; these are other samples, which the choice does "
        "not flatter"
    )


def samples_of(
    run: Run,
    reference: Dataset,
    count: int,
    seed: int,
    step: Step = None,
    *,
    translated: bool = True,
) -> Any:
    """So many samples of a run, of each of its domains, with the labels that they were given;
    translated: as rows of the reference (see reference_labels)."""
    asked = [run.of_domain(domain.name) for domain in run.dataset_info.domains] or [None]
    made = [run.sample(count, labels, seed, step) for labels in asked]
    taxonomy = run.dataset_info.taxonomy
    # Codes, behind the levels of the data, are nothing that can be judged.
    told = [part.labels[:, : len(taxonomy.levels)] for part in made if part.labels is not None]
    numbers = {name: np.concatenate([m.numbers[name] for m in made]) for name in made[0].numbers}
    bare = not told or (told[0] < 0).all()
    if bare and not numbers:
        return np.asarray(made[0])
    rows = np.full((count * len(made), len(taxonomy.levels)), -1) if bare else np.concatenate(told)
    if translated and not bare:
        rows, taxonomy = reference_labels(rows, run, reference), reference.taxonomy
    samples = np.concatenate([np.asarray(part) for part in made])
    domains = run.dataset_info.domains
    name = str(run.path)
    return Dataset(samples, rows, taxonomy, name, "all", domains=domains, numbers=numbers)


def evaluate_domains(
    run: Run, data: tuple[Dataset, Dataset] | None = None, n: int | None = None, **options: Any
) -> dict[str, dict[str, Any]]:
    """Old name of what evaluate_run does, for one release, with plain values and no scores."""
    warnings.warn(
        "mtgan.runs.evaluate_domains(run) is now mtgan.evaluate(run), which gives scorecards.",
        DeprecationWarning,
        stacklevel=2,
    )
    reference = (data or (data_of_run(run),))[0]
    judged = samples_of(run, reference, n or _OF_A_DOMAIN, options.get("seed", 0))
    return plain_values(watched(judged, reference, EvaluationOptions(**options)))


def plain_values(cards: Mapping[str, Scorecard]) -> dict[str, dict[str, Any]]:
    """{"DOMAIN/METRIC": {"value", "better"}} of cards by domain, "METRIC" where it has no name."""
    return {
        f"{domain}/{name}" if domain else name: {"value": entry.value, "better": entry.better}
        for domain, card in cards.items()
        for name, entry in card.entries.items()
    }


def size_of(run: Model) -> dict[str, Any]:
    """With which load_dataset reads other data as a run read its own; domains say it themselves."""
    channels, height, width = run.dataset_info.shape
    return {} if run.dataset_info.domains else {"size": (height, width), "channels": channels}


def data_of_run(run: Run, split: str | None = None) -> Dataset:
    """A split of the run's data, whole (see Run.load_data); UserError where the training data are
    not those of then."""
    data, recorded = Run.open(run.path).load_data(), run.recipe.run
    # Under labels that the recipe makes, the run keeps no fingerprint of the data's own.
    if not run.recipe.hierarchy and data.fingerprint != recorded["data_fingerprint"]:
        raise UserError(
            f"{run.path} was trained on other samples or labels than {recorded['data_name']} holds "
            f"now (fingerprint {recorded['data_fingerprint'][:12]}, now {data.fingerprint[:12]}); "
            "give the real data by --data (in Python as reference)."
        )
    whole = recorded["data"].get("subset") is None
    same = whole and split in {None, data.split}
    return run.own_samples(data) if same else run.load_data(split, whole=True)


def reference_labels(rows: np.ndarray, run: Run, reference: Dataset) -> np.ndarray:
    """Label rows [N, L] of the run as rows of the reference's taxonomy: by the finest class, and at
    the other levels by name where both taxonomies mean the same by them."""
    own, other = run.dataset_info.taxonomy, reference.taxonomy
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


def store(run: Run, card: AnyScorecard, step: Step = None) -> Path:
    """Keep the newest evaluation of a run (or twin) in its folder, where its page finds it; that of
    another checkpoint under a name of its own, evaluation-step-N.json."""
    path = card_path(run, step)
    files.write_text(path, card.to_json())
    return path


def card_path(run: Run, step: Step = None) -> Path:
    """Where the evaluation of a checkpoint is kept."""
    name = CARD if step is None else f"evaluation-step-{run.resolve(step)}.json"
    return run.folder / name
