"""The same latents over the checkpoints of a run."""

import numpy as np

from mtgan.analysis import evolution
from mtgan.analysis.evolution import log_spread
from mtgan.training import Run


def test_every_checkpoint_and_the_nearest_of_the_last(run: Run, tmp_path) -> None:
    found = evolution(run, count=3)
    assert found.steps == run.steps == [0, 2, 4, 6]
    assert found.samples.shape == (4, 3, 1, 8, 8)
    assert found.changes[0] is None
    change = found.samples[3].astype(float) - found.samples[2]
    assert np.isclose(found.changes[-1], np.sqrt((change**2).mean()))
    assert len(found.distances) == 4
    train = run.load_data().samples.astype(float)
    gaps = np.square(train - found.samples[-1][0]).sum(axis=(1, 2, 3))
    assert np.array_equal(found.nearest[0], run.load_data().samples[gaps.argmin()])
    assert found.picture(tmp_path / "evolution.png").stat().st_size > 2000
    assert "samples" not in found.to_dict()


def test_the_picture_has_checkpoints_at_equal_ratios() -> None:
    every = list(range(0, 200_001, 1_000))
    chosen = [every[i] for i in log_spread(every, 6)]
    # 200,000 ^ (i / 5): 11.5, 132, 1,516, 17,411; the nearest that is not taken yet.
    assert chosen == [0, 1_000, 2_000, 3_000, 17_000, 200_000]
    assert log_spread([200, 356, 632], 14) == [0, 1, 2]
    assert log_spread([1, 10, 100, 1_000, 10_000], 3) == [0, 2, 4]
