"""Real batches and random inputs, each a function of (seed, rank, iteration), as resuming needs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from mtgan import processes
from mtgan.data import Dataset
from mtgan.data.pixels import dequantized, to_floats
from mtgan.errors import UserError
from mtgan.nets import Labels
from mtgan.training.mixture import DomainMixture, Move
from mtgan.training.requests import Requests
from mtgan.training.seeds import mix_seed
from mtgan.training.vicinity import Near, Neighbors, Vicinity


@dataclass(frozen=True)
class Vicinal:
    """The numbers of a batch near targets, by name, int64 [N]: under which both sides are compared,
    and which generated samples are made with; weights: float32 [2, N], of real and generated ones,
    None where all count alike. See mtgan.training.vicinity."""

    targets: Labels
    asked: Labels
    weights: Tensor | None

    def rows(self, kept: slice) -> "Vicinal":
        weights = None if self.weights is None else self.weights[:, kept]
        return Vicinal(_rows(self.targets, kept), _rows(self.asked, kept), weights)


@dataclass(frozen=True)
class Batch:
    """Real samples [N, C, H, W] in [-1, 1] and their labels, level -> int64 [N], -1 if missing.

    vicinal: where the samples were drawn near targets.
    """

    samples: Tensor
    labels: Labels
    vicinal: Vicinal | None = None

    @property
    def compared(self) -> Labels:
        """The labels under which a discriminator compares both sides."""
        return self.labels if self.vicinal is None else {**self.labels, **self.vicinal.targets}

    @property
    def asked(self) -> Labels:
        """The labels that the generated side is made with, where they are not missing."""
        return self.labels if self.vicinal is None else {**self.labels, **self.vicinal.asked}

    @property
    def weights(self) -> Tensor | None:
        """How much real and generated samples count, float32 [2, N]; None: all alike."""
        return None if self.vicinal is None else self.vicinal.weights

    def rows(self, kept: slice) -> "Batch":
        """Some of its samples, with all that belongs to them."""
        vicinal = None if self.vicinal is None else self.vicinal.rows(kept)
        return Batch(self.samples[kept], _rows(self.labels, kept), vicinal)


@dataclass(frozen=True)
class RandomInputs:
    """Everything random that a step uses: latents [M, Z], labels to generate (level -> [M]), and
    epsilon [M] uniform on [0, 1)."""

    latents: Tensor
    labels: Labels
    epsilon: Tensor

    def rows(self, kept: slice) -> "RandomInputs":
        """Those of some of the samples."""
        return RandomInputs(self.latents[kept], _rows(self.labels, kept), self.epsilon[kept])

    def halves(self) -> "tuple[RandomInputs, RandomInputs]":
        """Those of the first M / 2 samples, and those of the others."""
        half = len(self.latents) // 2
        return self.rows(slice(half)), self.rows(slice(half, 2 * half))


def _rows(labels: Labels, kept: slice) -> Labels:
    return {level: y[kept] for level, y in labels.items()}


def send(x: Tensor, device: torch.device) -> Tensor:
    """x on the device. To a GPU from pinned memory, so that the host need not wait."""
    if device.type == "cuda":
        return x.pin_memory().to(device, non_blocking=True)
    return x.to(device)


def columns(rows: Tensor, levels: tuple[str, ...]) -> dict[str, Tensor]:
    """Label rows [N, L] as level -> [N]."""
    return {level: rows[:, i] for i, level in enumerate(levels)}


@dataclass(frozen=True)
class LabeledShare:
    """Of each batch of real samples, the share that is drawn from those with a label of a level,
    as Salimans et al. 2016 train on few labels; the others are drawn from all."""

    level: str
    share: float


class BatchLoader:
    """Serves batches of a data set that lies on the device (or memory-mapped on disk)."""

    def __init__(
        self,
        data: Dataset,
        requests: Requests,
        device: torch.device,
        seed: int,
        flip: bool,
        domains: str = "as-found",
        vicinity: Vicinity | None = None,
        dequantize: bool = False,
        steps: int = 1,
        labeled: LabeledShare | None = None,
    ) -> None:
        info = requests.dataset_info
        if flip and info.domains:
            raise UserError(
                "data.flip=true would mirror canvases, and the order of a canvas's channels is the "
                "alphabet's; set data.flip=false."
            )
        if dequantize and info.domains:
            raise UserError(
                "data.dequantize=true is about pixels, and a canvas may hold tokens; set it to "
                "false."
            )
        if labeled is not None and info.domains:
            raise UserError(
                "data.labeled_share is about samples of one kind, and a domain may have no labels; "
                "leave it out."
            )
        self.levels = info.taxonomy.levels
        self.device = device
        self.seed = seed
        self.flip = flip
        self.dequantize = dequantize
        self.labeled = labeled
        self.mixture = DomainMixture(requests, domains, seed, steps)
        self._members = self.mixture.members(data.labels)
        samples = data.samples
        # A memory-mapped set stays on disk, and is read batch by batch.
        self._mapped = samples if isinstance(samples, np.memmap) else None
        self._samples = None if self._mapped is not None else torch.from_numpy(samples).to(device)
        self._rows = info.rows_of(data.taxonomy.with_implied(data.labels), data.numbers)
        self._partial = bool((self._rows[:, : len(info.own_levels)] < 0).any())
        self._labels = torch.from_numpy(self._rows).to(device)
        self.vicinity = vicinity
        self._neighbors = None if vicinity is None else Neighbors(vicinity, self._rows)
        self._permutation = lru_cache(maxsize=8)(self._permute)
        self._among = lru_cache(maxsize=None)(self._find_members)

    def _find_members(self, domain: int | None, own_level: str | None) -> np.ndarray:
        """Positions of the samples of a domain that have a label of a level; None: no matter."""
        found = self._members[domain]
        if own_level is None:
            return found
        return found[self._rows[found, self.levels.index(own_level)] >= 0]

    def _permute(
        self, stream: str, epoch: int, domain: int | None, own_level: str | None
    ) -> np.ndarray:
        names = (stream,) if domain is None else (stream, domain)
        seed = mix_seed(self.seed, "order", *names, epoch)
        return np.random.default_rng(seed).permutation(self._among(domain, own_level))

    def indices(
        self,
        stream: str,
        turn: int,
        size: int,
        domain: int | None = None,
        own_level: str | None = None,
    ) -> np.ndarray:
        """The `turn`-th batch of a stream that passes over all samples (of a domain; with a label
        of a level), shuffled each epoch."""
        first = turn * size
        parts = []
        while size > 0:
            epoch, offset = divmod(first, len(self._among(domain, own_level)))
            order = self._permutation(stream, epoch, domain, own_level)
            part = order[offset : offset + size]
            parts.append(part)
            first += len(part)
            size -= len(part)
        return np.concatenate(parts)

    def draw_labels(
        self,
        move: Move,
        real: bool,
        size: int,
        generator: torch.Generator,
        vicinal: bool = False,
    ) -> Tensor:
        """Label rows [size, L] to generate by in a move; numbers blurred, where there is a
        vicinity.

        real: the move has a batch of real samples, too (vicinal: near targets). Where labels are
        missing in the data, the rows are those of that batch, completed: what is compared is then
        asked for alike.
        """
        if real and self._partial:
            index, _ = self._drawn(move, size, vicinal)
            requests = self.mixture.requests.among(move.own_level)
            rows = requests.complete(self._rows[index], generator)
        else:
            rows = self.mixture.draw_labels(move, size, generator)
        if self.vicinity is None:
            return rows
        random = self._random_near("asked", move)
        return torch.from_numpy(self.vicinity.blurred_rows(rows.numpy(), random))

    def _random_near(self, what: str, move: Move) -> np.random.Generator:
        return np.random.default_rng(mix_seed(self.seed, "vicinity", what, move.stream, move.turn))

    def _drawn(self, move: Move, size: int, vicinal: bool) -> tuple[np.ndarray, Near | None]:
        """Positions of a move's batch, of all processes; vicinal: of samples near targets at the
        labels of these, and what else was drawn for them."""
        index = self._batch_indices(move, size)
        if not vicinal:
            return index, None
        assert self._neighbors is not None
        near = self._neighbors.draw(index, self._random_near("targets", move))
        return near.index, near

    def _vicinal(self, near: Near, mine: slice) -> Vicinal:
        """What was drawn near targets, this process's share of it, on the device."""
        assert self.vicinity is not None
        targets, asked = (
            columns(send(torch.from_numpy(rows[mine]), self.device), self.vicinity.names)
            for rows in (near.targets, near.asked)
        )
        weights = None
        if near.weights is not None:
            weights = send(torch.from_numpy(near.weights[:, mine]).float(), self.device)
        return Vicinal(targets, asked, weights)

    def _batch_indices(self, move: Move, size: int) -> np.ndarray:
        """Positions of the samples of a move's batch, of all processes."""
        shares = self.mixture.shares(move, size)
        parts = [part for domain, count in shares for part in self._parts(move, count, domain)]
        index = np.concatenate(parts)
        if self.labeled is not None:  # each process gets as many labels as the others
            seed = mix_seed(self.seed, "labeled", move.stream, move.turn)
            index = np.random.default_rng(seed).permutation(index)
        # Sequential reads are kinder to a disk.
        return index if self._mapped is None else np.sort(index)

    def _parts(self, move: Move, count: int, domain: int | None) -> Iterator[np.ndarray]:
        """Positions of a domain's part of a batch: those that have to have labels, and others."""
        few = self.labeled
        if few is not None:
            some = round(few.share * count)
            if some:
                yield self.indices(f"{move.stream} labeled", move.turn, some, domain, few.level)
            count -= some
        if count:
            yield self.indices(move.stream, move.turn, count, domain, move.own_level)

    def batch(
        self,
        move: Move,
        size: int,
        generator: torch.Generator,
        vicinal: bool = False,
    ) -> Batch:
        """A move's batch; of several processes, each gets its share of it.

        vicinal: of samples near targets.
        """
        mine = processes.share(size)
        index, near = self._drawn(move, size, vicinal)
        index = index[mine]
        where = send(torch.from_numpy(index), self.device)
        rows = self._labels[where]
        if self._samples is None:
            assert self._mapped is not None
            pixels = send(torch.from_numpy(self._mapped[index]), self.device)
        else:
            pixels = self._samples[where]
        samples = to_floats(pixels)
        if self.flip:
            mirrored = torch.rand(size, 1, 1, 1, generator=generator)[mine] < 0.5
            samples = torch.where(send(mirrored, self.device), samples.flip(3), samples)
        if self.dequantize:
            noise = torch.rand(size, *samples.shape[1:], generator=generator)[mine]
            samples = dequantized(samples, send(noise, self.device))
        beside = None if near is None else self._vicinal(near, mine)
        return Batch(samples, columns(rows, self.levels), beside)


