"""One evaluation through every form of input, and what is kept between evaluations."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from mtgan.errors import UserError
from mtgan.evaluation import evaluate
from mtgan.evaluation.features.classifier import ClassifierFeatures

QUICK = {
    "metrics": "frechet_distance,precision_recall",
    "corruptions": False,
    "resamples": 0,
    "n": 128,
}


@pytest.fixture(scope="module")
def expected(digits, unseen):
    return dict(evaluate(unseen.samples[:128], digits, **QUICK))


def test_folder_npz_and_dataset_give_what_the_array_gives(digits, unseen, expected, tmp_path):
    images = unseen.samples[:128]
    folder = tmp_path / "images"
    folder.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image[0]).save(folder / f"{index:04d}.png")
    (folder / "bad.png").write_bytes(b"no picture")
    assert evaluate(folder, digits, **QUICK).notes[0] == (
        "The samples: Left out 1 file (unreadable): bad.png."
    )
    np.savez(tmp_path / "samples.npz", images=images.transpose(0, 2, 3, 1))
    sources = (str(folder), folder, tmp_path / "samples.npz", unseen.select(np.arange(128)))
    for source in sources:
        assert dict(evaluate(source, digits, **QUICK)) == pytest.approx(expected, rel=1e-9)


def test_another_folder_as_the_reference(digits, unseen, tmp_path):
    folder = tmp_path / "real"
    folder.mkdir()
    for index, image in enumerate(digits.samples[:400]):
        Image.fromarray(image[0]).save(folder / f"{index:04d}.png")
    card = evaluate(unseen.samples, folder, **(QUICK | {"features": "pixels", "n": None}))
    assert card.protocol.generated == card.protocol.reference == 80
    assert card.axes["fidelity"].score > 0.8


def test_features_are_taken_once_per_set(digits, unseen, expected, monkeypatch):
    def refuse(self, images):
        raise AssertionError("features were taken again")

    evaluate(unseen.samples[:128], digits, **QUICK)
    monkeypatch.setattr(ClassifierFeatures, "embed", refuse)
    assert dict(evaluate(unseen.samples[:128].copy(), digits, **QUICK)) == expected
    changed = unseen.samples[:128].copy()
    changed[0, 0, 0, 0] ^= 1
    with pytest.raises(AssertionError, match="taken again"):
        evaluate(changed, digits, **QUICK)


def test_features_that_are_not_finite_are_named(digits, unseen, monkeypatch):
    module = ModuleType("broken_features")

    def embed(images: torch.Tensor) -> torch.Tensor:
        features = images.flatten(1).float()
        features[-1] = torch.nan
        return features

    module.embed = embed
    monkeypatch.setitem(sys.modules, "broken_features", module)
    with pytest.raises(UserError, match=r"samples have features that are not finite"):
        evaluate(unseen.samples, digits, features="broken_features:embed", **QUICK)


def test_weights_that_cannot_be_had_offline(digits, unseen, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("network is unreachable")

    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(UserError, match=r"cannot be downloaded .*--weights"):
        evaluate(unseen.samples, digits, features="inception", **QUICK)
