"""Checkpoints: a folder per step, complete or absent, without any pickle.

checkpoints/step-00001000/
  networks.safetensors     live networks and the averaged generators
  optimizers.safetensors   their states
  state.json               the iteration, and what else is not a tensor
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mtgan.errors import UserError

_NAME = re.compile(r"step-(\d{8})$")


def checkpoint_name(step: int) -> str:
    return f"step-{step:08d}"


def list_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of every complete checkpoint, oldest first."""
    if not folder.is_dir():
        return []
    found = [(match, path) for path in folder.iterdir() if (match := _NAME.match(path.name))]
    return sorted((int(match[1]), path) for match, path in found)


def save_checkpoint(
    target: Path,
    networks: Mapping[str, torch.Tensor],
    optimizers: Mapping[str, torch.Tensor],
    state: Mapping[str, Any],
) -> None:
    """Write a checkpoint so that `target` either holds all of it or does not exist.

    Written under a temporary name, flushed to the disk, then renamed. UserError when the disk is
    full or cannot be written; earlier checkpoints are untouched then.
    """
    temporary = target.with_name(f".{target.name}.partial")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        for name, tensors in (("networks", networks), ("optimizers", optimizers)):
            save_file(
                {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
                temporary / f"{name}.safetensors",
            )
        (temporary / "state.json").write_text(json.dumps(dict(state), indent=2))
        for path in [*temporary.iterdir(), temporary]:
            _flush(path)
        _discard(target)  # the same step again, after a resume: the new one replaces it
        temporary.rename(target)
        _flush(target.parent)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        full = getattr(error, "errno", None) in {
            errno.ENOSPC,
            errno.EDQUOT,
        } or "os error 28" in str(error)
        reason = "there is no space left on the device" if full else str(error)
        raise UserError(
            f"The checkpoint {target} could not be written: {reason}. Earlier checkpoints are "
            "complete; make room, then go on with --resume."
        ) from error


def load_checkpoint(
    path: Path, device: torch.device | str = "cpu"
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], dict[str, Any]]:
    """(networks, optimizers, state) of a checkpoint; UserError where one is missing or broken."""
    try:
        networks = load_file(path / "networks.safetensors", device=str(device))
        optimizers = load_file(path / "optimizers.safetensors", device=str(device))
        state = json.loads((path / "state.json").read_text())
    except (OSError, SafetensorError, ValueError) as error:
        raise UserError(
            f"The checkpoint {path} is incomplete or corrupt ({error}); remove that folder, and "
            "the one before it is used."
        ) from error
    return networks, optimizers, state


def prune_checkpoints(folder: Path, keep: int, protected: frozenset[int] = frozenset()) -> None:
    """Remove all but the newest `keep` checkpoints; protected steps stay."""
    for step, path in list_checkpoints(folder)[:-keep]:
        if step not in protected:
            _discard(path)


def restore_tensors(live: Mapping[str, torch.Tensor], saved: Mapping[str, torch.Tensor]) -> None:
    """Copy saved tensors into live ones of the same names; UserError where they do not fit."""
    if live.keys() != saved.keys():
        odd = sorted(live.keys() ^ saved.keys())[0]
        raise UserError(f"The checkpoint is of another architecture: it differs in {odd}.")
    with torch.no_grad():
        for name, tensor in live.items():
            if tensor.shape != saved[name].shape:
                raise UserError(
                    f"The checkpoint is of another architecture: {name} is "
                    f"{list(saved[name].shape)} there and {list(tensor.shape)} here."
                )
            tensor.copy_(saved[name])


def _discard(path: Path) -> None:
    """Remove a checkpoint so that a kill on the way leaves none that looks complete."""
    if path.exists():
        dying = path.with_name(f".{path.name}.discarded")
        shutil.rmtree(dying, ignore_errors=True)
        path.rename(dying)
        shutil.rmtree(dying)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
