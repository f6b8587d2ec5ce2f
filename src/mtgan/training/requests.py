"""Which labels a generator is asked for: drawn as they occur in the training data, or completed.

A request needs a label at some levels only: those that the generator is told, and those of its
tasks. A training sample counts at every level at which it has a label. A code, which no training
sample has, is drawn by itself.
"""

import copy
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from mtgan.data.numbers import STEPS
from mtgan.errors import UserError
from mtgan.training.dataset_info import DatasetInfo

# Fewer samples than these say little of how labels go together; then those count, too, that do not
# contradict, having no label there. Where all labels are known, there are none of these.
_FEW = 30
_NEAR = STEPS // 20  # numbers that differ by no more count as the same, where labels go together
_CACHED = 10_000_000  # weights that are kept from one draw to the next


class Requests:
    """Draws label rows [N, L] by which a generator is asked for samples; on the CPU.

    info: the training data's labels; taken: the levels that the generator is told; needed: all
    levels at which a request must have a label. By default all levels.
    """

    def __init__(
        self,
        info: DatasetInfo,
        taken: Sequence[str] | None = None,
        needed: Collection[str] | None = None,
    ) -> None:
        self.dataset_info = info
        self.taxonomy = taxonomy = info.taxonomy
        self.taken = tuple(taxonomy.levels if taken is None else taken)
        self._own = len(info.own_levels)  # codes follow them
        self._rows = info.label_rows[:, : self._own]
        self._counts = info.label_counts
        self._apart = np.where([level in info.numbers for level in info.own_levels], _NEAR, 0)
        labeled = {
            level for i, level in enumerate(info.own_levels) if (self._rows[:, i] >= 0).any()
        }
        asked = self.taken if needed is None else needed
        self.needed = tuple(level for level in taxonomy.levels if level in labeled & {*asked})
        self._needed = self._columns(self.needed)[: self._own]
        self._kept = self._columns(self._with_above(self.needed))[: self._own]
        self._partial = bool((self._rows[:, self._needed] < 0).any())
        self._seen = self._find_seen()
        self._fit = ~self._dead_ends(self._rows)
        self._probabilities = self._counts / max(self._counts.sum(), 1)
        # What rows a row is completed from; looked up for every batch.
        size = max(8, _CACHED // max(len(self._rows), 1))
        self._donors = lru_cache(maxsize=size)(self._find_donors)
        self._among: dict[str, Requests] = {}

    def of(self, taken: Sequence[str]) -> "Requests":
        """These requests, of a generator that is told these levels."""
        if self.taken == tuple(taken):
            return self
        found = copy.copy(self)
        found.taken = tuple(taken)
        return found

    def among(self, level: str | None) -> "Requests":
        """These requests, drawn from the samples alone that have a label of this level; from all
        where it is None."""
        if level is None:
            return self
        if level not in self._among:
            info = self.dataset_info.labeled_at(level)
            self._among[level] = Requests(info, self.taken, self.needed)
        return self._among[level].of(self.taken)

    @property
    def count(self) -> int:
        """Training samples as whose labels requests are drawn."""
        return int(self._counts.sum())

    @property
    def judged(self) -> tuple[str, ...]:
        """The levels that the generator is told and whose classes real samples have."""
        return tuple(level for level in self.taken if level in self.dataset_info.class_levels)

    @property
    def askable(self) -> tuple[str, ...]:
        """The levels at which a class can be asked for: those that the generator is told, and
        those above them, whose classes are drawn as the finer ones occur."""
        known = self._with_above(self.taken)
        return tuple(level for level in self.taxonomy.levels if level in known)

    def draw(
        self, count: int, generator: torch.Generator, wanted: Mapping[str, int] | None = None
    ) -> Tensor:
        """Label rows int64 [count, L] in the proportions of the training data.

        wanted: class index by level, as `row` takes it; the other levels are drawn as they occur
        with these classes, so that a coarse class is drawn as its fine ones occur. Levels that are
        not needed may be -1. Rows of -1 where the data have no labels.
        """
        return self.draw_like(self.row(wanted or {}), count, generator)

    def draw_like(self, row: np.ndarray, count: int, generator: torch.Generator) -> Tensor:
        """`draw`, of what a row int64 [L] has; the rest (-1) is drawn."""
        rows = self._draw_own(row[: self._own], count, generator)
        return self._with_codes(rows, np.tile(row[self._own :], (count, 1)), generator)

    def complete(self, rows: np.ndarray, generator: torch.Generator) -> Tensor:
        """Rows [N, L] with a label at every needed level: what they have is kept, and what is
        missing (-1) is drawn as it occurs with that in the training data."""
        own, codes = rows[:, : self._own], rows[:, self._own :]
        return self._with_codes(self._complete_own(own, generator), codes, generator)

    def given(self, rows: np.ndarray) -> np.ndarray:
        """The rows [N, L] as far as the generator was told them, and what the taxonomy implies;
        all else is -1."""
        told = np.where(self._columns(self.taken), rows, -1)
        return self.taxonomy.with_implied(told)

    def row(self, wanted: Mapping[str, int]) -> np.ndarray:
        """int64 [L]: wanted classes (or steps of a number's range), by level, and those that they
        lie in; -1 elsewhere.

        UserError for classes that exclude each other by the taxonomy, or that no sample has.
        """
        taxonomy = self.taxonomy
        row = np.full(len(taxonomy.levels), -1, dtype=np.int64)
        asked_by: dict[str, str] = {}
        for level, index in wanted.items():
            name = self.dataset_info.said(level, index)
            for above in (level, *taxonomy.above(level)):
                column = taxonomy.levels.index(above)
                implied = int(taxonomy.ancestors(np.array(index), level, above))
                if row[column] not in {-1, implied}:
                    raise UserError(
                        f"{asked_by[above]} and {name} exclude each other: they lie in different "
                        f"classes of level {above!r}."
                    )
                row[column] = implied
                asked_by.setdefault(above, name)
            column = taxonomy.levels.index(level)
            is_class = level in self.dataset_info.class_levels
            if is_class and not (self._rows[:, column] == index).any():
                raise UserError(
                    f"No training sample has {name}, so the generator has not learned it."
                )
        if self._dead_ends(row[None])[0]:
            raise UserError(
                f"No training sample with {', '.join(asked_by.values())} has a label at the levels "
                f"that the generator is told ({', '.join(self.taken)}), so it cannot be asked so."
            )
        return row

    def were_seen(self, row: np.ndarray) -> bool:
        """Whether a training sample has all labels of a row [L] (those that are not -1)."""
        row = row[: self._own]
        known = row >= 0
        return not known.any() or bool(self._same(row, known).all(axis=1).any())

    def note(self) -> str:
        """How many samples the requests are drawn from, where labels are missing; else ""."""
        if not self.needed or not len(self._rows):
            return ""
        labeled = self._rows[:, self._needed] >= 0
        if labeled.all():
            return ""
        labeled_counts = [
            f"{int(self._counts[labeled[:, i]].sum()):,} with a label of {level!r}"
            for i, level in enumerate(self.needed)
        ]
        whole = int(self._counts[labeled.all(axis=1)].sum())
        both = f", {whole:,} of them with all" if len(labeled_counts) > 1 else ""
        return (
            f"Labels to generate by are drawn from the samples that have them: of {self.count:,}, "
            f"{' and '.join(labeled_counts)}{both}."
        )

    # How a row is completed

    def _draw_own(self, row: np.ndarray, count: int, generator: torch.Generator) -> Tensor:
        """`draw_like` of the levels that the data have."""
        rows = np.tile(row, (count, 1))
        weights, columns = self._donors(row.tobytes())
        if weights is not None:
            probabilities = torch.from_numpy(weights)
            drawn = torch.multinomial(probabilities, count, replacement=True, generator=generator)
            rows = np.where((rows < 0) & columns, self._rows[drawn.numpy()], rows)
        # Whether there is more to draw is up to the data, and not to this draw: an iteration
        # computes the same shapes each time.
        if self._partial or (rows[:, self._needed] < 0).any():
            return self._complete_own(rows, generator)
        return torch.from_numpy(rows)

    def _complete_own(self, rows: np.ndarray, generator: torch.Generator) -> Tensor:
        """`complete` of the levels that the data have."""
        rows = np.where(self._kept, self.taxonomy.with_implied(rows), -1)
        rows[self._dead_ends(rows)] = -1
        # Each pass gives every row that lacks one a label of another level.
        chances = torch.rand(len(self.needed), len(rows), generator=generator).double().numpy()
        for chance in chances:
            lacking = np.flatnonzero((rows[:, self._needed] < 0).any(axis=1))
            kinds, kind = np.unique(rows[lacking], axis=0, return_inverse=True)
            for i, row in enumerate(kinds):
                places = lacking[kind.reshape(-1) == i]
                weights, columns = self._donors(row.tobytes())
                if weights is not None:
                    sums = np.cumsum(weights)
                    drawn = np.searchsorted(sums, chance[places] * sums[-1], side="right")
                    rows[places] = np.where((row < 0) & columns, self._rows[drawn], row)
        return torch.from_numpy(rows)

    def _with_codes(self, rows: Tensor, codes: np.ndarray, generator: torch.Generator) -> Tensor:
        """Rows of the data's own levels and codes [N, C]; those that are -1 are drawn, each class
        equally likely (Chen et al. 2016, section 7.2)."""
        columns = [rows]
        for name, asked in zip(self.dataset_info.codes, torch.from_numpy(codes).T, strict=True):
            count = self.taxonomy.num_classes(name)
            drawn = torch.randint(count, (len(rows),), generator=generator)
            columns.append(torch.where(asked < 0, drawn, asked)[:, None])
        return torch.cat(columns, dim=1)

    def _columns(self, levels: Collection[str]) -> np.ndarray:
        """bool [L]: which levels these are."""
        return np.array([level in levels for level in self.taxonomy.levels], dtype=bool)

    def _with_above(self, levels: Sequence[str]) -> set[str]:
        return {above for level in levels for above in (level, *self.taxonomy.above(level))}

    def _find_seen(self) -> dict[tuple[int, int], np.ndarray]:
        """For each needed level, and each one above it: the classes there in which a sample has a
        label of the needed level; levels by column."""
        seen = {}
        levels = self.taxonomy.levels
        for level in self.needed:
            column = levels.index(level)
            labeled = self._rows[self._rows[:, column] >= 0]
            for above in self.taxonomy.above(level):
                over = levels.index(above)
                seen[column, over] = np.unique(labeled[:, over])
        return seen

    def _dead_ends(self, rows: np.ndarray) -> np.ndarray:
        """bool [N]: rows that nothing completes, since in their coarse class no sample has the fine
        label that is needed."""
        dead = np.zeros(len(rows), dtype=bool)
        for (column, over), classes in self._seen.items():
            missing = (rows[:, column] < 0) & (rows[:, over] >= 0)
            dead |= missing & ~np.isin(rows[:, over], classes)
        return dead

    def _same(self, row: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """bool [U, .]: which of the data's labels are those of a row, in some columns."""
        rows, label = self._rows[:, columns], row[columns]
        return (rows >= 0) & (np.abs(rows - label) <= self._apart[columns])

    def _find_donors(self, key: bytes) -> tuple[np.ndarray | None, np.ndarray]:
        """From which of the data's rows the missing labels of a row are taken: weights [U], None
        where there is nothing to take; and which columns."""
        row, rows = np.frombuffer(key, dtype=np.int64), self._rows
        known, missing = row >= 0, self._needed & (row < 0)
        useful = self._fit.copy()
        if missing.any():
            useful &= (rows[:, missing] >= 0).any(axis=1)
        same = self._same(row, known)
        chosen = useful & same.all(axis=1)
        if self._counts[chosen].sum() < _FEW:
            chosen = useful & (same | (rows[:, known] < 0)).all(axis=1)
        columns = np.ones(len(row), dtype=bool)
        if not chosen.any():
            if not missing.any():
                return None, columns
            # Labels that no sample has together: the first missing level by itself.
            column = int(np.flatnonzero(missing)[0])
            level = self.taxonomy.levels[column]
            columns = self._columns(self._with_above([level]))[: self._own]
            above = columns & known
            chosen = (rows[:, column] >= 0) & self._same(row, above).all(axis=1)
            if not chosen.any():
                return None, columns
        return self._probabilities * chosen, columns
