"""The page of a classifier's run: curves of training and validation, accuracies, confusion.

N: test images; K: classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import mtgan
from mtgan import files
from mtgan.analysis.losses import series_of
from mtgan.classification import ClassifierRun
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.scorecard.tables import number
from mtgan.recipes import dump_recipe
from mtgan.reports.charts import confusion_chart, line_chart
from mtgan.reports.page import refuse_other_files
from mtgan.reports.rendering import environment
from mtgan.reports.samples import Picture
from mtgan.text import command, printable

_RESULTS = {
    "test_accuracy": "test accuracy, at the epoch that validation chose",
    "test_cross_entropy": "test cross-entropy, at that epoch",
    "chosen_epoch": "that epoch",
    "maximum_validation_accuracy": "highest validation accuracy of all epochs (flattered)",
    "minimum_validation_cross_entropy": "lowest validation cross-entropy",
    "last_validation_accuracy": "validation accuracy after the last epoch",
    "last_distance": "distance of the shared weights after the last epoch",
}
_MISTAKES = 10  # most frequent ones


@dataclass(frozen=True)
class JudgedImages:
    """What the main task's network says of the test images.

    Attributes:
        levels: Of each level: its name, number of classes, share of the commonest one, accuracy.
        table: Images by their class (row) and the one that they were taken for, int64 [K, K].
        classes: Names of the K classes.
    """

    levels: list[tuple[str, int, float, float]]
    table: np.ndarray
    classes: tuple[str, ...]

    @property
    def mistakes(self) -> list[tuple[str, str, int, float]]:
        """The most frequent ones: class, taken for, how often, and share of that class."""
        wrong = self.table * (1 - np.eye(len(self.table), dtype=np.int64))
        order = np.argsort(-wrong, axis=None, kind="stable")[:_MISTAKES]
        pairs = [divmod(int(place), len(wrong)) for place in order if wrong.flat[place]]
        return [
            (self.classes[i], self.classes[j], int(wrong[i, j]), wrong[i, j] / self.table[i].sum())
            for i, j in pairs
        ]


def tested(run: ClassifierRun) -> JudgedImages:
    """Ask a finished run's network, as of the epoch that validation chose, of all test images.

    A coarser level's class is that in which the predicted class lies. UserError where the data can
    no longer be loaded, or have changed.
    """
    data = _data_of(run)
    test = data.load_split("test").in_order_of(data.taxonomy)
    taxonomy, finest = test.taxonomy, test.taxonomy.levels[0]
    truth, predicted = test.labels_of(finest), run.predict(np.asarray(test.samples))
    known = truth >= 0
    count = taxonomy.num_classes(finest)
    table = np.zeros((count, count), dtype=np.int64)
    np.add.at(table, (truth[known], predicted[known]), 1)
    levels = []
    for level in taxonomy.chain:
        right, found = (taxonomy.ancestors(x[known], finest, level) for x in (truth, predicted))
        commonest = np.bincount(right).max() / len(right)
        levels.append(
            (level, taxonomy.num_classes(level), float(commonest), float((right == found).mean()))
        )
    return JudgedImages(levels, table, taxonomy.classes[finest])


def _data_of(run: ClassifierRun) -> Dataset:
    """The training split, its classes in the run's order."""
    data, other = run.load_data()
    data, _ = run.in_its_order(data, other)
    was = run.recipe.run["data_fingerprint"]
    if data.fingerprint != was:
        raise UserError(
            f"{run.path} was trained on other samples or labels than {data.name} holds now "
            f"(fingerprint {was[:12]}, now {data.fingerprint[:12]})."
        )
    return data


def write_classifier_report(run: ClassifierRun, out: Path | None = None) -> Path:
    """Write the page of a classifier's run to `out` (report.html in its folder), and return its
    path. Accuracies and confusion are those of the test images, once the training is over and
    where the data can still be loaded. UserError where `out` is no page of ours."""
    own = run.path / "report.html"
    out = out or own
    refuse_other_files(out, own)
    page = environment().get_template("classifier.html.j2").render(**classifier_content(run))
    files.write_text(out, printable(page))
    return out


