"""What some tests need beside what every test has: without it they skip, or fail where everything
has to be there (make test-all)."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest


def need(there: object, what: str) -> None:
    """what: ends the sentence that begins with "needs"."""
    if not there:
        (pytest.fail if os.environ.get("MTGAN_TEST_ALL") else pytest.skip)(f"needs {what}")


def need_package(module: str) -> None:
    need(find_spec(module), f"the package {module}")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser."""
    need_package("playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    need(program, "Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()
