"""Judging strings: n-gram distances, uniqueness, novelty; of molecules also what MOSES measures."""

from collections.abc import Sequence

from mtgan.evaluation.calibration.strings import CORRUPTIONS, FLOORS
from mtgan.evaluation.domains import DOMAIN_METRICS, Drawing
from mtgan.evaluation.features.judge import Judge
from mtgan.evaluation.measured import measured_card
from mtgan.evaluation.metrics import Metric
from mtgan.evaluation.protocol import Protocol
from mtgan.evaluation.scorecard import Scorecard
from mtgan.evaluation.sets import DomainComparison, DomainContext, DomainSet, SetMetrics
from mtgan.evaluation.strings.base import STRING_METRICS, TRAINING
from mtgan.evaluation.strings.molecules import (
    are_molecules,
    draw_molecules,
    parse_molecules,
    told_molecules,
    valid_molecules,
)

_DRAWN = 24  # molecules


def _judge(comparison: DomainComparison) -> Judge:
    if told_molecules(comparison):
        return Judge("strings", {}, known=("judge: RDKit, which says what is a molecule",))
    known = "judge: counts of characters"
    doubt = "counts of characters cannot tell which strings are well formed"
    return Judge("strings", {}, doubts=(doubt,), known=(known,))


def _applicable(metrics: Sequence[Metric], comparison: DomainComparison) -> Sequence[Metric]:
    """All of molecules, and those of any strings of others."""
    molecules = told_molecules(comparison)
    return [item for item in metrics if molecules or not getattr(item, "molecules", False)]


def _notes(comparison: DomainComparison) -> list[str]:
    """Sentences on strings that are in the reference, hold blanks, or are no molecules."""
    generated, known = comparison.generated.samples, set(comparison.reference.samples)
    notes, count = [], len(generated)
    if same := sum(text in known for text in generated):
        draws = "; these are draws from one set" if same == count else ""
        notes.append(f"{same:,} of {count:,} generated strings are in the reference{draws}.")
    if not told_molecules(comparison):
        return notes
    if blank := sum(len(text.split()) > 1 for text in generated):
        notes.append(
            f"{blank:,} generated strings hold a blank and are judged as a whole, as no molecules; "
            "cut titles off if that is what follows."
        )
    for name, real in (
        ("reference", comparison.reference),
        ("training", comparison.context.training),
    ):
        found = valid_molecules(real, comparison.context)
        if wrong := found.total - len(found.smiles):
            notes.append(
                f"{wrong:,} of {found.total:,} {name} strings are no molecules and are left out."
            )
    return notes


def _metrics() -> tuple[Metric, ...]:
    """All, in one order whatever was imported first: those of any strings, then of molecules."""
    found = [item for _, item in STRING_METRICS.items()]
    return tuple(sorted(found, key=lambda item: (item.molecules, item.name)))


def _drawing(samples: Sequence[str], real: Sequence[str]) -> Drawing | None:
    """The first valid molecules, where the real strings are molecules."""
    if not are_molecules(real):
        return None
    molecules = parse_molecules(samples)
    if not molecules.smiles:
        return None
    caption = f"The first of the {molecules.validity:.0%} of {len(samples)} strings that are valid."
    return Drawing("Molecules", draw_molecules(molecules.first(_DRAWN)), caption)


STRINGS = SetMetrics(
    "strings",
    _metrics,
    FLOORS,
    CORRUPTIONS,
    _judge,
    _applicable,
    _notes,
    registry=STRING_METRICS,
    draws=_drawing,
)
DOMAIN_METRICS.register("strings")(STRINGS)


def evaluate_strings(
    generated: Sequence[str],
    reference: Sequence[str],
    training: Sequence[str] = (),
    *,
    molecules: bool = False,
    device: str = "cpu",
) -> Scorecard:
    """Measure generated strings, all against all, without scores.

    mtgan.evaluation.evaluate(strings, data) also scores them, between what real strings get and
    what marks 0.

    Args:
        generated: The strings to judge, "" among them where a canvas was padding alone.
        reference: Real strings to compare with.
        training: Those trained on, for novelty; without them it is left out.
        molecules: Whether the strings are SMILES, to be measured as MOSES does (extra `chem`).
        device: Where the ChemNet distance computes.

    Returns:
        A card of `empty_share`, `uniqueness`, `novelty`, `ngram_distance/1` to `/4`; for molecules
        also `validity`, `valid_uniqueness` (and `@1000`, `@10000` where there are as many valid
        ones), `valid_novelty`, `internal_diversity/1` and `/2`, `qed_distance`, `logp_distance`,
        `chemnet_distance`. Those of valid molecules are left out where there are fewer than two.

    Raises:
        UserError: No string on a side; a missing extra.
    """
    context = DomainContext(DomainSet(training), device=device, told={"molecules": molecules})
    comparison = DomainComparison(DomainSet(generated), DomainSet(reference), context)
    stamp = Protocol(
        *("plain", len(generated), len(reference), "strings", "all"),
        data=DomainSet(reference).content,
        features=STRINGS.name,
        extractor="",
        preprocess="as they are",
        images="strings",
    )
    chosen = [
        item
        for item in _applicable(_metrics(), comparison)
        if len(training) or item.needs.keys().isdisjoint(TRAINING)
    ]
    return measured_card(stamp, chosen, comparison, after=_notes(comparison))
