"""A training set of real and generated images, as a folder that load_dataset reads."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mtgan.augmenting.amounts import Rule, amounts, counts_at
from mtgan.augmenting.generated import Generated, generated_for, with_added
from mtgan.data import Dataset
from mtgan.data.export import export_folder
from mtgan.errors import UserError
from mtgan.evaluation.features import FeatureExtractor, FeatureRequest, build_extractor, extract
from mtgan.evaluation.features.fitness import measure_fitness
from mtgan.files import new_folder, write_json
from mtgan.limits import check_number, check_seed
from mtgan.training.devices import choose_device
from mtgan.training.model import Model, Step

ABOUT = "augmentation.json"


def augment(
    model: Model,
    data: Dataset,
    out: str | Path,
    *,
    balance: str | None = None,
    rule: Rule = "equal",
    threshold: float | None = None,
    seed: int = 0,
    step: Step = None,
    device: str = "cpu",
) -> Generated:
    """Write the training set of real images and a model's into a new folder.

    The images lie in train/CLASS, those of the data's test split, all real, in test/CLASS;
    labels.csv has all levels, and says of each image whether it is real; augmentation.json says
    where the others come from.

    Args:
        model: A run, or what mtgan.load gave, of a generator that is told the level.
        data: The training split, of the model's image shape.
        out: A folder that is empty or not there.
        balance: The level whose classes are counted; the finest when None.
        rule: "equal": each class gets as many as the most frequent one has; "log": half of the way
            to that by logarithms; a number: each class gets so many generated ones.
        threshold: Of generated samples those are taken to whose class the judge of
            `mtgan evaluate`, a classifier of the real training images, gives at least this
            probability, in (0, 1).
        seed: Of the samples.
        step: The checkpoint's iteration, or "best"; the newest when None.
        device: Where samples are made.

    Raises:
        UserError: A folder that has something in it, a level without labels, a class that the
            model does not know, nothing to add, a filter that rejects all.
    """
    out = Path(out)
    if out.is_symlink() or out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise UserError(f"{out} exists already; name another, or remove it first.")
    check_seed(seed)
    level, counts = counts_at(data, balance)
    wanted = amounts(counts, rule)
    judged = None if threshold is None else Judged.of(data, level, threshold, device)
    made = generated_for(
        model, data, level, wanted, keep=judged, seed=seed, step=step, device=device
    )
    if not len(made.data):
        raise UserError(
            f"The filter rejects all of {made.tried.sum():,} samples that were made of "
            f"{model.path}; lower the threshold, or train the generator for longer."
        )
    about = {
        "model": str(model.path.resolve()),
        "twin": model.twin_name,
        "recipe": model.recipe.name,
        "model_seed": model.recipe.run.get("seed"),
        "step": model.iteration(step),
        "seed": seed,
        "data": data.name,
        "data_fingerprint": data.fingerprint,
        "level": level,
        "rule": rule,
        "threshold": threshold,
        "judge": "" if judged is None else judged.words(data),
        "classes": _by_class(data, made, counts),
    }
    parts = {"train": with_added(data, made.data)}
    if data.spec and data.split != "all":
        parts["test"] = data.load_split("test")
    with new_folder(out) as folder:
        export_folder(parts, folder)
        write_json(folder / ABOUT, about)
    return made


@dataclass(frozen=True)
class Judged:
    """A filter (mtgan.augmenting.generated.Filter): samples are kept to whose class a judge gives
    at least a probability."""

    judge: FeatureExtractor
    level: str
    threshold: float

    @classmethod
    def of(cls, real: Dataset, level: str, threshold: float, device: str = "cpu") -> "Judged":
        """By the classifier of the real images that also judges runs (`--features classifier`).

        UserError for a threshold out of range, and a level that it does not know.
        """
        check_number("The threshold of the filter", threshold, 0, 1)
        judge = build_extractor(FeatureRequest("classifier", real, device=choose_device(device)))
        if level not in judge.logit_levels:
            raise UserError(
                f"{real.name} has one class of level {level!r}, and the judge of a filter tells "
                "classes apart; name another level, or leave the filter out."
            )
        return cls(judge, level, threshold)

    def __call__(self, samples: np.ndarray, asked: np.ndarray) -> np.ndarray:
        logits = extract(self.judge, samples, cache=False).logits[self.level].astype(np.float64)
        odds = np.exp(logits - logits.max(1, keepdims=True))
        kept: np.ndarray = odds[np.arange(len(asked)), asked] >= self.threshold * odds.sum(1)
        return kept

    def words(self, real: Dataset) -> str:
        """How well the judge recognizes held-out real images, in a sentence."""
        return f"{self.judge.label}, {measure_fitness(self.judge, real)[self.level].sentence()}"


def _by_class(data: Dataset, made: Generated, counts: np.ndarray) -> dict[str, dict[str, int]]:
    names = data.taxonomy.classes[made.level]
    columns = zip(names, counts, made.kept, made.tried, strict=True)
    return {
        name: {"real": int(real), "generated": int(kept), "tried": int(tried)}
        for name, real, kept, tried in columns
    }
