"""What a game needs to know of its data, and a run keeps of it: the run folder alone is enough."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mtgan.data import Dataset, Taxonomy
from mtgan.data.domains.base import Domain, domain_from_dict, domain_to_dict
from mtgan.data.domains.parts import DOMAIN_LEVEL
from mtgan.data.levels import never_together
from mtgan.data.numbers import NumberRange
from mtgan.errors import UserError
from mtgan.recipes.records import validated
from mtgan.registry import nearest
from mtgan.training.records import DatasetInfoRecord

# By which names a recipe may speak of the levels of any taxonomy: the finest first, or those of
# image sets side by side.
_POSITIONS = {"fine": 0, "coarse": 1, "top": 2, "first": 0, "second": 1, "third": 2}
_FIRST_NUMBER = "number"  # by which it may speak of the first number


@dataclass(frozen=True)
class DatasetInfo:
    """Shape (C, H, W), taxonomy, and the distribution of label rows in the training data.

    domains: how to read the canvases of a set over several domains; empty for plain images.
    codes: the last levels, if a recipe has given generated samples some that no real one has.
    numbers: what else is known of samples; number_rows: int64 [U, K], those that go with the label
    rows, in steps of their ranges (-1 where missing). In a game they are levels without classes
    behind the data's own, and number_rows are columns of label_rows.
    """

    shape: tuple[int, int, int]
    taxonomy: Taxonomy
    label_rows: np.ndarray  # int64 [U, L], the distinct rows, -1 where a label is missing
    label_counts: np.ndarray  # int64 [U]
    domains: tuple[Domain, ...] = ()
    codes: tuple[str, ...] = ()
    numbers: Mapping[str, NumberRange] = field(default_factory=dict)
    number_rows: np.ndarray | None = None

    @property
    def own_levels(self) -> tuple[str, ...]:
        """The levels of the data: all but codes."""
        return tuple(level for level in self.taxonomy.levels if level not in self.codes)

    @property
    def class_levels(self) -> tuple[str, ...]:
        """The levels of the data that have classes: neither codes nor numbers."""
        return tuple(level for level in self.own_levels if level not in self.numbers)

    def with_numbers(self) -> "DatasetInfo":
        """This, and its numbers as levels behind the data's own."""
        if self.number_rows is None:
            return self
        return replace(
            self,
            taxonomy=self.taxonomy.with_independent(dict.fromkeys(self.numbers, ())),
            label_rows=np.concatenate([self.label_rows, self.number_rows], axis=1),
            number_rows=None,
        )

    def labeled_at(self, level: str) -> "DatasetInfo":
        """This, of the samples that have a label of this level alone."""
        kept = self.label_rows[:, self.taxonomy.levels.index(level)] >= 0
        return replace(
            self,
            label_rows=self.label_rows[kept],
            label_counts=self.label_counts[kept],
            number_rows=None if self.number_rows is None else self.number_rows[kept],
        )

    def never_together(self, level: str, other: str) -> bool:
        """Whether no sample has labels of both levels, as in image sets side by side."""
        return never_together(self.taxonomy, self.label_rows, level, other)

    def rows_of(self, labels: np.ndarray, numbers: Mapping[str, np.ndarray]) -> np.ndarray:
        """int64 [N, L]: label rows of all levels, of labels [N, .] of those that have classes and
        numbers [N] by name; -1 for codes, for numbers that are not given, and where missing."""
        unknown = np.full(len(labels), np.nan)
        told = [self.numbers[name].steps(numbers.get(name, unknown)) for name in self._as_levels()]
        codes = np.full((len(labels), len(self.codes)), -1, dtype=np.int64)
        return np.concatenate([labels, *(steps[:, None] for steps in told), codes], axis=1)

    def without_numbers(
        self, rows: np.ndarray
    ) -> tuple[np.ndarray, Taxonomy, dict[str, np.ndarray]]:
        """Label rows [N, L] as those of the levels that have classes, what these mean, and the
        numbers float32 [N] by name."""
        levels, told = self.taxonomy.levels, self._as_levels()
        kept = [level not in told for level in levels]
        taxonomy = Taxonomy(
            tuple(level for level in levels if level not in told),
            {level: names for level, names in self.taxonomy.classes.items() if level not in told},
            self.taxonomy.parents,
        )
        numbers = {name: self.numbers[name].values(rows[:, levels.index(name)]) for name in told}
        return rows[:, kept], taxonomy, numbers

    def named(self, level: str, label: int) -> str:
        """A label in words: a class's name, or a number."""
        if level in self.numbers:
            return f"{self.numbers[level].values(np.array(label)):g}"
        return self.taxonomy.classes[level][label]

    def said(self, level: str, label: int) -> str:
        """A label in words, with its level: "fine=Bag", "angle=0.3"."""
        return f"{level}={self.named(level, label)}"

    def _as_levels(self) -> tuple[str, ...]:
        """The numbers that are among the levels: all of them in a game, else none."""
        return tuple(name for name in self.numbers if name in self.taxonomy.levels)

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
        ranges = data.number_ranges
        steps = [ranges[name].steps(values)[:, None] for name, values in data.numbers.items()]
        joint = np.concatenate([labels, *steps], axis=1)
        joint = joint if joint.shape[1] else joint[:0]
        rows, counts = np.unique(joint, axis=0, return_counts=True)
        own = labels.shape[1]
        numbers = rows[:, own:] if ranges else None
        return cls(
            *(data.shape, data.taxonomy, rows[:, :own], counts, data.domains),
            numbers=ranges,
            number_rows=numbers,
        )

    def to_dict(self) -> dict[str, Any]:
        values = {
            "shape": list(self.shape),
            "taxonomy": self.taxonomy.to_dict(),
            "label_rows": self.label_rows.tolist(),
            "label_counts": self.label_counts.tolist(),
            "domains": [domain_to_dict(domain) for domain in self.domains],
        }
        if self.number_rows is not None:
            values["numbers"] = {name: [r.low, r.high] for name, r in self.numbers.items()}
            values["number_rows"] = self.number_rows.tolist()
        return values

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
        number_rows = None
        if record.numbers:
            steps = np.asarray(record.number_rows, dtype=np.int64)
            number_rows = steps.reshape(count, len(record.numbers))
        return cls(
            *((channels, height, width), taxonomy, rows, counts, domains),
            numbers={name: NumberRange(*ends) for name, ends in record.numbers.items()},
            number_rows=number_rows,
        )

    def level(self, name: str, asked_by: str) -> str:
        """The taxonomy's level that `name` means; UserError naming `asked_by` where none does."""
        levels, level = self.taxonomy.levels, self.level_called(name)
        if level is not None:
            return level
        found = f"only {', '.join(map(repr, levels))}" if levels else "no labels at all"
        raise UserError(
            f"{asked_by} needs the label level {name!r}, and the data set has {found}; give the "
            "data set that level with a taxonomy (--taxonomy FILE.yaml), or take another recipe."
        )

    def level_called(self, name: str) -> str | None:
        """The level that `name` means, by itself or by its position: `number` is the first of the
        numbers, the other words are classes; None where none does."""
        if name in self.taxonomy.levels:
            return name
        if name == _FIRST_NUMBER:
            return next(iter(self._as_levels()), None)
        position = _POSITIONS.get(name, len(self.class_levels))
        return self.class_levels[position] if position < len(self.class_levels) else None

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
