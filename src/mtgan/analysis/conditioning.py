"""Does the generator follow its labels, and with how much variety in each class?

- GAN-test (Shmelkov et al. 2018): accuracy of a classifier of real data on samples, per level;
- GAN-train (the same), in its linear form, as `mtgan evaluate` has it: a linear probe trained on
  samples alone, tested on real held-out images, beside one trained on as many real images;
- control, class by class: is a class shown more often when it is asked for than when another is?
  Fisher's exact test, Holm-corrected over the classes;
- collapse *within* classes: MS-SSIM of random pairs (Odena et al. 2017), the mean pairwise feature
  distance, and the median distance to the nearest sibling, each against the real class at equal
  counts;
- confusion by superclass.

N: samples; K: classes; D: features.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure

from mtgan.analysis.base import (
    SHOWN_ONLY,
    Images,
    Options,
    Progress,
    Result,
    Table,
    analysis,
    extractor_of,
    held_out_of,
    joined,
    silent,
    spread_rows,
)
from mtgan.analysis.classes import ClassReport, class_reports
from mtgan.analysis.plots import BLUE, ORANGE, RED, SOFT, new_figure, show_grid, side_by_side, tidy
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.features import FeatureBank, extract, label_levels
from mtgan.evaluation.inputs import check_alike, check_labels
from mtgan.evaluation.metrics.superclass_consistency import superclass_consistency
from mtgan.evaluation.metrics.train_on_generated import train_on_generated
from mtgan.training import Run

SHOWN_CLASSES, SHOWN_SAMPLES = 12, 8


@dataclass(frozen=True)
class LevelReport:
    """GAN-test and GAN-train of one label level, each with the real figure; superclasses.

    Attributes:
        gan_test, real_test: Accuracy of the classifier of real data, on samples and held-out data.
        gan_train, real_train: Held-out accuracy of a classifier trained on samples, and of one
            trained on as many real images.
        mistakes_inside, chance: Share of mistakes that stay in the right superclass, and what it
            would be by chance; None without superclass or mistakes.
    """

    level: str
    gan_test: float
    real_test: float
    gan_train: float
    real_train: float
    mistakes_inside: float | None
    chance: float | None


@dataclass(frozen=True)
class Conditioning(Result):
    """How samples follow their labels.

    Attributes:
        level: The level whose classes are reported one by one.
        levels: By level.
        classes: One report per class that was asked for.
        confusion: Shares [requested, predicted] of the superclasses (of classes without any).
        confusion_names: Of its rows and columns.
        samples: Number of samples.
    """

    level: str
    levels: list[LevelReport]
    classes: list[ClassReport]
    confusion: np.ndarray
    confusion_names: list[str]
    samples: int
    grid: Images = field(repr=False, metadata=SHOWN_ONLY)
    grid_rows: list[str] = field(repr=False, metadata=SHOWN_ONLY)

    def named(self, status: str) -> list[str]:
        """Classes of a status; "collapsed" cuts across the others."""
        if status == "collapsed":
            return [report.name for report in self.classes if report.collapsed]
        return [report.name for report in self.classes if report.status == status]

    @property
    def verdict(self) -> str:
        followed = self.named("conditioned")
        parts = [f"Conditioned: {len(followed)} of {len(self.classes)} classes"]
        parts[0] += f" ({joined(followed, 10)})." if followed else "."
        for status, text in (
            ("weak", "Weakly conditioned"),
            ("uncontrolled", "No control over"),
            ("missing", "Missing"),
            ("collapsed", "Collapsed"),
        ):
            if names := self.named(status):
                parts.append(f"{text}: {joined(names, 10)}.")
        if not self.named("collapsed"):
            parts.append("No class collapsed.")
        return " ".join(parts)

    def table(self) -> Table:
        columns = ("level", "GAN-test", "real", "GAN-train", "real", "mistakes inside", "chance")
        rows: list = [
            (
                report.level,
                report.gan_test,
                report.real_test,
                report.gan_train,
                report.real_train,
                report.mistakes_inside,
                report.chance,
            )
            for report in self.levels
        ]
        return Table(columns, rows)

    def figure(self) -> Figure:
        rows = max(len(self.grid_rows), 6)
        figure = new_figure(14, 0.5 * rows + 1.5, self.verdict)
        left, middle, right = side_by_side(figure, 1, 1, 0.8)
        show_grid(left.subplots(), self.grid, SHOWN_SAMPLES, rows=self.grid_rows)
        accuracy, spread = middle.subplots(1, 2, sharey=True)
        place = np.arange(len(self.classes))[::-1]
        accuracy.barh(place, [c.real_accuracy for c in self.classes], color=SOFT, label="real")
        accuracy.barh(
            place, [c.accuracy for c in self.classes], height=0.4, color=BLUE, label="samples"
        )
        accuracy.set_yticks(place, [c.name for c in self.classes], fontsize=8)
        accuracy.legend(fontsize=7, frameon=False, ncols=2, bbox_to_anchor=(1, -0.05))
        tidy(accuracy, "accuracy")
        widths = [c.variety.spread if c.variety else 0.0 for c in self.classes]
        spread.barh(
            place, widths, color=[RED if c.collapsed else ORANGE for c in self.classes], height=0.6
        )
        spread.axvline(1, color=SOFT, linewidth=0.8)
        tidy(spread, "variety (real: 1)")
        axes = right.subplots()
        axes.imshow(self.confusion, cmap="Blues", vmin=0, vmax=1)
        ticks = range(len(self.confusion_names))
        axes.set_xticks(ticks, self.confusion_names, rotation=90, fontsize=7)
        axes.set_yticks(ticks, self.confusion_names, fontsize=7)
        tidy(axes, "confusion", "shown", "asked for")
        return figure


def conditioning(
    samples: Images,
    labels: np.ndarray,
    data: Dataset,
    held_out: Dataset | None = None,
    *,
    level: str | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Conditioning:
    """Judge samples by the labels that they were asked to have.

    Args:
        samples: uint8 [N, C, H, W].
        labels: int64 [N, L], columns as in the data's taxonomy.
        data: Real training data, with labels.
        held_out: Real data that were not trained on; the test split when left out.
        level: Level whose classes are reported; the finest when left out.
        seed: Of draws.
        progress: Called before each part that takes a while.

    Raises:
        UserError: Data without labels; samples or labels that do not fit them.
    """
    check_alike(samples, data.samples)
    check_labels(labels, len(samples), data)
    held_out = held_out or data.load_split("test")
    names = _requested_levels(labels, data, level)
    level = level or names[0]
    extractor = extractor_of(data, "classifier", progress)
    progress("asking the classifier")
    mine = extract(extractor, samples, cache=False)
    real = extract(extractor, np.asarray(held_out.samples))
    as_many = data.select(spread_rows(len(data), len(samples), seed))
    known = extract(extractor, np.asarray(as_many.samples), cache=False)
    reports = []
    for name in names:
        asked, truth = labels[:, data.taxonomy.levels.index(name)], held_out.labels_of(name)
        sets = (mine, asked), (real, truth), (known, as_many.labels_of(name))
        reports.append(_level_report(name, data, *sets, seed))
    progress("comparing classes")
    requested, predicted = labels[:, data.taxonomy.levels.index(level)], _predicted(mine, level)
    unseen, truth = np.asarray(held_out.samples), held_out.labels_of(level)
    classes = class_reports(
        (samples, mine.features, requested, predicted),
        (unseen, real.features, truth, _predicted(real, level)),
        data.taxonomy.classes[level],
        seed,
    )
    confusion, confusion_names = _confusion(data, level, requested, predicted)
    grid, rows = _grid(samples, requested, data.taxonomy.classes[level], classes)
    return Conditioning(
        level, reports, classes, confusion, confusion_names, len(samples), grid, rows
    )


def _requested_levels(labels: np.ndarray, data: Dataset, level: str | None) -> list[str]:
    """Levels with classes to tell apart of which samples were asked to have one, finest first.

    UserError where there are none, or `level` is none of them.
    """
    levels, useful = data.taxonomy.levels, label_levels(data)
    if not useful:
        raise UserError(f"{data.name} has no labels of at least two classes to be conditioned on.")
    found = [name for name in useful if (labels[:, levels.index(name)] >= 0).any()]
    if not found or level not in {None, *found}:
        raise UserError(
            f"The samples were not asked for classes of the level {level or levels[0]!r}, so there "
            "is no conditioning to judge; give the labels that they were asked to have."
        )
    return found


def _predicted(bank: FeatureBank, level: str) -> np.ndarray:
    """The most probable class of each image at a level, int64 [N]."""
    return bank.logits[level].argmax(axis=1)


@analysis(
    "conditioning",
    "are labels followed, class by class, and with how much variety?",
    takes=("n", "step", "seed", "twin"),
)
def of_run(run: Run, options: Options) -> Conditioning:
    data = run.load_data()
    level = next(iter(run.asking(options.step).judged), None)
    if level is None:
        raise UserError(
            f"Recipe {run.recipe.name} trains a generator without labels: there is no conditioning "
            "to judge; take a recipe with generator.conditioning."
        )
    options.progress("drawing samples")
    count = options.count(2000)
    samples, labels = run.sample_with_labels(count, seed=options.seed, step=options.step)
    assert labels is not None
    labels = labels[:, : len(data.taxonomy.levels)]  # without codes
    unseen = held_out_of(run)
    return conditioning(
        samples, labels, data, unseen, level=level, seed=options.seed, progress=options.progress
    )


def _accuracy(wanted: np.ndarray, predicted: np.ndarray) -> float:
    """Share of right predictions where a class is wanted (-1: none)."""
    known = wanted >= 0
    return float((predicted == wanted)[known].mean()) if known.any() else float("nan")


def _level_report(
    level: str,
    data: Dataset,
    mine: tuple[FeatureBank, np.ndarray],
    real: tuple[FeatureBank, np.ndarray],
    training: tuple[FeatureBank, np.ndarray],
    seed: int,
) -> LevelReport:
    """mine, real, training: features of samples, held-out and as many training images, with the
    classes requested, of real images the true ones."""
    (bank, requested), (unseen, truth), (known, learned) = mine, real, training
    predicted = _predicted(bank, level)
    inside = chance = None
    if level in data.taxonomy.parents:
        parents = np.array(data.taxonomy.parents[level][1])
        found = superclass_consistency(predicted, requested, parents)
        inside, chance = found.mistakes_inside, found.chance
    return LevelReport(
        level=level,
        gan_test=_accuracy(requested, predicted),
        real_test=_accuracy(truth, _predicted(unseen, level)),
        gan_train=train_on_generated(bank.features, requested, unseen.features, truth, seed),
        real_train=train_on_generated(known.features, learned, unseen.features, truth, seed),
        mistakes_inside=inside,
        chance=chance,
    )


def _confusion(
    data: Dataset, level: str, requested: np.ndarray, predicted: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Shares [requested, predicted] one level up where there is one."""
    taxonomy = data.taxonomy
    if level in taxonomy.parents:
        parent = taxonomy.parents[level][0]
        requested = taxonomy.ancestors(requested, level, parent)
        predicted = taxonomy.ancestors(predicted, level, parent)
        level = parent
    names = taxonomy.classes[level]
    counts = np.zeros((len(names), len(names)))
    known = requested >= 0
    np.add.at(counts, (requested[known], predicted[known]), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), list(names)


def _grid(
    samples: Images, requested: np.ndarray, names: tuple[str, ...], classes: list[ClassReport]
) -> tuple[Images, list[str]]:
    """A row per class: all where they fit, else the best and the worst by accuracy."""
    chosen = classes
    if len(classes) > SHOWN_CLASSES:
        ranked = sorted(classes, key=lambda report: -report.accuracy)
        chosen = ranked[: SHOWN_CLASSES // 2] + ranked[-SHOWN_CLASSES // 2 :]
    blank = np.full((SHOWN_SAMPLES, *samples.shape[1:]), 255, dtype=np.uint8)
    rows, labels = [], []
    for report in chosen:
        found = samples[requested == names.index(report.name)][:SHOWN_SAMPLES]
        rows.append(np.concatenate([found, blank[len(found) :]]))
        flag = ", collapsed" if report.collapsed else ""
        labels.append(f"{report.name}: {report.accuracy:.0%}{flag}")
    return np.concatenate(rows), labels
