"""Runs of classifiers: trained, then tested at the epoch that validation chose."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtgan.classification import ClassifierRecipe, ClassifierRun, classify, load_classifier_recipe
from mtgan.classification.tasks import load_auxiliary_data, split_data
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.files import temporary_folder
from mtgan.studies.identity import CLASSIFIER, identity_of
from mtgan.studies.jobs import Job, Measured, last_values, load_data, with_taxonomy_text
from mtgan.studies.kinds import KINDS
from mtgan.studies.measures import EvaluationPart
from mtgan.studies.schema import Budget, Settings, Study, StudyData, StudyRecipe
from mtgan.training.logs import read_log

if TYPE_CHECKING:
    from mtgan.studies.conclusions import Row
    from mtgan.studies.plan import StudyPlan

# What of a run's result a study compares, and which way it is better.
_MEASURES = {
    "maximum_validation_accuracy": "higher",  # the thesis's number (Table 2.2)
    "minimum_validation_cross_entropy": "lower",
    "test_accuracy": "higher",
    "test_cross_entropy": "lower",
    "last_validation_accuracy": "higher",
    "last_distance": "",
    "parameters": "",
}
_TIMED_BATCHES = 4


class ClassifierJobs:
    """See mtgan.studies.kinds.Kind."""

    unit = "epochs"
    axes: tuple[str, ...] = ("epochs", "seconds")
    record = "measured.json"  # result.json is the run's own
    schema = ClassifierRecipe

    @property
    def found(self) -> Mapping[str, Callable[[Path, Job], Measured]]:
        return {"run": _measure_found}

    def check(self, study: Study) -> None:
        if study.survey is not None:
            raise UserError(
                f"Study {study.name}: survey is for GANs, and a classifier makes no samples; leave "
                "it out."
            )
        for key, default in (("budget", Budget()), ("evaluation", EvaluationPart())):
            if getattr(study, key) != default:
                raise UserError(
                    f"Study {study.name}: {key} is for GANs, and a classifier has epochs and test "
                    "images of its own; put keys of the recipe (training.epochs, data.images) "
                    "under set."
                )

        if study.marks is not None:
            raise UserError(
                f"Study {study.name}: marks are for GANs and scripts; the curves of a classifier "
                "are drawn over its epochs."
            )

    def depends_on_length(self, recipe: ClassifierRecipe) -> bool:
        return True

    def lasting(self, recipe: ClassifierRecipe, length: int) -> ClassifierRecipe:
        training = recipe.training.model_copy(update={"epochs": length})
        return recipe.model_copy(update={"training": training})

    def recipe(self, entry: StudyRecipe, settings: Settings, study: Study) -> ClassifierRecipe:
        return load_classifier_recipe(entry.recipe, {**study.set, **settings})

    def loading(
        self, entry: StudyRecipe | None, data: StudyData, recipe: ClassifierRecipe
    ) -> dict[str, Any]:
        """Arguments of load_dataset, and the name of the auxiliary task's own data set, if any."""
        # As before there were classes, where none are asked for.
        values = data.model_dump(mode="json", exclude=None if data.classes else {"classes"})
        own = recipe.model_dump(mode="json")["data"]
        for key in ("size", "channels"):
            if values[key] is None:
                values[key] = own[key]
        other = entry.auxiliary_data if entry and recipe.sharing.kind != "none" else ""
        return {**values, "auxiliary_data": other}

    def identity(self, recipe: ClassifierRecipe, loading: Mapping[str, Any]) -> list[Any]:
        return [identity_of(recipe, CLASSIFIER), with_taxonomy_text(loading)]

    def length(self, recipe: ClassifierRecipe) -> int:
        return recipe.training.epochs

    def batch(self, recipe: ClassifierRecipe) -> int:
        return recipe.training.batch_size

    def evaluated_every(self, recipe: ClassifierRecipe) -> int:
        return 0

    def run(self, job: Job) -> Iterator[Measured]:
        recipe = ClassifierRecipe.model_validate(job.recipe)
        data, auxiliary = _load(job.data)
        run = classify(
            recipe,
            data,
            job.out,
            auxiliary_data=auxiliary,
            seed=job.seed,
            resume=True,
            device=job.device,
            quiet=True,
        )
        yield measured_classifier(run, data.fingerprint)

    def prepare(self, plan: "StudyPlan") -> None:
        """Every data set is found (or fetched) before anything is trained."""
        seen: list[dict[str, Any]] = []
        for cell in plan.cells:
            if cell.data not in seen:
                seen.append(cell.data)
                _load(cell.data)

    def log(self, folder: Path) -> list[dict[str, Any]]:
        return read_log(folder / "metrics.jsonl")

    def logged(self, recipe: ClassifierRecipe, loading: Mapping[str, Any], device: str) -> set[str]:
        _, lines = _short_run(recipe, loading, device, epochs=1)
        return {name for line in lines for name in line["values"]}

    def pace(self, recipe: ClassifierRecipe, loading: Mapping[str, Any], device: str) -> float:
        """From an epoch of a few batches, by the share of the images that they are."""
        share, lines = _short_run(recipe, loading, device, epochs=2)
        return (lines[1]["seconds"] - lines[0]["seconds"]) / share

    def measured(self, study: Study, protocols: list[Mapping[str, Any]]) -> str:
        counts = sorted({protocol["test"] for protocol in protocols if "test" in protocol})
        images = " or ".join(f"{count:,}" for count in counts) or "the"
        return (
            f"the maximum over epochs is of the validation images; test values are of {images} "
            "test images at the epoch of that maximum"
        )

    def answers(self, study: Study, rows: "Sequence[Row]") -> list[str]:
        return []


