"""Several processes that train one run together, as torchrun starts them; or just the one.

What they compute equals one process on the joint batch: each draws the whole batch and its noise
from the same seeds and takes its share; sums over the batch (gradients, batch statistics, logged
means) are averaged over the processes. In a single process all of this does nothing.
"""

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch._utils import _flatten_dense_tensors, _unflatten_dense_tensors

from mtgan.errors import UserError

T = TypeVar("T")

# How long an exchange within an iteration may take; longer means that somebody is gone.
TIMEOUT = "MTGAN_TIMEOUT"
_SECONDS = 60
# How long the others wait while the first process evaluates and writes.
_PATIENCE = timedelta(hours=2)

_group: dist.ProcessGroup | None = None  # for exchanges within an iteration
_answers: dist.ProcessGroup | None = None  # for what the first process did alone


class ProcessLost(UserError):
    """Another process of this training is gone."""


def launched() -> bool:
    """Whether torchrun started this process as one of several."""
    return dist.is_torchelastic_launched() and int(os.environ["WORLD_SIZE"]) > 1


def local_rank() -> int:
    """Number of this process on its machine, from 0."""
    return int(os.environ["LOCAL_RANK"]) if launched() else 0


def join(device: torch.device) -> None:
    """Meet the other processes, once; nothing where there are none."""
    global _group, _answers
    if _group is not None or not launched():
        return
    seconds = os.environ.get(TIMEOUT, str(_SECONDS))
    if not seconds.isdigit() or seconds == "0":
        raise UserError(f"{TIMEOUT} should be a whole number of seconds; found {seconds!r}.")
    # Tensors on the CPU go by gloo even beside GPUs: agreeing on a flag must not stall a device.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(backend, timeout=_PATIENCE)
    short = timedelta(seconds=int(seconds))
    _group = dist.new_group(backend=backend, timeout=short)
    # The first process comes last to an answer: it waits for nobody who is there.
    _answers = dist.new_group(backend=backend, timeout=short if dist.get_rank() == 0 else _PATIENCE)
    atexit.register(dist.destroy_process_group)


def count() -> int:
    return 1 if _group is None else dist.get_world_size(_group)


def rank() -> int:
    return 0 if _group is None else dist.get_rank(_group)


def is_first() -> bool:
    """Whether this process writes the run folder and speaks to the user."""
    return rank() == 0


def share(size: int) -> slice:
    """This process's part of a batch of `size`, which the number of processes divides."""
    part = size // count()
    return slice(rank() * part, (rank() + 1) * part)


@contextmanager
def _exchange() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ProcessLost(
            f"Process {rank()} of {count()} has lost another one: it ended, or did not answer in "
            f"time (see its own message above; {TIMEOUT} sets the seconds). The newest "
            "checkpoint is complete; the same command with --resume goes on from there."
        ) from error


def _reduce(tensor: Tensor, operation: Any = dist.ReduceOp.SUM) -> Tensor:
    """In place, over all processes."""
    with _exchange():
        dist.all_reduce(tensor, operation, _group)
    return tensor


class _Average(torch.autograd.Function):
    """The mean over the processes. Every process's loss sees every process's part, and each
    differentiates its own loss: the gradient of their mean is the mean of the gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _reduce(x.clone()).div_(count())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _Average.apply(gradient.contiguous())


def average(x: Tensor) -> Tensor:
    """The mean of a float tensor over the processes, differentiable as often as wanted."""
    return x if _group is None else _Average.apply(x)


@torch.no_grad()
def average_gradients(gradients: Sequence[Tensor]) -> None:
    """Replace each process's gradients by their mean, in one exchange."""
    if _group is None or not gradients:
        return
    flat = _reduce(_flatten_dense_tensors(gradients)).div_(count())
    torch._foreach_copy_(list(gradients), list(_unflatten_dense_tensors(flat, gradients)))


def minimum(x: Tensor) -> Tensor:
    """The elementwise minimum over the processes, in place."""
    return x if _group is None else _reduce(x, dist.ReduceOp.MIN)


def any_of(flag: bool) -> bool:
    """Whether the flag is set in any process; asked on the CPU."""
    if _group is None:
        return flag
    return bool(_reduce(torch.tensor(int(flag)), dist.ReduceOp.MAX))


def on_first_process(work: Callable[[], T]) -> T:
    """work() done by the first process alone. The others wait; all get what it returned (which
    must be picklable), or raise the UserError that it raised. work() has two hours; ProcessLost in
    the first process where another one does not take the answer in the time of an exchange."""
    if _group is None:
        return work()
    answer: list[Any] = [None, None]
    if is_first():
        try:
            answer[0] = work()
        except UserError as error:
            answer[1] = error
    with _exchange():
        dist.broadcast_object_list(answer, 0, _answers, torch.device("cpu"))
    if answer[1] is not None:
        raise answer[1]
    return answer[0]


def refuse_differences(mine: list[Any]) -> None:
    """UserError in a process that was started with something else than the first one."""
    if on_first_process(lambda: mine) != mine:
        raise UserError(
            f"Process {rank()} was started with another recipe, data set or seed than process 0; "
            "start all of them by the same command."
        )
