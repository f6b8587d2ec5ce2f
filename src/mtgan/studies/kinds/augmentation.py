"""Classifiers of real images and of what is added to them: does it help?

Each arm is a classifier's recipe with three parts more: `real`, which training images there are,
`added`, what is added to them, and `generator`, which is trained on the same images. Images for
validation and test are real.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtgan.classification import ClassifierRecipe, ClassifierRun, classify
from mtgan.classification.tasks import split_data
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.studies.augmentation import AUGMENTATIONS, AugmentationRecipe, parts_of, training_set
from mtgan.studies.identity import GAN, identity_of
from mtgan.studies.jobs import Job, Measured, load_data
from mtgan.studies.kinds import KINDS
from mtgan.studies.kinds.classifier import ClassifierJobs, measured_classifier
from mtgan.studies.schema import Settings, Study, StudyRecipe

if TYPE_CHECKING:
    from mtgan.studies.conclusions import Row


class AugmentationJobs(ClassifierJobs):
    """See mtgan.studies.kinds.Kind."""

    schema = AugmentationRecipe

    @property
    def found(self) -> Mapping[str, Callable[[Path, Job], Measured]]:
        return {}

    def check(self, study: Study) -> None:
        super().check(study)
        for entry in study.recipes:
            if entry.auxiliary_data:
                raise UserError(
                    f"Study {study.name}: auxiliary_data of {entry.label!r} is for classifiers of "
                    "two data sets (kind: classifier); leave it out."
                )

    def recipe(self, entry: StudyRecipe, settings: Settings, study: Study) -> AugmentationRecipe:
        found = AUGMENTATIONS.load(entry.recipe, {**study.set, **settings})
        found.generator.resolved()  # or say what is wrong with it now
        return found

    def identity(self, recipe: ClassifierRecipe, loading: Mapping[str, Any]) -> list[Any]:
        """With all that the generator is trained by, where an arm has one."""
        assert isinstance(recipe, AugmentationRecipe)
        trained, loaded = super().identity(recipe, loading)
        used = recipe.added.kind == "generated"
        generator = identity_of(recipe.generator.resolved(), GAN) if used else None
        return [{**trained, "generator": generator}, loaded]

    def run(self, job: Job) -> Iterator[Measured]:
        recipe = AugmentationRecipe.model_validate(job.recipe)
        data, test = (_load(job.data, split) for split in ("train", "test"))
        place = Path(job.out).parents[1]
        whole = training_set(recipe, data, job.seed, place, job.device)
        run = classify(
            recipe.classifier,
            whole,
            job.out,
            test=test,
            seed=job.seed,
            resume=True,
            device=job.device,
            quiet=True,
        )
        found = measured_classifier(run, whole.fingerprint)
        yield replace(found, values={**found.values, **recalls(run, test)})

    def logged(self, recipe: ClassifierRecipe, loading: Mapping[str, Any], device: str) -> set[str]:
        assert isinstance(recipe, AugmentationRecipe)
        return super().logged(recipe.classifier, loading, device)

    def pace(self, recipe: ClassifierRecipe, loading: Mapping[str, Any], device: str) -> float:
        """With the generator's time, as if no other arm had the same."""
        assert isinstance(recipe, AugmentationRecipe)
        data = _load(loading, "train")
        whole = len(split_data(data, recipe.data.validation, None, 1.0, 0).training)
        share = parts_of(recipe, data, 0).epoch / whole
        seconds = share * super().pace(recipe.classifier, loading, device)
        if recipe.added.kind != "generated":
            return seconds
        gan, generator = KINDS.get("gan"), recipe.generator.resolved()
        values = {key: value for key, value in loading.items() if key != "auxiliary_data"}
        trained = gan.pace(generator, values, device) * gan.length(generator)
        return seconds + trained / recipe.training.epochs

    def answers(self, study: Study, rows: Sequence["Row"]) -> list[str]:
        """Whether each arm is better than what it is compared with."""
        pairs = dict.fromkeys((row.first, row.second) for row in rows)
        return [
            _answer(first, second, [r for r in rows if (r.first, r.second) == (first, second)])
            for first, second in pairs
        ]


KINDS.register("augmentation")(AugmentationJobs())


def recalls(run: ClassifierRun, test: Dataset) -> dict[str, dict[str, Any]]:
    """The recall of each class of the main task on test images, and the worst of them."""
    task = run.dataset_info["tasks"]["main"]
    truth, guess = test.labels_of(task["level"]), run.predict(np.asarray(test.samples))
    found = {
        f"recall/{name}": float((guess[truth == k] == k).mean())
        for k, name in enumerate(task["classes"])
        if (truth == k).any()
    }
    values = {"worst_class_recall": min(found.values()), **found}
    return {name: {"value": value, "better": "higher"} for name, value in values.items()}


def _answer(first: str, second: str, rows: Sequence["Row"]) -> str:
    """Yes where a measure is better and none is worse; not shown where no difference was found."""
    verdicts: dict[str, list[str]] = {}
    for row in rows:
        verdicts.setdefault(row.verdict, []).append(row.measure.title)
    better, worse = verdicts.get("better", []), verdicts.get("worse", [])
    told = [f"better: {', '.join(better)}"] * bool(better)
    told += [f"worse: {', '.join(worse)}"] * bool(worse)
    if better and worse:
        word = "In part"
    elif better or worse:
        word = "Yes" if better else "No, it hurts"
    else:
        word = "Not known" if "too few seeds" in verdicts else "Not shown"
        told = [*verdicts]
    return f"Does {first} help, against {second}? {word} ({'; '.join(told)})."


def _load(loading: Mapping[str, Any], split: str) -> Dataset:
    values = {key: value for key, value in loading.items() if key != "auxiliary_data"}
    return load_data({**values, "split": split})
