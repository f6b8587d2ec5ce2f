"""Where to compute, and in which precision; PyTorch's own means, and one place for them."""

import os
import shutil
from contextlib import AbstractContextManager
from typing import get_args

import torch

from mtgan import processes
from mtgan.errors import UserError
from mtgan.recipes import Recipe
from mtgan.recipes.schema import PrecisionName

PRECISIONS = get_args(PrecisionName)


def choose_device(name: str) -> torch.device:
    """auto (the GPU where there is one), cpu or cuda; of several processes each its own GPU.

    Raises UserError for another name, or a GPU that is not there.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    known = {"auto": "cuda" if gpus else "cpu", "cpu": "cpu", "cuda": "cuda"}
    if name not in known:
        raise UserError(f"device should be auto, cpu or cuda; found {name!r}.")
    if known[name] == "cpu":
        return torch.device("cpu")
    if not gpus:
        raise UserError("device=cuda was asked for, and PyTorch finds no CUDA device here.")
    if processes.local_rank() >= gpus:
        raise UserError(
            f"torchrun started more processes than there are CUDA devices here ({gpus}); lower "
            "--nproc-per-node."
        )
    return torch.device("cuda", processes.local_rank())


def with_precision(recipe: Recipe, precision: str) -> Recipe:
    """The recipe, computed in another precision; UserError where there is none of that name."""
    if precision not in PRECISIONS:
        raise UserError(f"precision should be {' or '.join(PRECISIONS)}; found {precision!r}.")
    training = recipe.training.model_copy(update={"precision": precision})
    return recipe.model_copy(update={"training": training})


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[None]:
    """Networks compute in this precision inside; bf16 is mixed, and weights stay float32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def refuse_compiling(device: torch.device) -> None:
    """UserError where networks cannot be compiled."""
    if processes.count() > 1:
        raise UserError("--compile on is for one process; leave it out, or start one alone.")
    compiler = os.environ.get("CXX", "g++")
    if device.type == "cpu" and shutil.which(compiler) is None:
        raise UserError(
            f"--compile on needs a C++ compiler, and {compiler!r} is not to be found; install one, "
            "name it by the variable CXX, or leave --compile out."
        )
