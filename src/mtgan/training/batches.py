"""Real batches and noise, each a function of (seed, rank, iteration): resuming needs no luck."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from mtgan.data import Dataset
from mtgan.nets import Labels
from mtgan.training.facts import DataFacts


@dataclass(frozen=True)
class Batch:
    """Real samples [N, C, H, W] in [-1, 1] and their labels, level -> int64 [N], -1 if missing."""

    samples: Tensor
    labels: Labels


@dataclass(frozen=True)
class Noise:
    """Everything random that a step uses: latents [M, Z], labels to generate (level -> [M]), and
    epsilon [M] uniform on [0, 1)."""

    latents: Tensor
    labels: Labels
    epsilon: Tensor


def mix_seed(*parts: int | str) -> int:
    """A 63-bit seed from integers and names, by a hash that is the same on every machine."""
    words = [
        part if isinstance(part, int) else int.from_bytes(part.encode(), "little") for part in parts
    ]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)


def columns(rows: Tensor, levels: tuple[str, ...]) -> dict[str, Tensor]:
    """Label rows [N, L] as level -> [N]."""
    return {level: rows[:, i] for i, level in enumerate(levels)}


class Feed:
    """Serves batches of a data set that lies on the device (or memory-mapped on disk)."""

    def __init__(
        self, data: Dataset, facts: DataFacts, device: torch.device, seed: int, flip: bool
    ) -> None:
        self.facts = facts
        self.device = device
        self.seed = seed
        self.flip = flip
        self.count = len(data)
        samples = data.samples
        # A memory-mapped set stays on disk, and is read batch by batch.
        self._mapped = samples if isinstance(samples, np.memmap) else None
        self._samples = None if self._mapped is not None else torch.from_numpy(samples).to(device)
        self._labels = torch.from_numpy(np.ascontiguousarray(data.labels)).to(device)
        self._permutation = lru_cache(maxsize=8)(self._permute)

    def _permute(self, stream: str, epoch: int) -> np.ndarray:
        seed = mix_seed(self.seed, "order", stream, epoch)
        return np.random.default_rng(seed).permutation(self.count)

    def indices(self, stream: str, turn: int, size: int) -> np.ndarray:
        """The `turn`-th batch of a stream that passes over all samples, shuffled each epoch."""
        first = turn * size
        parts = []
        while size > 0:
            epoch, offset = divmod(first, self.count)
            part = self._permutation(stream, epoch)[offset : offset + size]
            parts.append(part)
            first += len(part)
            size -= len(part)
        return np.concatenate(parts)

    def batch(self, stream: str, turn: int, size: int, generator: torch.Generator) -> Batch:
        index = self.indices(stream, turn, size)
        if self._samples is None:
            assert self._mapped is not None
            order = np.sort(index)  # sequential reads are kinder to a disk
            pixels = torch.from_numpy(self._mapped[order]).to(self.device)
            rows = self._labels[torch.from_numpy(order).to(self.device)]
        else:
            where = torch.from_numpy(index).to(self.device)
            pixels, rows = self._samples[where], self._labels[where]
        samples = pixels.to(torch.float32).div_(127.5).sub_(1.0)
        if self.flip:
            mirrored = torch.rand(size, 1, 1, 1, generator=generator) < 0.5
            samples = torch.where(mirrored.to(self.device), samples.flip(3), samples)
        return Batch(samples, columns(rows, self.facts.taxonomy.levels))


def draw_noise(
    count: int,
    dim: int,
    distribution: str,
    facts: DataFacts,
    generator: torch.Generator,
    device: torch.device,
) -> Noise:
    """Noise for `count` samples; the generator is a CPU one, so that devices agree on the draw."""
    latents = draw_latents(count, dim, distribution, generator)
    rows = facts.draw_labels(count, generator)
    epsilon = torch.rand(count, generator=generator)
    labels = columns(rows.to(device), facts.taxonomy.levels)
    return Noise(latents.to(device), labels, epsilon.to(device))


def draw_latents(count: int, dim: int, distribution: str, generator: torch.Generator) -> Tensor:
    """z [count, dim]: standard normal, or uniform on [-1, 1]."""
    if distribution == "uniform":
        return torch.rand(count, dim, generator=generator) * 2 - 1
    return torch.randn(count, dim, generator=generator)
