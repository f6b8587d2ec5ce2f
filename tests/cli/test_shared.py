"""Options of every verb, and times as they are typed."""

import importlib
import pkgutil
from typing import Any

import pytest
import typer.main

from mtgan import cli
from mtgan.cli.app import app
from mtgan.cli.options import parse_time
from mtgan.cli.shared import share
from mtgan.errors import UserError


def leaves(command: Any, path: str = "") -> dict[str, list[str]]:
    """The options of each verb by its words."""
    members = getattr(command, "commands", None)
    if members is None:
        return {path: [option for each in command.params for option in each.opts]}
    found: dict[str, list[str]] = {}
    for name, member in members.items():
        found |= leaves(member, f"{path} {name}".strip())
    return found


def test_every_verb_takes_plugins() -> None:
    for info in pkgutil.iter_modules(cli.__path__):
        importlib.import_module(f"mtgan.cli.{info.name}")
    command = typer.main.get_command(app)
    share(command)
    verbs = leaves(command)
    assert {"train", "sample", "evaluate", "data info", "recipes show"} <= verbs.keys()
    for options in verbs.values():
        assert options.count("--plugins") == options.count("--trust") == 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), (" 2 D ", 172_800)]
)
def test_times(text: str, seconds: float) -> None:
    assert parse_time("--max-time", text) == seconds


@pytest.mark.parametrize("text", ["10", "0s", "-1m", "ten minutes", "1e3s", "", "1m30s"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UserError, match="--max-time should be a time like 90s, 10m or 2h"):
        parse_time("--max-time", text)
