"""Which data an evaluation compares: samples, reference and held-out data, and how many of each."""

from collections.abc import Sized
from dataclasses import dataclass, field

import numpy as np

from mtgan.data import Dataset
from mtgan.data.held_out import HELD_OUT_NOTE
from mtgan.errors import UserError
from mtgan.evaluation.inputs import (
    Images,
    Size,
    as_dataset,
    check_alike,
    fitting_labels,
    fitting_numbers,
    in_classes_of,
)
from mtgan.evaluation.protocol import ProtocolRule
from mtgan.limits import FEWEST_JUDGED, LARGEST_COUNT, check_number, check_seed


@dataclass(frozen=True)
class EvaluationData:
    """The data of one evaluation, before anything is drawn from them.

    Attributes:
        generated: The samples.
        labels: int64 [N, L], the labels that the samples were asked to have, or None.
        numbers: float32 [N] by name, the numbers that they were asked to have.
        real: The reference.
        held_out: Real data that are not in the reference; None where no card is calibrated, or too
            few are there for it.
        taken: Samples that are drawn of the generated and the held-out ones.
        compared: Reference samples that are drawn.
        notes: What to say about them on the card.
    """

    generated: Dataset
    labels: np.ndarray | None
    numbers: dict[str, np.ndarray]
    real: Dataset
    held_out: Dataset | None
    taken: int
    compared: int
    notes: list[str] = field(default_factory=list)

    @classmethod
    def choose(
        cls,
        samples: Images,
        reference: Images,
        labels: np.ndarray | None,
        heldout: Images | None,
        split: str | None,
        rule: ProtocolRule,
        n: int | None,
        seed: int,
        *,
        size: Size | None = None,
        calibrated: bool,
    ) -> "EvaluationData":
        """Read all sets and settle their sizes.

        Raises:
            UserError: Sets or labels that do not fit each other; too few samples.
        """
        check_seed(seed)
        real = as_dataset(reference, "reference", split or "train", size)
        if split is not None:
            real = in_split(real, split)
        elif HELD_OUT_NOTE in real.notes:  # by us, of data without splits
            real = real.load_split("all")
        generated = as_dataset(samples, "samples", size=size)
        if generated.domains:
            raise UserError(
                f"the samples {generated.name} are of the domain {generated.domains[0].name!r} "
                f"and the reference {real.name} holds images: give data of their kind as --data"
            )
        notes: list[str] = []
        real = _real_alone(real, generated, notes)
        check_alike(generated.samples, real.samples)
        requested = fitting_labels(generated, real, labels, notes)
        numbers = fitting_numbers(generated, real, notes)
        unseen: Dataset | None = None
        if calibrated:
            others, unseen, more = with_held_out(real, heldout, seed, size)
            smallest = min(len(generated), len(others), len(unseen), n or len(generated))
            if smallest < FEWEST_JUDGED:
                notes.append(
                    f"no scores: {smallest:,} samples of each set are too few for them; give at "
                    f"least {FEWEST_JUDGED} generated, reference and held-out images"
                )
                unseen = None
            else:
                real, notes = others, [*notes, *more]
        taken, compared = sample_sizes(rule, n, generated, real, unseen)
        notes = [*_on_reading(generated, real), *notes]
        notes += _on_sizes(rule, n, taken, generated, real, unseen)
        return cls(generated, requested, numbers, real, unseen, taken, compared, notes)


def _real_alone(real: Dataset, generated: Dataset, notes: list[str]) -> Dataset:
    """The reference without images that are marked as generated.

    Raises:
        UserError: Where all are, and the samples are not.
    """
    made = real.generated
    if made is None or not made.any():
        return real
    if not made.all():
        notes.append(f"{made.sum():,} generated images of the reference are left out")
        return real.select(np.flatnonzero(~made))
    if generated.generated is None or not generated.generated.all():
        raise UserError(
            f"the reference {real.name} was generated and the samples were not: they seem to be "
            "swapped; name the generated images first, and the real ones as --data"
        )
    return real


