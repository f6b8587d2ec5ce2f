"""Does the generator replay its training images? Nearest neighbors, with a p-value.

The thesis (5.0.6, Figure 5.13) shows the nearest training image by gray pixels, and objects that a
shifted copy would escape. So three spaces: gray pixels; gray pixels of the middle of the image
under every shift of a few pixels and mirroring; features. In each, held-out *real* images stand
beside the samples, and two questions are asked:

- closer? Are samples closer to the training set than held-out images: Mann-Whitney, the statistic
  behind C_T of Meehan et al. 2020. A warning only: lost variety brings samples closer too.
- copies? A copy is far nearer to *one* training image than to the next ones. The distance to the
  nearest is divided by the mean distance to the following ones (as Carlini et al. 2023, "Extracting
  training data from diffusion models", section 4.2, do), in which blur cancels. Samples below the
  held-out images' lowest percent are counted, and the count is judged by the exact precedence test
  (Nelson 1963): under exchangeability, how many of N samples fall below the r-th lowest of H
  held-out values is negative hypergeometric.

N: samples; T: training images; H: held-out images; K: neighbors.
"""

from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import hypergeom, mannwhitneyu

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
    silent,
    spread_rows,
)
from mtgan.analysis.nearest_images import (
    Near,
    nearest_by_features,
    nearest_by_gray,
    nearest_by_shift,
)
from mtgan.analysis.plots import BLUE, SOFT, new_figure, show_grid, side_by_side, tidy
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.evaluation.features import extract
from mtgan.evaluation.inputs import Images as ImageSource
from mtgan.evaluation.inputs import as_dataset, check_alike
from mtgan.evaluation.metrics.authenticity import authenticity
from mtgan.evaluation.metrics.data_copying import data_copying, mann_whitney_z
from mtgan.training import Run
from mtgan.training.run import Step

ALPHA = 0.01
"""Level of the verdict, over all spaces together (Bonferroni)."""

TAIL = 0.01
"""Share of held-out images below which a relative distance counts as a copy's."""


SHOWN = 8


@dataclass(frozen=True)
class Space:
    """Samples against held-out images in one space.

    Attributes:
        name: gray, shifted, or the feature space.
        distance, held_out_distance: Median distance to the nearest training image.
        closer_z, closer_p: Mann-Whitney of the distances; z far below 0 is closer.
        relative, held_out_relative: Median relative distance.
        copies: Share of samples below the held-out images' lowest percent of relative distance.
        expected: That share for held-out images.
        copies_p: Of the precedence test.
    """

    name: str
    distance: float
    held_out_distance: float
    closer_z: float
    closer_p: float
    relative: float
    held_out_relative: float
    copies: float
    expected: float
    copies_p: float
    samples: Near = field(repr=False, metadata=SHOWN_ONLY)
    held_out: Near = field(repr=False, metadata=SHOWN_ONLY)


