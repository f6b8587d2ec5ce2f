"""How noisy a player's gradient is, and from which batch size on more samples buy little.

McCandlish et al. 2018, "An empirical model of large-batch training": the simple noise scale
tr(Sigma) / |G|^2 (eq. 2.9), where G is the gradient over all samples and Sigma the covariance of
that of a single one. It is a number of samples: batches far below it gain almost what they grow by.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mtgan.training.aggregate import weighted_sum
from mtgan.training.buffers import keeping_buffers
from mtgan.training.devices import computing_in, widest
from mtgan.training.logs import as_vector
from mtgan.training.phases import Phase

SQUARE, TRACE, SCALE = "gradient_square", "gradient_trace", "noise_scale"


def gradient_and_noise(
    small: Tensor, big: Tensor, small_batch: int, big_batch: int
) -> tuple[Tensor, Tensor]:
    """Estimates of |G|^2 and tr(Sigma), without bias, from the squared norms of the gradients of
    two batch sizes (McCandlish et al. 2018, appendix A.1).

    The first can be below 0 where the noise is large: average both, and take the ratio then.
    """
    square = (big_batch * big - small_batch * small) / (big_batch - small_batch)
    trace = (small - big) / (1 / small_batch - 1 / big_batch)
    return square, trace


@dataclass(frozen=True)
class NoiseScale:
    """Measures moves of every `every`-th iteration: a batch's halves are its two small batches, and
    their mean gradient is that of the whole.

    Networks, random state and gradients are left as they were. The gradient is that of the weighted
    sum of the losses, whatever the aggregator makes of them.
    """

    every: int
    networks: Mapping[str, nn.Module]
    precision: str
    device: torch.device

    def due(self, iteration: int, repeat: int) -> bool:
        return self.every > 0 and repeat == 0 and iteration % self.every == 0

    def measured(
        self, phase: Phase, drawn: Sequence[Any], parameters: Sequence[nn.Parameter]
    ) -> tuple[tuple[str, ...], Tensor]:
        """|G|^2 and tr(Sigma) of a move, by the names under which they are logged.

        parameters: of the players that the phase moves; drawn: what its step takes.
        """
        count = phase.batch_size // 2
        halves = (slice(0, count), slice(count, 2 * count))
        with self._as_it_was():
            first, second = (self._gradient(phase, drawn, half, parameters) for half in halves)
        small = (first.square().sum() + second.square().sum()) / 2
        big = ((first + second) / 2).square().sum()
        square, trace = gradient_and_noise(small, big, count, 2 * count)
        return as_vector({f"{phase.name}/{SQUARE}": square, f"{phase.name}/{TRACE}": trace})

    def _gradient(
        self, phase: Phase, drawn: Sequence[Any], half: slice, parameters: Sequence[nn.Parameter]
    ) -> Tensor:
        with computing_in(self.precision, self.device):
            result = phase.step(*(None if part is None else part.rows(half) for part in drawn))
        total = weighted_sum(result.terms)
        found = torch.autograd.grad(total, parameters, allow_unused=True)
        kind = widest(self.device)
        return torch.cat([part.to(kind).flatten() for part in found if part is not None])

    @contextlib.contextmanager
    def _as_it_was(self) -> Iterator[None]:
        """Statistics of the networks, and the random state, are set back afterwards."""
        devices = [self.device] if self.device.type == "cuda" else []
        with keeping_buffers(*self.networks.values()), torch.random.fork_rng(devices=devices):
            yield


def noise_scales(means: Mapping[str, float]) -> dict[str, float]:
    """tr(Sigma) / |G|^2 of each phase of which both were logged, in samples, by its name; none
    where the mean of |G|^2 is not above 0, as where more noise is left than gradient."""
    found = {}
    for name, square in means.items():
        phase, _, last = name.rpartition("/")
        if last == SQUARE and square > 0:
            found[f"{phase}/{SCALE}"] = means[f"{phase}/{TRACE}"] / square
    return found
