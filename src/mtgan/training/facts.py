"""What a game needs to know of its data, and a run keeps of it: the run folder alone is enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from mtgan.data import Dataset, Taxonomy
from mtgan.errors import UserError

# By which names a recipe may speak of the levels of any taxonomy, finest first.
_POSITIONS = {"fine": 0, "coarse": 1, "top": 2}


@dataclass(frozen=True)
class DataFacts:
    """Shape (C, H, W), taxonomy, and the distribution of label rows in the training data."""

    shape: tuple[int, int, int]
    taxonomy: Taxonomy
    label_rows: np.ndarray  # int64 [U, L], the distinct complete rows
    label_counts: np.ndarray  # int64 [U]

    @classmethod
    def of(cls, data: Dataset) -> "DataFacts":
        labels = np.asarray(data.labels)
        complete = labels[(labels >= 0).all(axis=1)] if labels.shape[1] else labels[:0]
        rows, counts = np.unique(complete, axis=0, return_counts=True)
        return cls(data.shape, data.taxonomy, rows, counts)

    def to_dict(self) -> dict[str, Any]:
        return {
            "shape": list(self.shape),
            "taxonomy": self.taxonomy.to_dict(),
            "label_rows": self.label_rows.tolist(),
            "label_counts": self.label_counts.tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DataFacts":
        taxonomy = Taxonomy.from_dict(values["taxonomy"])
        rows = np.asarray(values["label_rows"], dtype=np.int64)
        channels, height, width = values["shape"]
        return cls(
            (channels, height, width),
            taxonomy,
            rows.reshape(-1, len(taxonomy.levels)),
            np.asarray(values["label_counts"], dtype=np.int64),
        )

    def level(self, name: str, asked_by: str) -> str:
        """The taxonomy's level that `name` means; UserError naming `asked_by` where none does."""
        levels = self.taxonomy.levels
        if name in levels:
            return name
        position = _POSITIONS.get(name)
        if position is not None and position < len(levels):
            return levels[position]
        found = f"only {', '.join(map(repr, levels))}" if levels else "no labels at all"
        raise UserError(
            f"{asked_by} needs the label level {name!r}, and the data set has {found}; give the "
            "data set that level with a taxonomy (--taxonomy FILE.yaml), or take another recipe."
        )

    def require_labels(self, asked_by: str) -> None:
        if not len(self.label_rows):
            raise UserError(
                f"{asked_by} draws labels as they occur in the training data, and no sample there "
                "has a label at every level; complete the labels, or take a recipe without them."
            )

    @cached_property
    def _probabilities(self) -> torch.Tensor:
        return torch.from_numpy(self.label_counts / max(self.label_counts.sum(), 1))

    def draw_labels(
        self,
        count: int,
        generator: torch.Generator,
        wanted: Mapping[str, int] | None = None,
    ) -> torch.Tensor:
        """Label rows [count, L] in the proportions of the training data; on the CPU.

        wanted: class index by level; rows are then drawn among those that have these classes, so
        that a coarse class is drawn as its fine ones occur. Empty rows where there are no labels.
        """
        if not len(self.label_rows):
            return torch.full((count, self.label_rows.shape[1]), -1, dtype=torch.int64)
        weights = self._probabilities
        for level, index in (wanted or {}).items():
            column = self.label_rows[:, self.taxonomy.levels.index(level)]
            weights = weights * torch.from_numpy(column == index)
        if not weights.any():
            asked = ", ".join(
                f"{level}={self.taxonomy.classes[level][index]}"
                for level, index in (wanted or {}).items()
            )
            raise UserError(f"No training sample had {asked}: these labels exclude each other.")
        drawn = torch.multinomial(weights, count, replacement=True, generator=generator)
        return torch.from_numpy(self.label_rows)[drawn]
