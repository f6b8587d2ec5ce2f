"""Where evaluation keeps what is dear to compute: trained classifiers and extracted features.

Files are safetensors, named by a hash of everything that they depend on, and written to a
temporary name before they are renamed, so that a reader never meets half a file.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mtgan import files
from mtgan.errors import UserError
from mtgan.files import cache_folder, replacing

FEATURE_CACHE_BYTES = 2 << 30
"""The features folder is pruned, oldest first, to this size."""


def cache_dir(kind: str) -> Path:
    """The folder of one kind of cached file, in the one cache of mtgan.files."""
    return cache_folder() / kind


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
    """Tensors and metadata of a safetensors file; None when it is missing or damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except (OSError, SafetensorError):
        return None


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bool:
    """Write a safetensors file atomically; False where the folder cannot be written."""
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as temporary:
            save_file(contiguous, temporary, metadata=dict(metadata))
    except UserError:
        return False
    return True


def prune(folder: Path, limit_bytes: int = FEATURE_CACHE_BYTES) -> None:
    """Remove a folder's oldest safetensors files until the rest fit the limit."""
    files = [(path.stat(), path) for path in folder.glob("*.safetensors")]
    excess = sum(stat.st_size for stat, _ in files) - limit_bytes
    for stat, path in sorted(files, key=lambda item: item[0].st_mtime):
        if excess <= 0:
            return
        path.unlink(missing_ok=True)
        excess -= stat.st_size


def to_device(device: str | torch.device) -> torch.device:
    """The torch device of a name; `auto` takes the accelerator where there is one."""
    if str(device) == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def write_text(path: Path, text: str) -> bool:
    """Write a text file atomically; False where the folder cannot be written."""
    try:
        files.write_text(path, text)
    except UserError:
        return False
    return True
