"""Notices losses and gradients that are not finite, without asking the device at every move."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mtgan import processes


class FiniteCheck:
    """From the first bad move on, `bad` is 1 and every update is to be skipped; what happened is
    read when the host has a reason to wait anyway.

    bad: a float scalar on the device, 0 or 1, always the same tensor.
    """

    def __init__(self, device: torch.device) -> None:
        self.bad = torch.zeros((), device=device)
        # Whether all losses, and all gradients, were finite so far; how many moves were good.
        self._finite = torch.ones(2, dtype=torch.bool, device=device)
        self._good = torch.zeros((), dtype=torch.int64, device=device)
        self._moves: list[tuple[str, int]] = []

    @torch.no_grad()
    def observe(
        self, phase: str, iteration: int, loss: Tensor, gradients: Sequence[Tensor]
    ) -> None:
        """Take note of a move, before its update."""
        norm = torch.nn.utils.get_total_norm(gradients)
        self._finite &= torch.stack([loss.float(), norm.float()]).isfinite()
        good = self._finite.all()
        self._good += good
        self.bad.copy_(~good)
        self._moves.append((phase, iteration))

    def read(self) -> tuple[str, str, int] | None:
        """("loss" or "gradient", phase, iteration) of the first bad move since the last reading,
        or None. Waits for the device."""
        numbers = torch.cat([self._finite.long(), self._good[None]])
        finite_loss, _, good = processes.minimum(numbers).tolist()
        moves, self._moves = self._moves, []
        if good == len(moves):
            self._good.zero_()
            return None
        return ("gradient" if finite_loss else "loss", *moves[good])
