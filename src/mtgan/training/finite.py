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

    def note(self, phase: str, iteration: int) -> None:
        """Remember whose move the next one that is checked is."""
        self._moves.append((phase, iteration))

    @torch.no_grad()
    def check(self, loss: Tensor, gradients: Sequence[Tensor]) -> None:
        """Look at a move, before its update; on the device alone, so that it can be captured."""
        norm = torch.nn.utils.get_total_norm(gradients)
        self._finite &= torch.stack([loss.float(), norm.float()]).isfinite()
        good = self._finite.all()
        self._good += good
        self.bad.copy_(~good)

    def tensors(self) -> list[Tensor]:
        """What a check changes."""
        return [self.bad, self._finite, self._good]

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
