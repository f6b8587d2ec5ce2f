"""What the page of a run, and the lines after its training, say to do next works as it stands."""

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtgan.reports import write_report
from mtgan.training import Run
from printed import is_excepted, of_page, run, shortened

SMALL = [
    *("--scale", "tiny", "--steps", "2", "--set", "training.evaluate_every=0"),
    *("--set", "generator.width=8", "--set", "discriminator.width=8"),
]


def images(folder: Path, levels: int, count: int = 100) -> None:
    """pictures.npz: 12 x 20 images of four classes, with the labels of so many levels."""
    random = np.random.default_rng(0)
    labels = np.stack([np.arange(count) % 4, np.arange(count) // 4 % 2], axis=1)[:, :levels]
    shown = random.integers(0, 255, (count, 12, 20, 1), dtype=np.uint8)
    arrays = {"labels": labels} if levels else {}
    np.savez(folder / "pictures.npz", images=shown, **arrays)


def own_taxonomy(folder: Path) -> list[str]:
    images(folder, 1)
    (folder / "own.yaml").write_text("kind: {'0': a, '1': a, '2': b, '3': b}\n")
    return ["ac-wgan-b", "--data", "pictures.npz", "--taxonomy", "own.yaml"]


def sized_part(folder: Path) -> list[str]:
    images(folder, 1)
    keys = ["data.size=[16,32]", "data.subset=80"]
    given = [word for key in keys for word in ("--set", key)]
    return ["ac-wgan-a", "--data", "pictures.npz", *given]


def attributes(folder: Path) -> list[str]:
    images(folder, 2)
    return ["--data", "pictures.npz"]  # the recipe that fits


def unlabeled(folder: Path) -> list[str]:
    images(folder, 0, count=330)
    return ["wgan-gp", "--data", "pictures.npz"]


def domains(folder: Path) -> list[str]:
    (folder / "words.txt").write_text("".join(f"{'abc'[i % 3] * (1 + i % 5)}\n" for i in range(80)))
    return ["--data", "image=digits+text=words.txt"]


CASES = [own_taxonomy, sized_part, attributes, unlabeled, domains]


@pytest.mark.filterwarnings("ignore:Frechet distance of")
@pytest.mark.parametrize("case", CASES)
def test_every_command_of_a_page_works(case, tmp_path: Path) -> None:
    page = pasted(case, tmp_path, lambda line: "diagnose" not in line)
    verbs = [shlex.split(line)[1] for line in page]
    assert {"sample", "evaluate", "report", "train", "analyze"} == set(verbs)
    assert verbs.count("train") == 2  # on, and another model


@pytest.mark.slow  # it trains a classifier of the data
@pytest.mark.parametrize("case", CASES)
def test_the_question_what_is_wrong_works(case, tmp_path: Path) -> None:
    pasted(case, tmp_path, lambda line: "diagnose" in line)


def pasted(case, tmp_path: Path, chosen: Callable[[str], bool]) -> list[str]:
    """All commands of the page of a run in a folder of a name with spaces; the chosen ones are
    run from another folder, when a file that was needed once is gone."""
    folder, elsewhere = tmp_path / "my pictures", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    out = folder / "runs" / "a (1)"
    said = run(["train", *case(folder), *SMALL, "--out", str(out)], folder)
    (folder / "own.yaml").unlink(missing_ok=True)
    page = [line for line in of_page(write_report(Run.open(out))) if not is_excepted(line)]
    after = [line.strip() for line in said.splitlines() if line.startswith("  mtgan ")]
    assert len(after) >= 3
    assert set(after) <= set(page)
    for line in filter(chosen, page):
        run(shortened(line, domains=case is domains), elsewhere)
    return page