def _on_reading(generated: Dataset, real: Dataset) -> list[str]:
    """What was left out, or decided, while they were read: it changes the numbers."""
    return [
        f"The {name}: {note}"
        for name, data in (("samples", generated), ("reference", real))
        for note in data.notes
        if note != HELD_OUT_NOTE
    ]


def _on_sizes(
    rule: ProtocolRule,
    n: int | None,
    taken: int,
    generated: Dataset,
    real: Dataset,
    unseen: Dataset | None,
) -> list[str]:
    """Why not all samples are compared, where they are not, or fewer than were asked for."""
    sets = {"samples": len(generated)}
    sets |= {"real images": len(real)} if rule.reference == "equal" else {}
    sets |= {"held-out real images": len(unseen)} if unseen is not None else {}
    if taken == len(generated) and n in (None, taken):
        return []
    if taken == (rule.generated if n is None else n):
        why = f"that is the limit of {'the protocol' if n is None else '--n'}"
    else:
        least = min(sets, key=lambda name: sets[name])
        why = f"all sets are drawn equally large, and there are only {sets[least]:,} {least}"
    return [
        f"{taken:,} of {len(generated):,} samples are compared: {why}; --protocol plain compares "
        "all with all"
    ]


def in_split(data: Dataset, split: str) -> Dataset:
    """A dataset's other split where it has splits; the dataset itself where it has none."""
    if data.split in (split, "all"):
        return data
    return data.load_split(split)


def with_held_out(
    real: Dataset, heldout: Images | None, seed: int, size: Size | None = None
) -> tuple[Dataset, Dataset, list[str]]:
    """The reference, held-out real data, and what to say about them.

    Held-out data are those given, else the other published split, else half of the reference.
    """
    if heldout is not None:
        unseen = as_dataset(heldout, "held-out data", size=size)
        check_alike(unseen.samples, real.samples)
        notes: list[str] = []
        return real, in_classes_of(real, unseen, notes), notes
    other = {"train": "test", "test": "train"}.get(real.split)
    if other is not None:
        try:
            return real, real.load_split(other), []
        except UserError:
            pass
    order = np.random.default_rng([seed, 3]).permutation(len(real.samples))
    half = len(order) // 2
    return (
        real.select(np.sort(order[half:])),
        real.select(np.sort(order[:half])),
        ["half of the reference serves as held-out data: it has no test split"],
    )


def sample_sizes(
    rule: ProtocolRule, n: int | None, generated: Sized, real: Sized, unseen: Sized | None
) -> tuple[int, int]:
    """Numbers of generated and of reference samples that a protocol takes.

    Raises:
        UserError: Fewer samples than the protocol, or any measure, needs.
    """
    if n is not None:
        check_number("The number of samples of each set", n, 1, LARGEST_COUNT)
    have, available = len(generated), len(real)
    if rule.exact and rule.generated is not None:
        if have < rule.generated or (n is not None and n != rule.generated):
            raise UserError(
                f"this protocol measures exactly {rule.generated:,} generated samples, not "
                f"{min(have, n or have):,}: generate enough, or choose --protocol default"
            )
        taken = rule.generated
    else:
        limits = [most for most in (rule.generated if n is None else n, have) if most is not None]
        limits += [available] if rule.reference == "equal" else []
        limits += [len(unseen)] if unseen is not None else []
        taken = min(limits)
    compared = {"equal": taken, "all": available}.get(str(rule.reference), rule.reference)
    if taken < 2:
        raise UserError(
            f"{taken} samples of each set are too few (generated {have:,}, reference "
            f"{available:,}): give at least 2 of each"
        )
    return taken, int(compared)


def draw(count: int, taken: int, *key: int) -> np.ndarray:
    """Sorted rows of `taken` out of `count`, without replacement."""
    if taken == count:
        return np.arange(count)
    return np.sort(np.random.default_rng(key).permutation(count)[:taken])
