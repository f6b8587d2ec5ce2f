"""A researcher with a loss, a backbone and a metric of her own: every verb knows them, each in a
process that she did not start."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MINE = '''
from mtgan.evaluation.metrics import Outcome, Output, register_metric
from mtgan.nets import BACKBONES


@register_metric("mean_brightness_gap", Output("mean_brightness_gap", "lower"))
def mean_brightness_gap(comparison):
    """Distance of the means of all features."""
    gap = comparison.generated.features.mean() - comparison.reference.features.mean()
    return Outcome({"mean_brightness_gap": abs(float(gap))})


class Mine(type(BACKBONES.get("conv")())):
    """The known one under a name of hers."""
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("researcher")
    (folder / "my_parts.py").write_text(MINE)
    return folder


def mtgan(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mtgan", *words],
        cwd=place,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_own_parts_in_processes_of_their_own(place: Path) -> None:
    small = ["generator.backbone=my_parts:Mine", "generator.width=8", "discriminator.width=8"]
    small += ["training.batch_size=8", "training.evaluate_every=0", "data.size=16"]
    sets = [word for text in small for word in ("--set", text)]
    done = mtgan(
        *(place, "train", "dcgan", "--data", "digits", "--steps", "2", *sets),
        *("--plugins", "my_parts", "--out", "run", "--quiet"),
    )
    assert done.returncode == 0, done.stderr
    # A run that was opened may be anybody's: its plugins are imported where the user names them.
    refused = mtgan(place, "sample", "run", "--n", "2", "--out", "a.npz")
    assert refused.returncode == 2
    assert "my_parts" in refused.stderr
    assert "--trust" in refused.stderr
    named = mtgan(place, "sample", "run", "--n", "80", "--out", "a.npz", "--plugins", "my_parts")
    assert named.returncode == 0, named.stderr
    judged = mtgan(
        *(place, "evaluate", "a.npz", "--data", "digits", "--size", "16", "--features", "pixels"),
        *("--metrics", "mean_brightness_gap", "--protocol", "plain", "--plugins", "my_parts"),
        *("--json", "-"),
    )
    assert judged.returncode == 0, judged.stderr
    assert list(json.loads(judged.stdout)["entries"]) == ["mean_brightness_gap"]
