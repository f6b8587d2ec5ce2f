"""The page of a run."""

import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtgan.data import Taxonomy, load_dataset
from mtgan.data.images import make_grid
from mtgan.errors import UserError
from mtgan.evaluation.strings.molecules import parse_molecules
from mtgan.reports import write_report
from mtgan.reports.page import _told_apart, distance_correlation, series_of
from mtgan.training import Run, train
from toys import Instruments, make_data, small_recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("runs") / "a"
    recipe = small_recipe("ac-wgan-b", title="Less < more & so on")
    return train(recipe, make_data(), out, quiet=True)


def test_the_page_holds_all_that_it_shows(run: Run) -> None:
    page = write_report(run).read_text()
    assert page.startswith("<!doctype html>")
    for remote in ('src="http', 'href="http', "<script", "@import", "url("):
        assert remote not in page
    assert "Less &lt; more &amp; so on" in page
    assert f"mtgan sample {run.path}" in page
    # samples, evolution, losses, class control, balance; the toy data cannot be loaded again
    assert page.count('src="data:image/') == 5
    assert "Real images" not in page


def test_each_domain_stands_on_the_page_in_its_own_form(tmp_path, monkeypatch) -> None:
    pytest.importorskip("rdkit")
    data = load_dataset("image=digits+smiles=nci-smiles,count=64")
    recipe = small_recipe("multidomain-gp", training__steps=1, latent__dim=40)
    run = train(recipe, data, tmp_path / "run", quiet=True)
    parsed = parse_molecules(["CCO"])
    monkeypatch.setattr("mtgan.evaluation.sequences.parse_molecules", lambda _: parsed)
    page = write_report(run).read_text()
    assert 'alt="Samples, image"' in page
    assert 'alt="Real images"' in page
    assert 'alt="Molecules"' in page
    assert "Samples, smiles" in page
    assert f"mtgan sample {run.path} --domain smiles --n 1000 --out smiles.smi" in page
    assert f"<pre>mtgan evaluate {run.path}</pre>" in page
    real = data.domains[1].decode(data.samples[data.labels[:, 1] == 1])
    shown = html.unescape(page.rpartition("<pre>")[0].rpartition("Real, of the training data")[2])
    assert set(shown.partition("<pre>")[2].partition("</pre>")[0].split("\n")) <= set(real)


def test_a_conditional_run_has_a_named_row_per_class(tmp_path: Path, monkeypatch) -> None:
    shown = {}

    def grid(images, columns, row_labels=()):
        shown[tuple(row_labels)] = images
        return make_grid(images, columns)

    monkeypatch.setattr("mtgan.reports.classes.make_grid", grid)
    data = make_data()
    rows = data.labels.copy()
    rows[:, 1] = np.arange(len(rows)) // 4 % 2  # an attribute that does not follow from the class
    taxonomy = Taxonomy(data.taxonomy.levels, data.taxonomy.classes, {})
    attributes = replace(data, labels=rows, taxonomy=taxonomy)
    keys = {"condition_on": ["fine", "coarse"], "training__steps": 1}
    for name, given in (("nested", data), ("attributes", attributes)):
        run = train(small_recipe("cwgan-a", **keys), given, tmp_path / name, quiet=True)
        page = write_report(run).read_text()
        assert 'alt="Samples by fine"' in page
        assert 'alt="Samples by coarse"' in page
        assert 'alt="Samples"' not in page
        assert (shown["x", "y"][:10] == run.sample(10, {"coarse": "x"}, seed=0)).all()
    assert set(shown) == {("a", "b", "c", "d"), ("x", "y")}


def test_the_page_can_be_written_elsewhere(run: Run, tmp_path: Path) -> None:
    assert write_report(run, tmp_path / "x.html") == tmp_path / "x.html"


def line(kind: str, step: int, **values: float) -> dict:
    return {"kind": kind, "step": step, "seconds": 0, "values": values}


def test_correlation_by_hand() -> None:
    lines = [line("evaluation", 0, frechet_distance=100.0)]
    for step, estimate, distance in [(10, 5.0, 50.0), (20, 3.0, 30.0), (30, 1.0, 10.0)]:
        lines.append(line("train", step, **{"discriminator/distance_estimate": estimate}))
        lines.append(line("evaluation", step, frechet_distance=distance))
    assert distance_correlation(lines) == (pytest.approx(1.0), 3)
    lines[-1]["values"]["frechet_distance"] = 60.0
    value, _ = distance_correlation(lines)  # ranks 3, 2, 1 against 2, 1, 3
    assert value == pytest.approx(-0.5)
    assert distance_correlation(lines[:5]) is None


