"""How a command ends: one table of exit codes, one sentence, and no escapes from outside.

0    done
1    a fault of ours: the traceback, and a line that asks to report it
2    the user's mistake, or something on this machine: one sentence
130  stopped by SIGINT (Ctrl-C)
141  whoever read the output went away (SIGPIPE), as in `mtgan data list | head -1`
143  stopped by SIGTERM
"""

import contextlib
import io
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import typer

from mtgan.cli.app import print_error
from mtgan.cli.signals import stopped
from mtgan.errors import UserError
from mtgan.text import printable

DONE, OURS, USERS, PIPE = 0, 1, 2, 128 + 13

# Of click, of which typer brings a copy of its own.
_ClickError: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")


def finish(command: Callable[[], object]) -> int:
    """Run a command, say in one sentence what it raises, and return the exit code."""
    with _words_alone():
        try:
            command()
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except BaseException as error:
            try:
                return _told(error)
            except BrokenPipeError:
                _drop_the_rest()
                return PIPE
    return DONE


def _told(error: BaseException) -> int:
    """Say what was raised, and return the exit code."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    rich_gave_up = isinstance(error, SystemExit) and isinstance(error.__context__, BrokenPipeError)
    if isinstance(error, BrokenPipeError) or rich_gave_up:
        _drop_the_rest()
        return PIPE
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else OURS if error.code else DONE
    if isinstance(error, UserError):
        print_error(str(error))
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return stopped(error)
    if isinstance(error, _ClickError):
        return _told_of_usage(error)
    if sentence := _sentence(error):
        print_error(sentence)
        return USERS
    sys.stderr.write(printable("".join(traceback.format_exception(error))))
    print_error(
        "This is a fault of mtgan and not yours; please report it, with the lines above and the "
        "command."
    )
    return OURS


def _told_of_usage(error: Any) -> int:
    """What click says of options and arguments: help where there were none, else a sentence."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()
        return USERS
    message = _out_of_range(error) or error.format_message().strip()
    message += "" if message.endswith((".", "?", "!")) else "."
    hint = f" See {context.command_path} --help." if context else ""
    print_error(message + hint)
    return USERS


def _out_of_range(error: Any) -> str:
    """For a number that is none, or outside its range: the range; "" for anything else."""
    parameter: Any = getattr(error, "param", None)
    cause = error.__cause__
    kind = getattr(parameter, "type", parameter)  # click's own keep the range in a type
    low, high = getattr(kind, "min", None), getattr(kind, "max", None)
    if low is None and high is None:
        return ""
    limits = f"from {low:,} to {high:,}" if high is not None else f"at least {low:,}"
    found = f"; found {cause.errors()[0]['input']!r}" if hasattr(cause, "errors") else ""
    return f"{parameter.opts[0]} should be a whole number {limits}{found}"


def _sentence(error: BaseException) -> str:
    """What is wrong on this machine, in one sentence; "" for a fault of ours."""
    if (
        isinstance(error, MemoryError)
        or "out of memory" in str(error).lower()
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    ):
        return "There is not enough memory for this; ask for fewer samples, or smaller ones."
    if isinstance(error, OSError):
        from mtgan import files

        if error.errno in files.ENVIRONMENT:
            if error.filename is None:
                _drop_the_rest()
            return str(files.write_error(error.filename or "The output", error))
    return ""


def _drop_the_rest() -> None:
    """Nobody takes what is still to be written: Python would try once more at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextlib.contextmanager
def _words_alone() -> Iterator[None]:
    """Warnings as one line of text; letters that the terminal does not know as escapes."""

    def line(message: Warning | str, *_: object, **__: object) -> str:
        return f"mtgan: warning: {printable(message)}\n"

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    before = warnings.formatwarning
    warnings.formatwarning = line
    try:
        yield
    finally:
        warnings.formatwarning = before
