"""Samples of a run for its page: beside real ones, by class, and as they came to be."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mtgan.analysis.evolution import log_spread
from mtgan.data import Dataset
from mtgan.data.domains.base import Domain
from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.images import make_grid
from mtgan.errors import UserError
from mtgan.evaluation.domains import metrics_of
from mtgan.reports.charts import image_uri
from mtgan.reports.classes import class_grids
from mtgan.training import Run

_OF_A_DOMAIN = 256  # samples
_SHOWN = 60  # of these, as pictures
_LINES = 24  # of these, as text
_GRIDS = 14  # saved sample grids
_DRAWN_AT_RANDOM = "Drawn at random from the training data."


@dataclass(frozen=True)
class Picture:
    """One figure of a page."""

    title: str
    uri: str
    caption: str


@dataclass(frozen=True)
class TextSamples:
    """Samples of a domain as lines of text, and a drawing of them where there is one."""

    title: str
    made: Sequence[str]
    real: Sequence[str]
    drawing: Picture | None


def samples_of(run: Run, step: int | None = None) -> tuple[list[Picture], list[TextSamples]]:
    """Samples of a checkpoint (the newest when None) beside real ones, as pictures, and those that
    are shown as text."""
    try:
        data = run.load_data()
    except UserError:  # they have moved: the page stands without them
        data = None
    if not run.dataset_info.domains:
        return _of_images(run, data, step), []
    pictures: list[Picture] = []
    texts = []
    for domain in run.dataset_info.domains:
        made = (
            run.sample_domain(_OF_A_DOMAIN, domain.name, seed=0, step=step) if run.steps else None
        )
        real = None if data is None else _real_of(run, data, domain)
        pictures += _pictures(run, domain, made, real, step)
        texts += [] if made is None else _texts(domain, made, real)
    return pictures, texts


def _of_images(run: Run, data: Dataset | None, step: int | None) -> list[Picture]:
    """Of plain images also how they came to be, and a row of each class."""
    by_class = class_grids(run, step) if run.steps else {}
    pictures = [
        Picture(f"Samples by {level}", image_uri(grid), f"A row per class. {_drawn(run, step)}")
        for level, grid in by_class.items()
    ]
    if run.steps and not by_class:
        samples = _grid(run.sample(64, seed=0, step=step))
        pictures.append(Picture("Samples", samples, _drawn(run, step)))
    if data is not None:
        rows = np.random.default_rng(0).choice(len(data), min(64, len(data)), replace=False)
        real = np.asarray(data.samples[np.sort(rows)])
        pictures.append(Picture("Real images", _grid(real), _DRAWN_AT_RANDOM))
    return [*pictures, *_evolution(run)]


def _grid(images: np.ndarray) -> str:
    return image_uri(make_grid(images, columns=8))


def _drawn(run: Run, step: int | None) -> str:
    after = run.steps[-1] if step is None else step
    return f"Drawn from the averaged generator after {after:,} iterations, seed 0, unselected."


def _real_of(run: Run, data: Dataset, domain: Domain) -> Any:
    """Real samples of a domain, drawn at random."""
    own = np.flatnonzero(data.labels_of(DOMAIN_LEVEL) == run.dataset_info.domains.index(domain))
    rows = np.random.default_rng(0).choice(own, min(_OF_A_DOMAIN, len(own)), replace=False)
    return domain.decode(np.asarray(data.samples[np.sort(rows)]))


def _pictures(run: Run, domain: Domain, made: Any, real: Any, step: int | None) -> list[Picture]:
    """Samples of a domain beside real ones, where they are shown as pictures."""
    pairs = (
        (f"Samples, {domain.name}", made, _drawn(run, step) if run.steps else ""),
        ("Real images", real, _DRAWN_AT_RANDOM),
    )
    return [
        Picture(title, image_uri(shown.picture), caption)
        for title, samples, caption in pairs
        if samples is not None and (shown := domain.preview(samples[:_SHOWN])).picture
    ]


def _texts(domain: Domain, made: Any, real: Any) -> list[TextSamples]:
    """Samples of a domain beside real ones, where they are shown as text."""
    lines = domain.preview(made).lines
    if not lines:
        return []
    beside = () if real is None else domain.preview(real).lines
    found = None if real is None else metrics_of(domain).drawing(made, real)
    drawing = Picture(found.title, image_uri(found.picture), found.caption) if found else None
    return [TextSamples(domain.name, lines[:_LINES], beside[:_LINES], drawing)]


def _evolution(run: Run) -> list[Picture]:
    """The first row of saved sample grids, one under the other: of all or some at equal ratios,
    without those that cannot be read."""
    saved = _saved_grids(run.folder / "samples")
    if len(saved) < 2:
        return []
    saved = [saved[i] for i in log_spread([step for step, _ in saved], _GRIDS)]
    grids = [grid for _, grid in saved]
    height = grids[0].height // max(1, round(grids[0].height / (grids[0].width / 10)))
    strip = Image.new("RGB", (grids[0].width, height * len(grids)), "white")
    for i, grid in enumerate(grids):
        strip.paste(grid.crop((0, 0, grid.width, height)), (0, i * height))
    steps = ", ".join(f"{step:,}" for step, _ in saved)
    caption = f"The same latents after {steps} iterations, top to bottom."
    return [Picture("Evolution", image_uri(strip), caption)]


def _saved_grids(folder: Path) -> list[tuple[int, Image.Image]]:
    """(iteration, RGB picture) of every sample grid in a run's folder that can be read."""
    found = []
    for file in sorted(folder.glob("step-*.png")):
        step = file.stem.removeprefix("step-")
        if step.isdecimal() and file.is_file():
            # Whatever a decoder raises: one may be half written, by an older version.
            with contextlib.suppress(Exception), Image.open(file, formats=["PNG"]) as image:
                found.append((int(step), image.convert("RGB")))
    return found
