"""Judging strings: n-gram distances, uniqueness, novelty; of molecules also what MOSES measures.

What marks 0 is made of the real strings: 32 of them over and over (distribution, diversity), their
characters shuffled (fidelity), training strings (authenticity). Random letters mark nothing: beside
them whatever has the right letters looks good.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from mtgan.data.domains.tokens import parse_smiles
from mtgan.errors import UserError, import_extra
from mtgan.evaluation.calibration.corruptions import Corruption
from mtgan.evaluation.domains import DOMAIN_METRICS
from mtgan.evaluation.features.judge import Judge
from mtgan.evaluation.measured import measured_card
from mtgan.evaluation.metrics import Metric, Outcome, Output
from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.evaluation.metrics.molecules import (
    ASKED_BY,
    Molecules,
    chemnet_features,
    diversity_of,
    fingerprints,
    parse_molecules,
    property_of,
)
from mtgan.evaluation.metrics.ngrams import empty_share, ngram_distance, novelty, uniqueness
from mtgan.evaluation.protocol import Protocol
from mtgan.evaluation.scorecard import Scorecard
from mtgan.evaluation.sets import (
    DomainComparison,
    DomainContext,
    DomainRealData,
    DomainSet,
    SetMetrics,
)

_NGRAMS = (1, 2, 3, 4)
_FIRST = (1_000, 10_000)  # valid molecules of unique@k, as in MOSES
_FEW = 32  # real strings that are repeated, as many as of images
_MOLECULES_OF = 100  # real strings that say whether all are molecules


# Of any strings


def _ngrams(comparison: DomainComparison) -> Outcome:
    """Jensen-Shannon distance of character n-grams, n = 1 to 4."""
    mine, real = comparison.generated.samples, comparison.reference.samples
    return Outcome({f"ngram_distance/{n}": ngram_distance(mine, real, n) for n in _NGRAMS})


def _of_strings(name: str, compute: Callable[[DomainComparison], float]) -> Any:
    return lambda comparison: Outcome({name: compute(comparison)})


def _without_training(comparison: DomainComparison) -> str:
    return "" if len(comparison.context.training) else "there are no training strings"


# Of molecules


def are_molecules(strings: Sequence[str]) -> bool:
    """Whether real strings are SMILES; False where RDKit is not installed to tell."""
    try:
        return bool(len(strings)) and parse_molecules(strings[:_MOLECULES_OF]).validity > 0.9
    except UserError:
        return False


def _told_molecules(comparison: DomainComparison) -> bool:
    """Whether the strings are molecules: what the user says of them, else what RDKit does."""
    context, real = comparison.context, comparison.reference.samples
    told = context.told.get("molecules")
    return told if told is not None else context.once("are molecules", lambda: are_molecules(real))


def _molecules(strings: DomainSet, context: DomainContext) -> Molecules:
    """The valid ones of a set."""

    def parse(texts: list[str]) -> list[Any]:
        chem = import_extra("rdkit.Chem", "chem", ASKED_BY)
        found = parse_smiles(texts, ASKED_BY)
        return [None if each is None else (chem.MolToSmiles(each), each) for each in found]

    found = [each for each in context.of_each("molecule", strings.samples, parse) if each]
    return Molecules(len(strings), [smiles for smiles, _ in found], [each for _, each in found])


def _of_each(
    key: str, found: Molecules, context: DomainContext, compute: Callable[[Molecules], Any]
) -> np.ndarray:
    """A value or a row for each molecule, computed once for each SMILES string."""
    objects = dict(zip(found.smiles, found.molecules, strict=True))

    def of_new(smiles: list[str]) -> Any:
        return compute(Molecules(len(smiles), smiles, [objects[each] for each in smiles]))

    return np.asarray(context.of_each(key, found.smiles, of_new))


def _few_valid(comparison: DomainComparison) -> str:
    valid = len(_molecules(comparison.generated, comparison.context).smiles)
    return "" if valid > 1 else "fewer than two generated strings are valid molecules"


def _without_chemnet(comparison: DomainComparison) -> str:
    found = importlib.util.find_spec("fcd_torch") is not None
    return "" if found else "it needs pip install 'mtgan[chem]'"


def _sides(comparison: DomainComparison) -> tuple[Molecules, Molecules]:
    context = comparison.context
    return _molecules(comparison.generated, context), _molecules(comparison.reference, context)


def _valid_uniqueness(comparison: DomainComparison) -> Outcome:
    """Share of distinct ones among the valid molecules, and among the first 1,000 and 10,000."""
    found, _ = _sides(comparison)
    first = {k: uniqueness(found.smiles, k) for k in _FIRST if k <= len(found.smiles)}
    values = {f"valid_uniqueness@{k}": value for k, value in first.items()}
    return Outcome({"valid_uniqueness": uniqueness(found.smiles), **values})


def _valid_novelty(comparison: DomainComparison) -> float:
    known = _molecules(comparison.context.training, comparison.context)
    return novelty(_sides(comparison)[0].smiles, known.smiles)


def _diversity(comparison: DomainComparison) -> Outcome:
    """1 less the mean Tanimoto similarity of Morgan fingerprints over all pairs."""
    bits = _of_each("bits", _sides(comparison)[0], comparison.context, fingerprints)
    return Outcome({f"internal_diversity/{p}": diversity_of(bits, p) for p in (1, 2)})


def _property_distance(name: str, comparison: DomainComparison) -> float:
    from scipy.stats import wasserstein_distance

    sides = (
        _of_each(name, side, comparison.context, partial(property_of, name=name))
        for side in _sides(comparison)
    )
    return float(wasserstein_distance(*sides))


def _chemnet(comparison: DomainComparison) -> float:
    context = comparison.context
    features = partial(chemnet_features, device=context.device)
    both = (_of_each("chemnet", side, context, features) for side in _sides(comparison))
    return float(frechet_distance(*both))


_VALID = {"two valid molecules": _few_valid}
_TRAINING = {"training strings": _without_training}
_MOSES = "Polykovskiy et al. 2020 (MOSES)"
_UNIT = (0.0, 1.0)


def _metric(
    name: str,
    better: str,
    compute: Callable[[DomainComparison], float],
    needs: Mapping[str, Callable[[Any], str]] | None = None,
    source: str = "",
    **output: Any,
) -> Metric:
    made = Output(name, better, **output)
    return Metric(name, (made,), _of_strings(name, compute), needs=dict(needs or {}), source=source)


_OF_ANY = (
    _metric("empty_share", "lower", lambda c: empty_share(c.generated.samples), range=_UNIT),
    Metric(
        "ngram_distance",
        (Output("ngram_distance", "lower", "distribution", range=_UNIT),),
        _ngrams,
        source="Gulrajani et al. 2017, section 5.5",
    ),
    _metric(
        "uniqueness",
        "higher",
        lambda c: uniqueness(c.generated.samples),
        axis="diversity",
        range=_UNIT,
    ),
    _metric(
        "novelty",
        "higher",
        lambda c: novelty(c.generated.samples, c.context.training.samples),
        _TRAINING,
        axis="authenticity",
        range=_UNIT,
    ),
)
_OF_MOLECULES = (
    _metric(
        "validity",
        "higher",
        lambda c: _sides(c)[0].validity,
        source=_MOSES,
        axis="fidelity",
        range=_UNIT,
    ),
    Metric(
        "valid_uniqueness",
        (
            Output("valid_uniqueness", "higher", "diversity", range=_UNIT),
            *(Output(f"valid_uniqueness@{k}", "higher", range=_UNIT) for k in _FIRST),
        ),
        _valid_uniqueness,
        needs=_VALID,
        source=_MOSES,
    ),
    _metric(
        "valid_novelty",
        "higher",
        _valid_novelty,
        _VALID | _TRAINING,
        _MOSES,
        axis="authenticity",
        range=_UNIT,
    ),
    # 32 molecules over and over have 0.87 where real ones have 0.91: no axis can be built on it.
    Metric(
        "internal_diversity",
        (Output("internal_diversity", "higher", range=_UNIT),),
        _diversity,
        needs=_VALID,
        source="Benhenda 2017",
    ),
    _metric("qed_distance", "lower", partial(_property_distance, "qed"), _VALID, _MOSES),
    _metric("logp_distance", "lower", partial(_property_distance, "logp"), _VALID, _MOSES),
    _metric(
        "chemnet_distance",
        "lower",
        _chemnet,
        _VALID | {"`mtgan[chem]`": _without_chemnet},
        "Preuer et al. 2018",
        axis="distribution",
        scale="distance",
    ),
)


# What marks 0, and what is read aloud


def _repeated(real: DomainRealData, distinct: int) -> DomainSet:
    """So many held-out strings again and again."""
    return real.held_out.take(np.arange(len(real.held_out)) % distinct)


def _with_copies(real: DomainRealData, share: float) -> DomainSet:
    """Held-out strings, a share of them replaced by training strings."""
    count = round(share * len(real.held_out))
    random, training = real.random(3), real.context.training
    copies = training.take(random.integers(len(training), size=count))
    return copies.joined(real.held_out.take(random.permutation(len(real.held_out))[count:]))


def _shuffled(real: DomainRealData, share: float) -> DomainSet:
    """Held-out strings, a share of whose characters changed places within each."""
    random = real.random(5)

    def shuffle(text: str) -> str:
        letters = np.array(list(text), dtype=object)
        places = np.flatnonzero(random.random(len(letters)) < share)
        letters[places] = letters[random.permutation(places)]
        return "".join(letters)

    return DomainSet([shuffle(text) for text in real.held_out.samples])


_CORRUPTIONS = (
    Corruption(
        "shuffled characters",
        _shuffled,
        lambda real, share: f"{share:.0%} of the characters shuffled",
        levels=(0.05, 0.1, 0.25, 0.5),
        reads=("distribution", "fidelity"),
    ),
    Corruption(
        "repeats",
        lambda real, share: _repeated(real, max(1, round((1 - share) * len(real.held_out)))),
        lambda real, share: f"every string {1 / (1 - share):.0f} times",
        levels=(0.5, 0.75, 0.9),
        reads=("diversity",),
    ),
    Corruption(
        "copies",
        _with_copies,
        lambda real, share: f"{share:.0%} copies of training strings",
        levels=(0.1, 0.25, 0.5, 0.75),
        reads=("authenticity",),
    ),
)
_FLOORS: dict[str, Sequence[Callable[[Any], DomainSet]]] = {
    "distribution": (lambda real: _repeated(real, _FEW),),
    "fidelity": (lambda real: _shuffled(real, 1.0),),
    "diversity": (lambda real: _repeated(real, _FEW),),
    "authenticity": (lambda real: _with_copies(real, 1.0),),
}


def _judge(comparison: DomainComparison) -> Judge:
    if _told_molecules(comparison):
        return Judge("strings", {}, known=("judge: RDKit, which says what is a molecule",))
    known = "judge: counts of characters"
    doubt = "counts of characters cannot tell which strings are well formed"
    return Judge("strings", {}, doubts=(doubt,), known=(known,))


def _applicable(metrics: Sequence[Metric], comparison: DomainComparison) -> Sequence[Metric]:
    """All of molecules, and those of any strings of others."""
    molecules = _told_molecules(comparison)
    return [item for item in metrics if molecules or item not in _OF_MOLECULES]


def _notes(comparison: DomainComparison) -> list[str]:
    """Sentences on strings that are in the reference, hold blanks, or are no molecules."""
    generated, known = comparison.generated.samples, set(comparison.reference.samples)
    notes, count = [], len(generated)
    if same := sum(text in known for text in generated):
        draws = "; these are draws from one set" if same == count else ""
        notes.append(f"{same:,} of {count:,} generated strings are in the reference{draws}.")
    if not _told_molecules(comparison):
        return notes
    if blank := sum(len(text.split()) > 1 for text in generated):
        notes.append(
            f"{blank:,} generated strings hold a blank and are judged as a whole, as no molecules; "
            "cut titles off if that is what follows."
        )
    for side in ("reference", "training"):
        real = {"reference": comparison.reference, "training": comparison.context.training}[side]
        found = _molecules(real, comparison.context)
        if wrong := found.total - len(found.smiles):
            notes.append(
                f"{wrong:,} of {found.total:,} {side} strings are no molecules and are left out."
            )
    return notes


STRINGS = SetMetrics(
    "strings",
    (*_OF_ANY, *_OF_MOLECULES),
    _FLOORS,
    _CORRUPTIONS,
    _judge,
    _applicable,
    _notes,
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
        for item in _applicable(STRINGS.metrics, comparison)
        if len(training) or item.needs.keys().isdisjoint(_TRAINING)
    ]
    return measured_card(stamp, chosen, comparison, after=_notes(comparison))
