"""The pictures of a study's page: values over training, measures over a number, samples."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote

from matplotlib.figure import Figure
from PIL import Image

from mtgan.errors import UserError
from mtgan.files import write_bytes, writing
from mtgan.lettering import is_ours, save_figure
from mtgan.reports.charts import image_uri, svg_uri
from mtgan.reports.page import Picture
from mtgan.reports.study_charts import line_figure
from mtgan.studies.collect import StudyResult
from mtgan.studies.curves import CurveSet, Line, curve_sets
from mtgan.studies.jobs import run_folder
from mtgan.studies.measures import title_of

_MOST_CELLS = 40
_NUMBER = re.compile(r"\d+(\.\d+)?(e-?\d+)?")
_BAND = "Averaged over the seeds of each cell; the band is the mean's 95 % interval (Student's t)."
_INTERVALS = "Averaged over the seeds of each cell, with the mean's 95 % interval (Student's t)."


def study_pictures(result: StudyResult) -> tuple[list[Picture], list[str]]:
    """All pictures, and what is to be told of those that cannot be drawn. UserError where a curve
    is of a value that no run can log any more."""
    curves, missing = curve_sets(result)
    samples, unread = _samples(result)
    pictures = [_curve(one) for one in curves]
    return [*pictures, *_over_axis(result), *samples], [*missing, *unread]


def _curve(one: CurveSet) -> Picture:
    with _curve_figure(one) as figure:
        return Picture(_title(one), svg_uri(figure), _caption(one))


def _curve_figure(one: CurveSet) -> AbstractContextManager[Figure]:
    return line_figure(
        *(one.lines, one.over, title_of(one.name)),
        smooth=one.smooth,
        levels=one.levels,
        points=one.at_marks,
        logarithmic=one.at_marks,
    )


def _title(one: CurveSet) -> str:
    title = title_of(one.name)
    over = f" over {one.over}" if one.at_marks else ""
    return f"{title[0].upper()}{title[1:]}{over}{f', {one.where}' if one.where else ''}"


def _caption(one: CurveSet) -> str:
    """How the values came to be."""
    sentences = [_INTERVALS if one.at_marks else _BAND]
    if one.smooth > 1:
        sentences.append(
            f"Moving average over {one.smooth} points of each run; faint, the values themselves."
        )
    if one.evaluated:
        sentences.append(
            "Measured during training, as the recipe says, and mostly with fewer samples: not to "
            "be compared with the table."
        )
    if one.unfinished:
        counts = ", ".join(f"{label} ({count})" for label, count in one.unfinished.items())
        sentences.append(f"Also of runs that have not finished, or failed: {counts}.")
    return " ".join(sentences)


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
        points: dict[str, dict[int, dict[float, float]]] = {}
        levels: dict[str, list[float]] = {}
        for cell, match in found:
            values = result.values(cell["label"], measure.name)
            if match is None:
                levels |= {cell["label"]: [*values.values()]} if values else {}
                continue
            label = " / ".join(cell[part] for part in several) or measure.title
            for seed, value in values.items():
                points.setdefault(label, {}).setdefault(seed, {})[float(match[0])] = value
        if points:
            title = f"{measure.title[0].upper()}{measure.title[1:]} over {name}"
            lines = {label: Line.of(columns) for label, columns in points.items()}
            with line_figure(lines, name, measure.title, levels=levels, points=True) as figure:
                pictures.append(Picture(title, svg_uri(figure), _INTERVALS))
    return pictures


def _samples(result: StudyResult) -> tuple[list[Picture], list[str]]:
    """The last sample grid of each cell's first finished run; and which could not be read."""
    pictures, notes = [], []
    for label in [cell["label"] for cell in result.last_cells][:_MOST_CELLS]:
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


def write_curve_pictures(result: StudyResult, folder: Path) -> list[tuple[str, str, str]]:
    """Every curve as a PNG in `folder`/curves: (title, the file as it is named from beside the
    folder, caption). UserError where a file there is not ours."""
    found: list[tuple[str, str, str]] = []
    for one in curve_sets(result)[0]:
        words = f"{title_of(one.name)} over {one.over} {one.where}"
        name = re.sub(r"[^A-Za-z0-9.]+", "-", words).strip("-").lower()
        named = f"{quote(folder.name)}/curves/{name}.png"
        while any(named == other for _, other, _ in found):
            name, named = f"{name}-", f"{named.removesuffix('.png')}-.png"
        file = folder / "curves" / f"{name}.png"
        if file.exists() and not is_ours(file):
            raise UserError(f"{file} exists already, and mtgan did not write it; move it away.")
        with writing(file):
            file.parent.mkdir(parents=True, exist_ok=True)
        with _curve_figure(one) as figure:
            save_figure(figure, file, dpi=150)
        found.append((_title(one), named, _caption(one)))
    return found
