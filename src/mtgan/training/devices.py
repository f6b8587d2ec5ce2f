"""Where to compute, and in which precision; PyTorch's own means, and one place for them."""

import os
import shutil
import warnings
from contextlib import AbstractContextManager
from typing import get_args

import torch

from mtgan import processes
from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.recipes.ranges import PrecisionName
from mtgan.recipes.rules import RecipeWarning

PRECISIONS = get_args(PrecisionName)
# What processors call their instructions for it, by torch.cpu.get_capabilities.
_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")


FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"
"""PyTorch's variable: 1 when PyTorch is imported, and the CPU computes what Metal cannot."""


def has_mps() -> bool:
    """Whether PyTorch finds the GPU of a Mac."""
    return torch.backends.mps.is_available()


def choose_device(name: str) -> torch.device:
    """auto (the CUDA GPU where there is one, else the CPU), cpu, cuda, or mps, the GPU of a Mac; of
    several processes each its own CUDA GPU.

    Warns of mps where what Metal cannot compute would end the work. Raises UserError for another
    name, a GPU that is not there, and several processes on mps.
    """
    if name == "mps":
        return _metal()
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    known = {"auto": "cuda" if gpus else "cpu", "cpu": "cpu", "cuda": "cuda"}
    if name not in known:
        raise UserError(f"device should be auto, cpu, cuda or mps; found {name!r}.")
    if known[name] == "cpu":
        return torch.device("cpu")
    if not gpus:
        raise UserError(
            "device=cuda was asked for, and PyTorch finds no CUDA device here; take device=cpu or "
            "auto, or see what `mtgan doctor` finds."
        )
    if processes.local_rank() >= gpus:
        raise UserError(
            f"torchrun started more processes than there are CUDA devices here ({gpus}); lower "
            "--nproc-per-node."
        )
    return torch.device("cuda", processes.local_rank())


def _metal() -> torch.device:
    if not has_mps():
        raise UserError(
            "device=mps was asked for, and PyTorch finds no Metal device here; it takes a Mac with "
            "Apple silicon; elsewhere take device=auto."
        )
    if processes.count() > 1:
        raise UserError("device=mps is for one process; leave torchrun out, or take device=cpu.")
    if os.environ.get(FALLBACK) != "1":
        warnings.warn(
            f"An operator that PyTorch has not for Metal ends the work; with {FALLBACK}=1 in the "
            "environment the CPU computes it, more slowly.",
            RecipeWarning,
            stacklevel=3,
        )
    return torch.device("mps")


def widest(device: torch.device) -> torch.dtype:
    """float64, but float32 on Metal, which has no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


def multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the hardware does, and networks are faster in it; False where PyTorch cannot say."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "mps":
        return False
    found: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()  # older ones have none
    return any(found.get(name, False) for name in _BFLOAT16)


def with_precision(recipe: Recipe, precision: str | None, device: torch.device) -> Recipe:
    """The recipe, computed in another precision; None: in its own. auto is bf16 where the device
    multiplies bfloat16 in hardware, and 32 elsewhere.

    Warns where bf16 is slower than 32. Raises UserError for a precision that there is not.
    """
    hardware = multiplies_bfloat16(device)
    if precision == "auto":
        precision = "bf16" if hardware else "32"
    precision = precision or recipe.training.precision
    if precision not in PRECISIONS:
        known = ", ".join(PRECISIONS)
        raise UserError(f"precision should be {known} or auto; found {precision!r}.")
    if precision == "bf16" and not hardware:
        warnings.warn(
            "The processor has no bfloat16 in hardware, and computes it more slowly than float32; "
            "take precision 32, or auto.",
            RecipeWarning,
            stacklevel=2,
        )
    training = recipe.training.model_copy(update={"precision": precision})
    return recipe.model_copy(update={"training": training})


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """Networks compute in this precision inside; bf16 is mixed, and weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def refuse_compiling(device: torch.device) -> None:
    """UserError where networks cannot be compiled."""
    if processes.count() > 1:
        raise UserError("--compile on is for one process; leave it out, or start one alone.")
    if device.type == "mps":
        raise UserError("--compile on is for cpu and cuda; leave it out on mps.")
    compiler = os.environ.get("CXX", "g++")
    if device.type == "cpu" and shutil.which(compiler) is None:
        raise UserError(
            f"--compile on needs a C++ compiler, and {compiler!r} is not to be found; install one, "
            "name it by the variable CXX, or leave --compile out."
        )
