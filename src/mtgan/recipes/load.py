"""From a name or a file to a validated Recipe: inheritance, overrides, scale, rules."""

import copy
import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from mtgan import plugins
from mtgan.errors import UserError
from mtgan.files import dump_yaml, parse_yaml, read_text
from mtgan.recipes.rules import RecipeWarning, check
from mtgan.recipes.schema import Recipe
from mtgan.recipes.sentences import sentence
from mtgan.registry import nearest

Schema = TypeVar("Schema", bound=BaseModel)


@dataclass(frozen=True)
class Scale:
    """How a recipe shrinks for a small machine: factors for widths, batch sizes and steps.

    rate: to which its learning rates are raised, so that it gets somewhere in so few steps; they
    then fall to zero by the last one. None leaves the source's own rates, decay and average.
    """

    width: float
    batch: float
    steps: float
    rate: float | None = None


SCALES = {
    "full": Scale(1.0, 1.0, 1.0),
    "small": Scale(0.5, 1.0, 1 / 50, 1e-3),
    "tiny": Scale(0.25, 0.5, 1 / 100, 1e-3),
}
_AVERAGE = 0.998  # of weights, over the last 500 steps or so
_MOST_TIMES = 10  # a rate is raised: clipped weights and RMSprop stand no more


@dataclass(frozen=True)
class RecipeEntry:
    """One line of `mtgan recipes`."""

    name: str
    recipe: Recipe


