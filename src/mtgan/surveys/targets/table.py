"""All trials as a table, for tools of one's own."""

import csv
import io
import shutil
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import write_text
from mtgan.surveys.folder import ANSWERS, IMAGES, Survey
from mtgan.surveys.targets.base import TARGETS, Options

_COLUMNS = ("seat", "place", "trial", "kind", "class", "left", "right", "left_model", "right_model")


@TARGETS.register("csv")
def table(survey: Survey, folder: Path, options: Options) -> str:
    """trials.csv, a row for each trial, and the images. It names the models: not for raters."""
    if options.post or options.image_url:
        raise UserError("--post and --image-url are for other targets than csv; leave them out.")
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(_COLUMNS)
    for seat, trials in survey.plan.seats.items():
        for place, trial in enumerate(trials):
            one = survey.stimulus(trial)
            arms = one.arms[::-1] if trial.flipped else one.arms
            shown = survey.shown(trial)
            second = (shown[1], arms[1]) if len(shown) > 1 else ("", "")
            told = (seat, place, trial.id, trial.kind, one.of_class)
            rows.writerow([*told, shown[0], second[0], arms[0], second[1]])
    write_text(folder / "trials.csv", text.getvalue())
    shutil.copytree(survey.path / IMAGES, folder / IMAGES)
    return (
        f"answers go into a CSV file in {survey.path / ANSWERS} with the columns seat, trial, "
        "answer, and perhaps ms and rater"
    )
