"""What is known of a training, for `diagnose`: from its log, and from samples of a checkpoint."""

from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.stats import mannwhitneyu

from mtgan.analysis.base import Progress, extractor_of, held_out_of, silent, spread_rows
from mtgan.analysis.classes import class_reports, variety_of
from mtgan.analysis.losses import Series, series_of
from mtgan.analysis.neighbors import neighbors
from mtgan.data import Dataset
from mtgan.data.pixels import to_floats
from mtgan.data.samples import Samples
from mtgan.evaluation.features import extract, label_levels
from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.nets import evaluating
from mtgan.training import Run
from mtgan.training.batches import columns
from mtgan.training.folders import has_diverged
from mtgan.training.game import Game
from mtgan.training.run import Step


@dataclass(frozen=True)
class Evidence:
    """What is known of a training; None (or empty) where it is not known.

    Attributes:
        losses: Whole loss by phase: (steps, values).
        diverged: Whether training was stopped by a loss that was not finite.
        frechet: Frechet distance over training: (steps, values).
        frechet_real: That of held-out real images.
        scores: Mean discriminator score of training images, held-out images and samples.
        score_auc, score_p: P(training image scores above held-out one), Mann-Whitney.
        spread, siblings: Variety of all samples relative to real images; see analysis.Variety.
        collapsed_classes: Names.
        controlled: Share of classes for which asking makes a difference.
        accuracy, real_accuracy: Of the classifier at the level that conditions.
        accuracy_history: accuracy/LEVEL over training: (steps, values).
        copies, copies_p: Share of samples as near to one training image as hardly any held-out
            image is; see analysis.Space.
    """

    losses: dict[str, Series] = field(default_factory=dict)
    diverged: bool = False
    frechet: Series | None = None
    frechet_real: float | None = None
    scores: tuple[float, float, float] | None = None
    score_auc: float | None = None
    score_p: float | None = None
    spread: float | None = None
    siblings: float | None = None
    collapsed_classes: list[str] = field(default_factory=list)
    controlled: float | None = None
    accuracy: float | None = None
    real_accuracy: float | None = None
    accuracy_history: Series | None = None
    copies: float | None = None
    copies_p: float | None = None

    @property
    def score_gap(self) -> float | None:
        """0: held-out images are scored like training images; 1: like samples."""
        if self.scores is None or self.scores[0] == self.scores[2]:
            return None
        train, held_out, fake = self.scores
        return (train - held_out) / (train - fake)


def evidence_of(
    run: Run, n: int = 500, seed: int = 0, step: Step = None, progress: Progress = silent
) -> Evidence:
    """Everything that the rules ask for; from the log alone where there is no checkpoint yet."""
    lines = run.metrics()
    train, evaluated = series_of(lines, "train"), series_of(lines, "evaluation")
    found: dict = {
        "losses": {k.removesuffix("/loss"): v for k, v in train.items() if k.endswith("/loss")},
        "diverged": has_diverged(run.path),
        "frechet": evaluated.get("frechet_distance"),
    }
    if not run.steps:
        return Evidence(**found)
    data, unseen = run.load_data(), held_out_of(run)
    made = run.sample(n, seed=seed, step=step)
    samples, labels = np.asarray(made), made.labels
    held_out = unseen.select(spread_rows(len(unseen), n, seed + 1))
    some = data.select(spread_rows(len(data), n, seed + 2))
    extractor = extractor_of(data, progress=progress)
    progress("measuring variety and scores")
    mine, real, known = (
        extract(extractor, images, cache=False).features
        for images in (samples, held_out.samples, some.samples)
    )
    found["frechet_real"] = frechet_distance(real, known)
    varied = variety_of((samples, mine), (np.asarray(held_out.samples), real), seed)
    if varied is not None:
        found |= {"spread": varied.spread, "siblings": varied.siblings}
    found |= _scores(run.game(step), run.twin_name, some, held_out, made)
    level = next(iter(run.asking(step).judged), None)
    if labels is not None and level in label_levels(data):
        found |= _control(samples, labels, data, unseen, level, seed)
        found["accuracy_history"] = evaluated.get(f"accuracy/{level}")
    progress("looking for copies")
    near = neighbors(samples, data, held_out, n=min(n, 300), shift=1, seed=seed)
    worst = min(near.spaces.values(), key=lambda space: space.copies_p)
    return Evidence(**found, copies=worst.copies, copies_p=worst.copies_p)


def _scores(game: Game, twin: str | None, train: Dataset, held_out: Dataset, made: Samples) -> dict:
    """A discriminator's scores of the three kinds of images."""
    discriminator = game.twin(twin).discriminator
    info = game.dataset_info
    missing = np.full((len(made), len(info.class_levels)), -1)
    labels = missing if made.labels is None else made.labels[:, : missing.shape[1]]
    kinds = (
        (train.samples, info.rows_of(train.labels, train.numbers)),
        (held_out.samples, info.rows_of(held_out.labels, held_out.numbers)),
        (np.asarray(made), info.rows_of(labels, made.numbers)),
    )
    said = []
    with torch.no_grad(), evaluating(discriminator):
        for images, rows in kinds:
            x = to_floats(images)
            y = torch.from_numpy(np.ascontiguousarray(rows))
            parts = [
                discriminator.score(a, columns(b, info.taxonomy.levels))
                for a, b in zip(x.split(250), y.split(250), strict=True)
            ]
            said.append(torch.cat(parts).double().numpy())
    test = mannwhitneyu(said[0], said[1], alternative="greater")
    auc = float(test.statistic) / (len(said[0]) * len(said[1]))
    means = tuple(float(scores.mean()) for scores in said)
    return {"scores": means, "score_auc": auc, "score_p": float(test.pvalue)}


def _control(
    samples: np.ndarray, labels: np.ndarray, data: Dataset, unseen: Dataset, level: str, seed: int
) -> dict:
    """Class by class: collapsed, controlled; and the accuracy at the level that conditions."""
    extractor = extractor_of(data, "classifier")
    mine = extract(extractor, samples, cache=False)
    real = extract(extractor, np.asarray(unseen.samples))
    asked, true = labels[:, data.taxonomy.levels.index(level)], unseen.labels_of(level)
    shown, shown_real = (bank.logits[level].argmax(axis=1) for bank in (mine, real))
    reports = class_reports(
        (samples, mine.features, asked, shown),
        (np.asarray(unseen.samples), real.features, true, shown_real),
        data.taxonomy.classes[level],
        seed,
    )
    return {
        "accuracy": float((shown == asked).mean()),
        "real_accuracy": float((shown_real == true).mean()),
        "controlled": float(np.mean([r.status in {"conditioned", "weak"} for r in reports])),
        "collapsed_classes": [report.name for report in reports if report.collapsed],
    }
