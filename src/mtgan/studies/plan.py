"""From a study to the runs that it needs, each under a name that follows from what it is."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mtgan import plugins
from mtgan.data.taxonomy_file import extends_a_file, whole_taxonomy
from mtgan.errors import UserError
from mtgan.registry import nearest, plugin_folders
from mtgan.studies.found import sources_of, stamp
from mtgan.studies.jobs import Job, result_name, run_folder
from mtgan.studies.kinds import KINDS, Kind
from mtgan.studies.schema import (
    Baseline,
    Marks,
    Settings,
    Study,
    StudyData,
    StudyRecipe,
    first_repeated,
)
from mtgan.text import file_name

_LONGEST_NAME = 80


@dataclass(frozen=True)
class Cell:
    """One combination of recipe, variant and data set; its runs differ by seed alone.

    label: the parts that vary within the study ("l = 2"). settings: what is set over the recipe.
    data: what its kind loads the data by. mark: where it is measured, None after the last
    iteration; trained_to: all the marks of its training.
    """

    label: str
    recipe_label: str
    variant: str
    data_label: str
    settings: Settings
    kind_name: str
    recipe: Any
    data: dict[str, Any]
    mark: float | None = None
    trained_to: Marks | None = None

    @property
    def kind(self) -> Kind:
        return KINDS.get(self.kind_name)

    def seeds(self, wanted: Sequence[int]) -> list[int]:
        """Those of the study's seeds that the cell has runs of."""
        return list(wanted)

    def source(self, seed: int) -> dict[str, str] | None:
        """Where a result is that need not be trained."""
        return None

    @property
    def trained(self) -> bool:
        """Whether anything has to be trained for it."""
        return True

    @property
    def length(self) -> int:
        """How long a run is trained, in the unit of its kind; 0 where that is not known before, and
        where results are there."""
        if self.trained_to is None:
            return self.kind.length(self.recipe)
        return 0 if self.trained_to.seconds else int(self.trained_to.at[-1])

    @property
    def evaluated_every(self) -> int:
        return self.kind.evaluated_every(self.recipe)

    def run_id(self, seed: int) -> str:
        return f"{_slug(self.recipe.name)}-s{seed}-{_digest(self._trained, seed)[:12]}"

    @cached_property
    def _trained(self) -> list[Any]:
        marks = self.trained_to
        if marks is None:
            return self.kind.identity(self.recipe, self.data)
        # A training that several marks are on is the same one when marks are added.
        length = marks.at if len(marks.at) == 1 else []
        identity = self.kind.identity(self.kind.lasting(self.recipe, 1), self.data)
        return [*identity, marks.unit, *length]

    def result(self, seed: int) -> str:
        """The name of what is recorded of a run of it."""
        return result_name(self.run_id(seed), self.mark)


@dataclass(frozen=True)
class FoundCell(Cell):
    """A cell of results that are there already; sources: {"kind", "path"} by seed."""

    sources: Mapping[int, dict[str, str]] = field(default_factory=dict)

    def seeds(self, wanted: Sequence[int]) -> list[int]:
        return [seed for seed in wanted if seed in self.sources]

    def source(self, seed: int) -> dict[str, str] | None:
        return self.sources[seed]

    @property
    def trained(self) -> bool:
        return False

    @property
    def length(self) -> int:
        return 0

    @property
    def evaluated_every(self) -> int:
        return 0

    def run_id(self, seed: int) -> str:
        """Another one once what lies there has changed."""
        given = [self.sources[seed], stamp(Path(self.sources[seed]["path"])), self.data]
        return f"{_slug(self.label)}-s{seed}-{_digest(given, seed)[:12]}"


