"""Codes of raters who may take part."""

import re
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import read_text

_CODE = re.compile(r"[\w-]{4,64}", re.ASCII)


def read_codes(path: Path) -> frozenset[str]:
    """The codes of a file, one a line; UserError for a line that is none, or stands twice."""
    found: set[str] = set()
    for number, line in enumerate(read_text(path, "The codes").splitlines(), 1):
        code = line.strip()
        if not code:
            continue
        if not _CODE.fullmatch(code):
            raise UserError(
                f"{path}, line {number}: a code has 4 to 64 letters, digits or signs of -_; found "
                f"{code[:80]!r}."
            )
        if code in found:
            raise UserError(f"{path}, line {number}: the code {code!r} stands there twice.")
        found.add(code)
    if not found:
        raise UserError(f"{path} holds no code.")
    return frozenset(found)
