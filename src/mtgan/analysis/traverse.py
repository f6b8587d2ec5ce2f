"""One latent dimension at several labels, or from one label to the next at a latent.

The thesis's Figures 5.14 to 5.18: a dimension goes from -2.5 to 2.5 in steps of 0.5 while all else
stays, and the same dimension is looked at in several classes. Each row is searched for jumps as in
`mtgan.analysis.paths`.

N: images; Z: latent; L: label levels; D: features; P: rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from mtgan.analysis.base import SHOWN_ONLY, Images, Options, Result, Table, extractor_of
from mtgan.analysis.directions import Blend, blender
from mtgan.analysis.paths import (
    FRAMES,
    REACH,
    Embed,
    Make,
    Paths,
    examined,
    no_jump,
    sampled,
    typical_distance,
)
from mtgan.analysis.plots import new_figure, show_grid
from mtgan.errors import UserError
from mtgan.evaluation.features import extract
from mtgan.limits import check_whole
from mtgan.training import Run
from mtgan.training.batches import draw_latents
from mtgan.training.generation import generate
from mtgan.training.requests import Requests
from mtgan.training.samples import RequestedLabels

_CLASSES = 10  # at most, where none are named: the thesis's first ten (appendix A)
_TYPICAL = 64  # random samples whose distances are the measure of all others


@dataclass(frozen=True)
class Traversals(Result):
    """Rows of samples along a latent dimension, or from a label to another.

    Attributes:
        along: "dimension 17", or "labels".
        names: Of the rows.
        apart: Feature distance between the two ends of a row over `paths.typical`, float64 [P].
        paths: The rows as paths.
        places: Where the shown frames lie: amounts of the dimension, or shares of the way.
        strips: The pictures, uint8 [P * FRAMES, C, H, W].
    """

    along: str
    names: list[str]
    apart: np.ndarray
    paths: Paths
    places: list[float]
    strips: Images = field(repr=False, metadata=SHOWN_ONLY)

    @property
    def verdict(self) -> str:
        most, least = int(self.apart.argmax()), int(self.apart.argmin())
        first = f"Along {self.along}, {self.names[most]!r} changes most, by {self.apart[most]:.2f}"
        least_of = f", and {self.names[least]!r} least, by {self.apart[least]:.2f}"
        return (
            f"{first} of the distance between two random samples"
            f"{least_of if len(self.names) > 1 else ''}. {no_jump(self.paths, 'rows')}"
        )

    def table(self) -> Table:
        p = self.paths
        rows = zip(self.names, self.apart, p.lengths, p.heights, p.kept, strict=True)
        return Table(
            ("row", "ends apart", "length", "steepest step", "left after halving", "jumps"),
            [
                (name, *map(float, values), "yes" if i in p.jumps else "")
                for i, (name, *values) in enumerate(rows)
            ],
        )

    def figure(self) -> Figure:
        height, width = self.strips.shape[2:]
        figure = new_figure(9, 1.4 + len(self.names) * 7.5 * height / width / FRAMES, self.verdict)
        heads = [f"{place:g}" for place in self.places]
        show_grid(figure.subplots(), self.strips, FRAMES, rows=self.names, heads=heads)
        return figure


AtImages = Callable[[Tensor, Tensor], Images]
"""Places t [N] in [0, 1] on rows [N] to images."""


def traverse(
    at_images: AtImages,
    along: str,
    names: Sequence[str],
    places: Sequence[float],
    embed: Embed,
    typical: float,
) -> Traversals:
    """Rows of any generator.

    Args:
        at_images: Places t [N] in [0, 1] on rows [N] to images.
        along: What changes from left to right.
        names: Of the rows.
        places: What the frames are called, at equal distances.
        embed: Feature space.
        typical: Distance of two random samples there.
    """

    def at(t: Tensor, which: Tensor) -> np.ndarray:
        return embed(at_images(t, which))

    features = sampled(at, len(names))
    frames = torch.linspace(0, 1, FRAMES).repeat(len(names))
    strips = at_images(frames, torch.arange(len(names)).repeat_interleave(FRAMES))
    apart = np.linalg.norm(features[:, -1] - features[:, 0], axis=1) / typical
    paths = examined(at, features, typical)
    return Traversals(along, list(names), apart, paths, list(places), strips)


def traverse_run(run: Run, options: Options) -> Traversals:
    """The rows that are asked for: `dimension` at every `label` (of none, at the first classes of
    the level that the generator is told), or from each `label` to the next.

    Raises:
        UserError: A dimension that the latent has not; labels that the generator is not told; one
            label alone.
    """
    game, latent = run.game(options.step), run.recipe.latent
    if options.dimension is not None:
        check_whole("--dimension", options.dimension, 0, latent.dim - 1)
    elif len(options.label) == 1:
        raise UserError(
            f"From {options.label[0]} to which label? Give --label twice or more, or --dimension."
        )
    random = torch.Generator().manual_seed(options.seed)
    asking, count = run.asking(options.step), options.count(1)
    latents = draw_latents(count, latent.dim, latent.distribution, random)
    named = _labels(asking, options.label, count, options.seed)
    extractor = extractor_of(run.load_data(), options.features, options.progress)
    options.progress("walking through latent space")

    def make(z: Tensor, y: Tensor) -> Images:
        return generate(game, z, y, twin=run.twin_name)

    def embed(images: Images) -> np.ndarray:
        return extract(extractor, images, cache=False).features

    others = draw_latents(_TYPICAL, latent.dim, latent.distribution, random)
    features = embed(make(others, asking.draw(_TYPICAL, random))).astype(np.float64)
    typical = typical_distance(features - np.roll(features, _TYPICAL // 2, axis=0))
    if options.dimension is not None:
        reach = REACH[latent.distribution]
        rows = [(name, latents[i], rows[i]) for i in range(count) for name, rows in named]
        return traverse(
            _along_dimension(make, rows, options.dimension, reach),
            *(f"dimension {options.dimension}", [name for name, *_ in rows]),
            np.linspace(-reach, reach, FRAMES).round(2).tolist(),
            *(embed, typical),
        )
    pairs = [(i, pair) for i in range(count) for pair in pairwise(named)]
    between = [(latents[i], a[i], b[i]) for i, ((_, a), (_, b)) in pairs]
    generator = game.averaged(run.twin_name)
    return traverse(
        _between_labels(blender(make, generator, game.dataset_info.taxonomy.levels), between),
        *("labels", [f"{first} to {second}" for _, ((first, _), (second, _)) in pairs]),
        np.linspace(0, 1, FRAMES).round(2).tolist(),
        *(embed, typical),
    )


def _labels(
    asking: Requests, texts: Sequence[str], count: int, seed: int
) -> list[tuple[str, Tensor]]:
    """Names of labels, and label rows [count, L] that have each; all else is drawn alike."""
    asked: list[Mapping[str, str] | str | None] = [_read(text) for text in texts]
    if not asked:
        level = next(iter(asking.taken), None)
        classes = asking.taxonomy.classes.get(level or "", ())[:_CLASSES]
        asked = [{str(level): name} for name in classes] or [None]
    return [
        (
            next(iter(label.values())) if isinstance(label, Mapping) else label or "",
            RequestedLabels(label, count, asking).draw(torch.Generator().manual_seed(seed)),
        )
        for label in asked
    ]


def _read(text: str) -> Mapping[str, str] | str:
    """LEVEL=CLASS, or a class's name."""
    level, equals, name = (part.strip() for part in text.partition("="))
    return {level: name} if equals else level


def _along_dimension(
    make: Make, rows: Sequence[tuple[str, Tensor, Tensor]], dimension: int, reach: float
) -> AtImages:
    latents = torch.stack([latent for _, latent, _ in rows])
    labels = torch.stack([label for *_, label in rows])

    def at(t: Tensor, which: Tensor) -> Images:
        moved = latents[which].clone()
        moved[:, dimension] = reach * (2 * t - 1)
        return make(moved, labels[which])

    return at


def _between_labels(blend: Blend, rows: Sequence[tuple[Tensor, Tensor, Tensor]]) -> AtImages:
    latents, first, second = map(torch.stack, zip(*rows, strict=True))

    def at(t: Tensor, which: Tensor) -> Images:
        return blend(latents[which], first[which], second[which], t)

    return at
