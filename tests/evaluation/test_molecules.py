"""Measures of molecules against MOSES's own functions and fcd_torch."""

import importlib.util
import sys
import types

import numpy as np
import pytest

from mtgan.errors import UserError

pytest.importorskip("rdkit")

from mtgan.evaluation.metrics.frechet_distance import frechet_distance
from mtgan.evaluation.sequences import evaluate_strings
from mtgan.evaluation.strings.chemnet_distance import chemnet_distance, chemnet_features
from mtgan.evaluation.strings.internal_diversity import internal_diversity
from mtgan.evaluation.strings.molecules import draw_molecules, parse_molecules
from mtgan.evaluation.strings.novelty import novelty
from mtgan.evaluation.strings.property_distance import property_distance
from mtgan.evaluation.strings.uniqueness import uniqueness
from toys import real_strings

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:fcd_torch")
BROKEN = ["C(", "C1CC", "CX", ""]


@pytest.fixture(scope="module")
def smiles():
    pytest.importorskip("selfies")
    return real_strings("nci-smiles,length=20", "all")


@pytest.fixture(scope="module")
def moses():
    """MOSES's metrics, which want modules that newer packages no longer have."""
    found = importlib.util.find_spec("moses")
    if found is None:
        pytest.skip("molsets is not installed")
    pandas = pytest.importorskip("pandas")
    six, package = types.ModuleType("rdkit.six"), types.ModuleType("moses")
    six.iteritems = lambda mapping: iter(mapping.items())
    package.__path__ = found.submodule_search_locations  # without its __init__, and the baselines
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "rdkit.six", six)
        patch.setitem(sys.modules, "moses", package)
        patch.setattr(
            pandas.DataFrame,
            "append",
            lambda own, other, sort=False: pandas.concat([own, other], sort=sort),
            raising=False,
        )
        yield importlib.import_module("moses.metrics.metrics")


def test_valid_is_what_rdkit_parses_and_nothing_is_no_molecule():
    found = parse_molecules(["OCC", *BROKEN, "C(C)O"])
    assert found.validity == 2 / 6
    assert found.smiles == ["CCO", "CCO"]
    with pytest.raises(UserError):
        parse_molecules([])


BAD = ["CC this is junk", "C C", "CCO ((((", "CCl₂", "N 1 2 3", "CC\tx", "CC |$;a$|", "C\x00C"]


def test_the_whole_string_is_the_molecule():
    """RDKit takes text after a blank for a name, and stops at letters that are no ASCII."""
    for text in [*BAD, " ", "c1cccc1", "C%10", "CO#C", "Xx", "CC\u200b", "CC\u00a0O", "\u0421C"]:
        assert parse_molecules([text]).validity == 0, text
    for text in ("CCO", "[Na+].[Cl-]", "N[C@@H](C)C(=O)O", "CCO\n", " CCO", "[U]", "*", "C->O"):
        assert parse_molecules([text]).validity == 1, text


def test_the_card_says_what_it_is_not_of(monkeypatch):
    computed = {
        "chemnet_distance.chemnet_features": lambda found, device: np.ones((len(found.smiles), 2)),
        "property_distance.property_of": lambda found, name: [1.5] * len(found.smiles),
    }
    for name, compute in computed.items():
        monkeypatch.setattr(f"mtgan.evaluation.strings.{name}", compute)
    real = ["CCO", "CCN", "C(", "C=O"]
    card = evaluate_strings([*BAD, "CCO", "CCC"], real, ["CC", "no molecule"], molecules=True)
    assert card["validity"] == 0.2
    for note in (
        "1 of 10 generated strings are in the reference.",
        "6 generated strings hold a blank and are judged as a whole, as no molecules; cut titles "
        "off if that is what follows.",
        "1 of 4 reference strings are no molecules and are left out.",
        "1 of 2 training strings are no molecules and are left out.",
    ):
        assert note in card.notes


