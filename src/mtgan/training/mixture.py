"""Which domains a batch is made of, where the data has several."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.training.requests import Requests
from mtgan.training.seeds import mix_seed


def domain_at(iteration: int, domains: int, steps: int) -> int:
    """The domain (from 0) that an iteration (from 0) of so many learns."""
    return min(iteration * domains // steps, domains - 1)


def firsts(domains: int, steps: int) -> list[int]:
    """The first iteration of each domain but the first."""
    return [-(-k * steps // domains) for k in range(1, domains)]


@dataclass(frozen=True)
class Move:
    """Which update draws: the `turn`-th (from 0) of a stream, in an iteration (from 0).

    own_level: where it draws from the samples alone that have a label of this level.
    """

    stream: str
    turn: int
    iteration: int = 0
    own_level: str | None = None


class DomainMixture:
    """Which domains a batch is made of: `as-found` (no matter), `mixed` (equal shares), `turns`
    or `random` (one domain per batch), or `sequence` (one after the other, each in its share of the
    `steps` iterations).

    A share is (index of the domain, number of samples); the index is None where it is no matter,
    as in every data set of one domain.
    """

    def __init__(self, requests: Requests, kind: str, seed: int, steps: int = 1) -> None:
        self.requests = requests
        info = requests.dataset_info
        self.count = len(info.domains)
        self.level = info.taxonomy.levels.index(DOMAIN_LEVEL) if info.domains else None
        self.kind = kind if self.count > 1 else "as-found"
        self.seed, self.steps = seed, steps

    def members(self, labels: np.ndarray) -> dict[int | None, np.ndarray]:
        """Positions of the samples of each domain; under None, of all."""
        found: dict[int | None, np.ndarray] = {None: np.arange(len(labels))}
        if self.kind != "as-found":
            for domain in range(self.count):
                found[domain] = np.flatnonzero(labels[:, self.level] == domain)
        return found

    def shares(self, move: Move, size: int) -> list[tuple[int | None, int]]:
        """What a move's batch is made of."""
        if self.kind == "as-found":
            return [(None, size)]
        if self.kind == "turns":
            return [(move.turn % self.count, size)]
        if self.kind == "random":
            drawn = mix_seed(self.seed, "domain", move.stream, move.turn)
            return [(drawn % self.count, size)]
        if self.kind == "sequence":
            return [(domain_at(move.iteration, self.count, self.steps), size)]
        ends = [size * i // self.count for i in range(self.count + 1)]
        return [(i, ends[i + 1] - ends[i]) for i in range(self.count) if ends[i + 1] > ends[i]]

    def draw_labels(self, move: Move, size: int, generator: torch.Generator) -> Tensor:
        """Label rows [size, L] to generate by, of the same domains as the batch's."""
        requests = self.requests.among(move.own_level)
        rows = [
            requests.draw(count, generator, {} if domain is None else {DOMAIN_LEVEL: domain})
            for domain, count in self.shares(move, size)
        ]
        return torch.cat(rows)
