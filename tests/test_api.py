"""The top of the package: its page, names wherever objects are taken, and what objects print."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import mtgan
from mtgan.data import Dataset, Taxonomy
from mtgan.evaluation.scorecard import CardTable
from toys import make_data, small_recipe

PAGE = Path(mtgan.__file__).parents[2] / "docs" / "api.md"
MOST = 160  # letters of a short repr


@pytest.mark.parametrize("name", mtgan.__all__)
def test_every_public_name_stands_on_the_page(name: str) -> None:
    assert re.search(rf"^\| `{name}\b", PAGE.read_text(), flags=re.MULTILINE)


def test_the_page_names_nothing_that_is_not_there() -> None:
    names = re.findall(r"^\| `(\w+)", PAGE.read_text().split("\n## ")[0], flags=re.MULTILINE)
    assert set(names) == set(mtgan.__all__)


@pytest.fixture(scope="module")
def examples(tmp_path_factory) -> dict:
    """What the names of the page's examples mean after they have run, one after another."""
    from mtgan.parts import OBJECTIVES

    values: dict = {"__name__": "examples"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("examples"))
        for code in re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL):
            exec(code, values)
        OBJECTIVES._entries.pop("least-squares")
        yield values


def test_the_examples_run(examples: dict) -> None:
    assert examples["run"].steps[-1] == 6
    assert len(examples["losses"]) == 2
    assert examples["images"].shape == (16, 1, 8, 8)
    assert examples["page"].is_file()
    assert examples["real"]["frechet_distance"] < examples["card"]["frechet_distance"]
    assert examples["recipe"].objective == "least-squares"


def test_objects_print_in_a_line(examples: dict) -> None:
    shown = ("data", "run", "card", "recipe", "plan", "classifier")
    for value in [*map(examples.get, shown), examples["data"].taxonomy]:
        text = repr(value)
        assert text.startswith(f"{type(value).__name__}(")
        assert len(text) < MOST
        assert " object at 0x" not in text
    assert "1,438 samples of 1 x 8 x 8" in repr(examples["data"])
    assert "6 of 6 steps" in repr(examples["run"])


def test_notebooks_show_them(examples: dict) -> None:
    for name in ("data", "run", "card", "plan"):
        html = examples[name]._repr_html_()
        assert html.startswith("<")
        assert len(html) < 100_000
    assert "data:image/png;base64," in examples["data"]._repr_html_()
    assert "frechet_distance" in examples["card"]._repr_html_()
    assert "3, 4" in examples["data"].taxonomy._repr_html_()


def test_a_card_and_a_comparison_print(examples: dict) -> None:
    assert "frechet_distance" in str(examples["card"])
    table = mtgan.compare([examples["card"], examples["real"]])
    assert isinstance(table, CardTable)
    terminal = Console(record=True, width=120, file=io.StringIO())
    terminal.print(table)
    for shown in (str(table), table._repr_html_(), terminal.export_text()):
        assert "frechet_distance" in shown


def test_cards_are_compared_from_files(examples: dict, tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    file.write_text(examples["card"].to_json())
    assert mtgan.compare([file]).cards == {str(file): examples["card"]}
    file.write_text("{}")
    with pytest.raises(mtgan.UserError, match="not a scorecard"):
        mtgan.compare([file])


def test_names_from_outside_are_text(tmp_path: Path) -> None:
    odd = "<b>\x1b[31m"
    taxonomy = Taxonomy((f"a{odd[:3]}",), {f"a{odd[:3]}": (odd, "c")}, {})
    data = Dataset(np.zeros((2, 1, 4, 4), np.uint8), np.zeros((2, 1), int), taxonomy, odd)
    for text in (repr(data), data._repr_html_(), taxonomy._repr_html_()):
        assert "\x1b" not in text
    assert "<b>\\x1b" not in data._repr_html_()


def test_a_data_set_is_a_sequence() -> None:
    data = make_data(12)
    pairs = list(data)
    assert len(pairs) == len(data) == 12
    image, labels = data[-1]
    assert np.array_equal(image, data.samples[11])
    assert np.array_equal(labels, data.labels[11])
    image[:] = 0  # a copy, so that whoever changes it changes nothing here
    assert data.samples[11].any()
    for index in (slice(2, 4), [2, 3], np.arange(12) // 2 == 1, np.array([2, 3])):
        part = data[index]
        assert isinstance(part, Dataset)
        assert np.array_equal(part.samples, data.samples[2:4])
    for index in (12, -13):
        with pytest.raises(IndexError, match="has 12 samples"):
            data[index]


def test_what_a_run_and_samples_are_judged_against() -> None:
    with pytest.raises(mtgan.UserError, match="judged against real data"):
        mtgan.evaluate(np.zeros((4, 8, 8), np.uint8))


def test_a_run_is_judged_against_its_own_data(tmp_path: Path, monkeypatch) -> None:
    """Whole, where it was trained on a part; by the data's labels, where the recipe made its own;
    and data that have changed are refused."""
    hierarchy = [{"kind": "random", "classes": 3}]
    part = {"data__subset": 200, "hierarchy": hierarchy, "training__steps": 1}
    run = mtgan.train(small_recipe("ac-wgan-b", **part), "digits", tmp_path / "run", quiet=True)
    quick = {"features": "pixels", "metrics": "conditional_accuracy,frechet_distance", "n": 300}
    card = mtgan.evaluate(str(run.path), protocol="training", **quick)
    assert (card.protocol.dataset, card.protocol.generated) == ("digits", 300)
    plain = small_recipe("gan", training__steps=1)
    run = mtgan.train(plain, "digits", tmp_path / "other", quiet=True)
    other = mtgan.load_dataset("digits").select(np.arange(400))
    monkeypatch.setattr(mtgan.Run, "load_data", lambda run: other)
    with pytest.raises(mtgan.UserError, match="on other samples or labels than digits holds now"):
        mtgan.evaluate(run, protocol="training", **quick)


def test_a_checker_of_types_finds_ours() -> None:
    assert (Path(mtgan.__file__).parent / "py.typed").is_file()
