"""From a study to the runs that it needs, each under a name that follows from what it is."""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mtgan import plugins
from mtgan.errors import UserError
from mtgan.files import read_text
from mtgan.recipes import Recipe, load_recipe
from mtgan.recipes.records import read_record
from mtgan.registry import nearest, plugin_folders
from mtgan.studies.found import sources_of, stamp
from mtgan.studies.records import RunResult
from mtgan.studies.schema import Arm, Baseline, Settings, Study, StudyData, first_repeated
from mtgan.text import file_name

# What a recipe says about itself, and not about what is trained.
_DESCRIPTION = {"name", "extends", "title", "source", "about", "run", "plugins"}
_TIMED_ITERATIONS = 3
_CURVE_POINTS = 10  # evaluations during training, for curves that only they give
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Cell:
    """One combination of recipe, variant and data set; its runs differ by seed alone.

    label: the parts that vary within the study ("l = 2"). settings: what is set over the recipe.
    """

    label: str
    recipe_label: str
    variant: str
    data_label: str
    settings: Settings
    recipe: Recipe
    data: dict[str, Any]

    def seeds(self, wanted: Sequence[int]) -> list[int]:
        """Those of the study's seeds that the cell has runs of."""
        return list(wanted)

    def source(self, seed: int) -> dict[str, str] | None:
        """Where a result is that need not be trained."""
        return None

    @property
    def iterations(self) -> int:
        return self.recipe.training.steps

    def run_id(self, seed: int) -> str:
        return f"{_slug(self.recipe.name)}-s{seed}-{_digest(self._trained, seed)[:12]}"

    @cached_property
    def _trained(self) -> list[Any]:
        return _what_is_trained(self.recipe, self.data)


@dataclass(frozen=True)
class FoundCell(Cell):
    """A cell of results that are there already; sources: {"kind", "path"} by seed."""

    sources: Mapping[int, dict[str, str]] = field(default_factory=dict)

    def seeds(self, wanted: Sequence[int]) -> list[int]:
        return [seed for seed in wanted if seed in self.sources]

    def source(self, seed: int) -> dict[str, str] | None:
        return self.sources[seed]

    @property
    def iterations(self) -> int:
        return 0

    def run_id(self, seed: int) -> str:
        """Another one once what lies there has changed."""
        given = [self.sources[seed], stamp(Path(self.sources[seed]["path"])), self.data]
        return f"{_slug(self.label)}-s{seed}-{_digest(given, seed)[:12]}"


@dataclass(frozen=True)
class Job:
    """One training, or one result that is there, as plain values: what a worker needs."""

    id: str
    recipe: dict[str, Any]
    data: dict[str, Any]
    seed: int
    evaluation: dict[str, Any]
    out: str
    device: str = "auto"
    plugins: Mapping[str, str] = field(default_factory=dict)  # see mtgan.plugins.folders
    source: dict[str, str] | None = None


