"""A page in headless Chromium, as somebody uses it."""

from typing import Any

import numpy as np

_PIXELS = """canvases => canvases.map(
    c => Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)
)"""


class Page:
    """A page that is open; `requests` and `errors` are those that it has made.

    page: Playwright's.
    """

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console", lambda said: self.errors.append(said.text) if said.type == "error" else None
        )
        self.page.goto(address)
        self.settle()

    def settle(self) -> None:
        """Wait until all is made that was asked for."""
        ended = "body[data-state=ready], body[data-state=failed]"
        self.page.wait_for_selector(ended, state="attached", timeout=60_000)
        assert self.page.get_attribute("body", "data-state") == "ready", self.status

    @property
    def status(self) -> str:
        return self.page.inner_text("#status")

    def choose(self, group: str, label: str, option: str) -> None:
        """An option of a menu, by its label within a group of controls."""
        self.menu(group, label).select_option(label=option)
        self.settle()

    def menu(self, group: str, label: str) -> Any:
        return self.page.locator(group).get_by_label(label, exact=True)

    def options(self, group: str, label: str) -> list[str]:
        return self.menu(group, label).locator("option").all_inner_texts()

    def move(self, group: str, number: int, value: float) -> None:
        """One of a group's sliders."""
        slider = self.page.locator(f"{group} input[type=range]").nth(number)
        slider.evaluate(
            "(e, value) => { e.value = value; e.dispatchEvent(new Event('input')); }", value
        )
        self.settle()

    def pictures(self, where: str = ".grid") -> np.ndarray:
        """uint8 [N, 3, H, W] of all canvases there."""
        found = self.page.locator(f"{where} canvas")
        width, height = found.first.evaluate("c => [c.width, c.height]")
        pixels = np.array(found.evaluate_all(_PIXELS), dtype=np.uint8)
        shaped = pixels.reshape(len(pixels), height, width, 4)
        assert (shaped[..., 3] == 255).all()
        return shaped[..., :3].transpose(0, 3, 1, 2)


def assert_same(found: np.ndarray, right: Any) -> None:
    """By at most 1, in at most one of a thousand pixels; three equal channels are gray."""
    right = np.broadcast_to(np.asarray(right), found.shape)
    apart = np.abs(found.astype(int) - right.astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 1e-3
