"""The page of a run: what was trained, curves, samples beside real images, figures, next steps."""

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import mtgan
from mtgan import files
from mtgan.analysis import answers_in
from mtgan.analysis.losses import distance_correlation, series_of
from mtgan.data.domains.base import Domain
from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.images import make_grid
from mtgan.errors import UserError
from mtgan.evaluation.strings.molecules import are_molecules, draw_molecules, parse_molecules
from mtgan.recipes import dump_recipe
from mtgan.reports.charts import image_uri, line_chart
from mtgan.reports.classes import class_grids
from mtgan.reports.evaluations import evaluation_tables
from mtgan.reports.rendering import environment
from mtgan.runs import CARD
from mtgan.text import printable
from mtgan.training import Run
from mtgan.training.commands import commands_of

_OF_A_DOMAIN = 256  # samples
_SHOWN = 60  # of these, as pictures
_STRINGS = 24  # of these, as text
OURS = " · mtgan</title>"  # by which a page of ours is known again


@dataclass(frozen=True)
class Picture:
    """One figure of the page."""

    title: str
    uri: str
    caption: str


@dataclass(frozen=True)
class StringSamples:
    """Generated strings of a domain, and a drawing where they are molecules."""

    title: str
    made: Sequence[str]
    real: Sequence[str]
    drawing: Picture | None


def write_report(run: Run, out: Path | None = None, control: Run | None = None) -> Path:
    """Write the page of a run to `out` (report.html in its folder), and return its path.

    control: a run on the same data with which its last evaluation is compared.

    The page holds everything that it shows. Real images stand beside the samples where the data
    set can still be loaded. The newest evaluation (`mtgan evaluate RUN`) is shown as tables,
    answers of `mtgan analyze` as pictures; what cannot be read is left out with a note. UserError
    where `out` is no page of ours, or cannot be written.
    """
    own = run.path / "report.html"
    out = out or own
    refuse_other_files(out, own)
    page = environment().get_template("run.html.j2").render(**page_content(run, control))
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


def page_content(run: Run, control: Run | None = None) -> dict[str, Any]:
    """What the template shows, as plain values."""
    lines = run.metrics()
    analyses, notes = _analyses(run)
    written = run.path / CARD
    cards, more_notes = evaluation_tables(written, run.path)
    return {
        "version": mtgan.__version__,
        "recipe": run.recipe,
        "yaml": dump_recipe(run.recipe),
        "facts": facts_of(run, lines),
        "pictures": [*samples_of(run), *_curves(run, lines)],
        "strings": _strings(run),
        "correlation": _correlation(lines),
        "evaluations": _evaluations(lines),
        "control": _compared(run, control) if control else None,
        "analyses": analyses,
        "cards": cards,
        "unread": [*more_notes, *notes],
        "commands": list(commands_of(run).items()),
    }