@dataclass(frozen=True)
class StudyPlan:
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
                run, marks = cell.run_id(seed), cell.trained_to
                if run not in found:
                    folder = str(run_folder(out, run))
                    found[run] = Job(
                        *(run, recipe, cell.data, seed, evaluation, folder, device, folders),
                        source=cell.source(seed),
                        kind=cell.kind_name,
                        marks=marks.at if marks else [],
                        unit=marks.unit if marks else "",
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
    def _by_parts(self) -> dict[tuple[str, str, str, float | None], Cell]:
        return {
            (cell.recipe_label, cell.variant, cell.data_label, cell.mark): cell
            for cell in self.cells
        }

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
        """The first cell, by what varies: of recipes and variants where several do, else of data;
        and by its data set, too, where its recipe is for that one alone."""
        first, several = self.cells[0], _several(self.study)
        alone = bool(self.study.recipes) and bool(self.study.recipes[0].data)
        compared = (*several[:2], alone) if any(several[:2]) else several
        names = ("recipe", "variant", "data")
        labels = (first.recipe_label, first.variant, first.data_label)
        return Baseline(
            **{
                name: label
                for name, label, used in zip(names, labels, compared, strict=True)
                if used
            }
        )

    def _counterpart(self, cell: Cell, baseline: Baseline) -> Cell:
        variant, mark = cell.variant, cell.mark
        if isinstance(cell, FoundCell):  # it has no variants, nor marks
            if baseline.recipe in {None, cell.recipe_label}:
                return cell
            variant = next(iter(self.study.variants))
            mark = self.study.marks.at[-1] if self.study.marks else None
        wanted = (
            cell.recipe_label if baseline.recipe is None else baseline.recipe,
            variant if baseline.variant is None else baseline.variant,
            cell.data_label if baseline.data is None else baseline.data,
        )
        if (*wanted, mark) not in self._by_parts:
            raise UserError(
                f"Study {self.study.name}: baseline means the cell "
                f"{' / '.join(part for part in wanted if part)!r}, and there is none; the recipes "
                f"are {[entry.label for entry in self.study.recipes]}, the variants "
                f"{list(self.study.variants)}, the data sets {list(self.study.datasets)}; name one "
                "that is there by baseline: {recipe: ..., variant: ..., data: ...}."
            )
        return self._by_parts[(*wanted, mark)]


def make_plan(study: Study) -> StudyPlan:
    """Every cell of the study with its recipe resolved and checked.

    Settings are laid over the recipe in this order: the study's, the recipe entry's, the
    variant's. Raises UserError for a recipe or setting that does not fit.
    """
    plan = StudyPlan(study, [*_cells(study), *_found_cells(study)])
    twice = first_repeated(cell.label for cell in plan.cells)
    if twice is not None:
        raise UserError(f"Study {study.name}: two cells are called {twice!r}; rename one.")
    _ = plan.pairs  # a baseline or a contrast that is not there is found now
    return plan


def _digest(trained: list[Any], seed: int) -> str:
    return hashlib.sha256(json.dumps([*trained, seed], sort_keys=True).encode()).hexdigest()


def study_folder(study: Study) -> Path:
    """Where a study goes that is given no folder."""
    ending = "" if study.scale == "full" else f"-{study.scale}"
    return Path("studies") / file_name(f"{study.name}{ending}")


def _several(study: Study) -> tuple[bool, bool, bool]:
    """Which of recipe, variant and data set vary."""
    return (
        len(study.recipes) + len(study.found) > 1,
        len(study.variants) > 1,
        len(study.datasets) > 1,
    )


def _cells(study: Study) -> Iterator[Cell]:
    several = _several(study)
    for name in dict.fromkeys([study.kind, *(entry.kind or study.kind for entry in study.recipes)]):
        KINDS.get(name).check(study)
        _check_axes(study, name)
    for entry in study.recipes:
        kind_name = entry.kind or study.kind
        kind = KINDS.get(kind_name)
        for variant, changes in study.variants.items():
            settings = {**entry.set, **changes}
            recipe = kind.recipe(entry, settings, study)
            for data_label, data in _data_of(entry, study).items():
                shown = "" if entry.data else data_label
                parts = zip((entry.label, variant, shown), several, strict=True)
                label = " / ".join(part for part, varies in parts if varies and part)
                cell = Cell(
                    label=label or entry.label,
                    recipe_label=entry.label,
                    variant=variant,
                    data_label=data_label,
                    settings=settings,
                    kind_name=kind_name,
                    recipe=recipe,
                    data=_absolute(kind.loading(entry, data, recipe)),
                )
                yield from [cell] if study.marks is None else _at_marks(cell, entry, study.marks)


def _check_axes(study: Study, kind: str) -> None:
    """UserError where a curve is over what jobs of a kind, which log values, do not count."""
    axes = KINDS.get(kind).axes
    for curve in study.curves if axes else ():
        over = curve.over or study.curves_over
        if over not in {"training", *axes}:
            raise UserError(
                f"Study {study.name}: the curve of {curve.name!r} is over {over}, and what jobs of "
                f"kind {kind} log is drawn over {' or '.join(axes)}."
            )


def _at_marks(cell: Cell, entry: StudyRecipe, marks: Marks) -> Iterator[Cell]:
    """The cell at each mark: of one training, or of a training for each."""
    apart = entry.run_per_mark
    if apart is None:
        apart = cell.kind.depends_on_length(cell.recipe)
    for mark in marks.at:
        own = Marks.model_validate({marks.unit: [mark if marks.seconds else int(mark)]})
        label = f"{cell.label} / {marks.label(mark)}"
        yield replace(cell, label=label, mark=mark, trained_to=own if apart else marks)


def _found_cells(study: Study) -> Iterator[FoundCell]:
    """The cells of results that are there; UserError where one is not, or its data set unknown."""
    _, _, several = _several(study)
    kind = KINDS.get(study.kind)
    for found in study.found:
        label = found.data or next(iter(study.datasets))
        if label not in study.datasets:
            raise UserError(
                f"Study {study.name}: {found.name!r} names the data set {label!r}: "
                f"{nearest(label, list(study.datasets))}"
            )
        recipe, sources = kind.schema(name=found.name), sources_of(found, study.seeds)
        unknown = {source["kind"] for source in sources.values()} - {"numbers", *kind.found}
        if unknown:
            raise UserError(
                f"Study {study.name}: {found.name!r} names {unknown.pop()}, and of a study of kind "
                f"{study.kind} only {', '.join(f'{name}s' for name in kind.found)} and numbers can "
                "be measured."
            )
        yield FoundCell(
            label=f"{found.name} / {label}" if several and found.data else found.name,
            recipe_label=found.name,
            variant="",
            data_label=label,
            settings={},
            kind_name=study.kind,
            recipe=recipe,
            data=_absolute(kind.loading(None, study.datasets[label], recipe)),
            sources=sources,
        )


def _data_of(entry: StudyRecipe, study: Study) -> dict[str, StudyData]:
    if not entry.data:
        return study.datasets
    if entry.data not in study.datasets:
        raise UserError(
            f"Study {study.name}: {entry.label!r} names the data set {entry.data!r}: "
            f"{nearest(entry.data, list(study.datasets))}"
        )
    return {entry.data: study.datasets[entry.data]}


def _absolute(loading: dict[str, Any]) -> dict[str, Any]:
    """With whole paths, and taxonomies that need no file beside them."""
    found: dict[str, Any] = {
        key: str(Path(loading[key]).resolve())
        for key in ("root", "taxonomy")
        if isinstance(loading[key], str)
    }
    taxonomy = loading["taxonomy"]
    if isinstance(taxonomy, Mapping) and extends_a_file(taxonomy):
        found["taxonomy"] = whole_taxonomy(taxonomy)
    return {**loading, **found}


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9.]+", "-", text)[:_LONGEST_NAME].strip("-") or "run"
