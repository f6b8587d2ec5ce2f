"""The rating page in a real browser: a phone by touch, a desk by keys."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mtgan.surveys import Survey
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
