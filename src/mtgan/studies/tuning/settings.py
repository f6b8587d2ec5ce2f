"""What a tuning is: recipe, data, space and measure; and the studies that its runs are of."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from mtgan.errors import UserError
from mtgan.files import dump_yaml, read_text, write_text
from mtgan.limits import LARGEST_SEED
from mtgan.recipes import Recipe, dump_recipe, load_recipe
from mtgan.recipes.load import read_mapping, sentence
from mtgan.recipes.ranges import Part
from mtgan.studies.measures import Direction, Instrument, Measure
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study, StudyData
from mtgan.studies.space import Settings
from mtgan.studies.tuning.space import TuningSpace, default_space
from mtgan.training.begin import first_difference

FILE = "tuning.yaml"
DEFAULT = "default"
WINNER = "winner"
TRIALS, COMPARISON = "trials", "comparison"
"""Folders of a tuning, each that of a study."""
TRIAL_SEED = 0
_TRIED = (0.0, 0.5, 0.999)
_LOOKS = 5
"""So many times during a training its distance is measured, by which trials are pruned."""


class Tuning(Part):
    """A search for settings of one recipe on one data set.

    recipe: a name or file; scale, steps and set as of `mtgan train`. axis_share: the share of the
    default recipe's score that a trial must reach on every axis of the scorecard. evaluation: how
    runs are measured, by a full scorecard. sampler_seed: of the search.
    """

    recipe: Annotated[str, Field(min_length=1)]
    data: StudyData
    space: TuningSpace
    measure: Annotated[str, Field(min_length=1)] = "overall"
    better: Direction = ""
    scale: str = "full"
    steps: Annotated[int, Field(ge=1)] | None = None
    set: Settings = {}
    axis_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    evaluation: Instrument = Instrument(metrics="default")
    sampler_seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] = 0

    @property
    def label(self) -> str:
        return Path(self.recipe).stem

    @classmethod
    def of(cls, recipe: str, space: TuningSpace | None = None, **keys: Any) -> "Tuning":
        """A tuning over a space, or the usual one of its recipe; UserError for keys that are none,
        and a recipe that cannot be had."""
        try:
            if space is None:
                any_space = {"axes": {"latent.dim": [1]}}
                plain = cls.model_validate({**keys, "recipe": recipe, "space": any_space})
                space = default_space(plain.resolved())
            return cls.model_validate({**keys, "recipe": recipe, "space": space})
        except ValidationError as error:
            raise UserError(f"Tuning {recipe}: {sentence(error, cls)}") from error

    def resolved(self, settings: Mapping[str, Any] | None = None) -> Recipe:
        """The recipe, under settings of a trial; UserError where these do not fit it."""
        steps = {} if self.steps is None else {"training.steps": self.steps}
        return load_recipe(self.recipe, {**self.set, **steps, **(settings or {})}, self.scale)

    def check_space(self) -> None:
        """UserError for a key of the space that does not fit the recipe with any of its values."""
        for key, axis in self.space.axes.items():
            errors = []
            for share in _TRIED:
                try:
                    self.resolved({key: axis.at(share)})
                except UserError as error:
                    errors.append(error)
            if len(errors) == len(_TRIED):
                raise errors[0]

    def plan(
        self, name: str, variants: Mapping[str, Settings], seeds: Iterable[int], looks: bool = False
    ) -> StudyPlan:
        """A study of the recipe under these settings, each a variant; looks: whether the distance
        is measured during training, too."""
        every = {"training.evaluate_every": max(1, self.resolved().training.steps // _LOOKS)}
        measures = dict.fromkeys([self.measure, "frechet_distance"])
        study = {
            "name": f"{name}-{self.label}",
            "title": f"{self.label}: {name}",
            "scale": self.scale,
            "recipes": [{"recipe": self.recipe}],
            "variants": dict(variants),
            "datasets": {Path(self.data.name).name: self.data.model_dump()},
            "seeds": list(seeds),
            "set": {**(every if looks else {}), **self.set},
            "budget": {"steps": self.steps, "scale": self.scale},
            "evaluation": self.evaluation.model_dump(),
            "measures": [self._measure(one).model_dump() for one in measures],
        }
        return make_plan(Study.model_validate(study))

    def _measure(self, name: str) -> Measure:
        given = {"better": self.better} if name == self.measure and self.better else {}
        return Measure.model_validate({"name": name, **given})


def value_of(recipe: Recipe, key: str) -> Any:
    """What a recipe has at a dotted key; None where it has no such part."""
    here: Any = recipe.model_dump(mode="json")
    for part in key.split("."):
        if isinstance(here, list):
            here = here[int(part)]
        else:
            here = here.get(part) if isinstance(here, dict) else None
    return here


def open_tuning(tuning: Tuning, out: Path) -> None:
    """Write down in its folder what a tuning is; UserError where the folder holds another one, or
    something else."""
    recorded = {
        "tuning": tuning.model_dump(mode="json"),
        "recipe": dump_recipe(tuning.resolved()),
    }
    file = out / FILE
    if not file.exists():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UserError(f"{out} exists and is not a tuning's folder; name another with --out.")
        write_text(file, dump_yaml(recorded))
        return
    known = read_mapping(read_text(file), str(file))
    if known != recorded:
        key = first_difference(known.get("tuning"), recorded["tuning"])
        if known.get("tuning") == recorded["tuning"]:
            key = f"the recipe {tuning.recipe} was another then"
        raise UserError(
            f"{out} holds another tuning: {key}; say the same (more --trials apart), or name "
            "another folder with --out."
        )