KINDS.register("classifier")(ClassifierJobs())


def _load(loading: Mapping[str, Any]) -> tuple[Dataset, Dataset | None]:
    values = dict(loading)
    other = values.pop("auxiliary_data")
    data = load_data(values)
    return data, load_auxiliary_data(other, data) if other else None


def measured_classifier(run: ClassifierRun, fingerprint: str = "") -> Measured:
    """What a finished run has told of its tests and validation."""
    result, lines = run.result, run.metrics()
    assert result is not None
    values = {
        name: {"value": float(result[name]), "better": better}
        for name, better in _MEASURES.items()
        if result[name] is not None
    }
    logged = last_values(lines, "epoch", run.recipe.training.epochs)
    return Measured(
        {**{name: {"value": value, "better": ""} for name, value in logged.items()}, **values},
        {"test": result["test_images"], "validation": result["validation_images"]},
        iterations=run.recipe.training.epochs,
        seconds=result["seconds"],
        fingerprint=fingerprint,
    )


def _measure_found(path: Path, job: Job) -> Measured:
    run = ClassifierRun.open(path)
    if run.result is None:
        raise UserError(f"{path} is not finished; {run.how_to_resume()}.")
    return replace(measured_classifier(run), log=run.metrics())


def _short_run(
    recipe: ClassifierRecipe, loading: Mapping[str, Any], device: str, epochs: int
) -> tuple[float, list[dict[str, Any]]]:
    """The log of a training of a few batches that is thrown away, and of which share of the images
    its epochs are: of those for training and of those for validation."""
    part, (data, auxiliary) = recipe.data, _load(loading)
    whole = split_data(data, part.validation, part.images, part.fraction, 0)
    few = min(len(whole.training), _TIMED_BATCHES * recipe.training.batch_size)
    share = few / len(whole.training)
    held = max(1, round(share * len(whole.validation)))
    smaller = {"validation": held, "images": None, "fraction": 1.0}
    changed = {
        "training": recipe.training.model_copy(update={"epochs": epochs}),
        "data": part.model_copy(update=smaller),
        "auxiliary": recipe.auxiliary.model_copy(update={"images": few}),
    }
    small = data.subset(few + held)
    with temporary_folder() as folder:
        run = classify(
            recipe.model_copy(update=changed),
            small,
            folder / "run",
            test=small,
            auxiliary_data=auxiliary,
            device=device,
            quiet=True,
        )
        return share, run.metrics()
