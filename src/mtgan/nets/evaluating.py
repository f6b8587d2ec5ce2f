"""Asking a network that is not being trained."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import nn

Module = TypeVar("Module", bound=nn.Module)


@contextmanager
def evaluating(network: Module) -> Iterator[Module]:
    """The network in evaluation mode; afterwards it is in the mode in which it was."""
    training = network.training
    try:
        yield network.eval()
    finally:
        network.train(training)
