"""Where evaluation keeps what is dear to compute: classifiers, features, calibrations.

Files are named by a hash of everything that their content depends on, are written whole or not at
all, and carry a hash of their content: what is damaged or foreign counts as missing and is computed
anew.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mtgan import files
from mtgan.errors import UserError

_CONTENT = "mtgan/content"  # of what is kept, a hash: a bit that has turned is noticed

FEATURE_CACHE_BYTES = 2 << 30
"""The features folder is pruned, oldest first, to this size."""


def cache_dir(kind: str) -> Path:
    """The folder of one kind of cached file, in the one cache of mtgan.files."""
    return files.cache_folder() / kind


def digest(*parts: object) -> str:
    """A short hash (16 hex digits) of the parts' JSON form."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def array_digest(array: np.ndarray) -> str:
    """A hash (16 hex digits) of an array's type, shape and content."""
    sha = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    rows = max(1, (64 << 20) // max(1, array[:1].nbytes))
    for start in range(0, len(array), rows):
        sha.update(np.ascontiguousarray(array[start : start + rows]).data)
    return sha.hexdigest()[:16]


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """A hash (16 hex digits) of named tensors, whatever device they are on."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name].detach().cpu().numpy())
        sha.update(f"{name}{array.dtype.str}{array.shape}".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()[:16]


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    """Tensors and metadata of a safetensors file; None when it is missing or damaged.

    What save_tensors wrote is checked against the hash that stands in its metadata.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (OSError, ValueError, SafetensorError):
        return None
    promised = metadata.pop(_CONTENT, None)
    if promised is not None and promised != tensors_digest(tensors):
        return None
    return tensors, metadata


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bool:
    """Write a safetensors file atomically; False where the folder cannot be written."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    checked = {**metadata, _CONTENT: tensors_digest(contiguous)}
    try:
        with files.replacing(path) as temporary:
            save_file(contiguous, temporary, metadata=checked)
    except UserError:
        return False
    return True


def load_json(path: Path) -> Any:
    """The value that save_json wrote; None when the file is missing, damaged or foreign."""
    try:
        kept = files.read_json(path)
    except UserError:
        return None
    if not isinstance(kept, dict) or kept.keys() != {_CONTENT, "value"}:
        return None
    return kept["value"] if kept[_CONTENT] == digest(kept["value"]) else None


def save_json(path: Path, value: Any) -> bool:
    """Write a value as JSON with its hash, atomically; False where it cannot be written."""
    try:
        files.write_json(path, {_CONTENT: digest(value), "value": value})
    except UserError:
        return False
    return True


def prune(folder: Path, limit_bytes: int = FEATURE_CACHE_BYTES) -> None:
    """Remove a folder's oldest safetensors files until the rest fit the limit."""
    found = []
    for path in folder.glob("*.safetensors"):
        with contextlib.suppress(OSError):  # another process may be pruning as well
            found.append((path.stat(), path))
    excess = sum(stat.st_size for stat, _ in found) - limit_bytes
    for stat, path in sorted(found, key=lambda item: item[0].st_mtime):
        if excess <= 0:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        excess -= stat.st_size


def to_device(device: str | torch.device) -> torch.device:
    """The torch device of a name; `auto` takes the accelerator where there is one."""
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)
