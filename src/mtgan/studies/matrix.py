"""From what a study varies to its cells, each with its recipe resolved and its data named."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Literal, TypeVar

from mtgan.data.taxonomy_file import extends_a_file, whole_taxonomy
from mtgan.errors import UserError
from mtgan.registry import nearest
from mtgan.studies.cells import Cell, FoundCell, Origin
from mtgan.studies.found import sources_of
from mtgan.studies.kinds import KINDS
from mtgan.studies.measures import Marks
from mtgan.studies.schema import Study, StudyRecipe

_Value = TypeVar("_Value")


def several_of(study: Study) -> tuple[bool, bool, bool]:
    """Which of recipe, variant and data set vary."""
    return (
        len(study.recipes) + len(study.found) > 1,
        len(study.variants) > 1,
        len(study.datasets) > 1,
    )


def cells_of(study: Study) -> Iterator[Cell]:
    several = several_of(study)
    for name in dict.fromkeys([study.kind, *(entry.kind or study.kind for entry in study.recipes)]):
        KINDS.get(name).check(study)
        _check_axes(study, name)
    for entry in study.recipes:
        kind_name = entry.kind or study.kind
        kind, start = KINDS.get(kind_name), _start_of(entry, kind_name, study)
        for (variant, changes), (setting, drawn) in product(
            _own(entry, "variant", study.variants, study).items(), study.settings.items()
        ):
            settings = {**entry.set, **changes, **drawn}
            recipe = kind.recipe(entry, settings, study)
            for data_label, data in _own(entry, "data", study.datasets, study).items():
                parts = (
                    (entry.label, several[0]),
                    (variant, several[1] and not entry.variant),
                    (setting, True),
                    (data_label, several[2] and not entry.data),
                )
                label = " / ".join(part for part, varies in parts if varies and part)
                cell = Cell(
                    label=label or entry.label,
                    recipe_label=entry.label,
                    variant=variant,
                    setting=setting,
                    data_label=data_label,
                    settings=settings,
                    kind_name=kind_name,
                    recipe=recipe,
                    data=_absolute(kind.loading(entry, data, recipe)),
                    start=start,
                )
                yield from [cell] if study.marks is None else _at_marks(cell, entry, study.marks)


def _start_of(entry: StudyRecipe, kind_name: str, study: Study) -> Origin | None:
    """What the runs of an entry begin from; UserError for a kind whose runs cannot."""
    if entry.start is None:
        return None
    if not KINDS.capability(kind_name, "starts"):
        raise UserError(
            f"Study {study.name}: {entry.label!r} has start, and runs of kind {kind_name} begin "
            "from no other; leave it out."
        )
    kind, recipe = KINDS.get(kind_name), entry.start.recipe or entry.recipe
    own = StudyRecipe(recipe=recipe, kind=entry.kind)
    resolved = kind.recipe(own, entry.start.set, study)
    return Origin(resolved, _absolute(kind.loading(own, entry.start.data, resolved)))


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


def found_cells_of(study: Study) -> Iterator[FoundCell]:
    """The cells of results that are there; UserError where one is not, or its data set unknown."""
    _, _, several = several_of(study)
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


def _own(
    entry: StudyRecipe, key: Literal["data", "variant"], known: Mapping[str, _Value], study: Study
) -> Mapping[str, _Value]:
    """What an entry is crossed with: all of what is known, or the one that it names."""
    name: str = getattr(entry, key)
    if not name:
        return known
    if name not in known:
        what = {"data": "data set", "variant": "variant"}[key]
        raise UserError(
            f"Study {study.name}: {entry.label!r} names the {what} {name!r}: "
            f"{nearest(name, list(known))}"
        )
    return {name: known[name]}


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
