"""The 2015 Inception forward pass against a second construction, written without modules.

The second construction reads the published file's names directly and calls functions only; it
shares no code with the library.
"""

import hashlib

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mtgan.errors import UserError
from mtgan.evaluation.features import inception
from mtgan.evaluation.features.base import FeatureRequest, build_extractor
from mtgan.evaluation.features.inception import Inception2015, resize_like_tensorflow1
from served import CONTENT


def random_weights() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, value in Inception2015().state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        if name.endswith("running_var"):
            state[name] = noise.abs() + 0.5
        elif name.endswith("conv.weight"):
            state[name] = noise * (2 / value[0].numel()) ** 0.5
        elif not name.endswith("num_batches_tracked"):
            state[name] = noise * 0.1 + (1 if name.endswith("bn.weight") else 0)
    return state


def conv(state, name, x, stride=1, pad=(0, 0)):
    p = name + "."
    x = F.conv2d(x, state[p + "conv.weight"], stride=stride, padding=pad)
    mean, var = state[p + "bn.running_mean"], state[p + "bn.running_var"]
    scale = state[p + "bn.weight"] / torch.sqrt(var + 1e-3)
    return F.relu(
        (x - mean[:, None, None]) * scale[:, None, None] + state[p + "bn.bias"][:, None, None]
    )


def average_without_border(x):
    kernel = torch.ones(x.shape[1], 1, 3, 3)
    total = F.conv2d(x, kernel, padding=1, groups=x.shape[1])
    count = F.conv2d(torch.ones_like(x), kernel, padding=1, groups=x.shape[1])
    return total / count


def second_construction(s, x):
    x = conv(s, "Conv2d_1a_3x3", x, stride=2)
    x = conv(s, "Conv2d_2a_3x3", x)
    x = conv(s, "Conv2d_2b_3x3", x, pad=(1, 1))
    x = F.max_pool2d(x, 3, 2)
    x = conv(s, "Conv2d_3b_1x1", x)
    x = conv(s, "Conv2d_4a_3x3", x)
    x = F.max_pool2d(x, 3, 2)
    for m in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        a = conv(s, f"{m}.branch1x1", x)
        b = conv(s, f"{m}.branch5x5_2", conv(s, f"{m}.branch5x5_1", x), pad=(2, 2))
        c = conv(s, f"{m}.branch3x3dbl_2", conv(s, f"{m}.branch3x3dbl_1", x), pad=(1, 1))
        c = conv(s, f"{m}.branch3x3dbl_3", c, pad=(1, 1))
        d = conv(s, f"{m}.branch_pool", average_without_border(x))
        x = torch.cat([a, b, c, d], 1)
    m = "Mixed_6a"
    a = conv(s, f"{m}.branch3x3", x, stride=2)
    b = conv(s, f"{m}.branch3x3dbl_2", conv(s, f"{m}.branch3x3dbl_1", x), pad=(1, 1))
    b = conv(s, f"{m}.branch3x3dbl_3", b, stride=2)
    x = torch.cat([a, b, F.max_pool2d(x, 3, 2)], 1)
    row, col = (0, 3), (3, 0)
    for m in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        a = conv(s, f"{m}.branch1x1", x)
        b = conv(s, f"{m}.branch7x7_2", conv(s, f"{m}.branch7x7_1", x), pad=row)
        b = conv(s, f"{m}.branch7x7_3", b, pad=col)
        c = conv(s, f"{m}.branch7x7dbl_1", x)
        for i, pad in ((2, col), (3, row), (4, col), (5, row)):
            c = conv(s, f"{m}.branch7x7dbl_{i}", c, pad=pad)
        d = conv(s, f"{m}.branch_pool", average_without_border(x))
        x = torch.cat([a, b, c, d], 1)
    m = "Mixed_7a"
    a = conv(s, f"{m}.branch3x3_2", conv(s, f"{m}.branch3x3_1", x), stride=2)
    b = conv(s, f"{m}.branch7x7x3_2", conv(s, f"{m}.branch7x7x3_1", x), pad=row)
    b = conv(s, f"{m}.branch7x7x3_4", conv(s, f"{m}.branch7x7x3_3", b, pad=col), stride=2)
    x = torch.cat([a, b, F.max_pool2d(x, 3, 2)], 1)
    for m in ("Mixed_7b", "Mixed_7c"):
        a = conv(s, f"{m}.branch1x1", x)
        b = conv(s, f"{m}.branch3x3_1", x)
        b1 = conv(s, f"{m}.branch3x3_2a", b, pad=(0, 1))
        b2 = conv(s, f"{m}.branch3x3_2b", b, pad=(1, 0))
        c = conv(s, f"{m}.branch3x3dbl_2", conv(s, f"{m}.branch3x3dbl_1", x), pad=(1, 1))
        c1 = conv(s, f"{m}.branch3x3dbl_3a", c, pad=(0, 1))
        c2 = conv(s, f"{m}.branch3x3dbl_3b", c, pad=(1, 0))
        pooled = F.max_pool2d(x, 3, 1, 1) if m == "Mixed_7c" else average_without_border(x)
        x = torch.cat([a, b1, b2, c1, c2, conv(s, f"{m}.branch_pool", pooled)], 1)
    return F.adaptive_avg_pool2d(x, 1).flatten(1)


