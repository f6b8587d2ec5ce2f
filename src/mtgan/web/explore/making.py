"""Pictures that a page asks a server for, from latents and labels that it has itself.

N: samples; L: levels of the page (mtgan.web.explore.facts.class_levels); K: numbers.
"""

import base64
import io
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from mtgan.analysis.nearest_images import nearest_several
from mtgan.data.images import to_image
from mtgan.errors import UserError
from mtgan.nets.between import between_labels
from mtgan.training import Run
from mtgan.training.batches import columns
from mtgan.training.game import Game
from mtgan.training.generation import generate
from mtgan.training.samples import as_latents
from mtgan.web.explore.facts import SAMPLES, class_levels
from mtgan.web.served import ServedModel

NEIGHBORS = 6

Rows = Annotated[list[list[int]], Field(max_length=SAMPLES)]
Values = Annotated[list[list[float]], Field(max_length=SAMPLES)]


class Asked(BaseModel):
    """N samples of a model at a checkpoint (step; the one that is served when null).

    latents: [N, Z]; rows: [N, L] classes by index; numbers: [N, K]; to_rows, to_numbers: labels
    at the other end, and shares: [N], how far on the way there each sample lies, from 0 to 1.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str
    step: Annotated[int, Field(ge=0)] | None = None
    latents: Annotated[list[list[float]], Field(min_length=1, max_length=SAMPLES)]
    rows: Rows
    numbers: Values
    to_rows: Rows | None = None
    to_numbers: Values | None = None
    shares: (
        Annotated[list[Annotated[float, Field(ge=0, le=1)]], Field(max_length=SAMPLES)] | None
    ) = None


def images_of(served: ServedModel, asked: Asked) -> np.ndarray:
    """uint8 [N, C, H, W]; in the model's thread. UserError for labels or latents that the model
    does not take."""
    model, count = served.model, len(asked.latents)
    game = model.game() if asked.step in {None, model.step} else served.source.game(asked.step)
    try:
        given = np.array(asked.latents, dtype=np.float64)
    except ValueError:
        raise UserError("latents should be rows of equal length.") from None
    latents = as_latents(given, count, model.recipe.latent.dim)
    rows = label_rows(served, game, asked.rows, asked.numbers, count)
    generator = game.averaged(model.twin_name)

    def make() -> np.ndarray:
        return generate(game, latents, rows, count, twin=model.twin_name)

    if asked.shares is None:
        return make()
    if len(asked.shares) != count:
        raise UserError(f"shares are {len(asked.shares)}, and there are {count} latents.")
    ends = asked.to_rows or asked.rows, asked.to_numbers or asked.numbers
    goal = label_rows(served, game, *ends, count).to(next(generator.parameters()).device)
    other = columns(goal, game.dataset_info.taxonomy.levels)
    with between_labels(generator, other, torch.tensor(asked.shares)):
        return make()


def label_rows(
    served: ServedModel, game: Game, rows: list[list[int]], numbers: list[list[float]], count: int
) -> torch.Tensor:
    """int64 [N, levels of the game]: classes and numbers of the page, -1 at all other levels."""
    info, requests = game.dataset_info, served.requests
    levels, names = info.taxonomy.levels, [k for k in info.numbers if k in requests.taken]
    found = np.full((count, len(levels)), -1, dtype=np.int64)
    given = class_levels(requests)
    _check_shape("rows", rows, count, len(given))
    _check_shape("numbers", numbers, count, len(names))
    for i, level in enumerate(given):
        known = info.taxonomy.num_classes(level)
        column = [row[i] for row in rows]
        least = 0 if level in requests.taken else -1
        if odd := [index for index in column if not least <= index < known]:
            raise UserError(f"{level!r} has the classes 0 to {known - 1}; found {odd[0]}.")
        found[:, levels.index(level)] = column
    for i, name in enumerate(names):
        values = np.array([row[i] for row in numbers], dtype=np.float64)
        found[:, levels.index(name)] = info.numbers[name].steps(values)
    return torch.from_numpy(found)


def _check_shape(what: str, rows: list[Any], count: int, width: int) -> None:
    if len(rows) != count or any(len(row) != width for row in rows):
        raise UserError(f"{what} should be {count} rows of {width} each.")


def nearest_of(served: ServedModel, asked: Asked) -> dict[str, Any]:
    """The training images nearest to the first sample by gray pixels: pictures as addresses of
    data, labels in words, distances; and how they were found."""
    image = images_of(served, asked)[:1]
    if not isinstance(served.source, Run):
        raise UserError(f"{served.name} is no run folder, and does not know its training data.")
    data = served.source.load_data()
    distances, indices = nearest_several(image, data.samples, NEIGHBORS)
    levels, classes = data.taxonomy.levels, data.taxonomy.classes
    found = [
        {
            "picture": _address(np.asarray(data.samples[index])),
            "labels": ", ".join(
                classes[level][label]
                for level, label in zip(levels, data.labels[index].tolist(), strict=True)
                if label >= 0
            ),
            "distance": float(distance),
        }
        for distance, index in zip(distances[0], indices[0], strict=True)
    ]
    about = f"Of {len(data):,} images of {data.name}, by the Euclidean distance of gray pixels."
    return {"nearest": found, "about": about}


def _address(sample: np.ndarray) -> str:
    """data:image/png of uint8 [C, H, W]."""
    file = io.BytesIO()
    to_image(sample).save(file, "png")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