@dataclass(frozen=True)
class Neighbors(Result):
    """Samples and their nearest training images.

    Attributes:
        samples, training, held_out: N, T, H.
        spaces: By name.
        memorizing: Whether copies are significant in any space, at `ALPHA` over all of them.
        c_t: Meehan et al.'s C_T in feature space; None where no cell can be judged.
        authentic, held_out_authentic: Share of samples, and of held-out images, farther from the
            nearest training image than that one is from its own nearest (Alaa et al. 2022).
        suspects: Rows of the samples with the lowest relative distance, most suspicious first.
        pictures: [suspect, nearest in each space] uint8 [S, 1 + spaces, C, H, W].
    """

    samples: int
    training: int
    held_out: int
    spaces: dict[str, Space]
    memorizing: bool
    c_t: float | None
    authentic: float
    held_out_authentic: float
    suspects: list[int]
    pictures: Images = field(repr=False, metadata=SHOWN_ONLY)

    @property
    def verdict(self) -> str:
        level = ALPHA / len(self.spaces)
        caught = [space for space in self.spaces.values() if space.copies_p < level]
        if caught:
            worst = max(caught, key=lambda space: space.copies)
            return (
                f"Memorizing: {worst.copies:.0%} of {self.samples} samples are as near to a single "
                f"training image ({worst.name}) as {worst.expected:.1%} of held-out real images "
                f"are (p = {worst.copies_p:.1g})."
            )
        closer = [space.name for space in self.spaces.values() if space.closer_p < level]
        if closer:
            return (
                f"No copies found among {self.samples} samples. They lie closer to the training "
                f"set than held-out real images do ({', '.join(closer)}), which lost "
                "variety brings about as well."
            )
        return (
            f"No sign of memorizing: {self.samples} samples are no closer to the training set "
            f"than {self.held_out} held-out real images."
        )

    def table(self) -> Table:
        columns = ("space", "distance", "held out", "p closer", "copies", "expected", "p copies")
        rows: list = [
            (s.name, s.distance, s.held_out_distance, s.closer_p, s.copies, s.expected, s.copies_p)
            for s in self.spaces.values()
        ]
        return Table(columns, rows)

    def figure(self) -> Figure:
        figure = new_figure(12, 6.4, self.verdict)
        left, right = side_by_side(figure, 1, 1.25)
        count, columns = self.pictures.shape[:2]
        show_grid(
            left.subplots(),
            self.pictures.reshape(count * columns, *self.pictures.shape[2:]),
            columns,
            "the samples nearest to one training image",
            heads=["sample", *self.spaces],
        )
        for row, space in zip(
            right.subplots(len(self.spaces), 2, squeeze=False), self.spaces.values(), strict=True
        ):
            pairs = (space.samples, space.held_out)
            both = [near.distances for near in pairs], [near.relative for near in pairs]
            for axes, values, name in zip(
                row, both, ("distance", "relative distance"), strict=True
            ):
                bins = np.histogram_bin_edges(np.concatenate(values), 40).tolist()
                style = {"bins": bins, "density": True}
                axes.hist(values[1], color=SOFT, label="held-out real", **style)
                axes.hist(values[0], histtype="step", color=BLUE, label="samples", **style)
                tidy(axes, f"{space.name}: {name} to the nearest")
                axes.set_yticks([])
        right.axes[0].legend(fontsize=8, frameon=False)
        return figure


def neighbors(
    subject: Run | Images,
    data: ImageSource | None = None,
    held_out: ImageSource | None = None,
    *,
    n: int = 500,
    shift: int = 2,
    features: str = "auto",
    seed: int = 0,
    step: Step = None,
    progress: Progress = silent,
) -> Neighbors:
    """Nearest training images of samples, beside those of held-out real images.

    Args:
        subject: A run, or generated images uint8 [N, C, H, W].
        data: The training images; the run's own when left out.
        held_out: Real images that were not trained on; the other split when left out.
        n: Samples and held-out images that are looked at, at most.
        shift: Translations of so many pixels each way count as copies.
        features: Feature space by name, or "auto".
        seed: Of samples and draws.
        step: Checkpoint of a run.
        progress: Called before each part that takes a while.

    Raises:
        UserError: Images without data, sets of unlike shape, images too small for the shift.
    """
    images, train, unseen = _material(subject, data, held_out, n, seed, step)
    if min(train.shape[1:]) <= 2 * shift:
        raise UserError(f"A shift of {shift} px leaves nothing of {train.shape[1:]}: lower it.")
    extractor = extractor_of(train, features, progress)
    progress("taking features")
    known, near, usual = (
        extract(extractor, part, cache=False).features for part in (train.samples, images, unseen)
    )
    spaces = _by_pixels(images, unseen, train.samples, shift, progress)
    pair = (nearest_by_features(part, known) for part in (near, usual))
    spaces[extractor.name] = compare(extractor.name, *pair)
    try:
        c_t = data_copying(near, known, usual, seed=seed).value
    except UserError:  # too few samples for cells
        c_t = None
    lowest = np.min([space.samples.relative for space in spaces.values()], axis=0)
    suspects = np.argsort(lowest, kind="stable")[:SHOWN]
    return Neighbors(
        samples=len(images),
        training=len(train),
        held_out=len(unseen),
        spaces=spaces,
        memorizing=any(s.copies_p < ALPHA / len(spaces) for s in spaces.values()),
        c_t=c_t,
        authentic=authenticity(near, known),
        held_out_authentic=authenticity(usual, known),
        suspects=suspects.tolist(),
        pictures=_pictures(images, train, suspects, list(spaces.values())),
    )