def tensorflow1_pixel(image, i, j, side):
    """One output pixel of TF1's resize_bilinear (align_corners=False), in plain Python."""
    height, width = image.shape
    y, x = i * height / side, j * width / side
    y0, x0 = int(y), int(x)
    y1, x1 = min(y0 + 1, height - 1), min(x0 + 1, width - 1)
    top = image[y0, x0] + (image[y0, x1] - image[y0, x0]) * (x - x0)
    bottom = image[y1, x0] + (image[y1, x1] - image[y1, x0]) * (x - x0)
    return top + (bottom - top) * (y - y0)


@pytest.mark.parametrize("size", [(32, 32), (28, 40), (400, 310)])
def test_resize_is_tensorflow_1s(size):
    image = np.random.default_rng(0).integers(0, 256, size).astype(np.float64)
    ours = resize_like_tensorflow1(torch.from_numpy(image)[None, None].float())[0, 0]
    assert ours.shape == (299, 299)
    for i, j in [(0, 0), (298, 298), (1, 17), (150, 151), (298, 0), (37, 290)]:
        assert float(ours[i, j]) == pytest.approx(tensorflow1_pixel(image, i, j, 299), abs=2e-3)


def test_forward_equals_the_second_construction(tmp_path, tiny):
    state = random_weights()
    path = tmp_path / "random.pth"
    torch.save(state, path)
    extractor = build_extractor(FeatureRequest("inception", tiny, weights=path))
    images = torch.randint(0, 256, (2, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        features, logits = extractor.embed(images.to(torch.uint8))
        pixels = (resize_like_tensorflow1(images.float()) - 128) / 128
        expected = second_construction(state, pixels)
    assert features.shape == (2, 2048)
    assert float(expected.abs().max()) > 0.1
    torch.testing.assert_close(features, expected, rtol=1e-3, atol=1e-4)
    unbiased = expected @ state["fc.weight"].T
    torch.testing.assert_close(logits["imagenet-2015"], unbiased, rtol=1e-3, atol=1e-3)


def test_layout_of_the_published_file():
    state = Inception2015().state_dict()
    parameters = sum(v.numel() for k, v in state.items() if k.endswith(("weight", "bias")))
    assert round(parameters / 1e6, 1) == 23.9
    assert state["fc.weight"].shape == (1008, 2048)
    assert state["Mixed_6e.branch7x7dbl_5.bn.running_var"].shape == (192,)
    assert state["Mixed_7c.branch3x3dbl_3b.conv.weight"].shape == (384, 384, 3, 1)


def test_incomplete_weights_are_named(tmp_path, tiny):
    state = random_weights()
    del state["Mixed_6e.branch_pool.conv.weight"]
    path = tmp_path / "broken.pth"
    torch.save(state, path)
    with pytest.raises(UserError, match=r"lacks 1 .*Mixed_6e\.branch_pool\.conv\.weight"):
        build_extractor(FeatureRequest("inception", tiny, weights=path))


def test_a_damaged_file_in_the_cache_is_fetched_anew(tmp_path, monkeypatch, server):
    path = tmp_path / "weights" / inception._FILE
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(inception, "ADDRESS", server.address)
    monkeypatch.setattr(inception, "CHECKSUM", f"sha256:{hashlib.sha256(CONTENT).hexdigest()}")
    path.parent.mkdir()
    path.write_bytes(CONTENT[:100])
    server.content = CONTENT[:-7]
    with pytest.raises(UserError, match="Try again"):
        inception.published_weights()
    assert path.read_bytes() == CONTENT[:100], "what is there stays until there is better"
    server.content = CONTENT
    for _ in range(2):
        assert inception.published_weights() == path
        assert path.read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_missing_weight_file_and_no_network(tmp_path, tiny, monkeypatch, server):
    with pytest.raises(UserError, match=r"the weight file .* does not exist"):
        build_extractor(FeatureRequest("inception", tiny, weights=tmp_path / "none.pth"))
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path))
    monkeypatch.setattr(inception, "ADDRESS", server.address + "missing")
    with pytest.raises(UserError, match=r"cannot be downloaded \(Not Found\): .*--weights"):
        build_extractor(FeatureRequest("inception", tiny))
    assert not list((tmp_path / "weights").glob("*.pth*"))
