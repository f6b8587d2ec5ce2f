"""Samples with one label per level of a taxonomy."""

import hashlib
import json
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np

from mtgan.data.domains.base import Domain, domain_to_dict
from mtgan.data.names import class_map
from mtgan.data.numbers import NumberRange, check_numbers
from mtgan.data.taxonomy import Taxonomy
from mtgan.errors import UserError
from mtgan.text import html_summary, printable


@dataclass(repr=False)
class Dataset:
    """Labeled samples of one split.

    A sequence of pairs (sample uint8 [C, H, W], labels int64 [L]), as torch's DataLoader takes it;
    a slice or an array of positions gives a Dataset.

    Attributes:
        samples: uint8 [N, C, H, W], an array or a memory map.
        labels: int64 [N, L], one column per level of the taxonomy, -1 where missing.
        taxonomy: What the labels mean.
        name: What the set is called.
        split: "train", "test" or "all".
        spec: Plain keyword arguments with which load_dataset gives this set again (a selection by
            hand excepted: there, the set that it was selected from).
        notes: Sentences about how it was read (files passed over, sizes chosen).
        domains: What the canvases of a set over several domains mean (mtgan.data.sources.joined).
        generated: bool [N], which samples a model made, where real ones are among them; None where
            nothing says it.
        loader: The function that takes such a spec, load_dataset.
        numbers: float32 [N] by name, labels that are numbers and no classes; nan where missing.

    Raises:
        UserError: Arrays of another type or shape, labels outside the taxonomy.
    """

    samples: np.ndarray
    labels: np.ndarray
    taxonomy: Taxonomy
    name: str = "unnamed"
    split: str = "train"
    spec: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    domains: tuple[Domain, ...] = ()
    stored_fingerprint: str | None = None
    generated: np.ndarray | None = None
    loader: "Callable[..., Dataset] | None" = None
    numbers: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.samples.dtype != np.uint8 or self.samples.ndim != 4:
            raise UserError(
                f"{self.name}: samples should be uint8 [N, C, H, W]; found "
                f"{self.samples.dtype} {list(self.samples.shape)}."
            )
        if self.samples.shape[1] not in {1, 3} and self.samples.shape[3] in {1, 3}:
            raise UserError(
                f"{self.name}: samples should be [N, C, H, W]; {list(self.samples.shape)} has its "
                "channels last. Move them: samples.transpose(0, 3, 1, 2)."
            )
        expected = (len(self.samples), len(self.taxonomy.levels))
        if self.labels.shape != expected or not np.issubdtype(self.labels.dtype, np.integer):
            raise UserError(
                f"{self.name}: labels should be integers {list(expected)}, one column per label "
                f"level; found {self.labels.dtype} {list(self.labels.shape)}."
            )
        for column, level in enumerate(self.taxonomy.levels):
            values, count = self.labels[:, column], self.taxonomy.num_classes(level)
            if len(values) and not (values.min() >= -1 and values.max() < count):
                odd = values[(values < -1) | (values >= count)][0]
                raise UserError(
                    f"{self.name}: the label {odd} of level {level!r} is outside the taxonomy, "
                    f"which has classes 0 to {count - 1} there (and -1 for a missing label)."
                )
        self.labels = np.ascontiguousarray(self.labels, dtype=np.int64)
        made = self.generated
        if made is not None and (made.dtype != bool or made.shape != (len(self.samples),)):
            raise UserError(
                f"{self.name}: what was generated should be truth values [{len(self.samples)}]; "
                f"found {made.dtype} {list(made.shape)}."
            )
        try:
            check_numbers(self.numbers, len(self.samples), self.taxonomy.levels)
        except UserError as error:
            raise UserError(f"{self.name}: {error}") from error
        self.numbers = {name: v.astype(np.float32) for name, v in self.numbers.items()}

    def __len__(self) -> int:
        return len(self.samples)

    @overload
    def __getitem__(self, index: int | np.integer) -> tuple[np.ndarray, np.ndarray]: ...

    @overload
    def __getitem__(self, index: "slice | np.ndarray | list[int]") -> "Dataset": ...

    def __getitem__(self, index: Any) -> Any:
        """One pair (sample, labels) by position, or the Dataset of several positions.

        IndexError for a position that there is none of.
        """
        if isinstance(index, slice) or np.ndim(index):
            return self.select(np.arange(len(self))[index])
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"{self.name} has {len(self)} samples, and none at {place}")
        return np.array(self.samples[place]), np.array(self.labels[place])

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        text = f"{self.name!r}, {self.split}: {len(self):,} samples of {shape}; labels: "
        text += self._summary()
        return f"Dataset({printable(text)})"

    def _repr_html_(self) -> str:
        """For notebooks: what it is, and its first samples."""
        import io

        from mtgan.data.images import make_grid

        rows = {
            "split": self.split,
            "samples": f"{len(self):,} of {' x '.join(map(str, self.shape))} (C x H x W)",
            "labels": self._summary(),
        }
        picture = io.BytesIO()
        if len(self) and not self.domains:
            make_grid(np.asarray(self.samples[:10]), columns=10).save(picture, "png")
        return html_summary(self.name, rows, picture.getvalue() or None)

    def _summary(self) -> str:
        """The levels, and the numbers beside them."""
        return ", ".join(filter(None, [self.taxonomy.summary(), *self.numbers])) or "none"

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        _, channels, height, width = self.samples.shape
        return channels, height, width

    @property
    def number_ranges(self) -> dict[str, NumberRange]:
        """The least and the largest of each number, by name."""
        return {name: NumberRange.of(values) for name, values in self.numbers.items()}

    @property
    def apart(self) -> np.ndarray:
        """bool [N]: generated samples among real ones, which nothing is tested or validated on.
        False of all where there are no real ones to tell them from."""
        none = np.zeros(len(self), dtype=bool)
        return none if self.generated is None or self.generated.all() else self.generated

    @property
    def fingerprint(self) -> str:
        """SHA-256 over samples, labels, taxonomy and numbers, as hex; computed once."""
        if self.stored_fingerprint is None:
            digest = hashlib.sha256()
            digest.update(str(self.samples.shape).encode())
            for start in range(0, len(self), 4096):
                digest.update(np.ascontiguousarray(self.samples[start : start + 4096]).data)
            digest.update(self.labels.data)
            digest.update(json.dumps(self.taxonomy.to_dict()).encode())
            for domain in self.domains:
                digest.update(json.dumps(domain_to_dict(domain)).encode())
            if self.generated is not None and self.generated.any():
                digest.update(np.packbits(self.generated).data)
            for name, values in self.numbers.items():
                digest.update(name.encode())
                digest.update(np.ascontiguousarray(values, dtype="<f4").data)
            self.stored_fingerprint = digest.hexdigest()
        return self.stored_fingerprint

    def labels_of(self, level: str) -> np.ndarray:
        """int64 [N]: the labels of one level."""
        if level not in self.taxonomy.levels:
            self.taxonomy.num_classes(level)  # raises, naming the nearest level
        return self.labels[:, self.taxonomy.levels.index(level)]

    @property
    def finest_labeled(self) -> str:
        """The finest level at which a sample has a label; the finest one where none has any.

        Only of data with levels; of image sets side by side it is the first one's.
        """
        levels = self.taxonomy.levels
        return next((level for level in levels if (self.labels_of(level) >= 0).any()), levels[0])

    def select(self, indices: np.ndarray) -> "Dataset":
        """The samples at these positions, in this order."""
        return replace(
            self,
            samples=self.samples[indices],
            labels=self.labels[indices],
            generated=None if self.generated is None else self.generated[indices],
            numbers={name: values[indices] for name, values in self.numbers.items()},
            stored_fingerprint=None,
        )

    def subset(self, amount: float, stratified: bool = True, seed: int = 0) -> "Dataset":
        """A share in (0, 1] or a count of the samples, drawn by seed, in their old order.

        stratified keeps the shares of the finest labels that samples have, at whatever level, and
        of those without (largest remainders); a smaller amount with the same seed is not in general
        part of a larger one.
        """
        drawn = self.select(np.sort(self._choose("subset", amount, stratified, seed)))
        drawn.spec = {**self.spec, "subset": amount, "stratified": stratified, "seed": seed}
        return drawn

    def of_classes(self, classes: Mapping[str, str | Sequence[str]]) -> "Dataset":
        """The samples of these classes alone, one or several by level; where several levels are
        named, a sample is of a class of each. The taxonomy stays as it is.

        UserError for a level or class that there is not, or that no sample is of.
        """
        listed = {k: [v] if isinstance(v, str) else list(v) for k, v in classes.items()}
        wanted = np.ones(len(self), dtype=bool)
        for level, names in listed.items():
            indices = [self.taxonomy.class_index(level, name) for name in names]
            wanted &= np.isin(self.labels_of(level), indices)
        if not wanted.any():
            raise UserError(f"{self.name} has no sample of the classes {listed}.")
        chosen = self.select(np.flatnonzero(wanted))
        before: Mapping[str, Sequence[str]] = self.spec.get("classes") or {}
        for level in before.keys() & listed.keys():
            listed[level] = [name for name in listed[level] if name in before[level]]
        chosen.spec = {**self.spec, "classes": {**before, **listed}} if self.spec else {}
        return chosen

    def labeled_on(self, amount: float, stratified: bool = True, seed: int = 0) -> "Dataset":
        """All samples, of which a share in (0, 1] or a count, drawn as by `subset`, keep their
        labels and numbers; those of the others are missing."""
        chosen = self._choose("labeled", amount, stratified, seed)
        rows = np.full_like(self.labels, -1)
        rows[chosen] = self.labels[chosen]
        kept = np.isin(np.arange(len(self)), chosen)
        numbers = {
            name: np.where(kept, values, np.float32("nan")) for name, values in self.numbers.items()
        }
        options = {"labeled": amount, "stratified": stratified, "seed": seed}
        spec = {**self.spec, **options} if self.spec else {}
        return replace(self, labels=rows, numbers=numbers, spec=spec, stored_fingerprint=None)

    def _choose(self, what: str, amount: float, stratified: bool, seed: int) -> np.ndarray:
        """Positions of a share or count of the samples."""
        count = self._count_of(what, amount)
        random = np.random.default_rng(seed)
        if stratified and self.labels.shape[1]:
            return stratified_choice(self._finest_labels(), count, random)
        return random.permutation(len(self))[:count]

    def _finest_labels(self) -> np.ndarray:
        """int64 [N]: a number for each sample's finest label, of whatever level; -1 without one."""
        levels, known = self.taxonomy.levels, self.labels >= 0
        offsets = np.cumsum([0, *map(self.taxonomy.num_classes, levels)])[:-1]
        column = known.argmax(axis=1)
        finest = self.labels[np.arange(len(self)), column] + offsets[column]
        return np.where(known.any(axis=1), finest, -1)

    def _count_of(self, what: str, amount: float) -> int:
        share = isinstance(amount, float) and 0 < amount <= 1
        count = round(amount * len(self)) if share else amount
        if not math.isfinite(count) or count != int(count) or not 1 <= count <= len(self):
            raise UserError(
                f"{what}={amount}: {self.name} has {len(self)} samples; take a share in (0, 1] "
                f"or a whole number from 1 to {len(self)}."
            )
        return int(count)

    def with_taxonomy(self, taxonomy: Taxonomy) -> "Dataset":
        """The same samples under another taxonomy with the same finest classes, in any order.

        Columns of coarser levels follow from the finer ones. Where those are missing, and for
        independent levels, the old labels are kept.

        Raises:
            UserError: Other finest classes; an independent level that this set does not have.
        """
        new = taxonomy
        if self.taxonomy.levels and not new.levels:
            raise UserError(f"{self.name}: the other taxonomy has no levels, and this set has.")
        columns: dict[str, np.ndarray] = {}
        for level in new.levels:
            finer = next((f for f in columns if new.parents.get(f, ("",))[0] == level), None)
            old = self.taxonomy.levels[:1] if not columns else (level,)
            kept = self._under(old[0], new.classes[level]) if old else None
            if kept is None and not columns and old:
                raise UserError(f"{self.name}: the other taxonomy has other finest classes.")
            if finer is None and kept is None:
                raise UserError(
                    f"{self.name} has no labels from which the level {level!r} of the other "
                    f"taxonomy follows; it has {list(self.taxonomy.levels)}."
                )
            column = kept if finer is None else new.ancestors(columns[finer], finer, level)
            assert column is not None
            columns[level] = column if kept is None else np.where(column >= 0, column, kept)
        rows = np.stack(list(columns.values()), axis=1) if columns else self.labels[:, :0]
        spec = {**self.spec, "taxonomy": new.to_dict()} if self.spec else {}
        return replace(self, labels=rows, taxonomy=new, spec=spec, stored_fingerprint=None)

    def _under(self, level: str, names: tuple[str, ...]) -> np.ndarray | None:
        """int64 [N]: the labels of a level as positions among `names`; None where the level, or
        one of its classes, is not the same by name."""
        own = self.taxonomy.classes.get(level)
        if own is None or len(own) != len(names) or (class_map(own, names)[:-1] < 0).any():
            return None
        return class_map(own, names)[self.labels_of(level)]

    def in_order_of(self, taxonomy: Taxonomy) -> "Dataset":
        """This set with its classes in the order of a taxonomy of the same levels and names, such
        as an older run keeps; the set as it is where the other says something else."""
        own = self.taxonomy
        same = own.levels == taxonomy.levels and own.by_names() == taxonomy.by_names()
        if own == taxonomy or not same:
            return self
        columns = [self._under(level, taxonomy.classes[level]) for level in own.levels]
        rows = np.stack(columns, axis=1)  # type: ignore[arg-type]
        return replace(self, labels=rows, taxonomy=taxonomy, stored_fingerprint=None)

    def with_same_labels(self, level: str, name: str) -> "Dataset":
        """A further label level `name` that repeats `level`: a control."""
        return self.with_taxonomy(self.taxonomy.with_same_labels(level, name))

    def load_split(self, split: str) -> "Dataset":
        """Another split of the same set, whole: a subset of this split says nothing of that one."""
        if not self.spec or self.loader is None:
            raise UserError(f"{self.name} was made from arrays, and has no other split to load.")
        if split == self.split:
            return self
        other = self.loader(**{**self.spec, "split": split, "subset": None, "labeled": None})
        return other.in_order_of(self.taxonomy)

    def class_counts(self) -> dict[str, dict[str, int]]:
        """Number of samples by level and class name."""
        return {
            level: dict(
                zip(
                    names,
                    np.bincount(
                        self.labels_of(level)[self.labels_of(level) >= 0], minlength=len(names)
                    ).tolist(),
                    strict=True,
                )
            )
            for level, names in self.taxonomy.classes.items()
        }

    def warnings(self) -> list[str]:
        """Sentences about what is probably a mistake in the data."""
        found = []
        if not self.taxonomy.levels and not self.numbers:
            found.append(f"{self.name} has no labels: only unconditional recipes can use it.")
        for level in self.taxonomy.levels:
            values = self.labels_of(level)
            missing = int((values < 0).sum())
            present = np.unique(values[values >= 0])
            if len(present) <= 1:
                found.append(
                    f"The label level {level!r} has {'one class' if len(present) else 'no label'} "
                    "in these samples: a task on it has nothing to learn."
                )
            if missing:
                found.append(f"{missing} of {len(self)} samples have no label of level {level!r}.")
            absent = self.taxonomy.num_classes(level) - len(present)
            if absent and len(present) > 1:
                found.append(f"{absent} classes of level {level!r} have no sample here.")
        for name, values in self.numbers.items():
            known = values[~np.isnan(values)]
            if len(np.unique(known)) <= 1:
                what = "the same value everywhere" if len(known) else "no value"
                found.append(f"The number {name!r} has {what}: there is nothing to learn of it.")
            if missing := len(self) - len(known):
                found.append(f"{missing} of {len(self)} samples have no number {name!r}.")
        return found


def stratified_choice(labels: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """`count` positions whose labels have the shares of all labels, by largest remainders."""
    values, sizes = np.unique(labels, return_counts=True)
    exact = sizes * count / len(labels)
    takes = np.floor(exact).astype(int)
    # Ties among remainders are broken at random, so that no class is always favored.
    order = np.lexsort((random.random(len(values)), -(exact - takes)))
    takes[order[: count - takes.sum()]] += 1
    classes = np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1])
    return np.concatenate(
        [random.permutation(rows)[:take] for rows, take in zip(classes, takes, strict=True)]
    )
