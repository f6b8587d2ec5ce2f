"""What the page knows of a model, as plain values for JSON.

L: levels of the page; S: samples that it begins with; Z: latent.
"""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mtgan.analysis.directions import first_weight, sefa
from mtgan.analysis.paths import REACH
from mtgan.data.samples import Samples
from mtgan.errors import UserError
from mtgan.evaluation.scorecard import Scorecard
from mtgan.exporting.base import Export
from mtgan.exporting.facts import card_of
from mtgan.exporting.networks.generator import label_inputs
from mtgan.training.model import Model, Step
from mtgan.training.requests import Requests

SAMPLES = 64
"""With which a page begins."""
DIRECTIONS = 8
"""The strongest directions in latent space, which have a slider each."""
_MOST_ROWS = 5_000  # combinations of labels by which a page draws, the most frequent ones
_CLASS_FIGURES = {"accuracy": "conditional_accuracy", "distance": "intra_class_frechet"}


def facts_of(name: str, model: Model, step: Step = None, seed: int = 0) -> dict[str, Any]:
    """All that the page knows of a model as of a checkpoint, under a name; see the keys.

    The samples that it begins with are `model.sample(SAMPLES, seed=seed, step=step)`: their
    latents and labels are here, and their pixels are the page's to make.

    Raises:
        UserError: A model of strings or of several domains, or what Model.game refuses.
    """
    info, latent = model.dataset_info, model.recipe.latent
    if info.domains:
        raise UserError(
            f"{model.path} makes {' and '.join(domain.name for domain in info.domains)}, and "
            "explore shows images; look at its samples with `mtgan sample`."
        )
    requests = model.asking(step)
    made = model.sample(SAMPLES, seed=seed, step=step)
    return {
        "name": name,
        "title": model.recipe.title or model.recipe.name,
        "recipe": model.recipe.name,
        "data": model.recipe.run.get("data_name"),
        "twin": model.twin_name,
        "step": model.iteration(step),
        "shape": list(info.shape),
        "latent": {"size": latent.dim, "law": latent.distribution},
        "levels": levels_of(requests),
        "told": _told(model, step),
        "numbers": [
            {"name": number, "low": r.low, "high": r.high}
            for number, r in requests.dataset_info.numbers.items()
            if number in requests.taken
        ],
        "rows": _rows(requests),
        "directions": directions_of(model, step),
        "reach": REACH[latent.distribution],
        "first": {"seed": seed, **samples_of(requests, made)},
        "classes": class_figures(model, step),
    }


def levels_of(requests: Requests) -> list[dict[str, Any]]:
    """The levels at which a class can be asked for, finest first: their classes, those of them
    that no training sample has, which class lies in which of the level above, and whether it is a
    code, which no real sample has."""
    taxonomy, info = requests.taxonomy, requests.dataset_info
    found = []
    for level in class_levels(requests):
        parent, index = taxonomy.parents.get(level, (None, ()))
        classes, code = taxonomy.classes[level], level in info.codes
        known = set(info.label_rows[:, taxonomy.levels.index(level)].tolist())
        found.append(
            {
                "name": level,
                "classes": list(classes),
                "unseen": [] if code else [i for i in range(len(classes)) if i not in known],
                "code": code,
                "above": {"level": parent, "index": list(index)} if parent else None,
            }
        )
    return found


def _told(model: Model, step: Step) -> dict[str, list[str]]:
    """The inputs of the exported graph: which levels and numbers, in which order."""
    labels = label_inputs(Export(model, step))
    return {"classes": labels.classes, "numbers": labels.numbers}


def class_levels(requests: Requests) -> list[str]:
    """The levels of the page: those with classes that the generator can be asked for."""
    return [level for level in requests.askable if level not in requests.dataset_info.numbers]


def samples_of(requests: Requests, made: Samples) -> dict[str, Any]:
    """Latents, labels and numbers of samples: base64 of float32 [S, Z], int32 [S, L] in the order
    of `class_levels`, and float32 [S, K]."""
    labels, numbers = np.empty((len(made), 0)), np.empty((len(made), 0))
    if made.labels is not None:
        assert made.taxonomy is not None
        levels = [made.taxonomy.levels.index(level) for level in class_levels(requests)]
        labels = made.labels[:, levels]
    if made.numbers:
        numbers = np.stack(list(made.numbers.values()), axis=1)
    assert made.latents is not None
    return {
        "count": len(made),
        "latents": packed(made.latents, "<f4"),
        "labels": packed(labels, "<i4"),
        "numbers": packed(numbers, "<f4"),
    }


def packed(values: np.ndarray, kind: str) -> str:
    """Base64 of an array's values in C order, as of a numpy type such as "<f4"."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode()


def directions_of(model: Model, step: Step = None) -> list[dict[str, Any]]:
    """The strongest directions in latent space, unit vectors [Z], and the share of each, by the
    closed-form factorization of the first layer (Shen & Zhou 2021, section 3.2); none where no
    linear layer reads the latent."""
    size = model.recipe.latent.dim
    weight = first_weight(model.game(step).averaged(model.twin_name), size)
    if weight is None:
        return []
    shares, vectors = sefa(weight)
    pairs = zip(shares[:DIRECTIONS].tolist(), vectors[:DIRECTIONS].numpy(), strict=False)
    return [{"share": share, "vector": packed(vector, "<f4")} for share, vector in pairs]


def class_figures(model: Model, step: Step = None) -> dict[str, Any] | None:
    """Of the scorecard of the checkpoint: {"protocol": a sentence, "accuracy" and "distance":
    {level: {class: value}}}; None where it was not evaluated.

    accuracy: the share of a class's samples in which the judge finds it; distance: Frechet distance
    to the real images of that class.
    """
    card = card_of(model, step)
    if not isinstance(card, Scorecard):
        return None
    figures = {
        name: {
            level: {shown: value for shown, value in values.items() if math.isfinite(value)}
            for key, values in card.details.items()
            for metric, _, level in [key.partition("/")]
            if metric == kept
        }
        for name, kept in _CLASS_FIGURES.items()
    }
    return {"protocol": card.protocol.sentence(), **figures} if any(figures.values()) else None


def _rows(requests: Requests) -> Mapping[str, Any]:
    """The combinations of classes in the training data that have one at each level that the
    generator is told, and how often there is each."""
    info, levels = requests.dataset_info, class_levels(requests)
    columns = [requests.taxonomy.levels.index(level) for level in levels]
    if not columns:
        return {"labels": [], "counts": []}
    told = [level in requests.taken and level not in info.codes for level in levels]
    whole = (info.label_rows[:, columns] >= 0)[:, told].all(axis=1)
    rows, which = np.unique(info.label_rows[whole][:, columns], axis=0, return_inverse=True)
    weights = info.label_counts[whole]
    counts = np.bincount(which.reshape(-1), weights=weights, minlength=len(rows))
    kept = np.argsort(-counts, kind="stable")[:_MOST_ROWS]
    return {"labels": rows[kept].tolist(), "counts": counts[kept].astype(int).tolist()}