@pytest.mark.parametrize(
    "odd",
    ["[H][H]", "[2H]C", "[He]", "[Fe+2]", "C" * 400, "[Pt](Cl)(Cl)(N)N", "[CH5]", "[Og]", "[H+]"],
)
def test_odd_molecules_break_no_measure(odd):
    """Salts, metals, atoms without bonds, long chains; the ChemNet distance is tried below."""
    found, real = parse_molecules([odd, "CCO", "CCN"]), parse_molecules(["CCC", "C=O"])
    values = [internal_diversity(found, 1), internal_diversity(found, 2)]
    values += [property_distance(found, real, name) for name in ("qed", "logp")]
    assert np.isfinite(values).all()


def test_diversity_by_hand():
    assert internal_diversity(parse_molecules(["CCO"] * 5)) == pytest.approx(0)
    from rdkit import DataStructs
    from rdkit.Chem import AllChem, MolFromSmiles

    smiles = ["CCO", "CCN", "c1ccccc1"]
    prints = [AllChem.GetMorganFingerprintAsBitVect(MolFromSmiles(s), 2, 1024) for s in smiles]
    table = np.array([DataStructs.BulkTanimotoSimilarity(p, prints) for p in prints])
    found = parse_molecules(smiles)
    assert internal_diversity(found) == pytest.approx(1 - table.mean(), abs=1e-12)
    root = np.sqrt((table**2).mean(1)).mean()
    assert internal_diversity(found, 2) == pytest.approx(1 - root, abs=1e-12)


def test_moses_finds_the_same(smiles, moses):
    generated = smiles[:120] + smiles[:30] + BROKEN
    found = parse_molecules(generated)
    assert found.validity == moses.fraction_valid(generated)
    assert uniqueness(found.smiles, 100) == moses.fraction_unique(found.smiles, 100)
    training = parse_molecules(smiles[60:200]).smiles
    assert novelty(found.smiles, training) == pytest.approx(
        moses.novelty(found.smiles, training), abs=1e-12
    )
    for p in (1, 2):
        assert internal_diversity(found, p) == pytest.approx(
            moses.internal_diversity(found.smiles, p=p), abs=1e-6
        )


@pytest.mark.parametrize("name", ["qed", "logp"])
def test_distances_of_properties(name, smiles):
    few, others = parse_molecules(smiles[:20]), parse_molecules(smiles[20:60])
    assert property_distance(few, few, name) == 0
    assert property_distance(few, others, name) > 0
    assert property_distance(few, others, name) == property_distance(others, few, name)
    with pytest.raises(UserError, match="qed or logp"):
        property_distance(few, few, "weight")


def test_the_chemnet_distance_is_fcd_torchs(smiles):
    pytest.importorskip("fcd_torch")
    from fcd_torch.utils import calculate_frechet_distance

    first, second = parse_molecules(smiles[:8]), parse_molecules(smiles[40:48])
    sides = [chemnet_features(first), chemnet_features(second)]
    assert sides[0].shape == (8, 512)
    assert chemnet_distance(first, second) == frechet_distance(*sides) > 0
    # Its matrix root takes half a minute for all 512.
    few = [side[:, :24] for side in sides]
    moments = [moment for x in few for moment in (x.mean(0), np.cov(x.T))]
    assert frechet_distance(*few) == pytest.approx(calculate_frechet_distance(*moments), rel=1e-3)
    with pytest.raises(UserError, match="two valid molecules"):
        chemnet_distance(first, parse_molecules(["C"]))


def test_the_card_of_molecules(smiles):
    pytest.importorskip("fcd_torch")
    card = evaluate_strings([*smiles[:8], *BROKEN], smiles[20:26], smiles[:4], molecules=True)
    assert card["validity"] == 8 / 12
    assert card["valid_novelty"] == pytest.approx(0.5, abs=0.13)
    assert {"qed_distance", "logp_distance", "chemnet_distance"} <= set(card)
    broken = evaluate_strings(BROKEN, smiles[:5], molecules=True)
    assert broken["validity"] == 0
    assert "fewer than two generated strings are valid molecules" in broken.notes[0]


def test_chemnet_reads_odd_molecules():
    pytest.importorskip("fcd_torch")
    odd = parse_molecules(["[H][H]", "[Og]", "*", "C" * 400, "[Na+].[Cl-]", "[2H]C"])
    assert np.isfinite(chemnet_features(odd)).all()


def test_a_picture_of_molecules(smiles):
    picture = draw_molecules(parse_molecules(smiles[:5]), columns=3, side=60)
    assert picture.size == (180, 120)
