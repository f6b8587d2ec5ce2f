"""The tables of `mtgan evaluate` on the page of a run."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtgan import files
from mtgan.errors import UserError
from mtgan.evaluation import Scorecard
from mtgan.evaluation.scorecard import read_card
from mtgan.evaluation.scorecard.picture import card_figure
from mtgan.evaluation.scorecard.tables import half_width, interval, number
from mtgan.reports.charts import svg_uri
from mtgan.text import command


def evaluation_tables(path: Path, *run: object) -> tuple[list[dict[str, Any]], list[str]]:
    """What `mtgan evaluate` wrote to `path`: of each domain title, columns, rows, axes, overall
    figure, picture and notes; or nothing, and a sentence where it cannot be read. run: as it is
    named on a command line."""
    if not path.exists():
        return [], []
    try:
        values = files.read_json(path, "The evaluation")
        if isinstance(values, Mapping) and values and "format" not in values:
            return [_of_old_values(values)], []
        card = read_card(json.dumps(values))
        return [_of_card(name, part) for name, part in card.parts.items()], []
    except UserError as error:
        again = command("mtgan", "evaluate", *run)
        sentence = str(error).rstrip(".")
        return [], [f"{path} is left out here: {sentence}. Write it anew by: {again}"]


def _of_card(title: str, card: Scorecard) -> dict[str, Any]:
    """Measures with their scores, axes with their intervals, the overall figure, the picture."""
    return {
        "title": title,
        "picture": svg_uri(card_figure({title: card})) if card.axes else "",
        "columns": ("value", "±95 %", "real", "score", "better", "axis", "features", "samples"),
        "rows": [
            (
                name.replace("_", " "),
                number(entry.value),
                half_width(entry),
                number(entry.ceiling),
                _score(entry.score),
                entry.better,
                entry.axis,
                entry.space,
                f"{entry.samples:,}",
            )
            for name, entry in card.entries.items()
        ],
        "axes": [
            (name, _score(axis.score), interval(axis.interval, 2), axis.reading)
            for name, axis in card.axes.items()
        ],
        "judge": card.judge,
        "overall": _score(card.overall) or ("none" if card.axes else ""),
        "interval": interval(card.interval, 2),
        "gate": _score(card.gate),
        "notes": [card.protocol.sentence(), *card.notes],
    }


def _of_old_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """What earlier versions wrote of a run over domains; UserError where it is something else."""
    rows = []
    for name, entry in values.items():
        if not _is_measure(entry):
            raise UserError(f"{name!r} in it is no measure with a value and which way is better.")
        rows.append((name.replace("_", " "), number(entry["value"]), entry["better"]))
    nothing: dict[str, Any] = {"judge": (), "axes": [], "overall": "", "notes": []}
    return {"title": "", "picture": "", "columns": ("value", "better"), "rows": rows, **nothing}


def _is_measure(entry: Any) -> bool:
    if not isinstance(entry, Mapping) or not {"value", "better"} <= entry.keys():
        return False
    value = entry["value"]
    is_number = isinstance(value, int | float | None) and not isinstance(value, bool)
    return is_number and isinstance(entry["better"], str)


def _score(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.2f}"
