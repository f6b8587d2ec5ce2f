"""What a game needs to know of its data, and a run keeps of it: the run folder alone is enough."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mtgan.data import Dataset, Taxonomy
from mtgan.data.domains.base import Domain, domain_from_dict, domain_to_dict
from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.errors import UserError
from mtgan.recipes.records import validated
from mtgan.registry import nearest
from mtgan.training.records import DatasetInfoRecord

# By which names a recipe may speak of the levels of any taxonomy, finest first.
_POSITIONS = {"fine": 0, "coarse": 1, "top": 2}


@dataclass(frozen=True)
class DatasetInfo:
    """Shape (C, H, W), taxonomy, and the distribution of label rows in the training data.

    domains: how to read the canvases of a set over several domains; empty for plain images.
    codes: the last levels, if a recipe has given generated samples some that no real one has.
    """

    shape: tuple[int, int, int]
    taxonomy: Taxonomy
    label_rows: np.ndarray  # int64 [U, L], the distinct rows, -1 where a label is missing
    label_counts: np.ndarray  # int64 [U]
    domains: tuple[Domain, ...] = ()
    codes: tuple[str, ...] = ()

    @property
    def own_levels(self) -> tuple[str, ...]:
        """The levels of the data: all but codes."""
        return tuple(level for level in self.taxonomy.levels if level not in self.codes)

    def with_codes(self, codes: Mapping[str, int]) -> "DatasetInfo":
        """This, and behind the data's own levels codes of so many classes, which are called
        by their numbers; UserError for one that is called like a level of the data."""
        for code in codes:
            if code in self.taxonomy.levels:
                raise UserError(
                    f"latent.codes names {code!r}, which is a label level of the data; give the "
                    "code another name."
                )
        classes = {code: [str(i) for i in range(count)] for code, count in codes.items()}
        unknown = np.full((len(self.label_rows), len(codes)), -1, dtype=np.int64)
        return replace(
            self,
            taxonomy=self.taxonomy.with_independent(classes),
            label_rows=np.concatenate([self.label_rows, unknown], axis=1),
            codes=tuple(codes),
        )

    @classmethod
    def of(cls, data: Dataset) -> "DatasetInfo":
        labels = data.taxonomy.with_implied(data.labels)
        labels = labels if labels.shape[1] else labels[:0]
        rows, counts = np.unique(labels, axis=0, return_counts=True)
        return cls(data.shape, data.taxonomy, rows, counts, data.domains)

    def to_dict(self) -> dict[str, Any]:
        return {
            "shape": list(self.shape),
            "taxonomy": self.taxonomy.to_dict(),
            "label_rows": self.label_rows.tolist(),
            "label_counts": self.label_counts.tolist(),
            "domains": [domain_to_dict(domain) for domain in self.domains],
        }

    @classmethod
    def from_dict(cls, values: Any, where: str = "The facts of the data") -> "DatasetInfo":
        """What to_dict gave; UserError that begins with `where` and names the key at fault."""
        record = validated(DatasetInfoRecord, values, where)
        try:
            taxonomy = Taxonomy.from_dict(record.taxonomy.model_dump())
            domains = tuple(domain_from_dict(domain) for domain in record.domains)
            _refuse_odd_rows(record.label_rows, record.label_counts, taxonomy)
            _refuse_odd_domains(domains, record.shape, taxonomy)
        except UserError as error:
            raise UserError(f"{where} does not hold what it should: {error}") from error
        channels, height, width = record.shape
        count, levels = len(record.label_rows), len(taxonomy.levels)
        rows = np.asarray(record.label_rows, dtype=np.int64).reshape(count, levels)
        counts = np.asarray(record.label_counts, dtype=np.int64)
        return cls((channels, height, width), taxonomy, rows, counts, domains)

    def level(self, name: str, asked_by: str) -> str:
        """The taxonomy's level that `name` means; UserError naming `asked_by` where none does."""
        levels, level = self.taxonomy.levels, level_called(name, self.taxonomy.levels, self.codes)
        if level is not None:
            return level
        found = f"only {', '.join(map(repr, levels))}" if levels else "no labels at all"
        raise UserError(
            f"{asked_by} needs the label level {name!r}, and the data set has {found}; give the "
            "data set that level with a taxonomy (--taxonomy FILE.yaml), or take another recipe."
        )

    def domain(self, name: str) -> Domain:
        """The domain of this name; UserError naming the nearest one where there is none."""
        names = [domain.name for domain in self.domains]
        if name not in names:
            known = nearest(name, names) if names else "it was trained on images alone."
            raise UserError(f"The run has no domain {name!r}: {known}")
        return self.domains[names.index(name)]

    def vocabularies(self, level: str | None) -> tuple[int, ...]:
        """For each class of a level the number of tokens of its domain, 0 for pixels; empty where
        there are no domains. Without a level, of all domains, which must agree."""
        if not self.domains:
            return ()
        sizes = tuple(domain.vocabulary for domain in self.domains)
        if level is None:
            if len(set(sizes)) > 1:
                raise UserError(
                    "Each domain has an output of its own, and generator.conditioning=none tells "
                    "the generator no domain; set it to concat, or generator.output to one of the "
                    "shared kinds (sigmoid, softmax)."
                )
            return sizes[:1]
        above = self.taxonomy.ancestors(
            np.arange(self.taxonomy.num_classes(level)), level, DOMAIN_LEVEL
        )
        return tuple(sizes[i] for i in above)

    def require_labels(self, level: str, asked_by: str) -> None:
        """UserError where no sample has a label of this level, and it is no code."""
        labels = self.label_rows[:, self.taxonomy.levels.index(level)]
        if level not in self.codes and not (labels >= 0).any():
            raise UserError(
                f"{asked_by} draws labels of level {level!r} as they occur in the training data, "
                "and no sample there has one; add these labels, or take a recipe without them."
            )


def level_called(name: str, levels: Sequence[str], codes: Collection[str] = ()) -> str | None:
    """The level that `name` means, by itself or by its position among those that are no codes;
    None where none does."""
    if name in levels:
        return name
    own = [level for level in levels if level not in codes]
    position = _POSITIONS.get(name, len(own))
    return own[position] if position < len(own) else None


def _refuse_odd_rows(rows: list[list[int]], counts: list[int], taxonomy: Taxonomy) -> None:
    """UserError for label rows that the taxonomy does not have."""
    if len(rows) != len(counts):
        raise UserError(f"label_counts: it has {len(counts)} entries, and label_rows {len(rows)}.")
    sizes = [taxonomy.num_classes(level) for level in taxonomy.levels]
    for i, row in enumerate(rows):
        if len(row) != len(sizes) or any(c >= n for c, n in zip(row, sizes, strict=True)):
            raise UserError(
                f"label_rows.{i}: {row} is no row of the taxonomy, whose levels have {sizes} "
                "classes (counted from 0)."
            )


def _refuse_odd_domains(domains: tuple[Domain, ...], shape: list[int], taxonomy: Taxonomy) -> None:
    """UserError for domains that are not the classes of their level, or larger than the canvas."""
    names = tuple(domain.name for domain in domains)
    known = taxonomy.classes.get(DOMAIN_LEVEL, ())
    if domains and names != known:
        raise UserError(
            f"domains: they are {list(names)}, and the level {DOMAIN_LEVEL!r} of the taxonomy has "
            f"the classes {list(known)}."
        )
    for domain in domains:
        if any(least > side for least, side in zip(domain.least_size, shape[1:], strict=True)):
            raise UserError(f"domains: {domain.name!r} is larger than the canvas, shape={shape}.")
