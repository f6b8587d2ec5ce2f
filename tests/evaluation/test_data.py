"""How many samples are compared, and what is said of it; sets of other sizes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan.data import Dataset, Taxonomy
from mtgan.errors import UserError
from mtgan.evaluation import Evaluator, evaluate
from mtgan.evaluation.data import EvaluationData
from mtgan.evaluation.features.base import FeatureExtractor, register_features
from mtgan.evaluation.metrics import chosen_metrics
from mtgan.evaluation.protocol import protocol_rule


def images(count: int, side: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 1, side, side), dtype=np.uint8)


def folder(path: Path, count: int, side: int = 8) -> Path:
    path.mkdir()
    for i, image in enumerate(images(count, side)):
        Image.fromarray(image[0]).save(path / f"{i}.png")
    return path


def sides(
    count: int, reference: object, n: int | None = None, protocol: str = "default"
) -> EvaluationData:
    rule = protocol_rule(protocol)
    calibrated = rule.calibrated
    return EvaluationData.choose(
        *(images(count), reference, None, None, rule.split, rule, n, 0), calibrated=calibrated
    )


@pytest.mark.parametrize(
    ("count", "n", "says"),
    [
        (
            150,
            None,
            "80 of 150 samples are compared: all sets are drawn equally large, and there are only "
            "80 held-out real images",
        ),
        (150, 150, "80 of 150 samples are compared: all sets are drawn equally large"),
        (70, 150, "70 of 70 samples are compared: all sets are drawn equally large"),
        (150, 70, "70 of 150 samples are compared: that is the limit of --n"),
        (70, None, None),
    ],
)
def test_what_decides_the_number_is_said(
    count: int, n: int | None, says: str | None, tmp_path: Path
) -> None:
    real = folder(tmp_path / "real", 400)
    found = sides(count, real, n)
    assert found.taken == found.compared == min(80, count, n or 80)
    told = [note for note in found.notes if "are compared" in note]
    assert [note.startswith(says or "") for note in told] == [True] * (says is not None)


def test_plain_compares_all_with_all(tmp_path: Path) -> None:
    """Of a folder also the fifth that is held out elsewhere; published splits stay apart."""
    found = sides(30, folder(tmp_path / "real", 50), protocol="plain")
    assert (found.taken, found.compared, found.held_out) == (30, 50, None)
    card = evaluate(images(30), tmp_path / "real", protocol="plain", features="pixels")
    assert card.overall is None
    assert "no ceiling" not in " ".join(card.notes)
    assert (card.protocol.generated, card.protocol.reference) == (30, 50)


def test_a_size_is_for_both_sides(tmp_path: Path) -> None:
    real, made = folder(tmp_path / "real", 70, 8), folder(tmp_path / "made", 70, 12)
    with pytest.raises(UserError, match=r"1 x 12 x 12 .* give both one size by --size HxW"):
        evaluate(made, real, protocol="plain", features="pixels")
    card = evaluate(made, real, protocol="plain", features="pixels", size="6x6")
    assert card.protocol.images == "uint8 1x6x6"
    of_arrays = evaluate(images(70, 12), real, protocol="plain", features="pixels", size=6)
    value = card.entries["frechet_distance"].value
    assert of_arrays.entries["frechet_distance"].value == pytest.approx(value)


def test_names_of_other_tools() -> None:
    found = [item.name for item in chosen_metrics(["FID", "kid", "is", "prc"])]
    assert found == ["frechet_distance", "inception_score", "kernel_distance", "precision_recall"]


def test_labels_are_asked_of_features_without_logits() -> None:
    """A linear probe says how many are obeyed, where the judge is no classifier of the data."""

    class Brightness(FeatureExtractor):
        name = "brightness"
        dim = 2
        weights = "none"

        def embed(self, batch):
            return batch.float().flatten(1)[:, :2], {}

    register_features("test-brightness")(lambda request: Brightness())
    labels = np.arange(100)[:, None] % 2
    samples = images(100)
    samples[:, 0, 0, 0] = 200 * labels[:, 0] + samples[:, 0, 0, 0] % 50
    taxonomy = Taxonomy(("light",), {"light": ("dark", "bright")}, {})
    data = Dataset(samples, labels, taxonomy, "halves", "all")
    quick = Evaluator(data, n=100, features="test-brightness")
    assert quick(samples, labels)["accuracy/light"] == 1.0
    assert quick(samples, 1 - labels)["accuracy/light"] == 0.0


def marked(count: int, made: int) -> Dataset:
    """Images of which the first were generated."""
    none = np.empty((count, 0), np.int64)
    generated = np.arange(count) < made
    data = Dataset(images(count), none, Taxonomy((), {}, {}), "mixed", "all")
    return replace(data, generated=generated)


def test_samples_and_reference_that_were_swapped_are_noticed() -> None:
    with pytest.raises(UserError, match=r"reference mixed was generated .* seem to be swapped"):
        sides(80, marked(200, 200))


def test_what_is_generated_is_no_reference() -> None:
    found = sides(80, marked(200, 50), protocol="plain")
    assert found.compared == 150
    assert "50 generated images of the reference are left out" in found.notes