@dataclass(frozen=True)
class Plan:
    """A study's cells; runs of the same recipe, data and seed are one run in several cells."""

    study: Study
    cells: list[Cell]

    def jobs(self, out: Path, device: str = "auto") -> list[Job]:
        """Every distinct run, seed by seed, so that a study cut short has all cells at some."""
        found: dict[str, Job] = {}
        evaluation = self.study.evaluation.model_dump(mode="json")
        recipes = [cell.recipe.model_dump(mode="json") for cell in self.cells]
        plugins.use(self._modules())
        folders = plugin_folders()
        for seed in self.study.seeds:
            for cell, recipe in zip(self.cells, recipes, strict=True):
                if not cell.seeds([seed]):
                    continue
                run = cell.run_id(seed)
                if run not in found:
                    folder = str(run_folder(out, run))
                    found[run] = Job(
                        *(run, recipe, cell.data, seed, evaluation, folder, device, folders),
                        source=cell.source(seed),
                    )
        return list(found.values())

    def _modules(self) -> list[str]:
        """Modules of what the study names as module:Name, beside its recipes."""
        wanted = self.study.evaluation
        names = [wanted.features, *(wanted.metrics or "").split(",")]
        names += [cell.data["name"] for cell in self.cells]
        outside = [name.strip() for name in names if plugins.is_outside(name.strip())]
        return [name.partition(":")[0] for name in outside]

    def cell(self, label: str) -> Cell:
        """The cell of that label; UserError naming the nearest where there is none."""
        if label not in self._by_label:
            raise UserError(
                f"Study {self.study.name}: contrasts names {label!r}: "
                f"{nearest(label, list(self._by_label))}"
            )
        return self._by_label[label]

    @cached_property
    def _by_label(self) -> dict[str, Cell]:
        return {cell.label: cell for cell in self.cells}

    @cached_property
    def _by_parts(self) -> dict[tuple[str, str, str], Cell]:
        return {(cell.recipe_label, cell.variant, cell.data_label): cell for cell in self.cells}

    @cached_property
    def pairs(self) -> list[tuple[Cell, Cell]]:
        """(cell, what it is compared with): the baseline's comparisons, then the contrasts."""
        baseline = self.study.baseline or self._default_baseline()
        pairs = []
        for cell in self.cells:
            other = self._counterpart(cell, baseline)
            if other is not cell:
                pairs.append((cell, other))
        for first, second in self.study.contrasts:
            pair = (self.cell(first), self.cell(second))
            if pair not in pairs:
                pairs.append(pair)
        return pairs

    def _default_baseline(self) -> Baseline:
        first, several = self.cells[0], _several(self.study)
        compared = several[:2] if any(several[:2]) else several
        names = ("recipe", "variant", "data")
        labels = (first.recipe_label, first.variant, first.data_label)
        return Baseline(
            **{
                name: label
                for name, label, used in zip(names, labels, compared, strict=False)
                if used
            }
        )

    def _counterpart(self, cell: Cell, baseline: Baseline) -> Cell:
        variant = cell.variant
        if isinstance(cell, FoundCell):  # it has no variants
            if baseline.recipe in {None, cell.recipe_label}:
                return cell
            variant = next(iter(self.study.variants))
        wanted = (
            cell.recipe_label if baseline.recipe is None else baseline.recipe,
            variant if baseline.variant is None else baseline.variant,
            cell.data_label if baseline.data is None else baseline.data,
        )
        if wanted not in self._by_parts:
            raise UserError(
                f"Study {self.study.name}: baseline means the cell "
                f"{' / '.join(part for part in wanted if part)!r}, and there is none; the recipes "
                f"are {[arm.label for arm in self.study.recipes]}, the variants "
                f"{list(self.study.variants)}, the data sets {list(self.study.datasets)}."
            )
        return self._by_parts[wanted]


def make_plan(study: Study) -> Plan:
    """Every cell of the study with its recipe resolved and checked.

    Settings are laid over the recipe in this order: the study's, the recipe entry's, the
    variant's. Raises UserError for a recipe or setting that does not fit.
    """
    plan = Plan(study, [*_cells(study), *found_cells(study)])
    twice = first_repeated(cell.label for cell in plan.cells)
    if twice is not None:
        raise UserError(f"Study {study.name}: two cells are called {twice!r}; rename one.")
    _ = plan.pairs  # a baseline or a contrast that is not there is found now
    return plan


def identity(recipe: Recipe, data: Mapping[str, Any], seed: int) -> str:
    """What a run is: SHA-256 over everything trained by, the data's loading and the seed."""
    return _digest(_what_is_trained(recipe, data), seed)


