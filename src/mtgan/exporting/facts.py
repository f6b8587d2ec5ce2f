"""What an exported file says of itself, and the scorecard that belongs to a checkpoint."""

import json
from pathlib import Path
from typing import Any

import mtgan
from mtgan.evaluation.scorecard import AnyScorecard, read_card
from mtgan.exporting.base import Export, Program
from mtgan.files import read_text
from mtgan.recipes import Recipe
from mtgan.runs import card_path
from mtgan.training import Run
from mtgan.training.checkpoints import checkpoint_name
from mtgan.training.model import Model, Step

FORMAT = "mtgan-export-1"
KEY = "mtgan"
"""By which a file's metadata hold the JSON text of `metadata`."""


def metadata(asked: Export, program: Program, part: str) -> str:
    """JSON: inputs and outputs, levels and their classes, the recipe, and where there is a
    scorecard its values with their protocol."""
    model = asked.model
    card = card_of(model, asked.step)
    values = {
        "format": FORMAT,
        "mtgan": mtgan.__version__,
        "part": part,
        "twin": model.twin_name,
        "step": model.iteration(asked.step),
        "inputs": program.inputs,
        "outputs": program.outputs,
        "taxonomy": model.dataset_info.taxonomy.to_dict(),
        "data": model.recipe.run.get("data_name"),
        "recipe": portable(model.recipe),
        "scorecard": None if card is None else json.loads(card.to_json()),
    }
    return json.dumps(values)


def portable(recipe: Recipe) -> dict[str, Any]:
    """A resolved recipe's values; of what the run has recorded there, all but paths."""
    values = recipe.model_dump(mode="json", exclude={"extends"})
    values["run"] = {key: value for key, value in values["run"].items() if key != "data"}
    start = values["run"].get("start") or {}
    for part, key in ((values["run"], "data_name"), (start, "data"), (start, "path")):
        if name := part.get(key):
            part[key] = Path(name).name or name
    return values


def card_of(model: Model, step: Step = None) -> AnyScorecard | None:
    """What `mtgan evaluate` found of that checkpoint (of a twin that it is as of), if it did.

    An evaluation that is older than the newest checkpoint was of an earlier one.
    """
    if not isinstance(model, Run):
        return getattr(model, "card", None)  # which it brings with it
    path = card_path(model, step)
    state = model.path / "checkpoints" / checkpoint_name(model.iteration(step)) / "state.json"
    if not path.is_file() or path.stat().st_mtime < state.stat().st_mtime:
        return None
    return read_card(read_text(path, "The scorecard"))
