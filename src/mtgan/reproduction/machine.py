"""From ids to drawings and verdicts, by way of the studies that entries share.

OUT/
  reproduction.json   the version of this layout
  SCALE/              of data of the user's own, SCALE-DATA/
    studies/NAME/     study folders, each shared by all of its entries
    thesis/5.3/       entry.json, entry.md and pictures
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mtgan
from mtgan.errors import UserError
from mtgan.files import read_json, write_json, write_text, writing
from mtgan.reproduction.forms import FORMS
from mtgan.reproduction.material import TINY, Material
from mtgan.reproduction.page import entry_page
from mtgan.reproduction.reproduced import NOT_BUILT, NOT_DRAWN, NOT_RUN, Reproduced
from mtgan.reproduction.schema import Entry, only
from mtgan.reproduction.studies import (
    check_arms,
    check_levels,
    least_seeds,
    real_values,
    study_of,
)
from mtgan.reproduction.verdict import judge
from mtgan.studies.collect import StudyResult, is_study_folder
from mtgan.studies.execute import Executor, JobOutcome
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.study import run_study
from mtgan.text import file_name

FORMAT = 1
MARK = "reproduction.json"
ENTRY = "entry.json"
Progress = Callable[[int, int, JobOutcome | None], None]


@dataclass(frozen=True)
class Setting:
    """Under which conditions entries are reproduced.

    Attributes:
        out: The folder of all results.
        scale: Of the studies.
        seeds: 0 to seeds - 1 in place of the studies' own.
        data, root, taxonomy: A data set in place of the studies' own; "" for theirs.
    """

    out: Path
    scale: str = "small"
    seeds: int | None = None
    data: str = ""
    root: Path | None = None
    taxonomy: Path | None = None

    @property
    def folder(self) -> Path:
        ending = f"-{Path(self.data).name}" if self.data else ""
        return self.out / file_name(f"{self.scale}{ending}")

    def study_folder(self, name: str) -> Path:
        return self.folder / "studies" / name

    def entry_folder(self, entry: Entry) -> Path:
        return self.folder / entry.id

    def plan(self, name: str) -> StudyPlan:
        """The plan of a study of the index here."""
        return make_plan(
            study_of(name, self.scale, self.seeds, self.data, self.root, self.taxonomy)
        )


def open_results(setting: Setting, begin: bool = True) -> None:
    """Find or begin the folder of results; UserError where it is something else's, or of another
    version."""
    mark = setting.out / MARK
    if mark.is_file():
        known = read_json(mark, "The mark of a folder of reproductions")
        version = known.get("format") if isinstance(known, dict) else None
        if version != FORMAT:
            raise UserError(
                f"{setting.out} holds results of another version (layout {version}, this one has "
                f"{FORMAT}); name another folder with --out."
            )
        return
    with writing(setting.out):
        foreign = setting.out.exists() and (not setting.out.is_dir() or any(setting.out.iterdir()))
    if foreign:
        raise UserError(
            f"{setting.out} exists and holds no reproductions; name another folder with --out."
        )
    if begin:
        write_json(mark, {"format": FORMAT, "mtgan": mtgan.__version__})


def plans_of(wanted: Sequence[Entry], setting: Setting) -> dict[str, StudyPlan]:
    """The plans of the studies that entries need, each once; UserError for entries that cannot be
    answered so."""
    plans: dict[str, StudyPlan] = {}
    for entry in wanted:
        if not entry.built or not entry.study:
            continue
        if entry.study not in plans:
            plans[entry.study] = setting.plan(entry.study)
        plan = plans[entry.study]
        check_arms(entry, plan)
        _check_seeds(entry, plan, setting.scale)
        check_levels(entry, plan)
    return plans


def _check_seeds(entry: Entry, plan: StudyPlan, scale: str) -> None:
    least, seeds = least_seeds(entry), len(plan.study.seeds)
    if seeds < least and scale != TINY:
        raise UserError(
            f"{entry.id} is judged from {least} seeds on, and {seeds} would train for nothing; "
            f"give it --seeds {least} or more."
        )


def check_one(entry: Entry) -> None:
    """UserError for an entry that nothing answers yet."""
    if not entry.built:
        raise UserError(f"{entry.id} is not built: {entry.not_built}.")


def run_studies(
    plans: dict[str, StudyPlan],
    setting: Setting,
    executor: Callable[[Path], Executor],
    device: str = "auto",
    progress: Callable[[str], Progress] = lambda name: lambda done, total, last: None,
) -> None:
    """Run the studies, one after another; what is finished is not run again."""
    for name, plan in plans.items():
        out = setting.study_folder(name)
        run_study(plan, out, executor(out), device, progress(name))


def draw(entry: Entry, setting: Setting, plan: StudyPlan | None) -> Reproduced:
    """Draw and judge an entry from what is there; what cannot be drawn says why in its page."""
    folder = setting.entry_folder(entry)
    if not entry.built:
        made = Reproduced(entry, folder, NOT_BUILT, error=f"not built: {entry.not_built}")
        return _written(made, setting)
    state = NOT_RUN
    try:
        material = material_of(entry, setting, plan)
        state = NOT_DRAWN
        made = _made(material)
    except UserError as error:
        made = Reproduced(entry, folder, state, error=str(error))
    return _written(made, setting)


def material_of(entry: Entry, setting: Setting, plan: StudyPlan | None) -> Material:
    """What there is to draw an entry from; UserError where its study has no folder yet."""
    result, real = None, {}
    if entry.study:
        study = setting.study_folder(entry.study)
        if not is_study_folder(study):
            raise UserError(f"its study {entry.study} has not been run at scale {setting.scale}")
        result = StudyResult.open(study)
        if not result.results:
            raise UserError(f"no run of its study {entry.study} has finished")
        if plan is not None and entry.obeys:
            real = real_values(plan, study)
    return Material(
        *(entry, setting.scale, setting.entry_folder(entry), result, real), data_name=setting.data
    )


def _made(material: Material) -> Reproduced:
    name, options = only(material.entry.draw)
    form = FORMS.get(name)
    drawn = form.draw(form.options.model_validate(options), material)
    verdict = judge(material)
    return Reproduced(material.entry, material.out, verdict.outcome, verdict, drawn)


def _written(made: Reproduced, setting: Setting) -> Reproduced:
    """With entry.json and entry.md in its folder."""
    unjudged = {"verdict": made.state, "reason": made.error}
    verdict = made.verdict.to_dict() if made.verdict else unjudged
    values: dict[str, Any] = {
        "id": made.entry.id,
        "mtgan": mtgan.__version__,
        "scale": setting.scale,
        "study": made.entry.study,
        "rule": made.entry.rule,
        **verdict,
        "counts": made.drawn.counts,
        "files": [file.name for file in made.drawn.files],
    }
    write_json(made.folder / ENTRY, values)
    write_text(made.folder / "entry.md", entry_page(made, lambda file: file.name))
    return made


def known_state(entry: Entry, setting: Setting) -> str:
    """What came of an entry so far: a verdict, or why there is none, in a word."""
    if not entry.built:
        return NOT_BUILT
    file = setting.entry_folder(entry) / ENTRY
    if not file.is_file():
        return NOT_RUN
    values = read_json(file, "The entry")
    verdict = values.get("verdict") if isinstance(values, dict) else None
    return str(verdict) if verdict else NOT_RUN


def reproduce(
    wanted: Sequence[Entry],
    setting: Setting,
    executor: Callable[[Path], Executor],
    device: str = "auto",
    progress: Callable[[str], Progress] = lambda name: lambda done, total, last: None,
) -> Iterator[Reproduced]:
    """Run what the entries need, then draw and judge each in turn."""
    plans = plans_of(wanted, setting)
    open_results(setting)
    run_studies(plans, setting, executor, device, progress)
    for entry in wanted:
        yield draw(entry, setting, plans.get(entry.study))
