"""The pages for whoever carries on: what they name is there, and the order is the right one."""

import importlib
import re
from pathlib import Path

import pytest

import printed
from test_architecture import ORDER

PAGES = [printed.DOCS / "CONTRIBUTING.md"]
PAGES += [
    printed.DOCS / "docs" / f"{name}.md" for name in ("architecture", "extending", "glossary")
]


def find(name: str) -> object:
    """What a dotted name means: a module, or an attribute of one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_name_and_path_is_there(page: Path) -> None:
    text = page.read_text()
    names = re.findall(r"`(mtgan(?:\.\w+)+)`", text)
    assert names
    for name in names:
        assert find(name) is not None, name
    for path in re.findall(r"`((?:src|tests|docs)/[\w/.]+)`", text):
        assert (printed.DOCS / path).exists(), path
    for link in re.findall(r"\]\(([\w/.-]+)(?:#[\w-]+)?\)", text):
        assert (page.parent / link).exists(), link


def test_a_name_that_is_gone_would_be_found() -> None:
    with pytest.raises(AttributeError):
        find("mtgan.training.trainer.Trainer.run_epoch")


def test_the_page_has_the_order_that_the_tests_hold() -> None:
    text = (printed.DOCS / "docs" / "architecture.md").read_text()
    (block,) = re.findall(r"```text\n(errors .*?)```", text, re.DOTALL)
    assert re.split(r"\s*->\s*", block.strip()) == ORDER


def test_make_has_the_targets() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (printed.DOCS / "Makefile").read_text(), re.MULTILINE))
    told = re.findall(r"^\| `make ([a-z-]+)`", PAGES[0].read_text(), re.MULTILINE)
    assert set(told) == targets
