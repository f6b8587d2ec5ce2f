"""Finding a data set's official files, or downloading them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mtgan.errors import UserError
from mtgan.files import cache_folder
from mtgan.files.download import download_file


def fetch(
    name: str,
    files: Mapping[str, tuple[str, str]],
    places: Sequence[Path],
    download: bool = True,
) -> Path:
    """The folder that holds all of `files`: one of `places`, the cache, or the cache after a
    download.

    files: file name -> (address, checksum, see download_file). Files in the cache are checked when
    they arrive; those in `places` are the user's own, and are checked when they are read.
    Raises UserError where they are nowhere and cannot be downloaded.
    """
    cache = cache_folder() / "datasets" / name
    for folder in (*places, cache):
        if all((folder / file).is_file() for file in files):
            return folder
    if not download:
        raise UserError(_advice(name, files, places, cache, "downloads are switched off"))
    for file, (address, checksum) in files.items():
        if not (cache / file).is_file():
            try:
                download_file(address, cache / file, checksum)
            except ConnectionError as error:
                raise UserError(_advice(name, files, places, cache, str(error))) from error
    return cache


def _advice(
    name: str,
    files: Mapping[str, tuple[str, str]],
    places: Sequence[Path],
    cache: Path,
    reason: str,
) -> str:
    looked = ", ".join(str(folder) for folder in (*places, cache))
    address, _ = next(iter(files.values()))
    return (
        f"The files of {name} ({', '.join(files)}) are in none of {looked}, and could not be "
        f"downloaded from {address} ({reason}); put them into {cache}, or name their folder "
        "with --root."
    )
