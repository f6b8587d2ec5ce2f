"""The command line answers before anything heavy is imported."""

import subprocess
import sys

import pytest

HEAVY = (
    *("torch", "torchvision", "numpy", "scipy", "pandas", "sklearn"),
    *("matplotlib", "PIL", "jinja2", "pydantic", "yaml"),
)
# What lists recipes reads them: YAML into pydantic models.
READERS = ("pydantic", "yaml")


def imported(*arguments: str) -> set[str]:
    """Which heavy modules are there after a command has run in a process of its own."""
    code = (
        "import sys\n"
        "from mtgan.cli import main\n"
        "try:\n"
        f"    main({list(arguments)!r})\n"
        "except SystemExit as stop:\n"
        "    assert stop.code in (0, None), stop.code\n"
        f"print(*(name for name in {HEAVY!r} if name in sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("--version",)])
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert imported(*arguments) <= {"pydantic"}  # by typer itself, for a verb with options


def test_recipes_import_what_reads_them_alone() -> None:
    assert imported("recipes") <= set(READERS)


def test_training_starts_without_what_only_evaluation_needs() -> None:
    code = "import sys, mtgan.training; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
