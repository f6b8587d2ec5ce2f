"""README.md of a model folder: a model card, in the form that model hubs read.

The block at its top is YAML (Mitchell et al. 2019, "Model cards for model reporting", as
huggingface_hub has it); its model-index holds the scorecard, with the protocol of each number.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mtgan.evaluation.scorecard import AnyScorecard, Scorecard
from mtgan.exporting.base import Export
from mtgan.files import dump_yaml
from mtgan.text import printable

Shown = dict[str, str | Sequence[str]]
"""Samples by title: the name of a picture beside the card, or lines of text."""
_NAMES = 30  # classes of a level that are named
_LINES = 10
_TASK = "unconditional-image-generation"  # the hubs' name for it, with labels or without


def model_card(
    asked: Export, recipe: Mapping[str, Any], card: AnyScorecard | None, shown: Shown
) -> str:
    """The text of the card. recipe: the values that config.json has."""
    title = recipe["title"] or recipe["name"]
    data = recipe["run"].get("data_name", "unnamed data")
    parts = [
        f"---\n{dump_yaml(_front(asked, str(title), str(data), card))}---",
        f"# {_plain(title)} of {_plain(data)}",
        f"{_plain(recipe['about'])}" if recipe["about"] else "",
        *(_sample(name, what) for name, what in shown.items()),
        _use(asked),
        _labels(asked),
        _training(asked, recipe),
        *_evaluation(card),
        _license(asked),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front(asked: Export, title: str, data: str, card: AnyScorecard | None) -> dict[str, Any]:
    """What hubs read of it."""
    front: dict[str, Any] = {"library_name": "mtgan", "tags": ["mtgan", "gan"]}
    if not asked.model.dataset_info.domains:
        front["pipeline_tag"] = _TASK
    if asked.license:
        front["license"] = asked.license
    if card is not None:
        results = [_result(data, name, part) for name, part in card.parts.items() if part.entries]
        front["model-index"] = [{"name": title, "results": results}]
    return front


def _result(data: str, domain: str, card: Scorecard) -> dict[str, Any]:
    stamp = card.protocol
    name = stamp.dataset or data
    return {
        "task": {"type": _TASK, "name": domain or "Image generation"},
        "dataset": {"name": name, "type": name, "split": stamp.split},
        "metrics": [
            {
                "type": metric,
                "name": metric.replace("_", " "),
                "value": float(f"{entry.value:.6g}"),
                "args": {"protocol": stamp.sentence(), "samples": entry.samples},
            }
            for metric, entry in card.entries.items()
            if math.isfinite(entry.value)
        ],
    }


def _sample(title: str, what: str | Sequence[str]) -> str:
    if isinstance(what, str):
        return f"![{_plain(title)}]({what})"
    lines = "\n".join(f"    {printable(line)}" for line in what[:_LINES])
    return f"{_plain(title)}:\n\n{lines}"


def _use(asked: Export) -> str:
    requests = asked.model.asking(asked.step)
    classes = asked.model.dataset_info.taxonomy.classes
    level = next((k for k in requests.taken if classes.get(k)), None)
    labels = "" if level is None else f", {{{level!r}: {classes[level][0]!r}}}"
    return (
        "```python\nimport mtgan\n\n"
        'model = mtgan.load("path/to/this/folder")  # or the name of this model on a hub\n'
        f"images = model.sample(16{labels}, seed=0)  # uint8 [16, C, H, W]\n```"
    )


def _labels(asked: Export) -> str:
    info, requests = asked.model.dataset_info, asked.model.asking(asked.step)
    if not requests.askable:
        return "The generator is told no labels."
    rows = ["| Label | Classes |", "|---|---|"]
    for level in requests.askable:
        names = [*info.taxonomy.classes.get(level, ())]
        more = f", and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        if level in info.numbers:
            said = f"a number from {info.numbers[level]}"
        else:
            said = ", ".join(map(_plain, names[:_NAMES])) + more or "drawn (a code)"
        rows.append(f"| {_plain(level)} | {said} |")
    return "What samples can be asked to show:\n\n" + "\n".join(rows)


def _training(asked: Export, recipe: Mapping[str, Any]) -> str:
    run, latent = recipe["run"], recipe["latent"]
    channels, height, width = asked.model.dataset_info.shape
    return (
        f"Trained by mtgan's recipe `{_plain(recipe['name'])}` for "
        f"{asked.model.iteration(asked.step):,} iterations on {run.get('samples', 0):,} samples of "
        f"{_plain(run.get('data_name', '?'))} (seed {run.get('seed', '?')}); samples are "
        f"{height} x {width} with {channels} channel{'s' if channels > 1 else ''}, made from "
        f"{latent['dim']} {latent['distribution']} latents by the moving average of the "
        "generator's weights. config.json holds the recipe whole."
    )


def _evaluation(card: AnyScorecard | None) -> list[str]:
    if card is None:
        return ["It came without an evaluation."]
    found = []
    for domain, part in card.parts.items():
        rows = ["| Measure | Value | Better |", "|---|---|---|"]
        rows += [
            f"| {_plain(name.replace('_', ' '))} | {entry.value:.4g} | {entry.better} |"
            for name, entry in part.entries.items()
        ]
        table = "\n".join(rows)
        start = f"{_plain(domain)}: " if domain else ""
        found.append(f"{start}{_plain(part.protocol.sentence())}.\n\n{table}")
    return found


def _license(asked: Export) -> str:
    if asked.license:
        return f"License of the weights: {_plain(asked.license)}."
    return "No license of the weights was stated; that of the training data may bind them, too."


def _plain(text: object) -> str:
    """A name as text of Markdown: nothing in it is markup."""
    escaped = "".join(f"\\{c}" if c in "\\`*_{}[]<>#|!" else c for c in printable(text))
    return " ".join(escaped.split())
