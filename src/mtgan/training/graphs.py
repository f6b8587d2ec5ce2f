"""Moves captured once as CUDA graphs, and replayed: a GPU is given hundreds of kernels at a time.

At small widths an iteration's time on a GPU is the host's, which launches its kernels one by one. A
graph keeps the kernels of a whole move (losses, gradients, update, what is logged) with the
addresses of their tensors, and launches them all by one call. So what a move is given is copied to
tensors that stay, and whatever changes from move to move has to be a tensor that is written in
place. Randomness needs nothing: a graph takes seed and offset from PyTorch's generator as it is
replayed.
"""

import dataclasses
import gc
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor

from mtgan import processes
from mtgan.errors import UserError

CHOICES = ("auto", "on", "off")

Replay = Callable[[], None]
"""Computes what was captured anew, from and into the same tensors."""


class GraphsWarning(UserWarning):
    """Moves are computed kernel by kernel where graphs of them were asked for."""


class Capture(Protocol):
    """How moves are captured on a kind of device."""

    def rehearse(self, compute: Callable[[], object]) -> None:
        """Compute as often as a capture needs it done before. Raises where nothing like it can be
        captured."""

    def record(self, compute: Callable[[], Any]) -> tuple[Any, Replay]:
        """What compute() returns, and how it is computed again. Nothing is computed meanwhile."""


class CudaCapture:
    """By PyTorch's CUDA graphs, which share their memory: one is replayed at a time, and what is
    read of them later stays allocated."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        self._pool = torch.cuda.graph_pool_handle()

    def rehearse(self, compute: Callable[[], object]) -> None:
        """Once for what PyTorch's libraries set up at first, and once to see whether the host would
        wait for the device, as no captured code can."""
        with self._beside():
            compute()
            with _refusing_to_wait():
                compute()

    def record(self, compute: Callable[[], Any]) -> tuple[Any, Replay]:
        graph = torch.cuda.CUDAGraph()
        # What is left of earlier gradients would tie the capture to the streams they were made on.
        gc.collect()
        before = torch.cuda.current_stream(self._device)
        try:
            with torch.cuda.graph(graph, pool=self._pool, stream=self._stream):
                made = compute()
        except BaseException:
            torch.cuda.set_stream(before)
            self._renew_generator()
            raise
        return made, graph.replay

    def _renew_generator(self) -> None:
        """After a capture that failed, PyTorch's generator may take itself for captured still."""
        torch.cuda.synchronize(self._device)
        state = torch.cuda.get_rng_state(self._device)
        generator = torch.cuda.default_generators[self._device.index or 0]
        generator.graphsafe_set_state(torch.Generator(self._device))
        torch.cuda.set_rng_state(state, self._device)

    @contextmanager
    def _beside(self) -> Iterator[None]:
        """On the stream of captures, in turn with what the current stream is asked for."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        try:
            with torch.cuda.stream(self._stream):
                yield
        finally:
            current.wait_stream(self._stream)


@contextmanager
def _refusing_to_wait() -> Iterator[None]:
    """RuntimeError where the host would wait for the device inside."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():  # it says of itself that it is new
        warnings.simplefilter("ignore")
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode(before)


@dataclasses.dataclass(frozen=True)
class _Captured:
    inputs: Sequence[Tensor]
    made: Any
    replay: Replay

    def __call__(self, given: Sequence[Tensor]) -> Any:
        for kept, tensor in zip(self.inputs, given, strict=True):
            kept.copy_(tensor)
        self.replay()
        return self.made