class RecipeFolder(Generic[Schema]):
    """Recipes of one schema: a folder of YAML files that extend each other, and the user's own.

    The schema has the keys name, extends, title, source, about and run; `check` raises UserError
    for parts that do not go together. aliases: other names that dotted keys are known by.
    """

    def __init__(
        self,
        schema: type[Schema],
        folder: Traversable,
        check: Callable[[Schema], None],
        aliases: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.schema = schema
        self.folder = folder
        self.check = check
        self.aliases = aliases

    def names(self) -> list[str]:
        return sorted(
            item.name.removesuffix(".yaml")
            for item in self.folder.iterdir()
            if item.name.endswith(".yaml")
        )

    def load(
        self,
        name: str | Path,
        overrides: Mapping[str, Any] | None = None,
        change: Callable[[dict[str, Any], Schema], None] = lambda values, plain: None,
    ) -> Schema:
        """The recipe of this name or file, resolved, overridden and checked.

        change(values, recipe) alters the resolved values in place; overrides (dotted keys) come
        after it. UserError for an unknown name, key or value.
        """
        plain = self._validate(self._resolve(str(name), seen=()), str(name))
        values = plain.model_dump(mode="json")
        change(values, plain)
        meant: dict[str, str] = {}
        for key, value in (overrides or {}).items():
            own = self.aliases.get(key, key)
            if own in meant:
                raise UserError(f"{meant[own]} and {key} mean the same; give one of them.")
            meant[own] = key
            _set(values, own, value)
        recipe = self._validate(values, str(name))
        self.check(recipe)
        return recipe

    def whole(self, values: Mapping[str, Any], what: str) -> Schema:
        """The recipe of resolved values, checked; errors as of `load`, about `what`."""
        recipe = self._validate(dict(values), what)
        self.check(recipe)
        return recipe

    def _validate(self, values: dict[str, Any], name: str) -> Schema:
        use_plugins(values, f"Recipe {name}")
        try:
            return self.schema.model_validate(values)
        except ValidationError as error:
            raise UserError(f"Recipe {name}: {sentence(error, self.schema)}") from error

    def _resolve(self, name: str, seen: tuple[str, ...]) -> dict[str, Any]:
        """The raw values of a recipe over those of its parents."""
        if name in seen:
            circle = " -> ".join((*seen, name))
            raise UserError(f"The recipes {circle} extend each other in a circle.")
        own, label = self._read(name)
        parent = own.get("extends")
        # A fully resolved recipe names its parent for the record, and holds every value itself.
        values = self._resolve(str(parent), (*seen, name)) if parent else {}
        for key in ("title", "source", "about"):
            values.pop(key, None)
        merged = _merge(values, own)
        merged["name"] = own.get("name", label)
        if values.get("plugins") and isinstance(own.get("plugins"), list):
            merged["plugins"] = [*dict.fromkeys([*values["plugins"], *own["plugins"]])]
        return merged

    def _read(self, name: str) -> tuple[dict[str, Any], str]:
        path = Path(name)
        if path.suffix in {".yaml", ".yml"}:
            if not path.is_file():
                raise UserError(f"There is no recipe file {path}.")
            text, label = read_text(path, "The recipe"), path.stem
        elif name in self.names():
            text, label = (self.folder / f"{name}.yaml").read_text(), name
        else:
            raise UserError(
                f"There is no recipe {name!r}: {nearest(name, self.names())} "
                "(A file of your own ends in .yaml.)"
            )
        return self._by_own_names(read_mapping(text, f"The recipe {name}"), name), label

    def _by_own_names(self, values: dict[str, Any], name: str) -> dict[str, Any]:
        """The values of a file with every alias replaced by what it stands for."""
        for alias, key in self.aliases.items():
            (*path, last), (*place, own) = alias.split("."), key.split(".")
            part = _inside(values, path)
            if part is None or last not in part:
                continue
            target = _inside(values, place, make=True)
            if target is None:
                continue  # a value where keys belong, which is refused as such
            if own in target:
                raise UserError(f"Recipe {name}: {alias} and {key} mean the same; give one.")
            target[own] = part.pop(last)
        return values


def use_plugins(values: Mapping[str, Any], what: str) -> None:
    """Import the modules that a recipe or study names under `plugins`; UserError where one fails,
    or they are no list of names. In a run's recipe they are also recorded under `run`."""
    named, run = values.get("plugins", []), values.get("run")
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise UserError(f"{what}: plugins should be a list of modules; found {named!r}.")
    recorded = run.get("plugins") if isinstance(run, Mapping) else None
    plugins.use([*named, *(recorded if isinstance(recorded, Mapping) else ())])


@functools.lru_cache(256)
def _parsed(text: str, what: str) -> Any:
    """parse_yaml, once for a text: most recipes extend one of a few others."""
    return parse_yaml(text, what)


def read_mapping(text: str, what: str) -> dict[str, Any]:
    """The keys of a YAML text; UserError that begins with `what` where it holds none."""
    values = copy.deepcopy(_parsed(text, what))
    if not isinstance(values, dict):
        raise UserError(f"{what} holds no keys; it should be a YAML mapping.")
    return values


_ZOO = RecipeFolder(
    Recipe,
    resources.files("mtgan.recipes") / "zoo",
    check,
    {"lr": "optimizer.learning_rate", "optimizer.lr": "optimizer.learning_rate"},
)


def zoo_names() -> list[str]:
    return _ZOO.names()


def list_recipes(scale: str = "full") -> list[RecipeEntry]:
    """Every recipe of the zoo, resolved; what there is to say of one is said where it is taken."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RecipeWarning)
        return [RecipeEntry(name, load_recipe(name, scale=scale)) for name in zoo_names()]


def load_recipe(
    recipe: str | Path,
    overrides: Mapping[str, Any] | None = None,
    scale: str = "full",
) -> Recipe:
    """The recipe called `recipe` in the zoo, or in a YAML file, fully resolved and checked.

    overrides maps dotted keys ("training.steps") to values and wins over `scale`; scale is
    "tiny", "small" or "full": the first two multiply widths, batch sizes and steps, and bring
    learning rates, a decay and an average of weights that fit so short a training; the structure
    stays.
    Raises UserError for an unknown name, key or value, or parts that do not go together.
    """

    def shrink(values: dict[str, Any], plain: Recipe) -> None:
        if scale not in SCALES:
            raise UserError(f"There is no scale {scale!r}: {nearest(scale, list(SCALES))}")
        if scale != "full":
            _shrink(values, plain, SCALES[scale])

    return _ZOO.load(recipe, overrides, shrink)


def recipe_of(values: Mapping[str, Any], what: str) -> Recipe:
    """The recipe that resolved values are, as model_dump gave them; UserError about the recipe
    `what` where they are none."""
    return _ZOO.whole(values, what)


def parse_override(text: str) -> tuple[str, Any]:
    """`a.b=c` as ("a.b", c) with c read as YAML, so that 1e-4 and true mean themselves."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set takes KEY=VALUE, as in training.steps=2000; found {text!r}.")
    return key.strip(), parse_yaml(value, f"--set {key}: the value {value!r}")


