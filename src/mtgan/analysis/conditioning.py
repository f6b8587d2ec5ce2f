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

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.distance import pdist, squareform
from scipy.stats import fisher_exact

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
from mtgan.analysis.plots import BLUE, ORANGE, RED, SOFT, new_figure, show_grid, side_by_side, tidy
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.features import extract, label_levels
from mtgan.evaluation.inputs import check_alike, check_labels
from mtgan.evaluation.metrics.ms_ssim import ms_ssim
from mtgan.evaluation.metrics.superclass_consistency import superclass_consistency
from mtgan.evaluation.metrics.train_on_generated import train_on_generated
from mtgan.training import Run

ALPHA = 0.01
FOLLOWED = 0.5
"""A class is conditioned when its accuracy is at least this share of real images' accuracy."""
MISSING = 0.1
"""A class is missing when samples show it less often than this share of what real images do."""
COLLAPSED_SPREAD = 0.5
"""Pairwise feature distance, as a share of the real class's, below which variety is lost ..."""
COLLAPSED_SIMILARITY = 0.5
"""... if MS-SSIM has gone further than this share of the way from the real class's to 1."""
COLLAPSED_SIBLINGS = 0.2
"""Distance to the nearest sibling, as a share of the real class's: below it, samples repeat."""
PER_CLASS = 100
SHOWN_CLASSES, SHOWN_SAMPLES = 12, 8


@dataclass(frozen=True)
class Variety:
    """Of one class, each figure relative to real images of it.

    Attributes:
        spread: Mean pairwise feature distance over the real one; 1 is as real.
        similarity: (MS-SSIM - real) / (1 - real): 0 is as real, 1 is one image repeated; None
            for images too small for it.
        siblings: Median distance to the nearest sample of the class over the real one.
    """

    spread: float
    similarity: float | None
    siblings: float

    @property
    def collapsed(self) -> bool:
        alike = self.similarity is None or self.similarity > COLLAPSED_SIMILARITY
        return (self.spread < COLLAPSED_SPREAD and alike) or self.siblings < COLLAPSED_SIBLINGS


@dataclass(frozen=True)
class ClassReport:
    """One class.

    Attributes:
        status: conditioned, weak (followed, by less than half of real accuracy), uncontrolled (the
            label makes no difference) or missing (hardly ever shown).
        accuracy, real_accuracy: Of the classifier, on samples asked for it and on held-out images.
        control_p: Fisher's exact test that asking for the class matters, Holm-corrected.
        variety: None where fewer than eight samples or real images are there to compare.
        shown_as: The class that its samples are taken for most often.
    """

    name: str
    samples: int
    status: str
    accuracy: float
    real_accuracy: float
    control_p: float
    variety: Variety | None
    shown_as: str

    @property
    def collapsed(self) -> bool:
        return self.variety is not None and self.variety.collapsed


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
        confusion: Shares [asked, shown] of the superclasses (of the classes where there are none).
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
            return [each.name for each in self.classes if each.collapsed]
        return [each.name for each in self.classes if each.status == status]

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
                each.level,
                each.gan_test,
                each.real_test,
                each.gan_train,
                each.real_train,
                each.mistakes_inside,
                each.chance,
            )
            for each in self.levels
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
    levels = data.taxonomy.levels
    asked_levels = {each for i, each in enumerate(levels) if (labels[:, i] >= 0).any()}
    names = [each for each in label_levels(data) if each in asked_levels]
    if not label_levels(data):
        raise UserError(f"{data.name} has no labels of at least two classes to be conditioned on.")
    if not names or level not in {None, *names}:
        raise UserError(
            f"The samples were not asked for classes of the level {level or levels[0]!r}, so there "
            "is no conditioning to judge; give the labels that they were asked to have."
        )
    level = level or names[0]
    extractor = extractor_of(data, "classifier", progress)
    progress("asking the classifier")
    mine = extract(extractor, samples, cache=False)
    real = extract(extractor, np.asarray(held_out.samples))
    shown = {each: mine.logits[each].argmax(axis=1) for each in names}
    shown_real = {each: real.logits[each].argmax(axis=1) for each in names}
    as_many = data.select(spread_rows(len(data), len(samples), seed))
    known = extract(extractor, np.asarray(as_many.samples), cache=False).features
    reports = []
    for each in names:
        own, truth = labels[:, levels.index(each)], held_out.labels_of(each)
        learned = [
            train_on_generated(mine.features, own, real.features, truth, seed),
            train_on_generated(known, as_many.labels_of(each), real.features, truth, seed),
        ]
        reports.append(
            _level_report(each, data, labels, shown[each], held_out, shown_real[each], learned)
        )
    progress("comparing classes")
    classes = class_reports(
        (samples, mine.features, labels[:, data.taxonomy.levels.index(level)], shown[level]),
        (
            np.asarray(held_out.samples),
            real.features,
            held_out.labels_of(level),
            shown_real[level],
        ),
        data.taxonomy.classes[level],
        seed,
    )
    asked = labels[:, data.taxonomy.levels.index(level)]
    confusion, confusion_names = _confusion(data, level, asked, shown[level])
    grid, rows = _grid(samples, asked, data.taxonomy.classes[level], classes)
    return Conditioning(
        level, reports, classes, confusion, confusion_names, len(samples), grid, rows
    )


@analysis(
    "conditioning",
    "are labels followed, class by class, and with how much variety?",
    takes=("n", "step", "seed"),
)
def of_run(run: Run, options: Options) -> Conditioning:
    data = run.load_data()
    level = next(iter(run.game(options.step).asking().judged), None)
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


def _accuracy(shown: np.ndarray, asked: np.ndarray) -> float:
    known = asked >= 0
    return float((shown == asked)[known].mean()) if known.any() else float("nan")


