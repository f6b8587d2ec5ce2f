"""A sweep: a matrix of settings, fractions of the data and seeds, run one after the other.

OUT/sweep.yaml, runs/SETTING-FRACTION-sSEED/, runs.csv (a row per run), table.csv and table.md
(means, intervals, paired differences), and the figures. Finished runs are never repeated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mtgan.classification.figures import Lines, write_figures
from mtgan.classification.run import is_free
from mtgan.classification.schema import ClassifierRecipe, FreeShare, load_classifier_recipe
from mtgan.classification.tables import Row, write_tables
from mtgan.classification.tasks import load_auxiliary_data
from mtgan.classification.train import classify
from mtgan.data import Dataset
from mtgan.errors import UserError
from mtgan.files import hold, new_folder, write_text
from mtgan.limits import MOST_SEEDS, check_number
from mtgan.recipes import dump_recipe
from mtgan.recipes.load import Shelf
from mtgan.recipes.schema import Part
from mtgan.registry import nearest
from mtgan.text import file_name

Overrides = dict[str, Any]  # dotted keys of a recipe
Seeds = Annotated[int, Field(ge=1, le=MOST_SEEDS, strict=True)]
Fractions = Annotated[tuple[FreeShare, ...], Field(min_length=1)]


class Setting(Part):
    """One column of the comparison: a recipe and what differs from it."""

    name: Annotated[str, Field(min_length=1)]
    recipe: str
    set: Overrides = Field(default_factory=dict)
    auxiliary_data: str | None = None


class SweepScale(Part):
    """How a sweep shrinks for a small machine."""

    seeds: Seeds | None = None
    fractions: Fractions | None = None
    set: Overrides = Field(default_factory=dict)


class Sweep(Part):
    """Settings x fractions x seeds; differences are taken from the setting `baseline`."""

    name: str = "unnamed"
    extends: str | None = None
    title: str = ""
    source: str = ""
    about: str = ""
    settings: Annotated[tuple[Setting, ...], Field(min_length=1)]
    baseline: str
    fractions: Fractions = (1.0,)
    seeds: Seeds = 5
    set: Overrides = Field(default_factory=dict)  # of every run
    scales: dict[str, SweepScale] = Field(default_factory=dict)
    run: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One run of the matrix."""

    setting: Setting
    fraction: float
    seed: int

    @property
    def name(self) -> str:
        return file_name(
            f"{self.setting.name}-{_percent(self.fraction)}pct-s{self.seed}".replace(" ", "-")
        )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:g}"


def _check(sweep: Sweep) -> None:
    names = [setting.name for setting in sweep.settings]
    folders = {Cell(setting, 1.0, 0).name for setting in sweep.settings}
    if len(folders) < len(names):
        raise UserError(
            f"Sweep {sweep.name} gives two settings the same name, or names that differ in blanks "
            "alone; rename one."
        )
    for fractions in (sweep.fractions, *(s.fractions or () for s in sweep.scales.values())):
        if len({_percent(fraction) for fraction in fractions}) < len(fractions):
            raise UserError(f"Sweep {sweep.name} names a fraction twice; take one away.")
    if sweep.baseline not in names:
        raise UserError(
            f"Sweep {sweep.name}: there is no setting {sweep.baseline!r} to be the baseline: "
            f"{nearest(sweep.baseline, names)}"
        )


SWEEPS = Shelf(Sweep, resources.files("mtgan.classification") / "sweeps", _check)


def load_sweep(
    name: str | Path,
    scale: str = "full",
    seeds: int | None = None,
    overrides: Overrides | None = None,
) -> Sweep:
    """The sweep of this name or YAML file, at a scale that it knows ("full" is its own).

    overrides: recipe keys that win over those of every setting. UserError for an unknown name,
    key or scale.
    """
    if "data.fraction" in (overrides or {}):
        raise UserError("data.fraction has no effect on a sweep, which has its own `fractions`.")
    if seeds is not None:
        check_number("The number of seeds", seeds, 1, MOST_SEEDS)
    sweep = SWEEPS.load(name)
    known = {"full": SweepScale(), **sweep.scales}
    if scale not in known:
        raise UserError(f"Sweep {sweep.name} has no scale {scale!r}: {nearest(scale, [*known])}")
    chosen = known[scale]
    settings = [
        setting.model_copy(update={"set": {**chosen.set, **setting.set, **(overrides or {})}})
        for setting in sweep.settings
    ]
    return sweep.model_copy(
        update={
            "settings": tuple(settings),
            "seeds": seeds or chosen.seeds or sweep.seeds,
            "fractions": chosen.fractions or sweep.fractions,
            "scales": {},
        }
    )


