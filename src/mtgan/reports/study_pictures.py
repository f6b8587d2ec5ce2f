"""The pictures of a study's page: values over training, measures over a number, samples."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import quote

from PIL import Image

from mtgan.files import write_bytes, writing
from mtgan.reports.charts import image_uri
from mtgan.reports.page import Picture
from mtgan.reports.study_charts import Runs, axis_chart, curve_chart
from mtgan.studies.collect import StudyResult
from mtgan.studies.jobs import run_folder
from mtgan.studies.kinds import KINDS
from mtgan.studies.schema import Measure
from mtgan.studies.study import refuse_unknown_curves
from mtgan.training.logs import read_log

_MOST_CELLS = 40
_NUMBER = re.compile(r"\d+(\.\d+)?(e-?\d+)?")
_BAND = "Averaged over the seeds of each cell; the band is the mean's 95 % interval (Student's t)."
_INTERVALS = "Averaged over the seeds of each cell, with the mean's 95 % interval (Student's t)."


def study_pictures(result: StudyResult) -> tuple[list[Picture], list[str]]:
    """All pictures, and what is to be told of those that cannot be drawn. UserError where a curve
    is of a value that no run can log any more."""
    curves, missing = _curves(result)
    samples, unread = _samples(result)
    return [*_over_marks(result), *curves, *_over_axis(result), *samples], [*missing, *unread]


def _curves(result: StudyResult) -> tuple[list[Picture], list[str]]:
    """Logged values over training."""
    study = result.study
    folders = {name: run_folder(result.path, name) for name in result.results}
    read = {folder: read_log(folder / "metrics.jsonl") for folder in set(folders.values())}
    logs = {name: read[folder] for name, folder in folders.items()}
    logged = {name for lines in logs.values() for line in lines for name in line["values"]}
    if all(result.finished_of(label) for label in result.labels):
        refuse_unknown_curves(study, logged)
    notes = [
        f"The curve of {Measure(name=name).title} is not drawn: no finished run has logged it yet."
        for name in study.curves
        if name not in logged
    ]
    drawn = [name for name in study.curves if name in logged]
    return [
        picture
        for name in drawn
        for where, labels in _side_by_side(result).items()
        if (picture := _curve(result, logs, name, where, labels)) is not None
    ], notes


def _side_by_side(result: StudyResult) -> dict[str, list[str]]:
    """Which cells one chart compares: all of them; but where recipes vary and variants or data as
    well, those of one variant and data set, by their labels."""
    cells = _last_cells(result)
    places = dict.fromkeys((cell["variant"], cell["data"]) for cell in cells)
    if len(places) < 2 or len({cell["recipe"] for cell in cells}) < 2:
        return {"": [cell["label"] for cell in cells]}
    several = [len(set(column)) > 1 for column in zip(*places, strict=True)]
    found: dict[str, list[str]] = {}
    for cell in cells:
        parts = zip((cell["variant"], cell["data"]), several, strict=True)
        where = " / ".join(part for part, varies in parts if varies)
        found.setdefault(where, []).append(cell["label"])
    return found


def _last_cells(result: StudyResult) -> list[dict[str, Any]]:
    """Of each training the cell of its last mark, which shows all of it; else all cells."""
    cells = result.plan["cells"]
    if result.study.marks is None:
        return list(cells)
    return [*{tuple(cell["runs"].values()): cell for cell in cells}.values()]


def _curve(
    result: StudyResult,
    logs: Mapping[str, Sequence[Mapping[str, Any]]],
    name: str,
    where: str,
    labels: Sequence[str],
) -> Picture | None:
    """None where no run of these cells has logged the value."""
    by_seconds = result.study.curves_over == "seconds"
    series = {
        label: runs
        for label in labels
        if (
            runs := _logged(
                [logs[run] for run in result.finished_of(label).values()], name, by_seconds
            )
        )
    }
    if not series:
        return None
    title = Measure(name=name).title
    caption = _BAND
    if name in result.study.evaluated_curves:
        caption += (
            " Measured during training, against the run's own training data and with fewer "
            "samples: not to be compared with the table."
        )
    unit = "seconds" if by_seconds else KINDS.get(result.study.kind).unit
    shown = f"{title[0].upper()}{title[1:]}{f', {where}' if where else ''}"
    return Picture(shown, curve_chart(series, unit, title), caption)


def _logged(
    logs: Sequence[Sequence[Mapping[str, Any]]], name: str, by_seconds: bool = False
) -> Runs:
    """What the runs have logged under a name, by step; or by the seconds that the step came after
    in the mean over the runs."""
    by_step: dict[float, list[float]] = {}
    seconds: dict[float, list[float]] = {}
    for lines in logs:
        for line in lines:
            if name in line["values"]:
                by_step.setdefault(line["step"], []).append(line["values"][name])
                seconds.setdefault(line["step"], []).append(line["seconds"])
    if not by_seconds:
        return by_step
    return {fmean(seconds[step]): values for step, values in by_step.items()}


def _over_marks(result: StudyResult) -> list[Picture]:
    """Each measure over the marks of the study."""
    marks = result.study.marks
    if marks is None:
        return []
    pictures = []
    for measure in result.study.measures:
        lines: dict[str, dict[float, list[float]]] = {}
        levels: dict[str, list[float]] = {}
        for cell in result.plan["cells"]:
            values = list(result.values(cell["label"], measure.name).values())
            if values and cell["mark"] is None:
                levels[cell["label"]] = values
            elif values:
                lines.setdefault(result.without_mark(cell), {})[cell["mark"]] = values
        if lines:
            title = f"{measure.title[0].upper()}{measure.title[1:]} over {marks.unit}"
            chart = axis_chart(lines, levels, marks.unit, measure.title, logarithmic=True)
            pictures.append(Picture(title, chart, _INTERVALS))
    return pictures


def _over_axis(result: StudyResult) -> list[Picture]:
    """Each measure over the numbers in the labels of what the study names as its axis."""
    axis, cells = result.study.axis, result.plan["cells"]
    found = [(cell, _NUMBER.search(cell[axis])) for cell in cells] if axis else []
    if not any(match for _, match in found):
        return []
    others = [part for part in ("recipe", "variant", "data") if part != axis]
    several = [part for part in others if len({cell[part] for cell in cells}) > 1]
    name = next(match.re.sub("", match.string, 1).strip(" =") for _, match in found if match)
    pictures = []
    for measure in result.study.measures:
        lines: dict[str, dict[float, list[float]]] = {}
        levels: dict[str, list[float]] = {}
        for cell, match in found:
            values = list(result.values(cell["label"], measure.name).values())
            if not values:
                continue
            if match is None:
                levels[cell["label"]] = values
            else:
                line = " / ".join(cell[part] for part in several) or measure.title
                lines.setdefault(line, {})[float(match[0])] = values
        if lines:
            title = f"{measure.title[0].upper()}{measure.title[1:]} over {name}"
            chart = axis_chart(lines, levels, name, measure.title)
            pictures.append(Picture(title, chart, _INTERVALS))
    return pictures


def _samples(result: StudyResult) -> tuple[list[Picture], list[str]]:
    """The last sample grid of each cell's first finished run; and which could not be read."""
    pictures, notes = [], []
    for label in [cell["label"] for cell in _last_cells(result)][:_MOST_CELLS]:
        for seed, grid in _grids(result, label):
            try:
                with Image.open(grid, formats=["PNG"]) as image:
                    uri = image_uri(image.convert("RGB"))
            except Exception as error:  # whatever a decoder raises
                notes.append(f"{grid} is left out here: it cannot be read ({error}).")
                continue
            caption = f"Seed {seed}, last iteration; a row per class where conditioned."
            pictures.append(Picture(label, uri, caption))
            break
    return pictures, notes


def _grids(result: StudyResult, label: str) -> Iterator[tuple[int, Path]]:
    """(seed, the last sample grid) of a cell's finished runs that have one."""
    for seed, run in result.finished_of(label).items():
        grids = sorted((run_folder(result.path, run) / "samples").glob("step-*.png"))
        if grids:
            yield seed, grids[-1]


def write_gallery(result: StudyResult, folder: Path) -> dict[str, str]:
    """A sample grid of each cell as a file in `folder`, by label as it is named from beside it."""
    found: dict[str, str] = {}
    for label in result.labels:
        grid = next((path for _, path in _grids(result, label)), None)
        if grid is None:
            continue
        name = re.sub(r"[^A-Za-z0-9.]+", "-", label).strip("-") or "cell"
        while f"{quote(folder.name)}/{name}.png" in found.values():
            name += "-"
        with writing(grid):
            write_bytes(folder / f"{name}.png", grid.read_bytes())
        found[label] = f"{quote(folder.name)}/{name}.png"
    return found