def _level_report(
    level: str,
    data: Dataset,
    labels: np.ndarray,
    shown: np.ndarray,
    held_out: Dataset,
    shown_real: np.ndarray,
    learned: Sequence[float],
) -> LevelReport:
    asked = labels[:, data.taxonomy.levels.index(level)]
    inside = chance = None
    if level in data.taxonomy.parents:
        found = superclass_consistency(shown, asked, np.array(data.taxonomy.parents[level][1]))
        inside, chance = found.mistakes_inside, found.chance
    return LevelReport(
        level=level,
        gan_test=_accuracy(shown, asked),
        real_test=_accuracy(shown_real, held_out.labels_of(level)),
        gan_train=learned[0],
        real_train=learned[1],
        mistakes_inside=inside,
        chance=chance,
    )


Side = tuple[Images, np.ndarray, np.ndarray, np.ndarray]
"""Images, features, classes asked for (or true), classes shown."""


def class_reports(mine: Side, real: Side, names: tuple[str, ...], seed: int) -> list[ClassReport]:
    _, _, asked, shown = mine
    _, _, true, shown_real = real
    present = np.unique(asked[asked >= 0]).tolist()
    p_values = holm([control_p(asked, shown, each) for each in present])
    reports = []
    for each, p in zip(present, p_values, strict=True):
        rows, real_rows = asked == each, true == each
        accuracy = float((shown[rows] == each).mean())
        real_accuracy = float((shown_real[real_rows] == each).mean()) if real_rows.any() else 1.0
        usual = float((shown_real == each).mean())
        status = class_status(accuracy, real_accuracy, p, float((shown == each).mean()), usual)
        reports.append(
            ClassReport(
                name=names[each],
                samples=int(rows.sum()),
                status=status,
                accuracy=accuracy,
                real_accuracy=real_accuracy,
                control_p=p,
                variety=variety_of(
                    (mine[0][rows], mine[1][rows]), (real[0][real_rows], real[1][real_rows]), seed
                ),
                shown_as=names[int(np.bincount(shown[rows]).argmax())],
            )
        )
    return reports


def class_status(accuracy: float, real: float, p: float, shown: float, usual: float) -> str:
    """The status of a class; see ClassReport. shown, usual: its share of samples and of real."""
    if shown < MISSING * usual:
        return "missing"
    if p >= ALPHA:
        return "uncontrolled"
    return "conditioned" if accuracy >= FOLLOWED * real else "weak"


def control_p(asked: np.ndarray, shown: np.ndarray, each: int) -> float:
    """Fisher's exact test: is the class shown more often when it is asked for than when not?"""
    hit, mine = shown == each, asked == each
    table = [
        [int((hit & mine).sum()), int((~hit & mine).sum())],
        [int((hit & ~mine).sum()), int((~hit & ~mine).sum())],
    ]
    return float(fisher_exact(table, alternative="greater")[1])


def holm(p_values: list[float]) -> list[float]:
    """Holm's step-down correction (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    scaled = np.array(p_values)[order] * (len(p_values) - np.arange(len(p_values)))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return corrected.tolist()


def variety_of(
    mine: tuple[Images, np.ndarray], real: tuple[Images, np.ndarray], seed: int
) -> Variety | None:
    """Of one class at equal counts of both sides; None below eight."""
    count = min(len(mine[0]), len(real[0]), PER_CLASS)
    if count < 8:
        return None
    figures = []
    for images, features in (mine, real):
        rows = spread_rows(len(images), count, seed)
        distances = squareform(pdist(features[rows].astype(np.float64)))
        spread = distances.sum() / (count * (count - 1))
        np.fill_diagonal(distances, np.inf)
        similarity = ms_ssim(images[rows], pairs=100, seed=seed).value if _fits(images) else None
        figures.append((spread, similarity, float(np.median(distances.min(axis=1)))))
    (spread, alike, sibling), (usual, real_alike, real_sibling) = figures
    tiny = np.finfo(float).tiny
    similarity = None
    if alike is not None and real_alike is not None:
        similarity = (alike - real_alike) / max(1 - real_alike, 1e-9)
    return Variety(spread / max(usual, tiny), similarity, sibling / max(real_sibling, tiny))


def _fits(images: Images) -> bool:
    """Whether MS-SSIM is defined."""
    return min(images.shape[2:]) >= 8


def _confusion(
    data: Dataset, level: str, asked: np.ndarray, shown: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Shares [asked, shown] one level up where there is one."""
    taxonomy = data.taxonomy
    if level in taxonomy.parents:
        parent = taxonomy.parents[level][0]
        asked, shown = (taxonomy.lift(each, level, parent) for each in (asked, shown))
        level = parent
    names = taxonomy.classes[level]
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (asked[asked >= 0], shown[asked >= 0]), 1)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), list(names)


def _grid(
    samples: Images, asked: np.ndarray, names: tuple[str, ...], classes: list[ClassReport]
) -> tuple[Images, list[str]]:
    """A row per class: all where they fit, else the best and the worst by accuracy."""
    chosen = classes
    if len(classes) > SHOWN_CLASSES:
        ranked = sorted(classes, key=lambda each: -each.accuracy)
        chosen = ranked[: SHOWN_CLASSES // 2] + ranked[-SHOWN_CLASSES // 2 :]
    blank = np.full((SHOWN_SAMPLES, *samples.shape[1:]), 255, dtype=np.uint8)
    rows, labels = [], []
    for each in chosen:
        found = samples[asked == names.index(each.name)][:SHOWN_SAMPLES]
        rows.append(np.concatenate([found, blank[len(found) :]]))
        flag = ", collapsed" if each.collapsed else ""
        labels.append(f"{each.name}: {each.accuracy:.0%}{flag}")
    return np.concatenate(rows), labels
