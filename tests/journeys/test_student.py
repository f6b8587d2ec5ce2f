"""A student with some photographs in folders and a table of attributes: from the first look to a
steered sample, each step by the command that the one before printed."""

import csv
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan.errors import UserError
from mtgan.training import Run
from printed import run, shortened

ANIMALS = ("bird", "cat", "frog")
SHORT = ["--set", "training.batch_size=8", "--set", "generator.width=8"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """photos/ANIMAL/NN.png of 16 x 16 pixels, and photos/attributes.csv with their tone; no blue
    frog is among them."""
    folder = tmp_path_factory.mktemp("student")
    random = np.random.default_rng(0)
    rows = []
    for number, animal in enumerate(ANIMALS):
        (folder / "photos" / animal).mkdir(parents=True)
        for i in range(40):
            tone = "red" if animal == "frog" or i % 2 else "blue"
            pixels = random.integers(0, 60, (16, 16, 3), dtype=np.uint8)
            pixels[4 * number : 4 * number + 4, :, 0 if tone == "red" else 2] = 220
            Image.fromarray(pixels).save(folder / "photos" / animal / f"{i:02d}.png")
            rows.append((f"{animal}/{i:02d}.png", tone))
    with (folder / "photos" / "attributes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "tone"), *rows])
    return folder


@pytest.fixture(scope="module")
def trained(place: Path) -> Path:
    """The run of the command with which `data info` ends, for two steps."""
    shown = run(["data", "info", "photos"], place)
    lines = [line.strip() for line in shown.splitlines()]
    command = lines[lines.index("To begin:") + 1]
    words = [*shortened(command), *SHORT, "--out", "runs/mine"]
    run(words, place)
    return place / "runs" / "mine"


def test_both_label_sets_are_seen(place: Path) -> None:
    facts = json.loads(run(["data", "info", "photos", "--json", "--force"], place))
    assert facts["samples"]["train"] + facts["samples"]["test"] == 120
    classes = {level: about["classes"] for level, about in facts["levels"].items()}
    assert sorted(classes.values()) == [2, 3]
    words = shlex.split(facts["command"])
    assert words[:2] == ["mtgan", "train"]
    assert any("tone" in word for word in words), "the attribute conditions the generator, too"


def test_what_is_asked_for_is_given_or_refused(trained: Path) -> None:
    opened = Run.open(trained)
    levels = opened.dataset_info.taxonomy.levels
    animal = next(name for name in levels if name != "tone")
    both = opened.sample(4, labels={animal: "bird", "tone": "blue"}, seed=1)
    other = opened.sample(4, labels={animal: "bird", "tone": "red"}, seed=1)
    assert (np.asarray(both) != np.asarray(other)).any()
    with pytest.raises(UserError, match="'blu'"):
        opened.sample(1, labels={"tone": "blu"})


def test_a_pair_that_nobody_photographed_is_drawn_with_a_note(trained: Path, place: Path) -> None:
    animal = next(name for name in Run.open(trained).dataset_info.taxonomy.levels if name != "tone")
    asked = ["--label", f"{animal}=frog", "--label", "tone=blue"]
    shown = run(["sample", "runs/mine", "--n", "3", *asked, "--out", "frogs"], place)
    assert "frog" in shown
    assert "blue" in shown
    with (place / "frogs" / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row[animal], row["tone"]) for row in rows] == [("frog", "blue")] * 3
    assert len({(place / "frogs" / row["file"]).read_bytes() for row in rows}) == 3


def test_samples_copied_beside_photographs_stay_out_of_the_validation(
    trained: Path, place: Path
) -> None:
    from mtgan.classification.tasks import split_data
    from mtgan.data import load_dataset

    run(["sample", "runs/mine", "--n", "60", "--out", "made"], place)
    mixed = place / "mixed" / "train"
    for animal in ANIMALS:
        (mixed / animal).mkdir(parents=True)
        for file in (place / "photos" / animal).iterdir():
            (mixed / animal / file.name).write_bytes(file.read_bytes())
    for file in (place / "made").glob("*.png"):
        (mixed / "cat" / f"made-{file.name}").write_bytes(file.read_bytes())
    data = load_dataset(place / "mixed", "train")
    assert data.generated is not None
    assert 0 < data.generated.sum() <= 60
    split = split_data(data, 0.2, None, 1.0, 0)
    assert split.validation.generated is None or not split.validation.generated.any()
    assert split.training.generated is not None
    assert split.training.generated.sum() == data.generated.sum()


def test_the_run_judges_itself_and_its_page_shows_the_card(trained: Path, place: Path) -> None:
    run(["evaluate", "runs/mine", "--features", "pixels", "--no-corruptions", "--n", "24"], place)
    assert (trained / "evaluation.json").is_file()
    run(["report", "runs/mine"], place)
    page = (trained / "report.html").read_text()
    assert "How to go on" in page
    assert "frog" in page
