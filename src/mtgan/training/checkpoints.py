"""Checkpoints: a folder per step, complete or absent, without any pickle.

checkpoints/step-00001000/
  networks.safetensors     live networks and the averaged generators
  optimizers.safetensors   their states
  state.json               the iteration, and what else is not a tensor
"""

import errno
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mtgan import files
from mtgan.errors import UserError
from mtgan.recipes.records import validated
from mtgan.training.records import StateRecord

WEIGHTS = "networks.safetensors"
_NAME = re.compile(r"step-([0-9]{8,})$")
# Ends the sentence of whatever a training could not write.
RESUME = "make room or mend that, then go on with --resume (what was saved before is complete)"
_OLDER = "remove that folder, and the one before it is used"


class CheckpointReplaced(UserError):
    """A checkpoint was removed or written anew while it was read: look again."""


def checkpoint_name(step: int) -> str:
    return f"step-{step:08d}"


def step_of(path: Path) -> int | None:
    """The step that a checkpoint's name speaks of; None for another name."""
    match = _NAME.match(path.name)
    return int(match[1]) if match else None


def list_checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """(step, path) of every complete checkpoint, oldest first."""
    if not folder.is_dir():
        return []
    found = [(step, path) for path in folder.iterdir() if (step := step_of(path)) is not None]
    return sorted(found)


def save_checkpoint(
    target: Path,
    networks: Mapping[str, torch.Tensor],
    optimizers: Mapping[str, torch.Tensor],
    state: Mapping[str, Any],
) -> None:
    """Write a checkpoint so that `target` either holds all of it or does not exist.

    Written under a temporary name, flushed to the disk, then renamed. The folder of checkpoints is
    made where it is missing, but not the run's: that one is gone then. UserError when the disk is
    full or cannot be written; earlier checkpoints are untouched then.
    """
    with files.writing(target, RESUME):
        target.parent.mkdir(exist_ok=True)
        _discard(target)  # the same step again, after a resume: the new one replaces it
        with files.new_folder(target, RESUME) as folder:
            for name, tensors in (("networks", networks), ("optimizers", optimizers)):
                save_file(
                    {key: value.detach().cpu().contiguous() for key, value in tensors.items()},
                    folder / f"{name}.safetensors",
                )
            (folder / "state.json").write_text(json.dumps(dict(state), indent=2))


def load_checkpoint(
    path: Path, device: torch.device | str = "cpu"
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], dict[str, Any]]:
    """(networks, optimizers, state) of a checkpoint.

    Raises CheckpointReplaced where it was removed or written anew meanwhile, and UserError where a
    part is missing or broken.
    """
    before = _identity(path)
    try:
        networks, optimizers = (
            _load_tensors(path / f"{name}.safetensors", device)
            for name in ("networks", "optimizers")
        )
        state = files.read_json(path / "state.json")
        if not isinstance(state, dict):
            raise UserError("state.json is no JSON object")
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        if before is None or _identity(path) != before:
            raise CheckpointReplaced(
                f"The checkpoint {path} was removed or replaced while it was read; ask again."
            ) from error
        number = files.error_number(error) or files.error_number(error.__cause__ or error)
        if number not in {None, errno.ENOENT}:  # no fault of the checkpoint's
            raise UserError(
                f"The checkpoint {path} cannot be read: {files.reason(error.__cause__ or error)}."
            ) from error
        raise UserError(
            f"The checkpoint {path} is incomplete or corrupt ({str(error).rstrip('.')}); {_OLDER}."
        ) from error
    return networks, optimizers, state


def _load_tensors(file: Path, device: torch.device | str) -> dict[str, torch.Tensor]:
    files.require_file(file)
    return load_file(file, device=str(device))


def state_of(path: Path, values: Mapping[str, Any]) -> StateRecord:
    """The state of a GAN's checkpoint; UserError that names the key where it is not one, and where
    it is of another iteration than the folder's name says."""
    state = validated(StateRecord, values, f"{path / 'state.json'}", _OLDER)
    if state.iteration != step_of(path):
        raise UserError(
            f"The checkpoint {path} is of iteration {state.iteration}, and its folder was renamed; "
            f"name it {checkpoint_name(state.iteration)} again."
        )
    return state


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a folder from a later one of its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def first_not_finite(tensors: Mapping[str, torch.Tensor]) -> str | None:
    """The name of the first tensor that holds infinities or NaN; None where all is finite."""
    floats = {name: x for name, x in tensors.items() if x.is_floating_point() and x.numel()}
    if not floats:
        return None
    finite = torch.stack([x.detach().isfinite().all() for x in floats.values()]).tolist()
    return next((name for name, fine in zip(floats, finite, strict=True) if not fine), None)


def refuse_non_finite(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """UserError that names the checkpoint and the first tensor that is not finite."""
    name = first_not_finite(tensors)
    if name is not None:
        raise UserError(
            f"The checkpoint {path} holds values that are not finite, in {name}: the training had "
            f"diverged, or the file is broken; {_OLDER}."
        )


def prune_checkpoints(folder: Path, keep: int, protected: frozenset[int] = frozenset()) -> None:
    """Remove all but the newest `keep` checkpoints; protected steps stay.

    UserError where the file system refuses.
    """
    for step, path in list_checkpoints(folder)[:-keep]:
        if step not in protected:
            with files.writing(path, RESUME):
                _discard(path)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed processes left in a folder of checkpoints that nobody else writes."""
    for path in folder.glob(".*") if folder.is_dir() else ():
        files.remove(path)


def restore_tensors(
    live: Mapping[str, torch.Tensor], saved: Mapping[str, torch.Tensor], source: Path | None = None
) -> None:
    """Copy saved tensors into live ones of the same names.

    UserError, which names the source, where they do not fit; nothing is copied then.
    """
    what = f"The checkpoint {source}" if source else "The checkpoint"
    if live.keys() != saved.keys():
        odd = sorted(live.keys() ^ saved.keys())[0]
        raise UserError(f"{what} is of another architecture: it differs in {odd}.")
    for name, tensor in live.items():
        if tensor.shape != saved[name].shape:
            raise UserError(
                f"{what} is of another architecture: {name} is {list(saved[name].shape)} there "
                f"and {list(tensor.shape)} here."
            )
    with torch.no_grad():
        for name, tensor in live.items():
            tensor.copy_(saved[name])


def _discard(path: Path) -> None:
    """Remove a checkpoint so that a kill on the way leaves none that looks complete."""
    if path.exists():
        dying = path.with_name(f".{path.name}.discarded")
        files.remove(dying)
        path.rename(dying)
        files.remove(dying)
