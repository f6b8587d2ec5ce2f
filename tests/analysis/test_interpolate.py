"""Known truths: a planted jump is found, smooth paths have none, planted dimensions are ranked."""

import numpy as np
import pytest
import torch
from torch import Tensor

from mtgan.analysis.directions import first_weight, sefa
from mtgan.analysis.interpolate import Interpolation, Options, interpolate, of_run
from mtgan.analysis.paths import slerp, walk
from mtgan.errors import UserError
from mtgan.nets.between import between_labels
from mtgan.training import Run
from mtgan.training.batches import columns
from mtgan.training.generation import generate

Z = 6
LATENTS = torch.randn(24, Z, generator=torch.Generator().manual_seed(0))
ROWS = torch.zeros(24, 1, dtype=torch.int64)
WEIGHT = torch.randn(64, Z, generator=torch.Generator().manual_seed(1))


def smooth(z: Tensor, rows: Tensor) -> np.ndarray:
    pixels = torch.sigmoid(z @ WEIGHT.T / 3) * 255
    return pixels.round().to(torch.uint8).view(-1, 1, 8, 8).numpy()


def jumping(z: Tensor, rows: Tensor) -> np.ndarray:
    """As smooth as the other, but inverted where the first latent dimension is above 0.3."""
    images = smooth(z, rows)
    above = (z[:, 0] > 0.3).numpy()
    return np.where(above[:, None, None, None], 255 - images, images)


def replaying(z: Tensor, rows: Tensor) -> np.ndarray:
    """One of 16 stored images, by the signs of four dimensions: a memorizing generator."""
    stored = np.random.default_rng(0).integers(0, 256, (16, 1, 8, 8)).astype(np.uint8)
    return stored[((z[:, :4] > 0).long() @ torch.tensor([1, 2, 4, 8])).numpy()]


def flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32)


def test_a_smooth_generator_has_no_jump() -> None:
    paths = walk(smooth, LATENTS, ROWS, flat)
    assert paths.jumps == []
    assert paths.kept.max() < 0.25  # bytes cannot flatten out altogether
    assert 0.1 < paths.most_jumping < 0.13  # 1 - 0.05 ** (1 / 24)


def test_a_planted_jump_is_found_on_the_paths_that_cross_it() -> None:
    paths = walk(jumping, LATENTS, ROWS, flat)
    side = LATENTS[:, 0] > 0.3
    crossing = np.flatnonzero((side != side.roll(-1)).numpy())
    assert set(crossing) <= set(paths.jumps)
    assert 0 < len(paths.jumps) < 24
    assert paths.kept[crossing].min() > 0.7
    quiet = np.setdiff1d(np.arange(24), paths.jumps)
    assert paths.kept[quiet].max() < 0.25


def test_a_replaying_generator_jumps_everywhere() -> None:
    found = interpolate(replaying, LATENTS, ROWS, flat)
    assert len(found.paths.jumps) >= 20
    assert "paths jump" in found.verdict
    assert found.effects[4] == found.effects[5] == 0
    assert set(found.ranking[:4]) == {0, 1, 2, 3}


def test_dimensions_are_ranked_by_effect() -> None:
    scales = torch.tensor([0.1, 3.0, 0.1, 1.0, 0.1, 0.0])
    found = interpolate(lambda z, y: smooth(z * scales, y), LATENTS, ROWS, flat)
    assert found.ranking[:2] == [1, 3]
    assert found.ranking[-1] == 5
    assert found.effects[5] == 0
    assert "dimension 1 has most effect; 4 of 6" in found.verdict


def test_path_length_is_that_of_a_straight_line() -> None:
    """Along a line of total feature distance d, every step is d / S: the length is d squared."""

    def ramp(images: np.ndarray) -> np.ndarray:
        return images[:, 0, 0, :1].astype(float)

    angle = torch.arange(4) * torch.pi / 2
    circle = torch.stack([angle.cos(), angle.sin()], dim=1)

    def degrees(z: Tensor, rows: Tensor) -> np.ndarray:
        turned = torch.atan2(z[:, 1].abs(), z[:, 0].abs()) / (torch.pi / 2)
        return (turned * 192).round().to(torch.uint8).view(-1, 1, 1, 1).numpy()

    paths = walk(degrees, circle, torch.zeros(4, 1), ramp)
    assert paths.perceptual_path_length == pytest.approx(192.0**2)


def test_sefa_finds_planted_directions() -> None:
    basis, _ = torch.linalg.qr(torch.randn(Z, Z, generator=torch.Generator().manual_seed(2)))
    values = torch.tensor([5.0, 3.0, 1.0, 0.5, 0.2, 0.1])
    left, _ = torch.linalg.qr(torch.randn(20, Z, generator=torch.Generator().manual_seed(3)))
    shares, directions = sefa(left @ torch.diag(values) @ basis.T)
    assert shares == pytest.approx((values**2 / (values**2).sum()).numpy(), abs=1e-6)
    assert (directions[0] @ basis[:, 0]).abs() == pytest.approx(1, abs=1e-5)
    assert (directions[5] @ basis[:, 5]).abs() == pytest.approx(1, abs=1e-5)


def test_slerp_keeps_the_norm_and_meets_the_ends() -> None:
    a, b = LATENTS[0] / LATENTS[0].norm(), LATENTS[1] / LATENTS[1].norm()
    points = slerp(a, b, torch.linspace(0, 1, 5))
    assert torch.allclose(points.norm(dim=1), torch.ones(5), atol=1e-6)
    assert torch.allclose(points[[0, -1]], torch.stack([a, b]), atol=1e-6)
    assert torch.allclose(slerp(a, 2 * a, torch.tensor([0.5])), 1.5 * a[None])


def test_between_classes_the_ends_are_the_classes(run: Run) -> None:
    game, generator = run.game(), next(iter(run.game().average.values()))
    z, (a, b) = LATENTS[:1], (run.dataset_info.label_rows[:1], run.dataset_info.label_rows[5:6])
    rows = torch.from_numpy(np.concatenate([a, b]))
    plain = generate(game, z.repeat(2, 1), rows)
    for t, wanted in ((0.0, plain[0]), (1.0, plain[1])):
        other = columns(rows[1:], game.dataset_info.taxonomy.levels)
        with between_labels(generator, other, torch.tensor([t])):
            assert np.array_equal(generate(game, z, rows[:1])[0], wanted)
    assert not np.array_equal(plain[0], plain[1])
    assert np.array_equal(generate(game, z.repeat(2, 1), rows), plain)  # the hooks are gone


def test_a_run_is_asked_by_itself(run: Run, tmp_path) -> None:
    found = of_run(run, Options(n=5))
    assert isinstance(found, Interpolation)
    assert found.effects.shape == (6,)
    assert any(" to " in name for name in found.names)
    assert len(found.strips) == 11 * len(found.names)
    assert found.picture(tmp_path / "x.png").stat().st_size > 5000
    weight = first_weight(next(iter(run.game().average.values())), 6)
    assert weight is not None
    assert weight.shape[1] == 6
    with pytest.raises(UserError, match="at least 4 latents"):
        interpolate(smooth, LATENTS[:3], ROWS[:3], flat)
