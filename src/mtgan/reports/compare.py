"""Several runs on one page: what differs, figures and curves side by side, samples of each."""

import json
from collections.abc import Mapping, Sequence
from functools import singledispatch
from pathlib import Path
from typing import Any

import mtgan
from mtgan import files
from mtgan.classification import ClassifierRun
from mtgan.errors import UserError
from mtgan.evaluation.scorecard import Scorecard, read_card
from mtgan.evaluation.scorecard.tables import half_width, number
from mtgan.recipes.schema import DESCRIPTION
from mtgan.reports import classifiers
from mtgan.reports.charts import line_chart
from mtgan.reports.page import facts_of, refuse_other_files
from mtgan.reports.rendering import environment
from mtgan.reports.samples import Picture, samples_of
from mtgan.runs import CARD
from mtgan.text import command, printable
from mtgan.training import Run
from mtgan.training.commands import evaluate_command

MOST_RUNS = 8
Logs = Mapping[str, Sequence[Mapping[str, Any]]]
_SIGNS = {"lower": " ↓", "higher": " ↑", "like real": " ≈"}


def write_comparison(runs: Sequence[Run | ClassifierRun], out: Path) -> Path:
    """Write one page of two to eight runs, of GANs or classifiers, to `out`, and return its path.

    Measures stand side by side where the runs' newest evaluations (`mtgan evaluate RUN`) were made
    in one way; else the page says what differs, or which run has none. Those of classifiers are
    what result.json says. A run with twins is compared by the one that it is as of (Run.twin), else
    the main one; where it is the only run, its twins are compared with each other. UserError for
    another number of runs, for the same one twice, for runs of unlike kinds, and where `out` is no
    page of ours.
    """
    if len({type(run) for run in runs}) > 1:
        raise UserError("compare takes runs of one kind, GANs or classifiers; found both.")
    runs = [twin for run in runs for twin in _players(run, alone=len(runs) == 1)]
    if not 2 <= len(runs) <= MOST_RUNS:
        raise UserError(f"compare takes 2 to {MOST_RUNS} runs; found {len(runs)}.")
    places = [(run.path.resolve(), _twin(run)) for run in runs]
    if len(set(places)) < len(places):
        raise UserError("compare was given the same run twice; name different ones.")
    refuse_other_files(out, None)
    content = comparison_content(dict(zip(_names(runs), runs, strict=True)))
    page = environment().get_template("compare.html.j2").render(**content)
    files.write_text(out, printable(page))
    return out


def _players(run: Run | ClassifierRun, alone: bool) -> list[Run] | list[ClassifierRun]:
    """As what a run is compared: with twins as one of them, all where it is alone."""
    if not isinstance(run, Run):
        return [run]
    return run.each_twin() if alone and run.twin_name is None else [run.twin(run.twin_name)]


def _twin(run: Run | ClassifierRun) -> str | None:
    return run.twin_name if isinstance(run, Run) else None


def comparison_content(runs: Mapping[str, Run | ClassifierRun]) -> dict[str, Any]:
    """What the template shows of runs of one kind, by name, as plain values."""
    logs = {name: run.metrics() for name, run in runs.items()}
    return {
        "version": mtgan.__version__,
        "names": list(runs),
        "differences": _differences([*runs.values()]),
        "commands": [
            (name, command("mtgan", "report", path))
            for path, name in {run.path: name for name, run in runs.items()}.items()
        ],
        **_content_of(next(iter(runs.values())), runs, logs),
    }


@singledispatch
def _content_of(first: Any, runs: Any, logs: Logs) -> dict[str, Any]:
    """What is told of runs by name, all of the kind of the first one, and of their lines."""
    raise UserError(f"compare takes runs of GANs or classifiers; found {type(first).__name__}.")


@_content_of.register
def _(first: Run, runs: Mapping[str, Run], logs: Logs) -> dict[str, Any]:
    measures, notes = _measures(runs)
    curves, more_notes = _curves(logs)
    return {
        "facts": _rows({name: facts_of(run, logs[name]) for name, run in runs.items()}),
        "measures": measures,
        "caption": "Of the newest evaluations; arrows say which way is better.",
        "notes": [*notes, *more_notes],
        "curves": curves,
        "samples": {
            name: [picture for picture in samples_of(run)[0] if picture.title.startswith("Samples")]
            for name, run in runs.items()
        },
    }


@_content_of.register
def _(first: ClassifierRun, runs: Mapping[str, ClassifierRun], logs: Logs) -> dict[str, Any]:
    waiting = [name for name, run in runs.items() if run.result is None]
    return {
        "facts": _rows({n: classifiers.facts_of(run, logs[n]) for n, run in runs.items()}),
        "measures": _rows({name: classifiers.results_of(run) for name, run in runs.items()}),
        "caption": "Of one seed each; several seeds are a study (mtgan study).",
        "notes": [f"{name} has no result yet: its training is not over." for name in waiting],
        "curves": classifiers.curves_of(logs),
        "samples": {},
    }


def _rows(columns: Mapping[str, Sequence[tuple[str, str]]]) -> list[tuple[str, list[str]]]:
    """Names with a value for each run, empty where it has none."""
    found = [dict(column) for column in columns.values()]
    keys = dict.fromkeys(key for column in found for key in column)
    return [(key, [column.get(key, "") for column in found]) for key in keys]


