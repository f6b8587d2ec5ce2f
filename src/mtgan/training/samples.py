"""What a run is asked for, in every form that a user may write it, and what it gives back."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from mtgan.data.numbers import MARK, as_number
from mtgan.errors import UserError
from mtgan.limits import LARGEST_COUNT, LARGEST_SEED, check_whole
from mtgan.training.requests import Requests

Classes = Mapping[str, Any]
"""A class, by name or index, by level, or a number; or one for each sample."""
Labels = Classes | str | Sequence[Classes | str | None] | np.ndarray
"""What samples should show: one for all of them, or one for each. A name alone stands for the class
that is called so. An array holds int64 [n, L], -1 where the class is to be drawn."""


class LabelList(list[Classes]):
    """Labels for each sample, and where each stands, for messages."""

    def __init__(self, entries: Sequence[Classes], places: Sequence[str]) -> None:
        super().__init__(entries)
        self.places = list(places)


LARGEST_TRUNCATION = 10
"""Beyond it lies no latent that is ever drawn."""
_SHOWN = 3  # notes on combinations, before they are only counted


def drawn_seed(seed: int | None) -> int:
    """The seed, or a new one where there is none; UserError where it is out of range."""
    if seed is None:
        return secrets.randbelow(LARGEST_SEED + 1)
    check_whole("seed", seed, 0, LARGEST_SEED)
    return int(seed)


def count_of(n: int | None, labels: Labels | None, latents: Any) -> int:
    """How many samples are asked for; UserError where what was given disagrees."""
    counts = {"n": n} if n is not None else {}
    if n is not None:
        check_whole("n", n, 1, LARGEST_COUNT)
    if labels is not None and not isinstance(labels, Mapping | str):
        if not _is_list(labels):
            raise UserError(
                f"labels should be {{level: class}}, or a list with one for each sample; found "
                f"{labels!r}."
            )
        counts["labels"] = len(labels)
    if isinstance(labels, Mapping):
        for level, value in labels.items():
            if _is_list(value):
                counts[f"labels of {level!r}"] = len(value)
    if latents is not None:
        counts["latents"] = len(latents) if np.ndim(latents) else 0
    if not counts:
        raise UserError("How many samples are wanted? Give n, or labels or latents for each.")
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{count} {name}" for name, count in counts.items() if name != "n")
        wanted = f"n={n}, and " if n is not None else ""
        raise UserError(f"Labels and latents are one for each sample; found {wanted}{found}.")
    (count,) = set(counts.values())
    check_whole("n", count, 1, LARGEST_COUNT)
    return int(count)


def as_latents(latents: Any, count: int, dim: int) -> torch.Tensor:
    """float32 [count, dim] of an array or tensor; UserError where it is anything else."""
    found = latents.detach().cpu().numpy() if isinstance(latents, torch.Tensor) else latents
    found = np.asarray(found)
    if found.shape != (count, dim) or found.dtype.kind not in "fiu":
        raise UserError(
            f"latents should be numbers [{count}, {dim}], a row for each sample; found "
            f"{found.dtype} {list(found.shape)}."
        )
    if not np.isfinite(found).all():
        raise UserError("latents should be finite; found nan or infinity.")
    return torch.from_numpy(np.ascontiguousarray(found, dtype=np.float32))


def check_truncation(threshold: float | None, latents: Any) -> None:
    """UserError for a threshold out of range, or beside latents, which are taken as they are."""
    if threshold is None:
        return
    if latents is not None:
        raise UserError("Latents that are given are not truncated; leave truncation out.")
    if not 0 < threshold <= LARGEST_TRUNCATION:
        raise UserError(
            f"truncation should be above 0 and at most {LARGEST_TRUNCATION}; found {threshold!r}."
        )


def with_class(labels: Labels | None, level: str, name: str) -> Labels:
    """Labels that also ask for a class of one level; UserError where they ask for another."""
    if labels is None or isinstance(labels, Mapping):
        if (labels or {}).get(level, name) != name:
            raise UserError(
                f"The labels ask for another {level} than {name!r}; leave it out there."
            )
        return {**(labels or {}), level: name}
    if isinstance(labels, str | np.ndarray):
        raise UserError(f"Of the {level} {name!r}, labels should be {{level: class}}, or a list.")
    entries: list[Any] = [with_class(entry, level, name) for entry in labels]
    places = labels.places if isinstance(labels, LabelList) else None
    return LabelList(entries, places or [f"labels[{i}]" for i in range(len(entries))])


class RequestedLabels:
    """The label rows that samples are asked to have, checked against what the generator takes.

    rows: int64 [K, L], the distinct ones, -1 where the class is to be drawn; inverse: int64 [n],
    which of them each sample has; notes: on combinations that no training sample has.
    """

    def __init__(
        self,
        labels: Labels | None,
        count: int,
        requests: Requests,
    ) -> None:
        self.requests = requests
        self.taxonomy = requests.taxonomy
        numbers = requests.dataset_info.numbers
        levels = [level for level in self.taxonomy.levels if level not in numbers]
        entries = _per_sample(labels, levels)
        self._places = [f"labels[{i}]" for i in range(len(entries))] if len(entries) > 1 else [""]
        if isinstance(labels, LabelList):
            self._places = labels.places
        known: dict[tuple[tuple[str, Any], ...], int] = {}
        rows: list[np.ndarray] = []
        inverse = []
        for i, entry in enumerate(entries):
            wanted = self._classes(entry, i)
            key = tuple(sorted(wanted.items()))
            if key not in known:
                known[key] = len(rows)
                rows.append(self._row(wanted, i))
            inverse.append(known[key])
        self.rows = np.array(rows)
        self.inverse = np.array(inverse) if len(inverse) == count else np.zeros(count, dtype=int)
        self.notes = _notes([self._unseen(dict(key)) for key in known])

    def draw(self, generator: torch.Generator) -> torch.Tensor:
        """int64 [n, L]: what was asked for, all else drawn as it occurs with that."""
        if len(self.rows) == 1:
            return self.requests.draw_like(self.rows[0], len(self.inverse), generator)
        return self.requests.complete(self.rows[self.inverse], generator)

    def _row(self, wanted: Mapping[str, int], i: int) -> np.ndarray:
        return self._at(i, lambda: self.requests.row(wanted))

    def _at(self, i: int, question: Callable[[], Any]) -> Any:
        """The answer; a UserError says which of several labels it is about."""
        try:
            return question()
        except UserError as error:
            place = self._places[i]
            raise UserError(f"{place}: {error}" if place else str(error)) from error

    def _classes(self, entry: Classes | str | None, i: int) -> dict[str, int]:
        return self._at(i, lambda: self._read(entry))

    def _read(self, entry: Classes | str | None) -> dict[str, int]:
        """Class index by level."""
        if entry is None:
            return {}
        if isinstance(entry, str):
            entry = {self._level_of(entry): entry}
        if not isinstance(entry, Mapping):
            raise UserError(
                f"labels should be {{level: class}}, or a class's name; found {entry!r}."
            )
        wanted: dict[str, int] = {}
        for name, value in entry.items():
            level = self._level(name)
            if level in wanted:
                raise UserError(f"The level {level!r} is asked for twice; a sample has one class.")
            wanted[level] = self._index(level, value)
        return wanted

    def _index(self, level: str, value: Any) -> int:
        """The label that a value means: a class's index, or steps of a number's range."""
        if level in self.requests.dataset_info.numbers:
            return self._steps(level, value)
        if isinstance(value, str):
            return self.taxonomy.class_index(level, value)
        check_whole(f"The class of level {level!r}", value, 0, self.taxonomy.num_classes(level) - 1)
        return int(value)

    def _steps(self, level: str, value: Any) -> int:
        number, known = as_number(value), self.requests.dataset_info.numbers[level]
        if number is None:
            raise UserError(
                f"{level!r} is a number from {known}, and {value!r} is none; write it as in "
                f"{level}={known.high:g}."
            )
        if not known.holds(number):
            raise UserError(
                f"{level}={value} lies outside of what the generator has learned; the training "
                f"samples have {known}."
            )
        return int(known.steps(np.array(number)))

    def _level(self, name: Any) -> str:
        level = self.requests.dataset_info.level_called(str(name).strip().removesuffix(MARK))
        if level is None:
            self.taxonomy.num_classes(str(name))  # raises, naming the nearest
        assert level is not None
        if level not in self.requests.askable:
            raise UserError(
                f"The generator is not told {level!r}, so it cannot be asked for it; it can be "
                f"asked for {_listed(self.requests.askable)}."
            )
        return level

    def _level_of(self, name: str) -> str:
        """The level that has a class of this name, of those that can be asked for."""
        found, numbers = [], self.requests.dataset_info.numbers
        askable = [level for level in self.requests.askable if level not in numbers]
        if not askable:
            raise UserError(
                f"The generator is told numbers alone ({_listed(self.requests.askable)}), and "
                f"{name!r} says of none what it should be; write {{level: number}}."
            )
        for level in askable:
            try:
                self.taxonomy.class_index(level, name)
            except UserError:
                continue
            found.append(level)
        if len(found) != 1:
            if not found:
                self.taxonomy.class_index(askable[0], name)  # raises, naming the nearest
            raise UserError(
                f"Several levels have a class {name!r} ({_listed(found)}); write {{level: class}}."
            )
        return found[0]

    def _unseen(self, wanted: Mapping[str, int]) -> str:
        """The combination that no training sample has; "" where one has it."""
        if self.requests.were_seen(self.requests.row(wanted)):
            return ""
        return " with ".join(self.requests.dataset_info.said(k, i) for k, i in wanted.items())


def _notes(unseen: Sequence[str]) -> list[str]:
    found = [combination for combination in unseen if combination]
    if not found:
        return []
    more = f", and {len(found) - _SHOWN} more combinations" if len(found) > _SHOWN else ""
    return [
        f"No training sample has {', or '.join(found[:_SHOWN])}{more}: the generator puts together "
        "what it learned of each."
    ]


def _per_sample(labels: Labels | None, levels: Sequence[str]) -> Sequence[Classes | str | None]:
    """An entry for each sample, or a single one for all; levels: those of an array's columns."""
    if labels is None or isinstance(labels, str):
        return [labels]
    if isinstance(labels, Mapping):
        lists = {level: value for level, value in labels.items() if _is_list(value)}
        if not lists:
            return [labels]
        length = len(next(iter(lists.values())))
        return [{**labels, **{k: v[i] for k, v in lists.items()}} for i in range(length)]
    if isinstance(labels, np.ndarray) and labels.dtype.kind in "iu":
        if labels.ndim != 2 or labels.shape[1] != len(levels):
            raise UserError(
                f"labels should be [n, {len(levels)}], a column for each of "
                f"{_listed(levels)}; found {list(labels.shape)}."
            )
        return [
            {k: i for k, i in zip(levels, row, strict=True) if i != -1} for row in labels.tolist()
        ]
    return labels  # type: ignore[return-value]


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names)) or "nothing"
