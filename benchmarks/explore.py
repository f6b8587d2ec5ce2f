"""How large the page of `mtgan explore --static` is, and how long a picture takes in Chromium:

python -m benchmarks.explore FILE.html

The page's own clock counts: it makes 64 pictures of one seed after another, sixteen at once, on one
thread, and puts them onto the screen.
"""

import argparse
import gzip
import re
import shutil
import statistics
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

_ENDED = "body[data-state=ready], body[data-state=failed]"


def milliseconds(page: Page) -> int:
    """How long the newest pictures took, as the page says it."""
    page.wait_for_selector(_ENDED, state="attached", timeout=120_000)
    found = re.search(r"in ([\d,]+) ms", page.inner_text("#status"))
    assert found is not None, page.inner_text("#status")
    return int(found[1].replace(",", ""))


def measure(file: Path, rounds: int) -> tuple[int, list[int]]:
    """Milliseconds until the first 16 pictures are there, and for 64 of each round."""
    program = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(file.resolve().as_uri())
        first = milliseconds(page)
        page.get_by_label("pictures", exact=True).select_option(label="64")
        milliseconds(page)
        times = []
        for _ in range(rounds):
            page.get_by_role("button", name="Next seed").click()
            times.append(milliseconds(page))
        browser.close()
    return first, times


def main() -> None:
    parser = argparse.ArgumentParser(description="Size and speed of a page of mtgan explore.")
    parser.add_argument("page", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    content = arguments.page.read_bytes()
    first, times = measure(arguments.page, arguments.rounds)
    size, packed = len(content) / 1e6, len(gzip.compress(content)) / 1e6
    print(f"{size:.1f} MB ({packed:.1f} MB by gzip)")
    print(f"the first 16 pictures after {first} ms")
    print(f"{statistics.median(times) / 64:.1f} ms a picture (median of {len(times)} times 64)")


if __name__ == "__main__":
    main()
