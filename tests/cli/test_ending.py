"""How a command ends: exit codes, one sentence, and words from outside that are text alone."""

import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer

from mtgan.cli import ending
from mtgan.cli.app import app
from mtgan.cli.ending import finish
from mtgan.errors import Interrupted, Terminated, UserError

COMMAND = [sys.executable, "-m", "mtgan"]


def raising(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UserError("Not so."), 2, "mtgan: Not so."),
        (UserError("Not\n  so."), 2, "mtgan: Not so."),
        (typer.Exit(0), 0, ""),
        (SystemExit(3), 3, ""),
        (KeyboardInterrupt(), 130, "mtgan: Stopped by SIGINT (Ctrl-C); what was written"),
        (Terminated(), 143, "mtgan: Stopped by SIGTERM; what was written"),
        (Interrupted("Saved.", signal.SIGTERM), 143, "mtgan: Saved."),
        (Interrupted("Saved."), 130, "mtgan: Saved."),
        (BrokenPipeError(), 141, ""),
        (MemoryError(), 2, "mtgan: There is not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 2, "not enough memory"),
        (OSError(28, "No space left", "x.txt"), 2, "x.txt could not be written: there is no space"),
        (UserError("\x1b[31mred\x07"), 2, "mtgan: \\x1b[31mred\\x07"),
    ],
)
def test_the_table(error, code, sentence, capfd, monkeypatch) -> None:
    monkeypatch.setattr(ending, "_drop_the_rest", lambda: None)
    assert finish(raising(error)) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert sentence in err
    assert err.count("\n") == bool(sentence)


def test_a_fault_of_ours_keeps_its_traceback_and_asks_to_be_reported(capsys) -> None:
    assert finish(raising(KeyError("\x1b[2Jx"))) == 1
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.endswith("and the command.\n")
    assert "please report it" in err
    assert "\x1b" not in err


def test_a_missing_file_of_ours_is_not_the_users_mistake(capsys) -> None:
    assert finish(raising(FileNotFoundError(2, "no such file", "template.html"))) == 1


def test_warnings_are_one_line_of_text(capsys) -> None:
    def command() -> None:
        print(warnings.formatwarning("odd \x1b[31m name", UserWarning, "file.py", 3), end="")

    before = warnings.formatwarning
    assert finish(command) == 0
    assert capsys.readouterr().out == "mtgan: warning: odd \\x1b[31m name\n"
    assert warnings.formatwarning is before


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "recipes", "list"], stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no full device")
def test_output_that_cannot_be_written_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "data", "list"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr.startswith("mtgan: The output could not be written: there is no space")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_process_with_one_sentence(number: int, code: int, tmp_path: Path) -> None:
    body = (
        # A job in the background of a script is born with the signal ignored.
        "import signal, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from mtgan.cli.app import app\n"
        "@app.command()\ndef wait():\n    print('ready', flush=True)\n    time.sleep(60)\n"
        "from mtgan.cli import main\nmain(['wait'])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", body], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err.startswith("mtgan: Stopped by ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nonsense"], "No such command 'nonsense'. See mtgan --help."),
        (["sample"], "Missing argument 'run'. See mtgan sample --help."),
        (["train", "x", "--bogus[/b]"], "No such option: --bogus[/b]"),
        (["sample", "r", "--out", "x", "--n", "0"], "--n should be a whole number from 1 to 10,0"),
        (["sample", "r", "--out", "x", "--n", "nan"], "found 'nan'"),
        (["sample", "r", "--out", "x", "--n", str(10**11)], "--n should be a whole number from 1"),
        (["sample", "r", "--out", "x", "--seed", str(2**64)], "from 0 to 2,147,483,647; found"),
        (["sample", "r", "--out", "x", "--step", "-1"], "is not best, nor a whole number from 0"),
        (["analyze", "losses", "r", "--n", "1"], "--n should be a whole number from 2 to"),
        (["evaluate", "r", "--data", "digits", "--n", "0"], "--n should be a whole number from 1"),
        (["strings", "r", "--data", "moses", "--n", "0"], "--n should be a whole number from 1"),
        (["train", "gan", "--data", "digits", "--steps", "0"], "--steps should be a whole number"),
        (["demo", "--steps", "0"], "--steps should be a whole number from 1 to 1,000,000,000"),
        (["bench", "evaluate", "--n", "1"], "--n should be a whole number from 100 to 1,000,000"),
        (["data", "info", "digits", "--size", str(10**11)], "of 1 to 4,096 pixels; found"),
        (["data", "info", "digits", "--channels", "2"], "channels should be 1 or 3"),
    ],
)
def test_usage_is_one_sentence_that_says_the_range(arguments, sentence, capsys) -> None:
    from mtgan.cli import main

    with pytest.raises(SystemExit) as end:
        main(arguments)
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_every_number_of_every_verb_has_a_range() -> None:
    """But those that a recipe or the library gives their range."""
    from mtgan.cli import main

    with pytest.raises(SystemExit):
        main(["--version"])  # finds the verbs
    command = typer.main.get_command(app)
    missing = [
        f"{name} {parameter.opts[0]}"
        for name, parameter in numbers_of(command)
        if getattr(getattr(parameter, "type", parameter), "min", None) is None
    ]
    assert len(list(numbers_of(command))) > 20
    assert set(missing) <= {"data info --channels", "data prepare --channels"}


def numbers_of(command, path: str = ""):
    for name, verb in getattr(command, "commands", {}).items():
        yield from numbers_of(verb, f"{path} {name}".strip())
    for parameter in command.params:
        kind = str(getattr(getattr(parameter, "type_descriptor", None), "annotation", ""))
        if "int" in kind.split("'") or kind == "int" or "int |" in kind:
            yield path, parameter