def facts_of(run: Run, lines: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What was trained, as names and values."""
    recipe, recorded = run.recipe, run.recipe.run
    channels, height, width = run.dataset_info.shape
    parameters = run.game().parameter_counts() if run.steps else {}
    trained = [line for line in lines if line["kind"] == "train"]
    rows = [
        ("recipe", f"{recipe.name} ({recipe.title})"),
        ("source", recipe.source),
        (
            "data",
            f"{recorded['data_name']}: {recorded['samples']:,} training images, "
            f"{height} x {width}, {channels} channel{'s' if channels > 1 else ''}",
        ),
        ("iterations", f"{run.steps[-1] if run.steps else 0:,} of {recipe.training.steps:,}"),
        ("batch size", str(recipe.training.batch_size)),
        ("parameters", ", ".join(f"{name} {count:,}" for name, count in parameters.items())),
        ("seed", str(recorded["seed"])),
        ("versions", ", ".join(f"{k} {v}" for k, v in recorded["versions"].items())),
    ]
    if trained:
        seconds = trained[-1]["seconds"]
        rows.insert(4, ("time", f"{seconds / 60:.1f} minutes, evaluations included"))
    return rows


def samples_of(run: Run) -> list[Picture]:
    """Samples beside real images, and how they came to be."""
    made: Any = None
    if not run.dataset_info.domains:
        by_class = class_grids(run) if run.steps else {}
        made = run.sample(64, seed=0) if run.steps and not by_class else None
        pictures = [
            Picture(f"Samples by {level}", image_uri(grid), f"A row per class. {_drawn(run)}")
            for level, grid in by_class.items()
        ]
        pictures += _beside(run, "Samples", made, "Real images", _real(run))
        return [*pictures, *([evolution] if (evolution := _evolution(run)) else [])]
    return [picture for domain in run.dataset_info.domains for picture in _pictures_of(run, domain)]


def _pictures_of(run: Run, domain: Domain) -> list[Picture]:
    """Samples of one domain beside real ones, where its samples are shown as pictures."""
    made, real = _made(run, domain), _real_of(run, domain)
    pairs = (
        (f"Samples, {domain.name}", made, _drawn(run) if run.steps else ""),
        ("Real images", real, "Drawn at random from the training data."),
    )
    return [
        Picture(title, image_uri(shown.picture), caption)
        for title, samples, caption in pairs
        if samples is not None and (shown := domain.preview(samples[:_SHOWN])).picture
    ]


def _made(run: Run, domain: Domain) -> Any:
    return run.sample_domain(_OF_A_DOMAIN, domain.name, seed=0) if run.steps else None


def _real_of(run: Run, domain: Domain) -> Any:
    """Real samples of a domain, drawn at random; None where the data have moved."""
    try:
        data = run.load_data()
    except UserError:
        return None
    own = np.flatnonzero(data.labels_of(DOMAIN_LEVEL) == run.dataset_info.domains.index(domain))
    rows = np.random.default_rng(0).choice(own, min(_OF_A_DOMAIN, len(own)), replace=False)
    return domain.decode(np.asarray(data.samples[np.sort(rows)]))


def _drawn(run: Run) -> str:
    return (
        f"Drawn from the averaged generator after {run.steps[-1]:,} iterations, seed 0, unselected."
    )


def _beside(run: Run, title: str, made: Any, real_title: str, real: Any) -> list[Picture]:
    """Generated images [N, C, H, W] and real ones, as two grids; without those that are None."""
    pictures = []
    if made is not None:
        pictures.append(Picture(title, image_uri(make_grid(made, columns=8)), _drawn(run)))
    if real is not None:
        caption = "Drawn at random from the training data."
        rows = np.random.default_rng(0).choice(len(real), min(64, len(real)), replace=False)
        grid = make_grid(np.asarray(real[np.sort(rows)]), columns=8)
        pictures.append(Picture(real_title, image_uri(grid), caption))
    return pictures


def _real(run: Run) -> Any:
    """Real images [N, C, H, W] of the run's data; None where these have moved: the page stands
    without them."""
    try:
        return run.load_data().samples
    except UserError:
        return None


def _strings(run: Run) -> list[StringSamples]:
    """Of every domain whose samples are shown as text."""
    found = []
    for domain in run.dataset_info.domains if run.steps else ():
        made = domain.preview(_made(run, domain)).lines
        if made:
            real = _real_of(run, domain)
            lines = () if real is None else domain.preview(real).lines
            drawing = _drawing(made) if lines and are_molecules(lines) else None
            found.append(StringSamples(domain.name, made[:_STRINGS], lines[:_STRINGS], drawing))
    return found


def _drawing(made: Sequence[str]) -> Picture | None:
    molecules = parse_molecules(made)
    if not molecules.smiles:
        return None
    caption = f"The first of the {molecules.validity:.0%} of {len(made)} strings that are valid."
    return Picture("Molecules", image_uri(draw_molecules(molecules.first(_STRINGS))), caption)


def _evolution(run: Run) -> Picture | None:
    """The first row of every saved sample grid, one under the other; without those that cannot be
    read."""
    saved = _saved_grids(run.path / "samples")
    if len(saved) < 2:
        return None
    grids = [grid for _, grid in saved]
    height = grids[0].height // max(1, round(grids[0].height / (grids[0].width / 10)))
    strip = Image.new("RGB", (grids[0].width, height * len(grids)), "white")
    for i, grid in enumerate(grids):
        strip.paste(grid.crop((0, 0, grid.width, height)), (0, i * height))
    steps = ", ".join(f"{step:,}" for step, _ in saved)
    return Picture(
        "Evolution", image_uri(strip), f"The same latents after {steps} iterations, top to bottom."
    )


def _saved_grids(folder: Path) -> list[tuple[int, Image.Image]]:
    """(iteration, RGB picture) of every sample grid in a run's folder that can be read."""
    found = []
    for file in sorted(folder.glob("step-*.png")):
        step = file.stem.removeprefix("step-")
        if step.isdecimal() and file.is_file():
            # Whatever a decoder raises: one may be half written, by an older version.
            with contextlib.suppress(Exception), Image.open(file, formats=["PNG"]) as image:
                found.append((int(step), image.convert("RGB")))
    return found


def _curves(run: Run, lines: Sequence[Mapping[str, Any]]) -> list[Picture]:
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
    ratios = {n: s for n, s in train.items() if n.startswith("log_loss_ratio")}
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
        "titles": [side.recipe.title or side.recipe.name for side in (run, control)],
        "iterations": [mine["step"], other["step"]],
        "rows": [(name, mine["values"][name], other["values"][name]) for name in names],
        "seed": run.recipe.run["seed"],
    }


def _analyses(run: Run) -> tuple[list[Picture], list[str]]:
    """Every answer of `mtgan analyze` under RUN/analysis: its picture and its verdict; and a
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
