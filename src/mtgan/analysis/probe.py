"""What has the critic learned about the world? A classifier on its frozen features.

The proposal's step 10: features of the trained critic, by layer, under a linear classifier, and the
whole critic fine-tuned, by share of the labels; each against the same network as it is initialized.
The linear probe follows Radford et al. 2016 (DCGAN, section 5.1): every layer's output is
max-pooled to a 4 x 4 grid and flattened; the classifier is ridge regression on +-1 targets, whose
penalty is chosen by leave-one-out error.

A critic with heads has seen the labels of its own data: there, its probes are not label-free.

N: images; C, h, w: a layer's output; K: classes.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from sklearn.linear_model import RidgeClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from mtgan.analysis.base import Images, Options, Progress, Result, Table, analysis, silent
from mtgan.analysis.base import held_out_of as held_out_of_run
from mtgan.analysis.plots import BLUE, SOFT, new_figure, tidy
from mtgan.data import Dataset, load_dataset
from mtgan.data.dataset import stratified_choice
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.nets import Classifier, evaluating
from mtgan.training import Run
from mtgan.training.game import Game

GRID = 4
SHARES = (0.02, 0.1, 1.0)
STEPS, BATCH, RATE = 150, 64, 1e-3
MOST = 4000
"""Images that a probe learns from, and is tested on, at most."""


@dataclass(frozen=True)
class ProbeScore:
    """Test accuracy of one probe, from the critic and from the untrained network.

    Attributes:
        kind: "linear" or "fine-tuned".
        layer: Number of layers that are used (all of them when fine-tuned).
        labels: Number of labeled images.
        critic, scratch: Accuracies.
        margin: Half width of the 95 % interval of their difference, as of two binomials; it covers
            the draw of test images, not the training.
    """

    kind: str
    layer: int
    labels: int
    critic: float
    scratch: float
    margin: float

    @property
    def gain(self) -> float:
        return self.critic - self.scratch


@dataclass(frozen=True)
class Probe(Result):
    """Probes of one critic on one data set.

    Attributes:
        data, level: What is classified.
        classes, tested: Numbers of classes and of test images.
        labels_seen: Whether the critic was trained with labels of this very data set.
        scores: Every probe.
    """

    data: str
    level: str
    classes: int
    tested: int
    labels_seen: bool
    scores: list[ProbeScore]

    @property
    def verdict(self) -> str:
        linear = [s for s in self.scores if s.kind == "linear"]
        best = max(linear, key=lambda s: s.critic)
        parts = [
            f"Linear probes of {self.data} ({self.level}) reach {best.critic:.1%} on the critic's "
            f"layer {best.layer} with {best.labels} labels; the untrained network's same layer "
            f"{best.scratch:.1%}."
        ]
        tuned = [s for s in self.scores if s.kind == "fine-tuned"]
        better = [str(s.labels) for s in tuned if s.gain > s.margin]
        worse = [str(s.labels) for s in tuned if -s.gain > s.margin]
        if better:
            parts.append(f"Fine-tuning the critic beats training anew at {', '.join(better)}.")
        if worse:
            parts.append(f"Training anew beats fine-tuning at {', '.join(worse)}.")
        if tuned and not better and not worse:
            parts.append("No difference between fine-tuning and training anew was found.")
        if self.labels_seen:
            parts.append("The critic was trained with these labels: this is no label-free result.")
        return " ".join(parts)

    def table(self) -> Table:
        rows: list = [
            (s.kind, s.layer, s.labels, s.critic, s.scratch, s.margin) for s in self.scores
        ]
        return Table(("probe", "layer", "labels", "critic", "scratch", "margin"), rows)

    def figure(self) -> Figure:
        figure = new_figure(11, 4.2, self.verdict)
        by_layer, by_labels = figure.subplots(1, 2, sharey=True)
        most = max(s.labels for s in self.scores)
        linear = [s for s in self.scores if s.kind == "linear" and s.labels == most]
        layers = [s.layer for s in linear]
        by_layer.plot(layers, [s.critic for s in linear], "o-", color=BLUE, label="critic")
        by_layer.plot(layers, [s.scratch for s in linear], "o-", color=SOFT, label="untrained")
        by_layer.set_xticks(layers)
        tidy(by_layer, f"linear probe, {most} labels", "layer", "test accuracy")
        tuned = [s for s in self.scores if s.kind == "fine-tuned"]
        last = [s for s in self.scores if s.kind == "linear" and s.layer == max(layers)]
        for scores, style, name in ((tuned, "-", "fine-tuned"), (last, ":", "linear, last layer")):
            x = [s.labels for s in scores]
            by_labels.plot(x, [s.critic for s in scores], f"o{style}", color=BLUE, label=name)
            by_labels.plot(x, [s.scratch for s in scores], f"o{style}", color=SOFT)
        by_labels.set_xscale("log")
        tidy(by_labels, "by number of labels (gray: from scratch)", "labels")
        by_layer.axhline(1 / self.classes, color="black", linewidth=0.5, linestyle="--")
        for axes in (by_layer, by_labels):
            axes.legend(fontsize=8, frameon=False)
        return figure


def probe(
    critic: Sequence[nn.Module],
    scratch: Sequence[nn.Module],
    data: Dataset,
    test: Dataset,
    *,
    level: str | None = None,
    shares: Sequence[float] = SHARES,
    steps: int = STEPS,
    labels_seen: bool = False,
    seed: int = 0,
    progress: Progress = silent,
) -> Probe:
    """Probe a network's layers on labeled data; the layers are left as they are.

    Args:
        critic: Trained layers, in order, [N, C, H, W] in [-1, 1] to features.
        scratch: The same layers untrained.
        data, test: Labeled images to learn from and to be tested on.
        level: Label level; the finest when left out.
        shares: Shares of the labels, in (0, 1].
        steps: Of fine-tuning, each of 64 images.
        labels_seen: Whether the critic was trained with these labels; for the verdict.
        seed: Of draws.
        progress: Called before each part that takes a while.

    Raises:
        UserError: Data without labels.
    """
    if not data.taxonomy.levels:
        raise UserError(f"{data.name} has no labels that a probe could learn.")
    level = level or data.finest_labeled
    images, labels = _labeled(data, level, seed)
    test_images, test_labels = _labeled(test, level, seed)
    count = data.taxonomy.num_classes(level)
    random = np.random.default_rng(seed)
    sizes = sorted({max(2 * count, round(share * len(labels))) for share in shares})
    drawn = [np.sort(stratified_choice(labels, min(n, len(labels)), random)) for n in sizes]
    scores = []
    for depth in range(1, len(critic) + 1):
        progress(f"linear probes of layer {depth}")
        pairs = [
            (pooled_features(layers[:depth], images), pooled_features(layers[:depth], test_images))
            for layers in (critic, scratch)
        ]
        for rows in drawn:
            accuracies = [linear_accuracy(x[rows], labels[rows], y, test_labels) for x, y in pairs]
            scores.append(_score("linear", depth, len(rows), accuracies, len(test_labels)))
    for rows in drawn:
        progress(f"fine-tuning on {len(rows)} labels")
        accuracies = [
            tuned_accuracy(
                layers, images[rows], labels[rows], test_images, test_labels, count, steps, seed
            )
            for layers in (critic, scratch)
        ]
        scores.append(_score("fine-tuned", len(critic), len(rows), accuracies, len(test_labels)))
    return Probe(data.name, level, count, len(test_labels), labels_seen, scores)


@analysis(
    "probe",
    "classifiers on the critic's features, against the same network from scratch",
    takes=("step", "data", "seed", "twin"),
)
def of_run(run: Run, options: Options) -> Probe:
    trained = run.game(options.step)
    fresh = Game(run.recipe, run.dataset_info, seed=options.seed + 1)
    if options.data is None:
        data, test = run.load_data(), held_out_of_run(run)
    else:
        channels, height, width = run.dataset_info.shape
        data, test = (
            load_dataset(options.data, split, size=(height, width), channels=channels)
            for split in ("train", "test")
        )
    labeled = bool(run.recipe.tasks) or run.recipe.discriminator.conditioning != "none"
    return probe(
        list(trained.twin(run.twin_name).discriminator.layers),
        list(fresh.twin(run.twin_name).discriminator.layers),
        data,
        test,
        labels_seen=labeled and options.data is None,
        seed=options.seed,
        progress=options.progress,
    )


@torch.no_grad()
def pooled_features(layers: Sequence[nn.Module], images: Images) -> np.ndarray:
    """Output of the layers, max-pooled to 4 x 4 where it is larger: float32 [N, C * h * w]."""
    network = nn.Sequential(*layers)
    parts = []
    with evaluating(network):
        for start in range(0, len(images), 250):
            x = network(to_floats(images[start : start + 250]))
            if x.dim() == 4 and min(x.shape[2:]) > GRID:
                x = F.adaptive_max_pool2d(x, GRID)
            parts.append(x.flatten(1))
    return torch.cat(parts).numpy()


def linear_accuracy(
    features: np.ndarray, labels: np.ndarray, test_features: np.ndarray, test_labels: np.ndarray
) -> float:
    """Test accuracy of ridge regression on standardized features."""
    model = make_pipeline(StandardScaler(), RidgeClassifierCV(alphas=np.logspace(0, 5, 6)))
    return float(model.fit(features, labels).score(test_features, test_labels))


def tuned_accuracy(
    layers: Sequence[nn.Module],
    images: Images,
    labels: np.ndarray,
    test_images: Images,
    test_labels: np.ndarray,
    classes: int,
    steps: int,
    seed: int,
) -> float:
    """Test accuracy of a copy of the layers with a linear head, all trained by Adam."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = copy.deepcopy(nn.ModuleList(layers))
        with torch.no_grad():
            width = nn.Sequential(*body)(to_floats(images[:2])).flatten(1).shape[1]
        network = Classifier(list(body), width, classes).train()
        optimizer = torch.optim.Adam(network.parameters(), RATE)
        for _ in range(steps):
            rows = torch.randint(len(images), (min(BATCH, len(images)),)).numpy()
            loss = F.cross_entropy(network(to_floats(images[rows])), torch.from_numpy(labels[rows]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        parts = [network(batch).argmax(dim=1) for batch in to_floats(test_images).split(250)]
    return float((torch.cat(parts).numpy() == test_labels).mean())


def _labeled(data: Dataset, level: str, seed: int) -> tuple[Images, np.ndarray]:
    """At most `MOST` images that have a label of this level, drawn evenly."""
    labels = data.labels_of(level)
    rows = np.flatnonzero(labels >= 0)
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:MOST])
    return np.asarray(data.samples[rows]), labels[rows]


def _score(
    kind: str, layer: int, labels: int, accuracies: Sequence[float], tested: int
) -> ProbeScore:
    critic, scratch = accuracies
    variance = (critic * (1 - critic) + scratch * (1 - scratch)) / tested
    return ProbeScore(kind, layer, labels, critic, scratch, 1.96 * variance**0.5)
