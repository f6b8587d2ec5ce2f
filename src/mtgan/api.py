"""The functions at the top of the package: they introduce those to each other who do not know
each other, and take names and paths wherever objects are taken."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtgan.augmenting import Generated
from mtgan.augmenting import augment as augment_data
from mtgan.augmenting.amounts import Rule, as_rule
from mtgan.classification import ClassifierRecipe, ClassifierRun, load_classifier_recipe
from mtgan.classification import classify as train_classifier
from mtgan.classification.tasks import load_auxiliary_data, load_data
from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.evaluation import compare as compare_cards
from mtgan.evaluation import evaluate as evaluate_samples
from mtgan.evaluation.inputs import as_dataset
from mtgan.evaluation.protocol import protocol_rule
from mtgan.evaluation.scorecard import AnyScorecard, CardTable, read_card
from mtgan.exporting import export as export_model
from mtgan.exporting import load
from mtgan.files import read_text
from mtgan.runs import evaluate_run, size_of
from mtgan.studies import Study, load_study
from mtgan.studies.collect import StudyResult
from mtgan.training import Run
from mtgan.training.folders import is_run_folder
from mtgan.training.inputs import usual_folder
from mtgan.training.model import Model
from mtgan.training.run import Step


def as_run(source: Any) -> Run | None:
    """The run that is meant, whole or by its folder; None for anything else."""
    if isinstance(source, Run):
        return source
    named = isinstance(source, str | Path) and is_run_folder(Path(source))
    return Run.open(source) if named else None


def evaluate(
    samples: Any, reference: Dataset | str | Path | Any = None, **options: Any
) -> AnyScorecard:
    """Judge generated samples, or a run, against real data.

    samples: a Run or its folder, or samples as mtgan.evaluation.evaluate takes them. reference:
    real data; of a run, the data set that it was trained on, whole, when None; a name or path is
    read in the size of the run's samples. options: as of mtgan.evaluation.evaluate (metrics,
    features, n, seed, split, protocol, ...), and of a run `step`, a checkpoint by its iteration or
    as "best", and `twin`, one of its twins.

    Raises UserError for samples without a reference, and as mtgan.evaluation.evaluate does.
    """
    run = as_run(samples)
    if run is None:
        if odd := [name for name in ("twin", "step") if name in options]:
            raise UserError(
                f"{' and '.join(odd)} is asked of a run, and samples have none; leave it out."
            )
        if reference is None:
            raise UserError(
                "Samples are judged against real data: evaluate(samples, data). A run alone brings "
                "its own."
            )
        return evaluate_samples(samples, reference, **options)
    if (twin := options.pop("twin", None)) is not None:
        run = run.twin(twin)
    if reference is None or isinstance(reference, Dataset):
        return evaluate_run(run, reference, **options)
    rule = protocol_rule(options.get("protocol", "default"))
    part = rule.reference_split(options.get("split"))
    if isinstance(reference, str | Path):
        real = load_dataset(reference, part, **size_of(run))
    else:
        real = as_dataset(reference, "reference")
    return evaluate_run(run, real, **options)


def classify(
    recipe: ClassifierRecipe | str | Path,
    data: Dataset | str | Path,
    out: str | Path | None = None,
    *,
    overrides: Mapping[str, Any] | None = None,
    auxiliary_data: Dataset | str | Path | None = None,
    seed: int = 0,
    **options: Any,
) -> ClassifierRun:
    """Train a classifier into the run folder `out` (runs/RECIPE-DATA-sSEED when None).

    recipe, data, auxiliary_data: whole, or by name or path; overrides: of a recipe that is named.
    options: as of mtgan.classification.classify (test, resume, device, quiet, log,
    callbacks, max_seconds), with its errors.
    """
    if not isinstance(recipe, ClassifierRecipe):
        recipe = load_classifier_recipe(recipe, dict(overrides or {}))
    elif overrides:
        raise UserError(
            f"The recipe {recipe.name} is whole; name the recipe where there are overrides."
        )
    real = data if isinstance(data, Dataset) else load_data(data, recipe.data)
    other = auxiliary_data
    if isinstance(other, str | Path):
        other = load_auxiliary_data(other, real)
    folder = usual_folder(recipe.name, real.name, seed) if out is None else out
    return train_classifier(recipe, real, folder, auxiliary_data=other, seed=seed, **options)


def export(model: Model | str | Path, out: str | Path, **options: Any) -> Path:
    """Write a trained model to FILE.onnx, FILE.pt2, or a folder that mtgan.load reads.

    model: a run or what mtgan.load gave, whole or by its folder. options: part, twin, step, floats
    and license, as of mtgan.exporting.export, with its errors.
    """
    return export_model(model if isinstance(model, Model) else load(model), out, **options)


def augment(
    model: Model | str | Path,
    data: Dataset | str | Path | None,
    out: str | Path,
    *,
    rule: Rule = "equal",
    twin: str | None = None,
    root: str | Path | None = None,
    taxonomy: str | Path | Mapping[str, Any] | None = None,
    **options: Any,
) -> Generated:
    """Write a training set of real images and a model's into a new folder, and return the latter.

    model: a run or what mtgan.load gave, whole or by its folder. data: the training split; a name
    or path is read in the size of the model's samples, under `root` and `taxonomy` as of
    load_dataset; the data that a run was trained on when None. rule: "equal", "log", or how many
    each class gets. options: balance, threshold, seed, step and device, as of
    mtgan.augmenting.augment, with its errors.
    """
    found = model if isinstance(model, Model) else load(model)
    meant = found if twin is None else found.twin(twin)
    if data is None:
        if not isinstance(meant, Run):
            raise UserError(f"{meant.path} does not say where its data lie; name them by --data.")
        real = meant.load_data()
    elif isinstance(data, Dataset):
        real = data
    else:
        real = load_dataset(data, root=root, taxonomy=taxonomy, **size_of(meant))
    return augment_data(meant, real, out, rule=as_rule(str(rule)), **options)


def study(
    study: Study | str | Path,
    out: str | Path | None = None,
    *,
    scale: str = "full",
    seeds: int | None = None,
    jobs: int = 1,
    device: str = "auto",
) -> StudyResult:
    """Run a study, or go on with it, in processes of this machine, and write its page.

    study: whole, or by its name or file, then with scale and seeds. out: studies/NAME-SCALE when
    None. jobs: runs side by side. Runs that fail are in `failures` of the result. Raises UserError
    as mtgan.studies.study.run_study does, and where no run has finished.
    """
    from mtgan.reports import write_study_report
    from mtgan.studies.execute import LocalExecutor
    from mtgan.studies.people import plan_survey
    from mtgan.studies.plan import make_plan, study_folder
    from mtgan.studies.study import require_results, run_study

    if not isinstance(study, Study):
        study = load_study(study, scale, seeds)
    elif scale != "full" or seeds is not None:
        raise UserError(f"The study {study.name} is whole; give scale and seeds to load_study.")
    folder = study_folder(study) if out is None else Path(out)
    result = run_study(make_plan(study), folder, LocalExecutor(folder / "logs", jobs), device)
    require_results(result)
    write_study_report(result)
    plan_survey(result)
    return result


def report(
    source: Run | StudyResult | str | Path,
    out: str | Path | None = None,
    step: Step = None,
) -> Path:
    """Write the page of a run or a study, whole or by its folder, and return its path.

    step: of a run, the checkpoint whose samples and evaluation are shown: an iteration, or "best";
    the newest when None. UserError where there is no such thing, or the page cannot be written.
    """
    from mtgan.reports import write_pages

    return write_pages(source, None if out is None else Path(out), step)[0]


def compare(cards: Mapping[str, Any] | Sequence[Any]) -> CardTable:
    """One table of several scorecards, a column each, as an object that prints.

    cards: Scorecards, or files that `mtgan evaluate --json` wrote, by title or in a sequence.
    UserError for cards of unlike protocols, and files that hold none.
    """
    if isinstance(cards, Mapping):
        return compare_cards({title: _as_card(card) for title, card in cards.items()})
    titled = {
        str(card) if isinstance(card, str | Path) else f"{i + 1}": _as_card(card)
        for i, card in enumerate(cards)
    }
    return compare_cards(titled)


def _as_card(card: Any) -> AnyScorecard:
    if isinstance(card, str | Path):
        return read_card(read_text(Path(card), "The scorecard"))
    return card
