"""Correlations by hand, from lines of a log."""

import pytest

from mtgan.analysis import losses
from mtgan.analysis.losses import distance_correlation
from mtgan.errors import UserError


def log(estimates: list[float], distances: list[float]) -> list[dict]:
    lines: list[dict] = [{"kind": "evaluation", "step": 0, "values": {"frechet_distance": 500.0}}]
    for i, (estimate, distance) in enumerate(zip(estimates, distances, strict=True), start=1):
        values = {"discriminator/distance_estimate": estimate, "log_loss_ratio": 0.1 * i}
        lines.append({"kind": "train", "step": 10 * i, "values": values})
        lines.append(
            {"kind": "evaluation", "step": 10 * i, "values": {"frechet_distance": distance}}
        )
    return lines


def test_an_estimate_that_follows() -> None:
    found = losses(log([9, 7, 4, 3], [90, 80, 30, 25]))
    assert found.correlation == pytest.approx(1)
    assert found.change_correlation == pytest.approx(1)  # changes -2 -3 -1 and -10 -50 -5
    assert found.evaluations == 4
    assert "follows the Frechet distance: rank correlation +1.00 at 4" in found.verdict


def test_a_common_trend_is_not_a_common_change() -> None:
    """Both fall throughout, but one falls fast where the other falls slowly."""
    found = losses(log([10, 9, 7, 4], [100, 70, 50, 40]))
    assert found.correlation == pytest.approx(1)
    assert found.change_correlation == pytest.approx(-1)


def test_too_little_to_say() -> None:
    assert losses(log([9, 7], [90, 80])).correlation is None
    assert losses(log([9, 9, 9], [90, 80, 70])).correlation is None
    assert "Too few evaluations" in losses(log([9], [90])).verdict
    assert distance_correlation([]) is None
    with pytest.raises(UserError, match="no line of training"):
        losses([])


def test_the_picture(tmp_path) -> None:
    found = losses(log([9, 7, 4, 3], [90, 80, 30, 25]))
    assert found.picture(tmp_path / "losses.png").stat().st_size > 5000
    assert dict(found.table().rows)["log_loss_ratio, last quarter"] == pytest.approx(0.4)