def _by_pixels(
    images: Images, unseen: Images, training: Images, shift: int, progress: Progress
) -> dict[str, Space]:
    """The nearest training images by gray pixels, as they lie and shifted."""
    spaces = {}
    for name, find in (
        ("gray", lambda part: nearest_by_gray(part, training)),
        ("shifted", lambda part: nearest_by_shift(part, training, shift)),
    ):
        progress(f"looking for the nearest training images ({name})")
        spaces[name] = compare(name, find(images), find(unseen))
    return spaces


@analysis(
    "neighbors",
    "nearest training images: does the generator replay them?",
    takes=("n", "step", "features", "seed", "twin"),
)
def of_run(run: Run, options: Options) -> Neighbors:
    return neighbors(
        run,
        n=options.count(500),
        features=options.features,
        seed=options.seed,
        step=options.step,
        progress=options.progress,
    )


def compare(name: str, samples: Near, held_out: Near) -> Space:
    """Both questions, in one space."""
    relative, usual = samples.relative, np.sort(held_out.relative)
    rank = max(1, round(TAIL * len(usual)))
    copies = int((relative < usual[rank - 1]).sum())
    test = mannwhitneyu(samples.distances, held_out.distances, alternative="less")
    return Space(
        name=name,
        distance=float(np.median(samples.distances)),
        held_out_distance=float(np.median(held_out.distances)),
        closer_z=mann_whitney_z(samples.distances, held_out.distances),
        closer_p=float(test.pvalue),
        relative=float(np.median(relative)),
        held_out_relative=float(np.median(usual)),
        copies=copies / len(relative),
        expected=rank / (len(usual) + 1),
        copies_p=precedence_p(copies, len(relative), rank, len(usual)),
        samples=samples,
        held_out=held_out,
    )


def precedence_p(count: int, n: int, rank: int, h: int) -> float:
    """P(at least `count` of n values lie below the rank-th lowest of h others), all exchangeable.

    Then at most rank - 1 of the others are among the lowest count + rank - 1 of all.
    """
    return float(hypergeom.cdf(rank - 1, n + h, h, count + rank - 1))


def _material(
    subject: Run | Images,
    data: ImageSource | None,
    held_out: ImageSource | None,
    n: int,
    seed: int,
    step: Step,
) -> tuple[Images, Dataset, Images]:
    """Samples, training data, held-out images."""
    if isinstance(subject, Run):
        data = subject.load_data() if data is None else data
        held_out = held_out_of(subject) if held_out is None else held_out
        images = subject.sample(n, seed=seed, step=step)
    else:
        images = subject[spread_rows(len(subject), n, seed)]
    if data is None:
        raise UserError("Images alone have no training set: give `data` as well.")
    train = as_dataset(data, "training images")
    real = train.load_split("test") if held_out is None else as_dataset(held_out, "held-out images")
    unseen = np.asarray(real.samples[spread_rows(len(real), n, seed + 1)])
    for part in (images, unseen):
        check_alike(part, train.samples)
    return images, train, unseen


def _pictures(images: Images, train: Dataset, rows: np.ndarray, spaces: list[Space]) -> Images:
    found = [train.samples[space.samples.indices[rows]] for space in spaces]
    return np.stack([images[rows], *map(np.asarray, found)], axis=1)
