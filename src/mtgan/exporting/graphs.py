"""A network as a graph of PyTorch's own operators, for any number of samples."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.export import Dim, ExportedProgram

from mtgan.errors import UserError
from mtgan.exporting.base import NETWORKS, Export, Program
from mtgan.nets.fast import plain_layers

PART = "generator"  # where no other is asked for


@contextmanager
def quietly() -> Iterator[None]:
    """Without what PyTorch's exporters say of themselves."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def program_of(asked: Export) -> tuple[str, Program]:
    """The network that was asked for, by its name."""
    part = asked.part or PART
    if asked.floats and part != PART:
        raise UserError(f"floats is of a generator's images, and the part is {part}; leave it out.")
    return part, NETWORKS.get(part)(asked)


def traced(program: Program) -> ExportedProgram:
    """The network's graph; UserError where PyTorch cannot make one, as of a layer of the user's own
    that asks for values."""
    samples = Dim("N")
    shapes = (tuple({0: samples} for _ in program.inputs),)
    try:
        with quietly(), plain_layers(), torch.no_grad():
            return torch.export.export(program.module, program.example(3), dynamic_shapes=shapes)
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UserError(
            f"PyTorch {torch.__version__} cannot make a graph of this network "
            f"({type(error).__name__}: {first}); export it into a folder, which mtgan.load reads."
        ) from error