def parse_overrides(texts: Iterable[str]) -> dict[str, Any]:
    """Every `a.b=c` of `--set`; UserError for a key that is given twice, or has no effect."""
    values: dict[str, Any] = {}
    for text in texts:
        key, value = parse_override(text)
        if key in values:
            raise UserError(f"--set {key} is given twice; give it once.")
        if key.partition(".")[0] in {"extends", "run"}:
            raise UserError(f"--set {key} has no effect; name that recipe, or write a file.")
        values[key] = value
    return values


def dump_recipe(recipe: BaseModel) -> str:
    """The resolved recipe (of any schema) as YAML, which is itself a valid recipe."""
    values = recipe.model_dump(mode="json", exclude={"extends"})
    for key in ("run", "plugins"):
        if not values.get(key, True):
            del values[key]
    return dump_yaml(values)


def _merge(base: dict[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """`top` over `base`; mappings merge key by key, everything else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _inside(values: Any, path: list[str], make: bool = False) -> dict[str, Any] | None:
    """The mapping at the end of a path of keys; None where there is none. make: empty ones."""
    for key in path:
        if make and isinstance(values, dict):
            values.setdefault(key, {})
        values = values.get(key) if isinstance(values, dict) else None
    return values if isinstance(values, dict) else None


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key; an integer part indexes a list (tasks.0.weight), * all that are in it."""
    *path, last = key.split(".")
    places: list[Any] = [values]
    for part in path:
        places = [place for here in places for place in _steps(here, part, key)]
        if not all(isinstance(place, dict | list) for place in places):
            raise UserError(f"--set {key}: {part!r} is a single value and has no keys of its own.")
    for here in places:
        for own in _positions(last, here, key) if isinstance(here, list) else [last]:
            here[own] = copy.deepcopy(value)


def _steps(here: Any, part: str, key: str) -> list[Any]:
    """What a part of a key means, one step on."""
    if isinstance(here, list):
        return [here[index] for index in _positions(part, here, key)]
    return [here.setdefault(part, {})]


def _positions(part: str, items: list[Any], key: str) -> range:
    """The positions in a list that a part of a key means; UserError where there are none."""
    if not items:
        raise UserError(f"--set {key}: there is nothing in the list at {part!r} to be set.")
    if part == "*":
        return range(len(items))
    if not part.isdigit() or int(part) >= len(items):
        raise UserError(
            f"--set {key}: {part!r} should be a position from 0 to {len(items) - 1}, or * for all."
        )
    return range(int(part), int(part) + 1)


def _shrink(values: dict[str, Any], recipe: Recipe, scale: Scale) -> None:
    def scaled(number: int, factor: float, least: int) -> int:
        return max(least, round(number * factor))

    for network in ("generator", "discriminator", "classifier"):
        width = getattr(recipe, network).width
        _set(values, f"{network}.width", scaled(width, scale.width, 8))
    training = recipe.training
    _set(values, "training.batch_size", scaled(training.batch_size, scale.batch, 2))
    if training.generator_batch_size:
        smaller = scaled(training.generator_batch_size, scale.batch, 2)
        _set(values, "training.generator_batch_size", smaller)
    steps = scaled(training.steps, scale.steps, 1)
    _set(values, "training.steps", steps)
    # What happens every so often must still happen in a run that is so much shorter.
    for key, times in (("sample_every", 10), ("checkpoint_every", 10), ("evaluate_every", 10)):
        if getattr(training, key):
            _set(values, f"training.{key}", min(getattr(training, key), max(1, steps // times)))
    for stage in values["schedule"]["conditioning"]:
        for key in ("until", "over"):
            if stage[key]:
                stage[key] = scaled(stage[key], scale.steps, 1)
    _set(values, "training.log_every", min(training.log_every, max(1, steps // 100)))
    if scale.rate is not None:
        _set_schedule(values, recipe, scale.rate)


def _set_schedule(values: dict[str, Any], recipe: Recipe, rate: float) -> None:
    """Rates that fit a short training, in the same ratio to each other; none is lowered."""
    names = ("learning_rate", "discriminator_learning_rate", "classifier_learning_rate")
    rates = {name: found for name in names if (found := getattr(recipe.optimizer, name))}
    factor = min(_MOST_TIMES, max(1.0, rate / max(rates.values())))
    for name, own in rates.items():
        _set(values, f"optimizer.{name}", float(f"{own * factor:.6g}"))
    _set(values, "optimizer.decay", "linear")
    _set(values, "training.ema_decay", min(recipe.training.ema_decay, _AVERAGE))
