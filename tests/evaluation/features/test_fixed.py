"""The two judges that stay as they are."""

import numpy as np
import pytest
import torch

from mtgan.errors import UserError
from mtgan.evaluation.features import FeatureRequest, build_extractor
from mtgan.evaluation.features.fixed import plain_judge, residual_judge, train_judge

CLASSES = {"fine": 10, "coarse": 6, "top": 2}


def test_the_first_judge_is_that_of_6f634aa():
    """Layers and initial weights of that commit's classifier, on 28 x 28 gray images."""
    torch.manual_seed(0)
    network = plain_judge(1, (28, 28), CLASSES)
    shapes = [tuple(p.shape) for p in network.parameters() if p.ndim > 1]
    convolutions = [(48, 4, 3, 3), (64, 48, 3, 3), (128, 64, 3, 3)]
    assert shapes == [*convolutions, (10, 128), (6, 128), (2, 128)]
    strides = [m.stride for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert strides == [(1, 1), (2, 2), (2, 2)]
    features, logits = network.eval()(torch.zeros(3, 1, 28, 28))
    assert features.shape == (3, 128)
    assert {level: tuple(values.shape) for level, values in logits.items()} == {
        level: (3, count) for level, count in CLASSES.items()
    }


@pytest.mark.parametrize("size", [(7, 9), (16, 16), (70, 40)])
def test_images_of_any_size_are_judged(size):
    for architecture in (plain_judge, residual_judge):
        features, _ = architecture(3, size, {"fine": 4}).eval()(torch.zeros(2, 3, *size))
        assert features.shape == (2, 128)


@pytest.mark.parametrize("architecture", [plain_judge, residual_judge])
def test_a_judge_learns_every_level_and_leaves_the_random_state_alone(tiny, architecture):
    labels = tiny.labels.copy()
    labels[::3] = -1
    state = torch.random.get_rng_state()
    classes = {"fine": 4, "coarse": 2}
    network = train_judge(architecture, tiny.samples, labels, classes, steps=25)
    assert torch.equal(state, torch.random.get_rng_state())
    again = train_judge(architecture, tiny.samples, labels, classes, steps=25)
    pairs = zip(network.state_dict().values(), again.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    with torch.no_grad():
        _, logits = network(torch.from_numpy(tiny.samples).float() / 127.5 - 1)
    for column, level in enumerate(classes):
        right = logits[level].argmax(1).numpy() == tiny.labels[:, column]
        assert right.mean() > 0.9


def test_judges_are_found_by_name_and_kept(tiny, unlabeled, tmp_path, monkeypatch):
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    monkeypatch.setattr("mtgan.evaluation.features.fixed.FEWEST_STEPS", 2)
    told: list[str] = []
    spaces = {}
    for name in ("fixed-classifier", "fixed-residual"):
        for _ in range(2):
            request = FeatureRequest(name, tiny, progress=told.append)
            spaces[name] = build_extractor(request)
        assert spaces[name].logit_levels == ("fine", "coarse")
        features, _ = spaces[name].embed(torch.from_numpy(np.asarray(tiny.samples)))
        assert features.shape == (64, 128)
    assert len(told) == 2  # each was trained once
    assert len({space.fingerprint for space in spaces.values()}) == 2
    with pytest.raises(UserError, match="needs labels of at least two classes"):
        build_extractor(FeatureRequest("fixed-residual", unlabeled))
