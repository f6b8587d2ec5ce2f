"""Layout and batch file for the requester's page of Amazon Mechanical Turk.

The page replaces ${session} in the layout by a cell of the batch file, a row for each HIT, which is
one seat here. The cell is JSON in base64, since other signs are changed on the way. A HIT's whole
HTML may have 65,535 bytes.
"""

import base64
import csv
import io
import json
import shutil
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import write_text
from mtgan.surveys.folder import ANSWERS, IMAGES, Survey
from mtgan.surveys.session import page_parts, session_of
from mtgan.surveys.targets.base import TARGETS, Options, check_address

_LARGEST = 65_535
_FORM = """
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
<input type="hidden" name="answers" id="answers-of-form">
<crowd-button form-action="submit" id="submit-of-form" hidden>Submit</crowd-button>
</crowd-form>
"""
_READ = "Uint8Array.from(atob(`${session}`), (c) => c.charCodeAt(0))"


@TARGETS.register("mturk")
def mturk(survey: Survey, folder: Path, options: Options) -> str:
    """layout.html, batch.csv and images/, which must be uploaded to the address given."""
    if options.post:
        raise UserError("--post is for static; Mechanical Turk collects the answers itself.")
    if not options.image_url:
        raise UserError(
            "Mechanical Turk shows no local files; say by --image-url where the images will lie."
        )
    check_address("--image-url", options.image_url)
    base = options.image_url.rstrip("/") + "/"
    layout = _layout()
    cells = {seat: _cell(survey, seat, base) for seat in survey.plan.seats}
    longest = len(layout.encode()) + max(map(len, cells.values()))
    if longest > _LARGEST:
        raise UserError(
            f"A HIT would have {longest:,} bytes, and Mechanical Turk takes {_LARGEST:,}; plan the "
            "survey with fewer trials for each rater (--trials) and more raters."
        )
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["seat", "session"])
    rows.writerows(cells.items())
    write_text(folder / "layout.html", layout)
    write_text(folder / "batch.csv", text.getvalue())
    shutil.copytree(survey.path / IMAGES, folder / IMAGES)
    return (
        f"upload the folder images to {base}, paste layout.html as a project's layout, publish "
        f"batch.csv with it, and put the results file into {survey.path / ANSWERS}"
    )


def _layout() -> str:
    before, behind = page_parts()
    read = 'JSON.parse(document.getElementById("session").textContent)'
    behind = behind.replace(read, f"JSON.parse(new TextDecoder().decode({_READ}))")
    return (before + "{}" + behind).replace("</main>", "</main>" + _FORM)


def _cell(survey: Survey, seat: str, base: str) -> str:
    session = session_of(survey, seat, base=base)
    return base64.b64encode(json.dumps(session, ensure_ascii=False).encode()).decode()
