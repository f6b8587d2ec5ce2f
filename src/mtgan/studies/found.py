"""Results that a study finds: finished runs, folders of samples, numbers in a CSV."""

import csv
import functools
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import read_text
from mtgan.studies.jobs import Job, Measured
from mtgan.studies.kinds import KINDS
from mtgan.studies.schema import Found


def sources_of(found: Found, seeds: Sequence[int]) -> dict[int, dict[str, str]]:
    """{"kind", "path"}, of numbers also "row", by seed; UserError for what is not there."""
    if found.numbers is not None:
        rows = rows_by_seed(Path(found.numbers), seeds)
        return {
            seed: {"kind": "numbers", "path": found.numbers, "row": str(row)}
            for seed, row in rows.items()
        }
    kind, paths = ("run", found.runs) if found.runs else ("samples", found.samples)
    for path in paths:
        if not Path(path).exists():
            raise UserError(f"The cell {found.name!r} names {path}, which does not exist.")
    if len(paths) > len(seeds):
        raise UserError(
            f"The cell {found.name!r} names {len(paths)} results, and the study has {len(seeds)} "
            "seeds, one for each; give it more seeds, or take some away."
        )
    return {seed: {"kind": kind, "path": path} for seed, path in zip(seeds, paths, strict=False)}


def measure_found(job: Job, source: Mapping[str, str]) -> Measured:
    """What is there already, measured as a run of the study would be."""
    path = Path(source["path"])
    if source["kind"] != "numbers":
        return KINDS.get(job.kind).found[source["kind"]](path, job)
    numbers = read_numbers(path, int(source["row"]))
    values = {name: {"value": value} for name, value in numbers.items()}
    return Measured(values, {"features": f"as in {path.name}"})


def rows_by_seed(path: Path, seeds: Sequence[int]) -> dict[int, int]:
    """Which row of a table each of the seeds has: by the column `seed`, else in order.

    UserError for a seed that is no whole number or stands there twice, for a table without any of
    them, and, in order, for more rows than seeds.
    """
    rows = _rows(path)
    named = "seed" in rows[0]
    if not named and len(rows) > len(seeds):
        raise UserError(
            f"{path} has {len(rows)} rows, and the study {len(seeds)} seeds; give it more, or "
            "the table a column seed."
        )
    found: dict[int, int] = {}
    for index, row in enumerate(rows):
        text = row["seed"] if named else seeds[index]
        try:
            seed = int(text)
        except (TypeError, ValueError) as error:
            raise UserError(f"Line {index + 2} of {path}: {text!r} is no seed.") from error
        if seed in found:
            raise UserError(f"{path} has the seed {seed} twice; take one away.")
        found[seed] = index
        read_numbers(path, index)
    chosen = {seed: row for seed, row in found.items() if seed in seeds}
    if not chosen:
        raise UserError(f"{path} has none of the study's seeds, {', '.join(map(str, seeds))}.")
    return chosen


def read_numbers(path: Path, row: int) -> dict[str, float]:
    """Measures in a row of a table, counted from 0; empty cells have none. UserError, with the
    line, for one that is no finite number."""
    found = {}
    for name, text in _rows(path)[row].items():
        if name == "seed" or not text:
            continue
        try:
            found[str(name)] = float(text)
        except (TypeError, ValueError) as error:
            raise UserError(f"Line {row + 2} of {path}: {text!r} is no number.") from error
        if not math.isfinite(found[str(name)]):
            raise UserError(
                f"Line {row + 2} of {path}: {text!r} is no finite number; leave it empty."
            )
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(read_text(path, "The table of numbers"))))
    if not rows:
        raise UserError(f"{path} holds no numbers; it should have a row of names, and one a seed.")
    return rows


@functools.cache
def stamp(path: Path) -> list[list[str | int]]:
    """Names and times of what a result follows from: it changes when that does."""
    kept = path / "checkpoints"  # of a run, to which reading it adds other files
    files = sorted(kept.glob("*/*") if kept.is_dir() else path.rglob("*")) or [path]
    return [[str(file.relative_to(path)), file.stat().st_mtime_ns] for file in files]
