"""Sets of molecules that have a name: their SMILES lie in packages, whose code is not imported."""

import gzip
import importlib.util
from pathlib import Path

from mtgan.data.domains.strings import STRING_SOURCES, Strings, StringSource, read_strings
from mtgan.errors import UserError


def _package_folder(package: str, install: str) -> Path:
    """Where an installed package lies, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise UserError(f"These strings lie in the package {package!r}; install it with {install}.")
    return Path(found.origin).parent


def _nci_smiles(root: Path | None) -> Strings:
    folder = root or _package_folder("rdkit", "pip install 'mtgan[chem]'") / "Data" / "NCI"
    return read_strings(folder / "first_5K.smi")


def _moses(root: Path | None) -> Strings:
    """MOSES (Polykovskiy et al. 2020): training and test molecules, from their package's files."""
    install = "pip install --no-deps molsets (its code is not imported)"
    folder = root or _package_folder("moses", install) / "dataset" / "data"
    parts = []
    for part in ("train", "test"):
        path = folder / f"{part}.csv.gz"
        try:
            with gzip.open(path, "rt") as file:
                parts.append([line.split(",")[0].strip() for line in file][1:])
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise UserError(f"{path} is missing or corrupt ({error}); {install}.") from error
    return Strings(parts[0] + parts[1], training=len(parts[0]))


STRING_SOURCES.register("nci-smiles")(StringSource(_nci_smiles, "smiles", length=32))
STRING_SOURCES.register("moses")(StringSource(_moses, "smiles"))
