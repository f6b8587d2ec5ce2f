"""Measures of molecules against MOSES's own functions and fcd_torch."""

import importlib.util
import sys
import types

import numpy as np
import pytest

from mtgan.errors import UserError

pytest.importorskip("rdkit")

from mtgan.data.domains import real_strings
from mtgan.evaluation.metrics.frechet import frechet_distance
from mtgan.evaluation.metrics.molecules import (
    chemnet_distance,
    chemnet_features,
    draw_molecules,
    internal_diversity,
    parse_molecules,
    property_distance,
)
from mtgan.evaluation.metrics.ngrams import novelty, uniqueness
from mtgan.evaluation.sequences import evaluate_strings

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
    assert "Fewer than two" in broken.notes[0]


def test_a_picture_of_molecules(smiles):
    picture = draw_molecules(parse_molecules(smiles[:5]), columns=3, side=60)
    assert picture.size == (180, 120)