def _names(runs: Sequence[Run | ClassifierRun]) -> list[str]:
    """The folders' names, whole paths where two are alike, and the twins'."""
    paths = list(dict.fromkeys(run.path for run in runs))
    alike = len({path.name for path in paths}) < len(paths)
    return [
        (str(run.path) if alike else run.path.name)
        + ("" if _twin(run) is None else f", twin {_twin(run)}")
        for run in runs
    ]


def _differences(runs: Sequence[Run | ClassifierRun]) -> list[tuple[str, list[str]]]:
    """Dotted keys of the recipes that are not the same in all runs, and seed and data."""
    flat = [_flat(run.recipe.model_dump(exclude=set(DESCRIPTION - {"plugins"}))) for run in runs]
    for values, run in zip(flat, runs, strict=True):
        record = run.recipe.run
        values |= {"seed": record["seed"], "data": record["data_fingerprint"][:12]}
        values["begun from"] = (record.get("start") or {}).get("path", "")
    keys = dict.fromkeys(key for values in flat for key in values)
    rows = [(key, [str(values.get(key, "")) for values in flat]) for key in keys]
    return [(key, values) for key, values in rows if len(set(values)) > 1]


def _flat(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        inside = isinstance(value, Mapping)
        found |= _flat(value, f"{path}{key}.") if inside else {f"{path}{key}": value}
    return found


def _measures(runs: Mapping[str, Run]) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """Rows of measures, a value for each run, and what is to be said of them."""
    cards: dict[str, Mapping[str, Scorecard]] = {}
    notes = []
    for name, run in runs.items():
        try:
            values = files.read_json(run.folder / CARD, "The evaluation")
            cards[name] = read_card(json.dumps(values)).parts
        except UserError:
            judge = evaluate_command(run)
            how = f": {judge}" if judge else "; its data were made of arrays"
            notes.append(f"{name} has no evaluation that can be read{how}")
    if notes:
        return [], notes
    first, *others = cards
    if strangers := [name for name in others if cards[name].keys() != cards[first].keys()]:
        return [], [f"{first} and {', '.join(strangers)} were judged by unlike domains."]
    rows = []
    for domain in cards[first]:
        more, said = _of_domain(domain, {name: parts[domain] for name, parts in cards.items()})
        rows += more
        notes += said
    return rows, notes


def _of_domain(
    domain: str, cards: Mapping[str, Scorecard]
) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """The same of one domain, whose name its measures bear."""
    titles = list(cards)
    first = cards[titles[0]]
    notes = []
    for title in titles[1:]:
        if differences := first.protocol.differences(cards[title].protocol):
            notes.append(
                f"{titles[0]} and {title} were measured in unlike ways, so their numbers do not "
                f"compare ({'; '.join(differences)}); evaluate both in the same way."
            )
    if notes:
        return [], notes
    keys = dict.fromkeys(key for card in cards.values() for key in card.entries)
    rows = [(_title(key, cards), [_value(card, key) for card in cards.values()]) for key in keys]
    if any(card.overall is not None for card in cards.values()):
        overall = ["" if card.overall is None else f"{card.overall:.2f}" for card in cards.values()]
        rows.insert(0, ("overall ↑", overall))
    sentence = first.protocol.sentence()
    rows = [(f"{domain}/{title}" if domain else title, values) for title, values in rows]
    return rows, [f"{sentence}; ± is half of a 95 % interval, and one seed of training each."]


def _title(key: str, cards: Mapping[str, Scorecard]) -> str:
    better = next(card.entries[key].better for card in cards.values() if key in card.entries)
    return key.replace("_", " ") + _SIGNS.get(better, "")


def _value(card: Scorecard, key: str) -> str:
    if key not in card.entries:
        return ""
    entry = card.entries[key]
    width = half_width(entry)
    return number(entry.value) + (f" ± {width}" if width else "")


def _curves(logs: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[list[Picture], list[str]]:
    """What was measured during training, in one chart for each measure that all runs have."""
    evaluations = {
        # Before the first iteration all are far off, and would flatten what follows.
        name: [line for line in lines if line["kind"] == "evaluation" and line["step"]]
        for name, lines in logs.items()
    }
    protocols = [line["protocol"] for lines in evaluations.values() for line in lines[-1:]]
    if len(protocols) < len(logs) or any(p != protocols[0] for p in protocols):
        said = (
            "were not measured during training" if len(protocols) < len(logs) else "differ in how"
        )
        return [], [f"There are no common curves: some of the runs {said}."]
    common = set.intersection(*({*lines[-1]["values"]} for lines in evaluations.values()))
    pictures = []
    for key in evaluations[next(iter(logs))][-1]["values"]:
        if key not in common:
            continue
        series = {
            name: ([line["step"] for line in lines], [line["values"][key] for line in lines])
            for name, lines in evaluations.items()
            if all(key in line["values"] for line in lines)
        }
        title = key.replace("_", " ")
        chart = line_chart(series, title)
        caption = f"During training; {protocols[0].get('generated', '')} samples of each."
        pictures.append(Picture(title[0].upper() + title[1:], chart, caption))
    return pictures, []