def _what_is_trained(recipe: Recipe, data: Mapping[str, Any]) -> list[Any]:
    trained = recipe.model_dump(mode="json", exclude=_DESCRIPTION)
    del trained["data"]["channels"]  # the loading says them
    if trained["data"]["labeled"] is None:
        del trained["data"]["labeled"]  # as before there was such a key
    loading = dict(data)
    if isinstance(loading["taxonomy"], str):  # what the file says, not where it lies
        loading["taxonomy"] = read_text(loading["taxonomy"], "The taxonomy")
    return [trained, loading]


def _digest(trained: list[Any], seed: int) -> str:
    return hashlib.sha256(json.dumps([*trained, seed], sort_keys=True).encode()).hexdigest()


def study_folder(study: Study) -> Path:
    """Where a study goes that is given no folder."""
    ending = "" if study.scale == "full" else f"-{study.scale}"
    return Path("studies") / file_name(f"{study.name}{ending}")


def run_folder(out: Path, run: str) -> Path:
    return out / "runs" / run


def _several(study: Study) -> tuple[bool, bool, bool]:
    """Which of recipe, variant and data set vary."""
    return (
        len(study.recipes) + len(study.found) > 1,
        len(study.variants) > 1,
        len(study.datasets) > 1,
    )


def _cells(study: Study) -> Iterator[Cell]:
    several = _several(study)
    budget = {} if study.budget.steps is None else {"training.steps": study.budget.steps}
    for arm in study.recipes:
        for variant, changes in study.variants.items():
            # Measured when finished, by one instrument for all; the loop's own would differ.
            quiet = {"training.evaluate_every": 0}
            settings = {**arm.set, **changes}
            every = {**quiet, **study.set, **budget, **settings}
            recipe = load_recipe(arm.recipe, every, study.budget.scale)
            said = "training.evaluate_every" in {**study.set, **settings}
            if study.evaluated_curves and not said:
                recipe = _evaluated_on_the_way(recipe)
            for data_label, data in _data_of(arm, study).items():
                shown = "" if arm.data else data_label
                parts = zip((arm.label, variant, shown), several, strict=True)
                yield Cell(
                    label=" / ".join(part for part, varies in parts if varies and part)
                    or arm.label,
                    recipe_label=arm.label,
                    variant=variant,
                    data_label=data_label,
                    settings=settings,
                    recipe=recipe,
                    data=_loading(data, recipe),
                )


def found_cells(study: Study) -> Iterator[FoundCell]:
    """The cells of results that are there; UserError where one is not, or its data set unknown."""
    _, _, several = _several(study)
    for each in study.found:
        label = each.data or next(iter(study.datasets))
        if label not in study.datasets:
            raise UserError(
                f"Study {study.name}: {each.name!r} names the data set {label!r}: "
                f"{nearest(label, list(study.datasets))}"
            )
        recipe = Recipe(name=each.name)
        yield FoundCell(
            label=f"{each.name} / {label}" if several and each.data else each.name,
            recipe_label=each.name,
            variant="",
            data_label=label,
            settings={},
            recipe=recipe,
            data=_loading(study.datasets[label], recipe),
            sources=sources_of(each, study.seeds),
        )


def _evaluated_on_the_way(recipe: Recipe) -> Recipe:
    every = max(1, recipe.training.steps // _CURVE_POINTS)
    training = recipe.training.model_copy(update={"evaluate_every": every})
    return recipe.model_copy(update={"training": training})


def _data_of(arm: Arm, study: Study) -> dict[str, StudyData]:
    if not arm.data:
        return study.datasets
    if arm.data not in study.datasets:
        raise UserError(
            f"Study {study.name}: {arm.label!r} names the data set {arm.data!r}: "
            f"{nearest(arm.data, list(study.datasets))}"
        )
    return {arm.data: study.datasets[arm.data]}


def _loading(data: StudyData, recipe: Recipe) -> dict[str, Any]:
    """Arguments of load_dataset: the study's, and the recipe's where the study says nothing."""
    values = data.model_dump(mode="json")
    for key in ("size", "channels"):
        if values[key] is None:
            values[key] = recipe.model_dump(mode="json")["data"][key]
    if values["subset"] is None:
        values["subset"] = recipe.data.subset
        values["stratified"] = recipe.data.stratified
    if values["labeled"] is None:
        values["labeled"] = recipe.data.labeled
    if values["labeled"] is None:
        del values["labeled"]  # as before there was such a key
    for key in ("root", "taxonomy"):  # workers may run elsewhere
        if isinstance(values[key], str):
            values[key] = str(Path(values[key]).resolve())
    return values


def load_data(loading: Mapping[str, Any]) -> Any:
    """The Dataset of a Job."""
    from mtgan.data import load_dataset

    values = dict(loading)
    size = values.pop("size")
    return load_dataset(size=tuple(size) if isinstance(size, list) else size, **values)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text)[:_LONGEST_NAME].strip("-") or "run"


