"""Is the latent space smooth, and what do its dimensions do?

The thesis (5.0.7, Figures 5.14 to 5.18) moves one latent dimension from -2.5 to 2.5 in steps of
0.5, at a fixed class, and takes the absence of discrete transitions as evidence against
memorizing. Here the transitions are looked for: along each path the steepest step is halved again
and again, and always the steeper half is kept. A smooth path flattens out; a jump keeps its height
however near its two sides come. Beside it:

- ranking of latent dimensions by the distance between the two ends of each;
- SeFa directions (Shen & Zhou 2021, "Closed-form factorization of latent semantics in GANs",
  section 3.2): eigenvectors of A^T A, A being the latent's part of the first layer's weight;
- spherical paths between two latents (White 2016), and straight paths between two classes at one
  latent, through the middle of the classes' codes or embeddings;
- perceptual path length after Karras et al. 2019, equation 2: squared feature distance of
  neighboring points of a path over the squared step, of a path of length 1. The step is 1/32, not
  1e-4, since images are bytes; so compare it with itself only.

N: images; Z: latent; D: features; P: paths; S: steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from mtgan.analysis.base import (
    SHOWN_ONLY,
    Images,
    Options,
    Result,
    Table,
    analysis,
    extractor_of,
)
from mtgan.analysis.directions import Blend, blender, dimension_effects, first_weight, sefa
from mtgan.analysis.paths import (
    FRAMES,
    HALVINGS,
    JUMP_HEIGHT,
    JUMP_KEPT,
    REACH,
    Embed,
    Make,
    Paths,
    no_jump,
    slerp,
    walk,
)
from mtgan.analysis.plots import BLUE, ORANGE, RED, SOFT, new_figure, show_grid, side_by_side, tidy
from mtgan.analysis.traverse import Traversals, traverse_run
from mtgan.errors import UserError
from mtgan.evaluation.features import extract
from mtgan.training import Run
from mtgan.training.batches import draw_latents
from mtgan.training.generation import generate


@dataclass(frozen=True)
class Interpolation(Result):
    """Paths through latent space.

    Attributes:
        paths: Spherical paths between two latents at a fixed class.
        effects: Feature distance between the ends of each latent dimension over `paths.typical`,
            float64 [Z].
        ranking: Latent dimensions by effect, strongest first.
        sefa_values: Eigenvalues of the SeFa directions, as shares of their sum, largest first.
        sefa_directions: [k, Z], the first of them, unit length.
        strips: The pictures, uint8 [R * FRAMES, C, H, W], and the rows' names.
    """

    paths: Paths
    effects: np.ndarray
    ranking: list[int]
    sefa_values: np.ndarray
    sefa_directions: np.ndarray
    strips: Images = field(repr=False, metadata=SHOWN_ONLY)
    names: list[str] = field(repr=False, metadata=SHOWN_ONLY)

    @property
    def verdict(self) -> str:
        weak = int((self.effects < 0.1 * self.effects.max()).sum()) if self.effects.max() else 0
        return (
            f"{no_jump(self.paths)} Latent dimension {self.ranking[0]} has most effect; {weak} of "
            f"{len(self.effects)} have less than a tenth of that."
        )

    def table(self) -> Table:
        p = self.paths
        return Table(
            ("figure", "value"),
            [
                ("paths", len(p.kept)),
                ("paths that jump", len(p.jumps)),
                ("perceptual path length", p.perceptual_path_length),
                ("median length / typical distance", float(np.median(p.lengths))),
                ("steepest step / typical distance", float(p.heights.max())),
                ("of it left after halving", float(p.kept.max())),
                ("strongest dimensions", ", ".join(map(str, self.ranking[:5]))),
                ("share of first SeFa direction", float(self.sefa_values[0])),
            ],
        )

    def figure(self) -> Figure:
        rows = len(self.names)
        figure = new_figure(13, max(5.0, 0.42 * rows + 1), self.verdict)
        left, right = side_by_side(figure, 1.3, 1)
        show_grid(left.subplots(), self.strips, FRAMES, rows=self.names)
        ranked, sefa, kept = right.subplots(3, 1)
        order = self.ranking
        ranked.bar(range(len(order)), self.effects[order], width=1.0, color=BLUE)
        tidy(ranked, "effect of each latent dimension, ranked", y="/ typical distance")
        sefa.bar(range(len(self.sefa_values)), self.sefa_values, width=1.0, color=ORANGE)
        tidy(sefa, "SeFa eigenvalues, as shares")
        jumping = np.isin(np.arange(len(self.paths.kept)), self.paths.jumps)
        kept.scatter(
            self.paths.heights, self.paths.kept, s=12, color=np.where(jumping, RED, BLUE).tolist()
        )
        kept.axhline(JUMP_KEPT, color=SOFT, linewidth=0.8)
        kept.axvline(JUMP_HEIGHT, color=SOFT, linewidth=0.8)
        kept.set_ylim(0, 1.05)
        tidy(
            kept,
            "jumps: upper right",
            "steepest step / typical distance",
            f"left after {HALVINGS} halvings",
        )
        return figure


def interpolate(
    make: Make,
    latents: Tensor,
    rows: Tensor,
    embedding: Embed,
    *,
    reach: float = 2.5,
    weight: Tensor | None = None,
    blend: Blend | None = None,
    class_names: Callable[[Tensor], str] = lambda row: "",
    shown: int = 4,
    probes: int = 6,
) -> Interpolation:
    """All of it, for any generator.

    Args:
        make: The generator.
        latents: [N, Z], N >= 4: neighbors in order are the ends of paths.
        rows: Label rows [N, L]; a path keeps those of its first end.
        embedding: Feature space.
        reach: Latent dimensions go from -reach to reach.
        weight: The latent's part of the first layer's weight, [O, Z], for SeFa; the identity when
            left out.
        blend: Images between two classes; None where the generator takes no labels.
        class_names: A label row's name.
        shown: Rows of each kind in the picture.
        probes: Latents over which the effect of a dimension is averaged.

    Raises:
        UserError: Fewer than four latents.
    """
    if len(latents) < 4:
        raise UserError(f"Paths need at least 4 latents; found {len(latents)}.")
    paths = walk(make, latents, rows, embedding)
    effects = dimension_effects(make, latents[:probes], rows[:probes], embedding, reach)
    effects /= paths.typical
    ranking = np.argsort(-effects, kind="stable")
    values, directions = sefa(torch.eye(latents.shape[1]) if weight is None else weight)
    strips = _strips(make, latents, rows, ranking[:shown].tolist(), directions[:shown], reach)
    middle = torch.linspace(0, 1, FRAMES)
    for i in range(min(shown, len(latents) - 1)):
        frames = make(slerp(latents[i], latents[i + 1], middle), rows[[i] * FRAMES])
        strips.append((f"path {i + 1}", frames))
    if blend is not None:
        for a, b in _class_pairs(rows, shown):
            name = f"{class_names(rows[a])} to {class_names(rows[b])}"
            first, second = rows[[a] * FRAMES], rows[[b] * FRAMES]
            strips.append((name, blend(latents[[0] * FRAMES], first, second, middle)))
    return Interpolation(
        paths=paths,
        effects=effects,
        ranking=ranking.tolist(),
        sefa_values=values,
        sefa_directions=directions[:8].numpy(),
        strips=np.concatenate([strip for _, strip in strips]),
        names=[name for name, _ in strips],
    )


def _strips(
    make: Make,
    latents: Tensor,
    rows: Tensor,
    dims: Sequence[int],
    directions: Tensor,
    reach: float,
) -> list[tuple[str, Images]]:
    """Names and frames of the first latent as it moves along dimensions, and along directions."""
    first, row, axes = latents[0], rows[0], torch.eye(latents.shape[1])
    alone = [
        (f"dimension {dim}", _traverse(make, first, row, axes[dim], reach, replace=True))
        for dim in dims
    ]
    found = [
        (f"SeFa {i + 1}", _traverse(make, first, row, direction, reach))
        for i, direction in enumerate(directions)
    ]
    return alone + found


@analysis(
    "interpolate",
    "paths through latent space: jumps, dimensions, SeFa directions",
    takes=("n", "step", "features", "seed", "label", "dimension", "twin"),
)
def of_run(run: Run, options: Options) -> Interpolation | Traversals:
    if options.label or options.dimension is not None:
        return traverse_run(run, options)
    game = run.game(options.step)
    latent = run.recipe.latent
    random = torch.Generator().manual_seed(options.seed)
    count = options.count(48)
    rows = game.asking(run.twin_name).draw(count, random)
    latents = draw_latents(count, latent.dim, latent.distribution, random)
    generator = game.averaged(run.twin_name)
    extractor = extractor_of(run.load_data(), options.features, options.progress)
    options.progress("walking through latent space")
    level = next(iter(run.asking(options.step).taken), None)
    info = game.dataset_info
    column = info.taxonomy.levels.index(level) if level else 0

    def make(z: Tensor, y: Tensor) -> Images:
        return generate(game, z, y, twin=run.twin_name)

    return interpolate(
        make,
        latents,
        rows,
        lambda images: extract(extractor, images, cache=False).features,
        reach=REACH[latent.distribution],
        weight=first_weight(generator, latent.dim),
        blend=blender(make, generator, info.taxonomy.levels) if level else None,
        class_names=lambda row: info.named(level, int(row[column])) if level else "",
    )


def _traverse(
    make: Make, latent: Tensor, row: Tensor, direction: Tensor, reach: float, replace: bool = False
) -> Images:
    """Frames along a direction: added to the latent, or in place of its own coordinate."""
    start = latent - (latent @ direction) * direction if replace else latent
    amounts = torch.linspace(-reach, reach, FRAMES)[:, None]
    return make(start + amounts * direction, row.repeat(FRAMES, 1))


def _class_pairs(rows: Tensor, most: int) -> list[tuple[int, int]]:
    """Neighboring rows of different labels, at most so many."""
    pairs = [(i, i + 1) for i in range(len(rows) - 1) if bool((rows[i] != rows[i + 1]).any())]
    return pairs[:most]
