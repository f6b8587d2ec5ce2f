"""From a study to the runs that it needs, and to what is compared."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mtgan import plugins
from mtgan.errors import UserError
from mtgan.registry import nearest, plugin_folders
from mtgan.studies.cells import Cell, FoundCell
from mtgan.studies.jobs import Job, run_folder
from mtgan.studies.matrix import cells_of, found_cells_of, several_of
from mtgan.studies.schema import Baseline, Study, first_repeated
from mtgan.text import file_name


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
                        start=cell.start_job(seed),
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
    def _by_parts(self) -> dict[tuple[str, str, str, str, float | None], Cell]:
        return {
            (cell.recipe_label, cell.variant, cell.data_label, cell.setting, cell.mark): cell
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
        first, several = self.cells[0], several_of(self.study)
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
        variant, setting, mark = cell.variant, cell.setting, cell.mark
        if isinstance(cell, FoundCell):  # it has no variants, nor marks
            if baseline.recipe in {None, cell.recipe_label}:
                return cell
            variant, setting = next(iter(self.study.variants)), next(iter(self.study.settings))
            mark = self.study.marks.at[-1] if self.study.marks else None
        wanted = (
            cell.recipe_label if baseline.recipe is None else baseline.recipe,
            variant if baseline.variant is None else baseline.variant,
            cell.data_label if baseline.data is None else baseline.data,
        )
        if (*wanted, setting, mark) not in self._by_parts:
            raise UserError(
                f"Study {self.study.name}: baseline means the cell "
                f"{' / '.join(part for part in wanted if part)!r}, and there is none; the recipes "
                f"are {[entry.label for entry in self.study.recipes]}, the variants "
                f"{list(self.study.variants)}, the data sets {list(self.study.datasets)}; name one "
                "that is there by baseline: {recipe: ..., variant: ..., data: ...}."
            )
        return self._by_parts[(*wanted, setting, mark)]


def make_plan(study: Study) -> StudyPlan:
    """Every cell of the study with its recipe resolved and checked.

    Settings are laid over the recipe in this order: the study's, the recipe entry's, the
    variant's. Raises UserError for a recipe or setting that does not fit.
    """
    plan = StudyPlan(study, [*cells_of(study), *found_cells_of(study)])
    twice = first_repeated(cell.label for cell in plan.cells)
    if twice is not None:
        raise UserError(f"Study {study.name}: two cells are called {twice!r}; rename one.")
    _ = plan.pairs  # a baseline or a contrast that is not there is found now
    return plan


def study_folder(study: Study) -> Path:
    """Where a study goes that is given no folder."""
    ending = "" if study.scale == "full" else f"-{study.scale}"
    return Path("studies") / file_name(f"{study.name}{ending}")