def draw_inputs(
    count: int,
    dim: int,
    distribution: str,
    requests: Requests,
    generator: torch.Generator,
    device: torch.device,
    draw_labels: Callable[[int, torch.Generator], Tensor] | None = None,
    latent_generator: torch.Generator | None = None,
) -> RandomInputs:
    """The random inputs of `count` samples, or this process's share of them; the generator is a CPU
    one, so that devices agree on the draw.

    draw_labels: gives the label rows; requests.draw when absent. latent_generator: that of z, where
    it is one of its own.
    """
    mine = processes.share(count)
    latents = draw_latents(count, dim, distribution, latent_generator or generator)
    rows = (draw_labels or requests.draw)(count, generator)
    epsilon = torch.rand(count, generator=generator)
    labels = columns(send(rows[mine], device), requests.taxonomy.levels)
    return RandomInputs(send(latents[mine], device), labels, send(epsilon[mine], device))


def draw_latents(count: int, dim: int, distribution: str, generator: torch.Generator) -> Tensor:
    """z [count, dim]: standard normal, or uniform on [-1, 1]."""
    if distribution == "uniform":
        return torch.rand(count, dim, generator=generator) * 2 - 1
    return torch.randn(count, dim, generator=generator)


def truncated(latents: Tensor, distribution: str, threshold: float) -> Tensor:
    """Latents [N, Z], as draw_latents gives them, as draws from the same law within -threshold and
    threshold (the truncation trick, Brock et al. 2019, section 3.1).

    Each value takes the quantile in the truncated law that it has in the whole one: no value is
    drawn anew, so that what the others are does not matter, and their order stays.
    """
    if distribution == "uniform":
        return latents * min(threshold, 1.0)
    below, above = (torch.special.ndtr(torch.tensor(t).double()) for t in (-threshold, threshold))
    quantiles = below + torch.special.ndtr(latents.double()) * (above - below)
    found = torch.special.ndtri(quantiles).clamp(-threshold, threshold)
    return found.to(latents.dtype)
