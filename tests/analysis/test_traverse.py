"""Rows along a latent dimension, and between labels: planted effects and a planted jump."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mtgan.analysis import Options
from mtgan.analysis.base import ANALYSES
from mtgan.analysis.directions import blender
from mtgan.analysis.interpolate import of_run
from mtgan.analysis.traverse import Traversals, traverse, traverse_run
from mtgan.errors import UserError
from mtgan.training import Run
from mtgan.training.generation import generate


def flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(float)


def ramps(t: Tensor, which: Tensor) -> np.ndarray:
    """Row 0 goes from 0 to 200, row 1 from 0 to 40 in the same pixel; row 2 jumps by 160."""
    heights = torch.tensor([200.0, 40.0, 160.0])[which]
    values = torch.where(which == 2, (t > 0.61) * heights, t * heights)
    return values.round().to(torch.uint8).view(-1, 1, 1, 1).numpy()


def test_ends_lengths_and_a_jump() -> None:
    places = [float(i) for i in range(11)]
    found = traverse(ramps, "dimension 4", ["far", "near", "jump"], places, flat, typical=100.0)
    assert found.apart == pytest.approx([2.0, 0.4, 1.6])
    assert found.paths.lengths == pytest.approx([2.0, 0.4, 1.6])
    assert found.paths.jumps == [2]
    assert "Along dimension 4, 'far' changes most, by 2.00" in found.verdict
    assert "'near' least, by 0.40" in found.verdict
    assert "1 of 3 rows jump" in found.verdict
    assert [row[-1] for row in found.table().rows] == ["", "", "yes"]
    assert found.strips[:11, 0, 0, 0].tolist() == [20 * i for i in range(11)]
    assert found.to_dict()["along"] == "dimension 4"
    assert "strips" not in found.to_dict()


def test_a_dimension_in_rows_for_classes(run: Run, tmp_path) -> None:
    found = traverse_run(run, Options(dimension=2, label=("3", "7"), n=2, features="pixels"))
    assert (found.along, found.names) == ("dimension 2", ["3", "7", "3", "7"])
    assert found.places == [-2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert found.strips.shape == (44, *run.dataset_info.shape)
    assert found.picture(tmp_path / "x.png").stat().st_size > 2000
    every = traverse_run(run, Options(dimension=0, features="pixels"))
    level = run.dataset_info.taxonomy.levels[0]
    assert every.names == list(run.dataset_info.taxonomy.classes[level][:10])


def test_between_labels_the_ends_are_the_labels(run: Run) -> None:
    found = of_run(run, Options(label=("fine=3", "7", "1"), features="pixels"))
    assert isinstance(found, Traversals)
    assert (found.along, found.names) == ("labels", ["3 to 7", "7 to 1"])
    # The end of a row is where the next one begins: the same latent under the same label.
    assert np.array_equal(found.strips[10], found.strips[11])
    assert not np.array_equal(found.strips[0], found.strips[10])


def test_many_samples_between_labels_are_as_each_alone(run: Run) -> None:
    """Whatever the batches, a sample lies between its own two labels."""
    game = run.game()
    levels = game.dataset_info.taxonomy.levels
    blend = blender(lambda z, y: generate(game, z, y), next(iter(game.average.values())), levels)
    random = torch.Generator().manual_seed(0)
    z = torch.randn(260, run.recipe.latent.dim, generator=random)
    a, b = game.requests.draw(260, random), game.requests.draw(260, random)
    t = torch.rand(260, generator=random)
    together = blend(z, a, b, t)
    for i in (0, 249, 250, 259):
        one = blend(z[[i]], a[[i]], b[[i]], t[[i]])
        assert np.abs(together[i].astype(int) - one[0]).max() <= 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (Options(label=("3",)), "to which label"),
        (Options(dimension=6), "--dimension should be a whole number from 0 to 5"),
        (Options(dimension=1, label=("fine=x",)), "no class 'x'"),
        (Options(dimension=1, label=("shape=3",)), "shape"),
    ],
)
def test_what_cannot_be_asked(run: Run, options: Options, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        traverse_run(run, options)


def test_other_analyses_take_neither() -> None:
    with pytest.raises(UserError, match="takes no --label and no --dimension"):
        ANALYSES.get("losses").check("losses", Options(label=("a",), dimension=0))