def test_series() -> None:
    lines = [line("train", 1, a=1.0), line("evaluation", 1, a=9.0), line("train", 2, a=2.0)]
    assert series_of(lines, "train") == {"a": ([1, 2], [1.0, 2.0])}


def test_commands_are_quoted_for_the_shell(tmp_path: Path) -> None:
    data = make_data()
    data.spec = {"name": "my pictures; rm -rf ~"}
    out = tmp_path / "a run $(x)"
    page = write_report(
        train(small_recipe("wgan-gp", training__steps=1), data, out, quiet=True)
    ).read_text()
    written = html.unescape(page)
    assert f"mtgan sample '{out}' --n 1000 --out samples.npz" in written
    assert f"mtgan train --resume '{out}' --steps 2<" in written
    assert f"mtgan train --data-of '{out}' --scale tiny" in written


def test_words_from_outside_are_text(tmp_path: Path) -> None:
    recipe = small_recipe("wgan-gp", training__steps=1, title="<script>x</script>\x1b[31m\u202e")
    page = write_report(train(recipe, make_data(), tmp_path / "r", quiet=True)).read_text()
    assert "<script" not in page
    assert "&lt;script&gt;x&lt;/script&gt;\\x1b[31m\\u202e" in page


def test_a_page_replaces_pages_of_ours_alone(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("")  # half of one
    write_report(run, page)
    write_report(run, page)
    page.write_text("my own notes")
    with pytest.raises(UserError, match="exists already, and mtgan did not write it"):
        write_report(run, page)
    assert page.read_text() == "my own notes"
    with pytest.raises(UserError, match=r"is a \.html file; found .*x\.pdf"):
        write_report(run, tmp_path / "x.pdf")


def test_an_older_page_stays_where_the_new_one_cannot_be_written(
    run: Run, tmp_path: Path, monkeypatch
) -> None:
    page = write_report(run, tmp_path / "page.html")
    before = page.read_text()

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mtgan.files.write.flush", full)
    with pytest.raises(UserError, match=r"page\.html could not be written: there is no space"):
        write_report(run, page)
    assert page.read_text() == before


def test_a_grid_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    recipe = small_recipe("wgan-gp", training__steps=4)
    run = train(recipe, make_data(), tmp_path / "r", quiet=True)
    samples = run.path / "samples"
    assert "after 0, 2, 4 iterations" in html.unescape(write_report(run).read_text())
    half = samples / "step-00000002.png"
    half.write_bytes(half.read_bytes()[:100])
    (samples / "step-mine.png").write_bytes(b"")
    assert "after 0, 4 iterations" in html.unescape(write_report(run).read_text())


def test_the_control_of_a_run_stands_beside_it(tmp_path: Path) -> None:
    """Its last evaluation, where that was made in the same way; and quality by the clock."""
    data = make_data()
    often = {"training__evaluate_every": 2}
    one, two, other = (
        train(
            small_recipe(name, **keys),
            data,
            tmp_path / f"run-{i}",
            quiet=True,
            instruments=Instruments(),
        )
        for i, (name, keys) in enumerate(
            [
                ("ac-wgan-b", {**often, "title": "Two heads"}),
                ("ac-wgan-a", {**often, "title": "One head"}),
                ("ac-wgan-a", {}),
            ]
        )
    )
    page = write_report(one, control=two).read_text()
    table = page.partition("What the other task did")[2].partition("</table>")[0]
    assert re.findall(r"<th class=.number.>(.*?)</th>", table) == ["Two heads", "One head"]
    values = [run.metrics()[-1]["values"]["frechet_distance"] for run in (one, two)]
    found = re.search(r"frechet distance</th><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td>", table)
    assert found is not None
    assert list(found.groups()) == [f"{value:.4g}" for value in values]
    assert 'alt="Time to quality"' in page
    assert "What the other task did" not in write_report(one, control=other).read_text()
    assert "What the other task did" not in write_report(one).read_text()


def test_runs_of_one_title_are_told_apart_by_their_tasks() -> None:
    one, two = (small_recipe(name, title="Mine") for name in ("ac-wgan-b", "ac-wgan-a"))
    assert _told_apart(one, two) == ["tasks: fine, coarse", "tasks: fine"]
    assert _told_apart(one, small_recipe("wgan-gp", title="Mine"))[1] == "no task"
    assert _told_apart(one, small_recipe("wgan-gp", title="Other")) == ["Mine", "Other"]
