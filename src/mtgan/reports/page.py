"""The page of a run: what was trained, curves, samples beside real images, figures, next steps."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

import mtgan
from mtgan import files
from mtgan.analysis import answers_in
from mtgan.analysis.losses import distance_correlation, series_of
from mtgan.data.domains.base import in_words
from mtgan.errors import UserError
from mtgan.recipes import Recipe, dump_recipe
from mtgan.reports.charts import image_uri, line_chart
from mtgan.reports.evaluations import evaluation_tables
from mtgan.reports.rendering import environment
from mtgan.reports.samples import Picture, samples_of
from mtgan.runs import card_path
from mtgan.text import printable
from mtgan.training import Run
from mtgan.training.commands import commands_of, words_of
from mtgan.training.run import Step
from mtgan.training.start import in_words as start_in_words

OURS = " · mtgan</title>"  # by which a page of ours is known again


def write_report(
    run: Run, out: Path | None = None, control: Run | None = None, step: Step = None
) -> Path:
    """Write the page of a run to `out` (report.html in its folder), and return its path.

    control: a run on the same data with which its last evaluation is compared. step: the
    checkpoint, by its iteration or as "best", whose samples and evaluation are shown (the newest
    when None); its page is report-step-N.html.

    The page holds everything that it shows. Real images stand beside the samples where the data
    set can still be loaded. The newest evaluation (`mtgan evaluate RUN`) is shown as tables,
    answers of `mtgan analyze` as pictures; what cannot be read is left out with a note. UserError
    where `out` is no page of ours, or cannot be written.
    """
    step = run.resolve(step)
    own = run.path / ("report.html" if step is None else f"report-step-{step}.html")
    out = out or own
    refuse_other_files(out, own)
    page = environment().get_template("run.html.j2").render(**page_content(run, control, step))
    files.write_text(out, printable(page))
    return out


def refuse_other_files(out: Path, own: Path | None) -> None:
    """UserError where `out` is no page, or is a file that mtgan did not write."""
    if out.suffix.lower() not in {".html", ".htm"}:
        raise UserError(f"The page of a run is a .html file; found {out}.")
    if out == own or not out.is_file() or out.stat().st_size == 0:
        return
    if OURS not in files.read_text(out, "The page"):
        raise UserError(f"{out} exists already, and mtgan did not write it; give another --out.")


def page_content(run: Run, control: Run | None = None, step: int | None = None) -> dict[str, Any]:
    """What the template shows, as plain values."""
    return {
        "version": mtgan.__version__,
        "recipe": run.recipe,
        "yaml": dump_recipe(run.recipe),
        "facts": facts_of(run, run.metrics(), step),
        "sections": [_section(twin, step) for twin in run.each_twin()],
        "control": _compared(run, control) if control else None,
        "commands": list(commands_of(run).items()),
    }


def _section(run: Run, step: int | None) -> dict[str, Any]:
    """All that came of a run, or of one of its twins, whose name it bears then; of its samples and
    evaluation, those of a checkpoint."""
    lines = run.metrics()
    pictures, texts = samples_of(run, step)
    analyses, notes = _analyses(run)
    cards, more_notes = evaluation_tables(card_path(run, step), *words_of(run))
    return {
        "twin": run.twin_name,
        "pictures": [*pictures, *_curves(lines)],
        "texts": texts,
        "correlation": _correlation(lines),
        "evaluations": _evaluations(lines),
        "analyses": analyses,
        "cards": cards,
        "unread": [*more_notes, *notes],
    }


def facts_of(
    run: Run, lines: Sequence[Mapping[str, Any]], step: int | None = None
) -> list[tuple[str, str]]:
    """What was trained, as names and values; step: of the checkpoint that is shown, if not the
    newest."""
    recipe, recorded = run.recipe, run.recipe.run
    what, size = in_words(run.dataset_info.domains, run.dataset_info.shape)
    parameters = run.game(step).parameter_counts() if run.steps or step is not None else {}
    shown = "" if step is None else f"; this page is of {step:,}"
    trained = [line for line in lines if line["kind"] == "train"]
    rows = [
        ("recipe", f"{recipe.name} ({recipe.title})"),
        ("source", recipe.source),
        (
            "data",
            f"{recorded['data_name']}: {recorded['samples']:,} training {what}, {size}",
        ),
        (
            "iterations",
            f"{run.steps[-1] if run.steps else 0:,} of {recipe.training.steps:,}{shown}",
        ),
        ("batch size", str(recipe.training.batch_size)),
        ("parameters", ", ".join(f"{name} {count:,}" for name, count in parameters.items())),
        ("seed", str(recorded["seed"])),
        *([("begun from", start_in_words(began))] if (began := recorded.get("start")) else []),
        ("versions", ", ".join(f"{k} {v}" for k, v in recorded["versions"].items())),
    ]
    if trained:
        seconds = trained[-1]["seconds"]
        rows.insert(4, ("time", f"{seconds / 60:.1f} minutes, evaluations included"))
    return rows


def _curves(lines: Sequence[Mapping[str, Any]]) -> list[Picture]:
    train, evaluated = series_of(lines, "train"), series_of(lines, "evaluation")
    pictures = []
    losses = {n.removesuffix("/loss"): s for n, s in train.items() if n.endswith("/loss")}
    if losses:
        caption = "Each player's whole loss, averaged over the logging interval."
        pictures.append(Picture("Losses", line_chart(losses, "loss"), caption))
    estimates = {n: s for n, s in train.items() if n.endswith("distance_estimate")}
    distance = evaluated.get("frechet_distance")
    if estimates and distance:
        chart = line_chart(
            estimates, "estimate", {"Frechet distance": distance}, "Frechet distance"
        )
        caption = (
            "What the discriminator estimates as the distance between real and generated images, "
            "and the Frechet distance in feature space."
        )
        pictures.append(Picture("Distance estimate and Frechet distance", chart, caption))
    if distance and (over_time := _over_time(lines)):
        chart = line_chart(
            {"Frechet distance": over_time}, "Frechet distance", log=True, xlabel="seconds"
        )
        caption = "Frechet distance by the clock, evaluations included, on a logarithmic scale."
        pictures.append(Picture("Time to quality", chart, caption))
    accuracies = {n: s for n, s in {**train, **evaluated}.items() if "accuracy" in n}
    if accuracies:
        caption = "accuracy/LEVEL is that of a classifier outside the training."
        pictures.append(Picture("Class control", line_chart(accuracies, "accuracy"), caption))
    ratios = {n: s for n, s in train.items() if "log_loss_ratio" in n}
    if ratios:
        caption = "log10 of generator to discriminator loss; 0 is parity (Weaver 2017)."
        pictures.append(Picture("Balance", line_chart(ratios, "log10 ratio"), caption))
    return pictures


def _over_time(lines: Sequence[Mapping[str, Any]]) -> tuple[list[float], list[float]] | None:
    """Seconds and Frechet distance of every evaluation; None where there are less than two."""
    points = [
        (line["seconds"], line["values"]["frechet_distance"])
        for line in lines
        if line["kind"] == "evaluation" and line["values"].get("frechet_distance") is not None
    ]
    if len(points) < 2:
        return None
    seconds, distances = zip(*points, strict=True)
    return list(seconds), list(distances)


def _correlation(lines: Sequence[Mapping[str, Any]]) -> str:
    found = distance_correlation(lines)
    if found is None:
        return ""
    value, count = found
    return (
        f"Rank correlation (Spearman) between the discriminator's distance estimate and the "
        f"Frechet distance over training: {value:+.2f} at {count} evaluations."
    )


def _evaluations(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Evaluations over training as a table: the first, the best and the last."""
    rows = [line for line in lines if line["kind"] == "evaluation"]
    if not rows:
        return None
    best = min(rows, key=lambda line: line["values"].get("frechet_distance", math.inf))
    chosen = {row["step"]: row for row in (rows[0], best, rows[-1])}
    labels = {rows[0]["step"]: "first", best["step"]: "best", rows[-1]["step"]: "last"}
    protocol = rows[-1].get("protocol", {})
    return {
        "columns": list(rows[-1]["values"]),
        "rows": [
            (
                labels[step],
                step,
                row["seconds"],
                [row["values"].get(name) for name in rows[-1]["values"]],
            )
            for step, row in sorted(chosen.items())
        ],
        "features": protocol.get("features", ""),
        "count": protocol.get("generated", ""),
    }


