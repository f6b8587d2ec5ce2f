"""What is searched: keys of a recipe, and from what each is drawn."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from mtgan.errors import UserError
from mtgan.files import read_text
from mtgan.recipes import Recipe
from mtgan.recipes.load import read_mapping, sentence
from mtgan.recipes.ranges import Part
from mtgan.studies.space import Axis, Settings

_WIDE = 4.0  # of the default space: so many times less, and more, than the recipe has
_BETA1 = (0.0, 0.5)
_AVERAGES = (0.9, 0.99, 0.999)
_DISCRIMINATOR_STEPS = (1, 2)


class TuningSpace(Part):
    """Dotted keys of a recipe, and the axis that each is drawn from; written like the `axes` of a
    study's space."""

    axes: Annotated[dict[Annotated[str, Field(min_length=1)], Axis], Field(min_length=1)]

    def settings(self, parameters: Mapping[str, Any]) -> Settings:
        """What a trial's parameters set: choices by their JSON, numbers of a range to three
        digits, so that they are told and set alike."""
        return {
            key: json.loads(parameters[key]) if axis.choice else axis.rounded(parameters[key])
            for key, axis in self.axes.items()
        }


def default_space(recipe: Recipe) -> TuningSpace:
    """Rates of both players, beta1, decay, discriminator steps, the moving average, and the weights
    of penalty and tasks, each around what the recipe has."""
    rate, own = recipe.optimizer.learning_rate, recipe.optimizer.discriminator_learning_rate
    ranges = {
        "optimizer.learning_rate": rate,
        "optimizer.discriminator_learning_rate": own or rate,
        "penalty.weight": 0.0 if recipe.penalty.kind == "none" else recipe.penalty.weight,
        **{f"tasks.{i}.weight": task.weight for i, task in enumerate(recipe.tasks)},
    }
    choices: dict[str, list[Any]] = {
        "optimizer.beta1": _with(_BETA1, recipe.optimizer.beta1),
        "optimizer.decay": ["none", "linear"],
        "schedule.discriminator_steps": _with(
            _DISCRIMINATOR_STEPS, recipe.schedule.discriminator_steps
        ),
        "training.ema_decay": _with(_AVERAGES, recipe.training.ema_decay),
    }
    axes: dict[str, Any] = {
        key: {"log_uniform": [middle / _WIDE, middle * _WIDE]}
        for key, middle in ranges.items()
        if middle > 0
    }
    return TuningSpace.model_validate({"axes": {**axes, **choices}})


def _with(usual: tuple[Any, ...], own: Any) -> list[Any]:
    return sorted({*usual, own})


def read_space(path: Path) -> TuningSpace:
    """A space out of a YAML file, {axes: {KEY: ...}} as in a study's space.

    UserError for a file that is none, or axes that cannot be drawn from.
    """
    what = f"The space {path}"
    try:
        return TuningSpace.model_validate(read_mapping(read_text(path, "The space"), what))
    except ValidationError as error:
        raise UserError(f"{what}: {sentence(error, TuningSpace)}") from error