def cells(sweep: Sweep) -> Iterator[Cell]:
    """Every run; seeds outermost, so that an unfinished sweep has whole replicates."""
    for seed in range(sweep.seeds):
        for fraction in sweep.fractions:
            for setting in sweep.settings:
                yield Cell(setting, fraction, seed)


def recipe_of(sweep: Sweep, setting: Setting, fraction: float = 1.0) -> ClassifierRecipe:
    """The recipe of a setting: its own keys over those of the sweep."""
    values = {**sweep.set, **setting.set, "data.fraction": fraction}
    return load_classifier_recipe(setting.recipe, values)


def run_sweep(
    sweep: Sweep,
    data: Dataset,
    out: str | Path,
    *,
    test: Dataset | None = None,
    device: str = "auto",
    say: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """Run what is not finished yet, and return a row per run; tables and figures are written into
    `out` whenever all settings have had another seed.

    test: the test split (loaded when None); say: called with a line per run. UserError where
    `out` holds another sweep, or another process is running one there.
    """
    out = Path(out)
    test = test if test is not None else data.load_split("test")
    matrix = list(cells(sweep))
    # Every recipe is read, and every other data set found, before anything is trained.
    recipes = {(s.name, f): recipe_of(sweep, s, f) for s in sweep.settings for f in sweep.fractions}
    names = {setting.auxiliary_data for setting in sweep.settings}
    others = {name: load_auxiliary_data(name, data) for name in names if name}
    _record(sweep, data, out)
    rows: list[Row] = []
    curves: list[Lines] = []
    lock = hold(out, "running the sweep")
    try:
        new = False  # whether anything has been run since the tables were written
        for number, cell in enumerate(matrix, start=1):
            folder = out / "runs" / cell.name
            done = (folder / "result.json").exists()
            recipe = recipes[cell.setting.name, cell.fraction]
            other = others.get(cell.setting.auxiliary_data or "")
            options: dict[str, Any] = {"auxiliary_data": other, "test": test, "device": device}
            run = classify(recipe, data, folder, seed=cell.seed, resume=True, quiet=True, **options)
            assert run.result is not None
            rows.append(Row(cell.setting.name, cell.fraction, cell.seed, run.result))
            curves.append(run.epochs())
            if not done:
                new = True
                say(f"{number}/{len(matrix)}  {cell.name}: {_summary(run.result)}")
            replicate = number % (len(matrix) // sweep.seeds) == 0
            if (replicate and new) or number == len(matrix):
                write_tables(rows, sweep.baseline, sweep.title, out)
                write_figures(rows, curves, out)
                new = False
    finally:
        lock.release()
    return rows


def _summary(result: dict[str, Any]) -> str:
    return f"test accuracy {result['test_accuracy']:.3f}, {result['seconds']:.0f} s"


def _record(sweep: Sweep, data: Dataset, out: Path) -> None:
    """sweep.yaml; UserError where there is one of another sweep, other data or other settings."""
    run = {"data": data.spec, "data_name": data.name, "data_fingerprint": data.fingerprint}
    recorded = sweep.model_copy(update={"run": run})
    file = out / "sweep.yaml"
    if file.is_file():
        was = SWEEPS.load(file)
        changed = [
            key
            for key, value in was.model_dump(exclude={"extends", "seeds"}).items()
            if value != recorded.model_dump()[key]
        ]
        if changed:
            raise UserError(
                f"{out} holds another sweep: {changed[0]} differs; name another folder with --out."
            )
        if was.seeds != recorded.seeds:
            write_text(file, dump_recipe(recorded))
        return
    if not is_free(out):
        raise UserError(
            f"{out} exists already, and holds no sweep; name another folder with --out."
        )
    with new_folder(out) as folder:
        write_text(folder / "sweep.yaml", dump_recipe(recorded))