def _compared(run: Run, control: Run) -> dict[str, Any] | None:
    """The last evaluations of two trainings side by side; None where one has none, or they were
    made in unlike ways."""
    both = [
        [line for line in side.metrics() if line["kind"] == "evaluation"][-1:]
        for side in (run, control)
    ]
    if not all(both):
        return None
    (mine,), (other,) = both
    if mine.get("protocol") != other.get("protocol"):
        return None
    names = [name for name in mine["values"] if name in other["values"]]
    return {
        "titles": _told_apart(run.recipe, control.recipe),
        "iterations": [mine["step"], other["step"]],
        "rows": [(name, mine["values"][name], other["values"][name]) for name in names],
        "seed": run.recipe.run["seed"],
    }


def _told_apart(*recipes: Recipe) -> list[str]:
    """What each is called beside the others: its title, or its tasks where the titles are one."""
    titles = [recipe.title or recipe.name for recipe in recipes]
    if len(set(titles)) == len(titles):
        return titles
    tasks = [", ".join(task.labels for task in recipe.tasks) for recipe in recipes]
    return [f"tasks: {names}" if names else "no task" for names in tasks]


def _analyses(run: Run) -> tuple[list[Picture], list[str]]:
    """Every answer of `mtgan analyze` in the run's folder: its picture and its verdict; and a
    sentence about each that cannot be read."""
    answers, notes = answers_in(run)
    pictures = []
    for answer in answers:
        step = answer.values["step"]
        when = "" if step is None else f" After {step:,} iterations."
        with Image.open(answer.picture, formats=["PNG"]) as image:
            uri = image_uri(image)
        pictures.append(Picture(answer.name.capitalize(), uri, answer.verdict + when))
    return pictures, notes
