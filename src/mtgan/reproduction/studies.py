"""The studies of the index: shipped ones, with what all entries together ask of them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import read_json, write_json
from mtgan.reproduction.forms import FORMS
from mtgan.reproduction.index import entries
from mtgan.reproduction.rules import RULES
from mtgan.reproduction.schema import Asks, Entry, only
from mtgan.studies.kinds import KINDS
from mtgan.studies.load import load_study, on_data
from mtgan.studies.measure import measured_by, reference_of, with_twins
from mtgan.studies.measures import Curve, Measure
from mtgan.studies.plan import StudyPlan
from mtgan.studies.schema import Study
from mtgan.training.twins import own_levels, own_samples


def asked(entry: Entry) -> list[Asks]:
    """The options of an entry's form and rule, checked; UserError for one that is none."""
    found = []
    for registry, part in ((FORMS, entry.draw), (RULES, entry.rule)):
        if part:
            name, options = only(part)
            found.append(registry.get(name).options.model_validate(options))
    return found


@cache
def _wanted(study: str) -> tuple[tuple[str, ...], tuple[tuple[str, str | None], ...]]:
    """Measures, and values over training, that the index asks of a study: of all entries, whichever
    is asked for, so that they share one and the same runs."""
    measures: dict[str, None] = {}
    curves: dict[tuple[str, str | None], None] = {}
    for entry in entries().values():
        if entry.study != study:
            continue
        for options in asked(entry):
            measures |= dict.fromkeys(options.measured())
            curves |= dict.fromkeys(options.logged())
        measures |= {entry.obeys: None} if entry.obeys else {}
    return tuple(measures), tuple(curves)


def study_of(
    name: str,
    scale: str,
    seeds: int | None = None,
    data: str = "",
    root: Path | None = None,
    taxonomy: Path | None = None,
) -> Study:
    """A shipped study at a scale with the measures and curves that its entries need beside its own.

    data: a data set in place of the study's one. UserError as of `load_study` and `on_data`.
    """
    study = load_study(name, scale, seeds)
    if data:
        study = on_data(study, data, root, taxonomy)
    measures, curves = _wanted(name)
    own = {measure.name for measure in study.measures}
    drawn = {(curve.name, curve.over) for curve in study.curves}
    return study.model_copy(
        update={
            "measures": [*study.measures, *(Measure(name=n) for n in measures if n not in own)],
            "curves": [
                *study.curves,
                *(
                    Curve.model_validate({"name": n, "over": over})
                    for n, over in curves
                    if (n, over) not in drawn
                ),
            ],
        }
    )


def check_arms(entry: Entry, plan: StudyPlan) -> None:
    """UserError for an arm that the study does not have."""
    named = [*entry.arms, *(arm for options in asked(entry) for arm in options.arms())]
    known = {cell.label for cell in plan.cells}
    if odd := [arm for arm in named if arm not in known]:
        raise UserError(
            f"{entry.id} names the arm {odd[0]!r}, which the study {plan.study.name} does not have "
            f"at scale {plan.study.scale}; its arms: {', '.join(sorted(known))}."
        )


def check_levels(entry: Entry, plan: StudyPlan) -> None:
    """UserError where data of the study lack a level that the entry needs."""
    from mtgan.studies.jobs import load_data
    from mtgan.training.dataset_info import DatasetInfo

    if not entry.levels:
        return
    for cell in plan.cells:
        loading = {key: value for key, value in cell.data.items() if key != "auxiliary_data"}
        info = DatasetInfo.of(load_data(loading))
        for level in entry.levels:
            info.level(level, entry.id)
        return


def least_seeds(entry: Entry) -> int:
    """Seeds below which the entry's rule decides nothing."""
    return RULES.get(only(entry.rule)[0]).least if entry.rule else 0


def real_values(plan: StudyPlan, out: Path, device: str = "auto") -> dict[str, float]:
    """What real images get by a study's instrument: held-out ones in the place of samples, asked
    for the labels that they have. Measured once, and kept beside the study's runs.

    Empty for studies of other things than samples.
    """
    trained = [cell for cell in plan.cells if cell.trained]
    if not trained or KINDS.get(trained[0].kind_name) is not KINDS.get("gan"):
        return {}
    wanted = plan.study.evaluation.model_dump(mode="json")
    data = {**trained[0].data, "subset": None, "labeled": None}
    asked_for = {"evaluation": wanted, "data": data}
    kept = out / "real-images.json"
    if kept.is_file():
        known = read_json(kept, "What real images get")
        if isinstance(known, dict) and known.get("asked") == asked_for:
            return {str(name): float(value) for name, value in known["values"].items()}
    unseen = reference_of(data, "test")
    reference = reference_of(data, wanted["split"], wanted.get("half"))
    levels = own_levels(trained[0].recipe, reference)
    measured = {
        twin: measured_by(own_samples(unseen, own), own_samples(reference, own), wanted, device)
        for twin, own in (levels if any(levels.values()) else {"": None}).items()
    }
    found = with_twins(measured).values
    values = {name: float(entry["value"]) for name, entry in found.items()}
    write_json(kept, {"asked": asked_for, "values": values})
    return values


def cost(plan: StudyPlan) -> str:
    """Runs and their length in words: "65 runs of 500 iterations"."""
    runs = {cell.run_id(s) for cell in plan.cells for s in cell.seeds(plan.study.seeds)}
    lengths: Sequence[int] = sorted({cell.length for cell in plan.cells if cell.length})
    unit = plan.cells[0].kind.unit
    if not lengths:
        return f"{len(runs)} runs"
    span = f"{lengths[0]:,}" if len(lengths) == 1 else f"{lengths[0]:,} to {lengths[-1]:,}"
    return f"{len(runs)} runs of {span} {unit}"
