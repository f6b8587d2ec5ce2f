"""Samples that a training draws again and again from the same latents: grids, and each domain."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mtgan import files
from mtgan.data.domains.base import Preview
from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.images import make_grid
from mtgan.data.numbers import STEPS
from mtgan.training.batches import draw_latents
from mtgan.training.checkpoints import RESUME, checkpoint_name
from mtgan.training.game import Game
from mtgan.training.generation import generate
from mtgan.training.seeds import mix_seed
from mtgan.training.twins import folder_of

_COLUMNS = 10
_ROWS = 8  # where the generator is told no class
_OF_A_DOMAIN = 50


def save_pictures(
    game: Game, run: Path, seed: int, step: int, twin: str | None = None
) -> np.ndarray:
    """Write samples/step-....png and domains/NAME/step-... into the run folder `run`, which exists;
    of any twin but the main one into its folder there.

    Returns the grid, uint8 [H, W, 3]. UserError where one cannot be written.
    """
    grid = picture_of(game, seed, twin)
    own = folder_of(run, game.recipe, twin)
    folder = own / "samples"
    _make(run, folder)
    with files.replacing(folder / f"{checkpoint_name(step)}.png", RESUME) as temporary:
        grid.save(temporary)
    _save_domains(game, run, seed, step, twin)
    return np.asarray(grid.convert("RGB"))


def picture_of(game: Game, seed: int, twin: str | None = None) -> Image.Image:
    """Samples as one picture: a row for each class (at most ten) where the generator is told one,
    the same latents in every row."""
    return make_grid(_grid_samples(game, seed, twin), columns=_COLUMNS)


def _make(run: Path, folder: Path) -> None:
    """Make a folder in that of a run; not the run's own, which somebody has removed then."""
    place = run
    with files.writing(folder, RESUME):
        for part in folder.relative_to(run).parts:
            place /= part
            place.mkdir(exist_ok=True)


def _save_domains(game: Game, run: Path, seed: int, step: int, twin: str | None) -> None:
    own = folder_of(run, game.recipe, twin)
    for name, preview in previews(game, seed, twin):
        folder = own / "domains" / name
        _make(run, folder)
        with files.writing(folder, RESUME):
            preview.save(folder / checkpoint_name(step))


def previews(game: Game, seed: int, twin: str | None = None) -> Iterator[tuple[str, Preview]]:
    """Each domain's name and a few samples of it, where there are domains that can be asked for."""
    requests = game.asking(twin)
    if not requests.taken and len(game.dataset_info.domains) > 1:
        return  # it cannot be asked for one
    latent = game.recipe.latent
    for index, domain in enumerate(game.dataset_info.domains):
        random = torch.Generator().manual_seed(mix_seed(seed, "picture", domain.name))
        rows = requests.draw(_OF_A_DOMAIN, random, {DOMAIN_LEVEL: index})
        latents = draw_latents(_OF_A_DOMAIN, latent.dim, latent.distribution, random)
        samples = domain.decode(generate(game, latents, rows, twin=twin))
        yield domain.name, domain.preview(samples)


def _grid_samples(game: Game, seed: int, twin: str | None) -> np.ndarray:
    """uint8 [N, C, H, W]; one row per class (at most 10), or for each of ten numbers over their
    range, where the generator is conditioned, the same latents in every row."""
    info, latent = game.dataset_info, game.recipe.latent
    random = torch.Generator().manual_seed(mix_seed(seed, "picture"))
    requests = game.asking(twin)
    if not requests.taken:
        latents = draw_latents(_COLUMNS * _ROWS, latent.dim, latent.distribution, random)
        return generate(game, latents, requests.draw(len(latents), random), twin=twin)
    level = requests.taken[0]
    classes = info.label_rows[:, info.taxonomy.levels.index(level)]
    if level in info.codes:
        classes = np.arange(info.taxonomy.num_classes(level))
    if level in info.numbers:
        classes = np.linspace(0, STEPS, _COLUMNS).astype(np.int64)
    present = np.unique(classes[classes >= 0])[:10]
    row = draw_latents(_COLUMNS, latent.dim, latent.distribution, random)
    rows = [requests.draw(_COLUMNS, random, {level: int(c)}) for c in present]
    return generate(game, row.repeat(len(present), 1), torch.cat(rows), twin=twin)