# How long it will take


@dataclass(frozen=True)
class Estimate:
    """Seconds of one job after another; `timed` cells were tried out, others are known from runs
    that have finished. Measuring the finished runs is not in it."""

    seconds: float
    runs: int
    finished: int
    timed: int


def estimate(plan: Plan, out: Path, device: str = "auto") -> Estimate:
    """How long the unfinished runs will take, from finished ones of the same cell, or else from
    three iterations of each cell (the first not counted)."""
    finished = {job.id: result for job in plan.jobs(out) if (result := read_result(job))}
    seconds, seen, timed = 0.0, set(finished), 0
    for cell in plan.cells:
        missing = [
            run for seed in cell.seeds(plan.study.seeds) if (run := cell.run_id(seed)) not in seen
        ]
        seen.update(missing)
        if not missing or isinstance(cell, FoundCell):
            continue
        pace = _known_pace(cell, plan.study.seeds, finished)
        if pace is None:
            pace, timed = _timed_pace(cell, device), timed + 1
        seconds += len(missing) * pace * cell.recipe.training.steps
    return Estimate(seconds, len(plan.jobs(out)), len(finished), timed)


def _known_pace(
    cell: Cell, seeds: Sequence[int], finished: Mapping[str, Mapping[str, Any]]
) -> float | None:
    paces = [
        finished[run]["seconds"] / cell.recipe.training.steps
        for seed in seeds
        if (run := cell.run_id(seed)) in finished
    ]
    return sum(paces) / len(paces) if paces else None


def _timed_pace(cell: Cell, device: str) -> float:
    """Seconds per iteration, from the log of a training of a few."""
    short = {"steps": _TIMED_ITERATIONS, "log_every": 1, "evaluate_every": 0}
    lines = [line for line in short_log(cell, short, device) if line["kind"] == "train"]
    rates = [line["steps_per_second"] for line in lines]
    return sum(1 / rate for rate in rates[1:]) / len(rates[1:])


def short_log(cell: Cell, training: Mapping[str, Any], device: str) -> list[dict[str, Any]]:
    """The log of a training of a cell that is thrown away.

    training: keys of the recipe's `training` that differ. UserError where it cannot be trained.
    """
    from mtgan.training import train

    part = cell.recipe.training.model_copy(update=training)
    recipe = cell.recipe.model_copy(update={"training": part})
    with tempfile.TemporaryDirectory() as folder:
        run = train(recipe, load_data(cell.data), Path(folder) / "run", device=device, quiet=True)
        return run.metrics()


def read_result(job: Job) -> dict[str, Any] | None:
    """What a worker recorded of a finished run, if it was measured as the study asks.

    UserError where the file holds something else.
    """
    return read_result_file(Path(job.out) / "result.json", job.evaluation)


def read_result_file(path: Path, evaluation: Mapping[str, Any]) -> dict[str, Any] | None:
    """A run's result.json; None where there is none, or it was measured in another way."""
    if not path.exists():
        return None
    result = read_record(path, RunResult, "remove it, and the study measures that run again")
    return result if result["evaluation"] == evaluation else None
