"""One HTML file for each rater, which holds all that it shows."""

from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import write_text
from mtgan.surveys.folder import ANSWERS, Survey
from mtgan.surveys.session import page_of, session_of
from mtgan.surveys.targets.base import TARGETS, Options, check_address


@TARGETS.register("static")
def static(survey: Survey, folder: Path, options: Options) -> str:
    """rater-SEAT.html for each seat. Answers are saved as a file, or posted to an address."""
    if options.image_url:
        raise UserError("--image-url is for mturk; a static page holds its images.")
    if options.post:
        check_address("--post", options.post)
    for seat in survey.plan.seats:
        page = page_of(session_of(survey, seat, post=options.post))
        write_text(folder / f"rater-{seat}.html", page)
    where = f"arrive at {options.post}" if options.post else "come back as files"
    return (
        f"give each rater one file; what they answer will {where}: put it into "
        f"{survey.path / ANSWERS}"
    )
