"""Pages of classifiers: accuracies and confusion counted independently; two side by side."""

import json
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import mtgan
from classification.small import small
from cli.test_commands import mtgan as command
from mtgan.classification import ClassifierRun, classify
from mtgan.data import Dataset, load_dataset
from mtgan.errors import UserError
from mtgan.reports import classifiers, write_comparison
from mtgan.reports.classifiers import JudgedImages, curves_of
from toys import make_data, small_recipe


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


@pytest.fixture(scope="module")
def runs(tmp_path_factory, digits: Dataset) -> list[ClassifierRun]:
    folder = tmp_path_factory.mktemp("classifiers")
    keys = {"training__epochs": 2, "training__batch_size": 64, "network__pool_after": [1]}
    return [
        classify(small(name, **keys), digits, folder / name, quiet=True)
        for name in ("stl", "mtl-soft")
    ]


def test_accuracies_are_of_the_test_images(runs: list[ClassifierRun], digits: Dataset) -> None:
    run, test = runs[0], digits.load_split("test")
    found = classifiers.tested(run)
    [fine, coarse] = found.levels
    assert (fine[0], fine[1]) == ("fine", 10)
    assert fine[3] == pytest.approx(run.result["test_accuracy"], abs=1e-6)
    assert fine[2] == np.bincount(test.labels[:, 0]).max() / len(test)
    predicted = run.predict(test.samples)
    # By hand: superclasses of digits are even and odd.
    parity = np.array([int(name) % 2 for name in test.taxonomy.classes["fine"]])
    right = parity[predicted] == parity[test.labels[:, 0]]
    assert (coarse[0], coarse[3]) == ("coarse", right.mean())
    counts = [
        [((test.labels[:, 0] == i) & (predicted == j)).sum() for j in range(10)] for i in range(10)
    ]
    assert found.table.tolist() == counts


def test_mistakes_are_the_largest_off_the_diagonal() -> None:
    table = np.array([[90, 3, 0], [8, 2, 0], [0, 3, 7]])
    found = JudgedImages([], table, ("a", "b", "c"))
    assert found.mistakes == [("b", "a", 8, 0.8), ("a", "b", 3, 3 / 93), ("c", "b", 3, 0.3)]


def test_the_page_shows_training_against_validation(runs: list[ClassifierRun]) -> None:
    page = unescape(mtgan.report(runs[1].path).read_text())
    for words in (
        "main: fine (10 classes); auxiliary: coarse (2 classes)",
        "test accuracy, at the epoch that validation chose",
        "Accuracy (main).</strong> On the validation images, after each epoch. Training: the mean",
        "Distance.</strong> Between the weights",
        "Confusion.</strong>",
        "The most frequent mistakes",
        "2 of 2",
    ):
        assert words in page
    assert page.count("data:image/svg+xml") == 6
    titles = [picture.title for picture in curves_of({"": runs[0].metrics()})]
    assert titles == ["Accuracy (main)", "Cross-entropy (main)"]


def test_the_command_writes_it_and_takes_no_step(runs: list[ClassifierRun], tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert command("report", str(runs[0].path), "--out", str(out), cwd=tmp_path).returncode == 0
    assert "Confusion" in out.read_text()
    failed = command("report", str(runs[0].path), "--step", "2", cwd=tmp_path)
    assert failed.returncode == 2
    assert "is the run of a classifier, whose page is of no one step" in failed.stderr


def test_a_training_that_goes_on_has_a_page_without_test_images(tmp_path: Path) -> None:
    recipe = small("stl", training__epochs=3)
    run = classify(
        recipe,
        make_data(40),
        tmp_path / "run",
        test=make_data(20),
        quiet=True,
        callbacks=[lambda epoch, values: True],
    )
    page = unescape(mtgan.report(run).read_text())
    assert "1 of 3" in page
    assert "The test images are asked once the training is over" in page
    assert "Accuracy (main)" in page


def test_data_that_are_gone_or_changed_are_said(runs: list[ClassifierRun], tmp_path: Path) -> None:
    run = classify(
        small("stl", training__epochs=1),
        make_data(40),
        tmp_path / "run",
        test=make_data(20),
        quiet=True,
    )
    page = unescape(mtgan.report(run).read_text())
    assert "Without accuracies by level and confusion: " in page
    changed = ClassifierRun.open(runs[0].path)
    changed.recipe.run["data_fingerprint"] = "0" * 64
    with pytest.raises(UserError, match="trained on other samples or labels than digits"):
        classifiers.tested(changed)


def test_what_can_be_classified(runs: list[ClassifierRun], digits: Dataset) -> None:
    run = runs[1]
    assert run.predict(digits.samples[:0]).tolist() == []
    both = run.predict(digits.samples[:7]), run.predict(digits.samples[:7], batch_size=2)
    assert (both[0] == both[1]).all()
    assert set(run.predict(digits.samples[:50], "auxiliary")) <= {0, 1}
    with pytest.raises(UserError, match="no task 'auxilary': did you mean 'auxiliary'"):
        run.predict(digits.samples, "auxilary")
    with pytest.raises(UserError, match=r"of shape \[1, 8, 8\]; found uint8 \[2, 1, 4, 8\]"):
        run.predict(digits.samples[:2, :, :4])


def test_two_are_compared_on_one_page(runs: list[ClassifierRun], tmp_path: Path) -> None:
    page = unescape(write_comparison(runs, tmp_path / "c.html").read_text())
    differences = page.split("<h2>What differs</h2>")[1].split("<h2>")[0]
    assert ">sharing.kind</th>" in differences
    assert "batch_size" not in differences
    value = json.loads((runs[0].path / "result.json").read_text())["test_cross_entropy"]
    assert f">{value:.4g}"[:6] in page
    assert "<h2>Samples</h2>" not in page
    assert page.count("data:image/svg+xml") == 5
    folders = [str(run.path) for run in runs]
    done = command("compare", *folders, "--out", "d.html", cwd=tmp_path)
    assert done.returncode == 0


def test_gans_and_classifiers_are_not_compared(runs: list[ClassifierRun], tmp_path: Path) -> None:
    gan = mtgan.train(small_recipe(training__steps=1), make_data(), tmp_path / "gan", quiet=True)
    with pytest.raises(UserError, match="runs of one kind, GANs or classifiers; found both"):
        write_comparison([runs[0], gan], tmp_path / "c.html")
