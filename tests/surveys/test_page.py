"""The rating page in a real browser: a phone by touch, a desk by keys."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from mtgan.surveys import Survey
from mtgan.surveys.answers import read_answers
from mtgan.surveys.targets import Options, export
from needed import chromium
from surveys.conftest import make_survey

pytestmark = pytest.mark.slow
PAUSE = 230  # milliseconds: a faster second press is taken for the same


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


def phone(browser: Any) -> Any:
    return browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )


def rate(page: Any, first: int, last: int, press: Callable[[int], None]) -> None:
    """Answer trials from `first` up to `last`."""
    for place in range(first, last):
        page.wait_for_function(f"document.querySelector('progress').value == {place}")
        page.wait_for_selector("body:not(.waiting)")
        page.wait_for_timeout(PAUSE)
        press(place)


def saved(page: Any, path: Path) -> dict[str, Any]:
    with page.expect_download() as download:
        page.click("#words button")
    download.value.save_as(path)
    return json.loads(path.read_text())


def check(found: dict[str, Any], survey: Survey, seat: str, answers: list[str]) -> None:
    """What a page saved holds exactly these answers, and says so by its check sum."""
    assert (found["survey"], found["seat"]) == (survey.id, seat)
    assert found["wording"] == survey.wording_hash
    trials = [trial.id for trial in survey.plan.seats[seat]]
    assert [one["trial"] for one in found["answers"]] == trials
    assert [one["answer"] for one in found["answers"]] == answers
    assert all(one["ms"] >= 200 for one in found["answers"])
    told = [f"{one['trial']}:{one['answer']}:{one['ms']}" for one in found["answers"]]
    text = "|".join([survey.id, survey.wording_hash, seat, *told])
    assert found["check"] == hashlib.sha256(text.encode()).hexdigest()


def test_by_touch_on_a_phone(browser: Any, pairs: Survey, tmp_path: Path) -> None:
    folder, _ = export(pairs, "static", tmp_path / "out", Options())
    page = phone(browser).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((folder / "rater-r1.html").as_uri())
    page.tap("#words button")
    page.tap("#words button")

    def press(place: int) -> None:
        what = "#pictures div" if place % 3 == 0 else "#answers button"
        page.tap(f"{what}:nth-child({1 + place % 2})")

    rate(page, 0, 5, press)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    sizes = page.eval_on_selector_all("#pictures img", "all => all.map(i => i.width)")
    assert sizes == [160, 160]  # whole pixels
    heights = page.eval_on_selector_all("button", "all => all.map(b => b.offsetHeight)")
    assert min(height for height in heights if height) >= 44
    page.reload()  # as after a lost connection: on where she was
    rate(page, 5, 17, press)
    found = saved(page, tmp_path / "answers.json")
    check(found, pairs, "r1", [("left", "right")[place % 2] for place in range(17)])
    assert errors == []


def test_by_keys(browser: Any, pairs: Survey, tmp_path: Path) -> None:
    folder, _ = export(pairs, "static", tmp_path / "out", Options())
    page = browser.new_context().new_page()
    page.goto((folder / "rater-r2.html").as_uri())
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    keys = ("ArrowLeft", "ArrowRight", "1", "2")
    page.wait_for_selector("body:not(.waiting)")
    page.keyboard.press("1")  # too fast to be meant
    page.keyboard.press("x")
    rate(page, 0, 17, lambda place: page.keyboard.press(keys[place % 4]))
    found = saved(page, tmp_path / "answers.json")
    check(found, pairs, "r2", [("left", "right")[place % 2] for place in range(17)])


def test_words_with_accents_and_a_time_limit(
    browser: Any, sets: dict[str, str], tmp_path: Path
) -> None:
    made = make_survey(
        tmp_path / "x", sets, design="label", limit_ms=100, trials=4, catch=1, repeats=0
    )
    folder, _ = export(made, "static", None, Options())
    page = browser.new_context().new_page()
    page.goto((folder / "rater-r3.html").as_uri())
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector("body.over")
    assert page.eval_on_selector("#pictures img", "i => getComputedStyle(i).visibility") == "hidden"
    rate(page, 0, 5, lambda place: page.keyboard.press("ab"[place % 2]))
    check(saved(page, tmp_path / "a.json"), made, "r3", ["a", "b", "a", "b", "a"])


def test_answers_are_posted(browser: Any, pairs: Survey, tmp_path: Path) -> None:
    """To an address that fails at first."""
    folder, _ = export(pairs, "static", tmp_path / "out", Options(post="https://example.org/in"))
    page = browser.new_context().new_page()
    posted: list[dict[str, Any]] = []

    def answer(route: Any) -> None:
        posted.append(json.loads(route.request.post_data))
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        route.fulfill(status=500 if len(posted) == 1 else 200, headers=headers)

    page.route("https://example.org/in", answer)
    page.goto((folder / "rater-r4.html").as_uri())
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    rate(page, 0, 17, lambda place: page.keyboard.press("1"))
    page.wait_for_selector(f"text={pairs.wording.sent}", timeout=15_000)
    assert len(posted) == 2
    assert posted[0] == posted[1]
    check(posted[1], pairs, "r4", ["left"] * 17)


CROWD_ELEMENTS = """
class Form extends HTMLElement {
  connectedCallback() { setTimeout(() => this.wire()); }
  wire() {
    const form = Object.assign(document.createElement("form"), {
      method: "post", action: "https://www.mturk.com/mturk/externalSubmit"});
    form.append(...this.childNodes);
    const assignment = new URLSearchParams(location.search).get("assignmentId");
    form.append(Object.assign(document.createElement("input"), {
      type: "hidden", name: "assignmentId", value: assignment}));
    this.append(form);
    form.querySelector('crowd-button[form-action="submit"]').onclick = () => form.submit();
  }
}
customElements.define("crowd-form", Form);
"""  # what the elements' documentation promises: a form that posts its fields and the assignment


def test_a_hit_of_mechanical_turk(browser: Any, pairs: Survey, tmp_path: Path) -> None:
    """As its page makes one of layout and batch; what it posts is read from a results file."""
    folder, _ = export(pairs, "mturk", tmp_path / "out", Options(image_url="https://img.test/a"))
    with open(folder / "batch.csv", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["seat"] == "r2")
    layout = (folder / "layout.html").read_text()
    for name, value in row.items():
        layout = layout.replace("${" + name + "}", value)
    page, posted = browser.new_context().new_page(), []

    def submit(route: Any) -> None:
        posted.append(parse_qs(route.request.post_data))
        route.fulfill(body="thank you")

    def image(route: Any) -> None:
        route.fulfill(path=folder / "images" / route.request.url.rsplit("/", 1)[1])

    page.route("https://hit.test/*", lambda r: r.fulfill(body=layout, content_type="text/html"))
    page.route("https://assets.crowd.aws/*", lambda r: r.fulfill(body=CROWD_ELEMENTS))
    page.route("https://img.test/a/*", image)
    page.route("https://www.mturk.com/mturk/externalSubmit", submit)
    page.goto("https://hit.test/?assignmentId=A1")
    assert page.is_hidden("crowd-button")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    rate(page, 0, 17, lambda place: page.keyboard.press("12"[place % 2]))
    page.click("crowd-button")
    page.wait_for_selector("text=thank you")
    assert posted[0]["assignmentId"] == ["A1"]
    expected = [("left", "right")[place % 2] for place in range(17)]
    check(json.loads(posted[0]["answers"][0]), pairs, "r2", expected)
    batch = tmp_path / "Batch_results.csv"
    with open(batch, "w", newline="") as file:
        columns = {"AssignmentId": "A1", "WorkerId": "W1", "AssignmentStatus": "Submitted"}
        columns |= {f"Input.{name}": value for name, value in row.items()}
        columns["Answer.answers"] = posted[0]["answers"][0]
        table = csv.DictWriter(file, list(columns))
        table.writeheader()
        table.writerow(columns)
    (returned,), notes = read_answers(pairs, [batch])
    assert notes == []
    assert (returned.seat, returned.rater) == ("r2", "W1")
    assert [one.answer for one in returned.answers] == expected
