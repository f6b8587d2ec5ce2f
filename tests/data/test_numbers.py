"""Numbers beside classes: read from tables and arrays, kept, written, and refused."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mtgan.cli import main
from mtgan.data import load_dataset
from mtgan.data.export import export_samples
from mtgan.data.load import prepare_dataset
from mtgan.data.numbers import STEPS, NumberRange
from mtgan.errors import UserError
from toys import make_bars


def test_steps_of_a_range() -> None:
    known = NumberRange.of(np.array([np.nan, -10, 30], dtype=np.float32))
    assert (known.low, known.high, str(known)) == (-10, 30, "-10 to 30")
    steps = known.steps(np.array([-10, 0, 30, np.nan, 99]))
    assert steps.tolist() == [0, STEPS // 4, STEPS, -1, STEPS]
    np.testing.assert_array_equal(known.values(steps), [-10, 0, 30, np.nan, 30])
    for value, inside in ((30, True), (-10, True), (30.1, False), (math.nan, False)):
        assert known.holds(value) is inside


def test_a_range_of_one_value_and_of_none() -> None:
    one = NumberRange.of(np.array([2.0, 2.0]))
    assert one.values(one.steps(np.array([2.0]))) == 2
    assert (one.holds(2), one.holds(3)) == (True, False)
    assert NumberRange.of(np.array([np.nan])).steps(np.array([np.nan])) == -1


def write_folder(folder: Path, table: str) -> Path:
    folder.mkdir()
    for i in range(3):
        Image.fromarray(np.full((4, 4), 60 * i, dtype=np.uint8)).save(folder / f"{i}.png")
    (folder / "labels.csv").write_text(table)
    return folder


def test_a_column_says_that_it_holds_numbers(tmp_path: Path) -> None:
    table = "file,count,angle:number\n0.png,1,-2.5\n1.png,2,\n2.png,2,1e1\n"
    data = load_dataset(write_folder(tmp_path / "set", table), "all")
    assert data.taxonomy.levels == ("count",)  # whole numbers, not declared, stay classes
    assert data.taxonomy.classes["count"] == ("1", "2")
    np.testing.assert_array_equal(data.numbers["angle"], np.float32([-2.5, np.nan, 10]))
    assert "1 of 3 samples have no number 'angle'." in data.warnings()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("file,angle:number\n0.png,1\n1.png,left\n", r"line 3: .*'left', which is no number"),
        ("file,angle:number\n0.png,1\n1.png,inf\n", r"line 3: .*'inf', which is no number"),
        ("file,angle,angle:number\n0.png,a,1\n", "cannot be called 'angle': another column"),
        ("file,:number\n0.png,1\n", "cannot be called '': it is empty"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_dataset(write_folder(tmp_path / "set", table), "all")


def test_numbers_that_are_refused() -> None:
    data, values = make_bars(4), np.zeros(4, dtype=np.float32)
    for numbers, said in (
        ({"place": values[:2]}, r"should be floats \[4\], nan where missing; found float32 \[2\]"),
        ({"place": values.astype(int)}, "found int64"),
        ({"fine": values}, "'fine' is a label level and a number"),
        ({"place": values + np.inf}, "holds infinity"),
    ):
        with pytest.raises(UserError, match=said):
            replace(data, numbers=numbers)


@pytest.mark.parametrize("form", ["bars.npz", "bars"])
def test_what_is_written_is_read_back_exactly(tmp_path: Path, form: str) -> None:
    data = make_bars(8)
    data.numbers["place"][3] = np.nan
    export_samples(data.samples, data.labels, data.taxonomy, tmp_path / form, data.numbers)
    found = load_dataset(tmp_path / form, "all")
    np.testing.assert_array_equal(found.numbers["place"], data.numbers["place"])
    np.testing.assert_array_equal(found.labels >= 0, data.labels >= 0)


def test_arrays_without_names(tmp_path: Path) -> None:
    images = np.zeros((5, 8, 8), dtype=np.uint8)
    path = tmp_path / "a.npz"
    np.savez(path, images=images, numbers=np.arange(10.0).reshape(5, 2))
    assert [*load_dataset(path, "all").numbers] == ["number1", "number2"]
    np.savez(path, images=images, numbers=np.arange(5))
    assert load_dataset(path, "all").numbers["number"].tolist() == [0, 1, 2, 3, 4]
    np.savez(path, images=images, numbers=np.arange(3.0))
    with pytest.raises(UserError, match=r"numbers should be floats \[5\] or \[5, K\]"):
        load_dataset(path, "all")
    np.savez(path, images=images, numbers=np.arange(5.0), number_names=["a", "b"])
    with pytest.raises(UserError, match="number_names should be 1 different names"):
        load_dataset(path, "all")


def test_prepared_folders_keep_them(tmp_path: Path) -> None:
    data = make_bars(20)
    export_samples(
        data.samples,
        data.labels,
        data.taxonomy,
        tmp_path / "bars.npz",
        {"place": data.numbers["place"]},
    )
    prepare_dataset(tmp_path / "bars.npz", tmp_path / "out")
    for split in ("train", "test"):
        mapped = load_dataset(tmp_path / "out", split)
        plain = load_dataset(tmp_path / "bars.npz", split)
        np.testing.assert_array_equal(mapped.numbers["place"], plain.numbers["place"])
        assert mapped.fingerprint == plain.fingerprint


def test_they_go_with_their_samples() -> None:
    data = make_bars(20)
    few = data.subset(5)
    chosen = [data.numbers["place"].tolist().index(x) for x in few.numbers["place"].tolist()]
    np.testing.assert_array_equal(few.samples, data.samples[chosen])
    kept = data.labeled_on(5)
    np.testing.assert_array_equal(np.isnan(kept.numbers["place"]), kept.labels[:, 0] < 0)
    other = replace(data, numbers={"place": data.numbers["place"][::-1]}, stored_fingerprint=None)
    assert other.fingerprint != data.fingerprint
    assert "labels: fine (2), place" in repr(data)


def test_data_info_says_the_range(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = make_bars(40)
    data.numbers["place"][5:8] = np.nan
    export_samples(data.samples, data.labels, data.taxonomy, Path("bars.npz"), data.numbers)
    with pytest.raises(SystemExit) as end:
        main(["data", "info", "bars.npz"])
    assert not end.value.code
    assert "number place: " in capsys.readouterr().out
