"""A run judged by what it recorded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtgan import files
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation import Scorecard
from mtgan.evaluation import evaluate as evaluate_samples
from mtgan.evaluation.protocol import protocol_rule
from mtgan.training.run import Run

CARD = "evaluation.json"
_CHECKPOINT = "newest checkpoint, EMA weights"
_GENERATED = 50_000  # samples, at most, where a protocol takes all that there are
_OF_A_DOMAIN = 1_000  # samples, of a run over several


def evaluate_run(run: Run, reference: Dataset | None = None, **options: Any) -> Scorecard:
    """The scorecard of a run's averaged generator at its newest checkpoint.

    reference: real data; the run's own when None, in the split of the protocol (or `split`).
    options: as of mtgan.evaluation.evaluate. UserError for a run over domains (which have measures
    of their own: Run.evaluate_domains), and where the data have changed since the training.
    """
    if run.facts.domains:
        raise UserError(f"{run.path} was trained on domains; judge it by Run.evaluate_domains.")
    rule = protocol_rule(options.get("protocol", "default"))
    if reference is None:
        reference = data_of_run(run, options.get("split") or rule.split or "train")
    n = options.get("n")
    wanted = rule.generated if rule.exact or n is None else n
    count, seed = min(wanted or _GENERATED, len(reference)), options.get("seed", 0)
    samples, labels = run.sample_with_labels(count, seed=seed)
    judged: Any = samples
    if labels is not None:
        judged = Dataset(samples, labels, run.facts.taxonomy, str(run.path), "all")
    return evaluate_samples(judged, reference, **{"checkpoint": _CHECKPOINT, **options})


def evaluate_domains_of(
    run: Run, data: tuple[Dataset, Dataset] | None, n: int | None, **options: Any
) -> dict[str, dict[str, Any]]:
    """Run.evaluate_domains on (training, held-out) data, by default the run's own."""
    training, held_out = data or (data_of_run(run), run.load_data("test"))
    return run.evaluate_domains(training, held_out, _OF_A_DOMAIN if n is None else n, **options)


def data_of_run(run: Run, split: str | None = None) -> Dataset:
    """A split of the run's data, whole; UserError where the training data are not those of then."""
    data, recorded = run.load_data(), run.recipe.run
    if data.fingerprint != recorded["data_fingerprint"]:
        raise UserError(
            f"{run.path} was trained on other samples or labels than {recorded['data_name']} holds "
            f"now (fingerprint {recorded['data_fingerprint'][:12]}, now {data.fingerprint[:12]}); "
            "give the real data by --data (in Python as reference)."
        )
    whole = recorded["data"].get("subset") is None
    return data if whole and split in {None, data.split} else run.load_data(split, whole=True)


def store(run: Run, values: Scorecard | Mapping[str, Any]) -> Path:
    """Keep the newest evaluation of a run in its folder, where its page finds it."""
    text = values.to_json() if isinstance(values, Scorecard) else json.dumps(values, indent=2)
    files.write_text(run.path / CARD, text)
    return run.path / CARD
