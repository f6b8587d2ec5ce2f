"""The live line of a training: names of label levels are text."""

import io

import pytest
from rich.console import Console

from mtgan.training.logs import Progress


@pytest.mark.parametrize("terminal", [True, False])
def test_names_of_levels_are_text(terminal: bool, monkeypatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setattr(Console, "is_terminal", terminal)
    with Progress(3, 0, quiet=False) as progress:
        progress.show(1, 2.0, {"classifier/[/b]\x1b[31m": 1.0})
        progress.say("accuracy/[red]a[/red]:dog:\x1b[31m 0.5")
    assert "accuracy/[red]a[/red]:dog:\\x1b[31m 0.5" in written.getvalue()
    assert "\x1b[31m" not in written.getvalue()
    assert ("classifier/[/b]\\x1b[31m 1" in written.getvalue()) == terminal