def classifier_content(run: ClassifierRun) -> dict[str, Any]:
    """What the template shows, as plain values."""
    lines = run.metrics()
    found, note = _tested(run)
    return {
        "version": mtgan.__version__,
        "recipe": run.recipe,
        "yaml": dump_recipe(run.recipe),
        "facts": facts_of(run, lines),
        "results": results_of(run),
        "tested": found,
        "confusion": confusion_chart(found.table, found.classes) if found else "",
        "note": note,
        "pictures": curves_of({"": lines}),
        "commands": _commands(run),
    }


def _tested(run: ClassifierRun) -> tuple[JudgedImages | None, str]:
    """What the test images say, or why they say nothing here."""
    if run.result is None:
        return None, "The test images are asked once the training is over."
    try:
        return tested(run), ""
    except UserError as error:
        return None, f"Without accuracies by level and confusion: {error}"


def facts_of(run: ClassifierRun, lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What was trained, as names and values."""
    recipe, recorded, result = run.recipe, run.recipe.run, run.result or {}
    tasks = run.dataset_info["tasks"]
    images = result.get("training_images", {})
    rows = [
        ("recipe", f"{recipe.name} ({recipe.title})" if recipe.title else recipe.name),
        ("source", recipe.source),
        ("data", f"{recorded.get('data_name', '?')}, images of {_size(run)}"),
        ("auxiliary data", recorded.get("auxiliary_data_name", "")),
        (
            "tasks",
            "; ".join(
                f"{name}: {task['level']} ({len(task['classes'])} classes)"
                for name, task in tasks.items()
            ),
        ),
        ("training images", ", ".join(f"{name} {count:,}" for name, count in images.items())),
        ("validation images", f"{result['validation_images']:,}" if result else ""),
        ("test images", f"{result['test_images']:,}" if result else ""),
        ("epochs", f"{len(lines)} of {recipe.training.epochs}"),
        ("batch size", str(recipe.training.batch_size)),
        ("parameters", f"{result['parameters']:,}" if result else ""),
        ("time", f"{lines[-1]['seconds'] / 60:.1f} minutes" if lines else ""),
        ("seed", str(recorded.get("seed", "?"))),
        ("versions", ", ".join(f"{k} {v}" for k, v in recorded.get("versions", {}).items())),
    ]
    return [(name, value) for name, value in rows if value]


def _size(run: ClassifierRun) -> str:
    channels, height, width = run.dataset_info["shape"]
    return f"{height} x {width} in {channels} channel{'s' if channels > 1 else ''}"


def results_of(run: ClassifierRun) -> list[tuple[str, str]]:
    """What result.json says, as names and values."""
    result = run.result or {}
    return [
        (title, f"{value:,}" if isinstance(value, int) else number(value))
        for key, title in _RESULTS.items()
        if (value := result.get(key)) is not None
    ]


def curves_of(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Picture]:
    """Accuracy and cross-entropy of each task over the epochs, and the distance of shared weights.

    logs: by run, in one chart for each value; that of a single run under "", which is drawn on
    training batches and on validation images.
    """
    series = {name: series_of(lines, "epoch") for name, lines in logs.items()}
    pictures = []
    for key in dict.fromkeys(key for values in series.values() for key in values):
        task, _, value = key.rpartition("/")
        if value.startswith("train_") or value == "learning_rate":
            continue
        alone = "validation" if task else value
        drawn = {name or alone: values[key] for name, values in series.items() if key in values}
        training = series.get("", {}).get(f"{task}/train_{value}")
        drawn = {"training": training, **drawn} if training else drawn
        title = " ".join(filter(None, (value.replace("_", "-"), f"({task})" if task else "")))
        chart = line_chart(drawn, title, xlabel="epochs")
        pictures.append(
            Picture(title[0].upper() + title[1:], chart, _caption(task, bool(training)))
        )
    return pictures


def _caption(task: str, both: bool) -> str:
    if not task:
        return "Between the weights of the layers that the tasks share, after each epoch."
    found = "On the validation images, after each epoch."
    return (
        f"{found} Training: the mean over the epoch's batches, as they were learned from, dropout "
        "and augmentation included."
        if both
        else found
    )


def _commands(run: ClassifierRun) -> list[tuple[str, str]]:
    commands = []
    spec = run.recipe.run.get("data")
    if run.result is None and isinstance(spec, dict) and "name" in spec:
        commands.append(("Train on", command("mtgan", "classify", "--resume", run.path)))
    commands.append(("This page again", command("mtgan", "report", run.path)))
    watch = command("tensorboard", "--logdir", run.path / "tensorboard")
    return [*commands, ("Watch the curves", watch)]