class Graphs:
    """The captured moves of a training, by their names and the shapes of what they are given.

    failure: what a capture raised. From then on everything is computed as if there were no graphs.
    """

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._captured: dict[Hashable, _Captured] = {}
        self.failure: Exception | None = None

    def __len__(self) -> int:
        return len(self._captured)

    def compute(
        self,
        name: str,
        move: Callable[..., Any],
        arguments: tuple[Any, ...],
        state: Callable[[], Sequence[Tensor]],
    ) -> Any:
        """move(*arguments), by a graph of it.

        The tensors that it returns are overwritten by the next call. state: all tensors that the
        move changes, which are as they were after it has been captured.
        """
        if self.failure is not None:
            return move(*arguments)
        given = list(_tensors(arguments))
        key = name, tuple((x.shape, x.dtype) for x in given)
        if key not in self._captured:
            try:
                self._captured[key] = self._new(move, arguments, state())
            except Exception as failure:  # whatever it is: without graphs it comes again, or not
                self._give_up(name, failure)
                return move(*arguments)
        return self._captured[key](given)

    def _new(
        self, move: Callable[..., Any], arguments: tuple[Any, ...], state: Sequence[Tensor]
    ) -> _Captured:
        kept = _mapped(torch.clone, arguments)
        with _unchanged(state):
            self._capture.rehearse(lambda: move(*kept))
        return _Captured(list(_tensors(kept)), *self._capture.record(lambda: move(*kept)))

    def _give_up(self, name: str, failure: Exception) -> None:
        self.failure = failure
        self._captured.clear()
        first = failure.__context__ or failure  # the end of a capture that failed raises, too
        reason = (str(first).strip() or type(first).__name__).splitlines()[0]
        warnings.warn(
            f"The moves of phase {name!r} cannot be captured as a CUDA graph, so the training goes "
            f"on without graphs (--graphs off says so from the start): {reason}",
            GraphsWarning,
            stacklevel=2,
        )


def graphs_of(choice: str, device: torch.device) -> Graphs | None:
    """Those of a training on a device, or None for none.

    choice: auto (on a GPU), on or off. UserError for another one, or on a CPU.
    """
    if choice not in CHOICES:
        raise UserError(f"graphs should be auto, on or off; found {choice!r}.")
    if choice == "on" and device.type != "cuda":
        raise UserError(
            "Graphs are CUDA's, and this training is on another device; leave graphs at auto, or "
            "take device=cuda."
        )
    if choice == "off" or device.type != "cuda":
        return None
    if processes.count() > 1:
        if choice == "on" and processes.is_first():
            warnings.warn(
                "What several processes exchange is not captured, so they train without graphs.",
                GraphsWarning,
                stacklevel=2,
            )
        return None
    return Graphs(CudaCapture(device))


@contextmanager
def _unchanged(state: Sequence[Tensor]) -> Iterator[None]:
    """Have these tensors, and PyTorch's random state, be afterwards as they were."""
    devices = sorted({x.device.index or 0 for x in state if x.is_cuda})
    before = [x.detach().clone() for x in state]
    with torch.random.fork_rng(devices=devices, enabled=True):
        try:
            yield
        finally:
            with torch.no_grad():
                for now, then in zip(state, before, strict=True):
                    now.copy_(then)


def _tensors(tree: Any) -> Iterator[Tensor]:
    """Those in tuples, mappings and dataclasses, in an order that is always the same."""
    if isinstance(tree, Tensor):
        yield tree
    for _, part in _parts(tree):
        yield from _tensors(part)


def _mapped(function: Callable[[Tensor], Tensor], tree: Any) -> Any:
    """The same tuples, mappings and dataclasses of function(tensor)."""
    if isinstance(tree, Tensor):
        return function(tree)
    parts = {name: _mapped(function, part) for name, part in _parts(tree)}
    if isinstance(tree, Mapping):
        return parts
    if isinstance(tree, tuple):
        return tuple(parts.values())
    return dataclasses.replace(tree, **parts) if parts else tree


def _parts(tree: Any) -> list[tuple[Any, Any]]:
    if isinstance(tree, Mapping):
        return list(tree.items())
    if isinstance(tree, tuple):
        return list(enumerate(tree))
    if dataclasses.is_dataclass(tree):
        return [(field.name, getattr(tree, field.name)) for field in dataclasses.fields(tree)]
    return []
