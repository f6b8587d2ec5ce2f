"""What the page of `mtgan explore` holds, without a browser."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mtgan
from cli.test_commands import mtgan as command
from mtgan.errors import UserError
from mtgan.runs import card_path
from mtgan.training import Run, train
from mtgan.web.explore import runtime, static
from mtgan.web.explore.facts import facts_of
from mtgan.web.explore.page import render_page
from mtgan.web.explore.static import write_page
from toys import make_data, make_domains, small_recipe
from web.explore.conftest import ODD, array, parts_of


def test_the_page_has_the_latents_and_labels_of_run_sample(tree: Run) -> None:
    right = tree.sample(64, seed=3)
    facts = facts_of("tree", tree, seed=3)
    first = facts["first"]
    assert (first["seed"], first["count"]) == (3, 64)
    np.testing.assert_array_equal(array(first["latents"], "<f4", 64, 6), right.latents)
    np.testing.assert_array_equal(array(first["labels"], "<i4", 64, 3), right.labels)
    assert (facts["step"], facts["shape"]) == (2, [3, 16, 16])
    assert facts["told"] == {"classes": ["fine", "coarse"], "numbers": []}


def test_levels_say_which_class_lies_in_which(tree: Run) -> None:
    plain = {"unseen": [], "code": False}
    fine = {"level": "coarse", "index": [0, 0, 1, 1]}
    assert facts_of("tree", tree)["levels"] == [
        {"name": "fine", "classes": ["a", "b", "c", "d"], "above": fine, **plain},
        {
            "name": "coarse",
            "classes": ["x", "y"],
            "above": {"level": "top", "index": [0, 1]},
            **plain,
        },
        {"name": "top", "classes": ["v", "w"], "above": None, **plain},
    ]


def test_classes_without_samples_and_codes(tmp_path) -> None:
    """No sample has class b; a code has no samples at all, and all of its classes."""
    data = make_data()
    data = data.select(np.flatnonzero(data.labels[:, 0] != 1))
    some = train(
        small_recipe("ac-wgan-a-real", training__steps=1), data, tmp_path / "a", quiet=True
    )
    assert [level["unseen"] for level in facts_of("a", some)["levels"]] == [[1], []]
    codes = train(small_recipe("infogan", training__steps=1), data, tmp_path / "b", quiet=True)
    facts = facts_of("b", codes)
    (level,) = facts["levels"]
    assert (level["code"], level["unseen"]) == (True, [])
    assert facts["told"]["classes"] == [level["name"]]
    right = codes.sample(64, seed=0)
    column = right.taxonomy.levels.index(level["name"])
    shown = array(facts["first"]["labels"], "<i4", 64, 1)
    np.testing.assert_array_equal(shown[:, 0], right.labels[:, column])


def test_combinations_and_how_often_there_are(tree: Run) -> None:
    """48 samples, equally many of each class."""
    rows = facts_of("tree", tree)["rows"]
    assert sorted(rows["labels"]) == [[0, 0, 0], [1, 0, 0], [2, 1, 1], [3, 1, 1]]
    assert rows["counts"] == [12] * 4


def test_a_number_is_in_its_own_units(bars: Run) -> None:
    facts, right = facts_of("bars", bars), bars.sample(64, seed=0)
    assert facts["numbers"] == [{"name": "place", "low": 0.0, "high": 90.0}]
    assert facts["told"] == {"classes": [], "numbers": ["place"]}
    places = array(facts["first"]["numbers"], "<f4", 64, 1)
    np.testing.assert_array_equal(places[:, 0], right.numbers["place"])


def test_directions_are_those_of_the_first_layer(tree: Run) -> None:
    """Eigenvectors of A^T A by their definition; A is the latent's part of the weight."""
    facts = facts_of("tree", tree)["directions"]
    first = next(iter(tree.game().averaged().state_dict().items()))
    assert first[0].endswith("weight")
    weight = first[1][:, :6].double().numpy()
    square = weight.T @ weight
    shares = [entry["share"] for entry in facts]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 6
    assert sum(shares) == pytest.approx(1)
    for entry in facts:
        vector = array(entry["vector"], "<f4", 6).astype(float)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
        moved = entry["share"] * np.trace(square) * vector
        np.testing.assert_allclose(square @ vector, moved, atol=1e-5 * np.trace(square))


def test_figures_by_class_are_those_of_the_evaluation(tree: Run, tmp_path) -> None:
    run = mtgan.Run.open(shutil.copytree(tree.path, tmp_path / "run"))
    assert facts_of("run", run)["classes"] is None
    data = make_data(shape=(3, 16, 16), three_levels=True)
    options = {"features": "pixels", "metrics": "frechet_distance", "n": 40, "protocol": "training"}
    card = mtgan.evaluate(run.sample(48, seed=0), data, **options)
    details = {
        "conditional_accuracy/fine": {"a": 0.25, "b": 1.0},
        "intra_class_frechet/fine": {"a": 3.5, "b": float("nan")},
        "mode_diversity": {"a": 1.0},
    }
    card_path(run).write_text(replace(card, details=details).to_json())
    assert facts_of("run", run)["classes"] == {
        "protocol": card.protocol.sentence(),
        "accuracy": {"fine": {"a": 0.25, "b": 1.0}},
        "distance": {"fine": {"a": 3.5}},
    }


def test_names_of_classes_are_text_and_nothing_else(odd: Run) -> None:
    page = render_page([facts_of("<b>x</b>", odd)])
    parts = parts_of(page)
    assert parts.facts["models"][0]["levels"][0]["classes"] == ODD
    assert parts.facts["models"][0]["name"] == "<b>x</b>"
    assert "window.hacked" not in re.sub(r'id="facts">.*?</script>', "", page)
    assert [tag for tag, _ in parts.tags].count("script") == 2  # facts, and the page's own
    assert not {"img", "b", "iframe"} & {tag for tag, _ in parts.tags}


def planted(monkeypatch) -> None:
    """As if everything had been fetched and exported."""
    monkeypatch.setattr(static, "graph_of", lambda model, step: b"a graph")
    files = {"runtime": b"a", "glue": b"b", "wasm": b"c" * 1000}
    monkeypatch.setattr(static, "runtime_files", lambda: files)


def test_a_static_page_holds_all_that_it_needs(tree: Run, odd: Run, tmp_path, monkeypatch) -> None:
    planted(monkeypatch)
    page = parts_of(write_page({"one": tree, "two": odd}, tmp_path / "page.html"))
    assert [model["name"] for model in page.facts["models"]] == ["one", "two"]
    assert page.unpacked("graph-0") == page.unpacked("graph-1") == b"a graph"
    assert page.unpacked("wasm") == b"c" * 1000
    text = (tmp_path / "page.html").read_text()
    assert "Copyright (c) Microsoft Corporation" in text
    assert "onnxruntime-web 1.22.0" in text


def test_nothing_of_the_page_lies_outside(tree: Run, tmp_path, monkeypatch) -> None:
    planted(monkeypatch)
    page = parts_of(write_page({"tree": tree}, tmp_path / "page.html"))
    for tag, attributes in page.tags:
        for name in {"src", "href", "action", "data", "srcset"} & attributes.keys():
            assert str(attributes[name]).startswith("data:"), (tag, name)
    assert not re.search(r"url\(|@import", "".join(page.styles))
    assert "//" not in re.sub(r"(?m)^ *//.*|\s// .*|/\*.*?\*/", "", page.scripts["code"])
    (policy,) = [a["content"] for _, a in page.tags if a.get("http-equiv")]
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy


def test_the_same_page_is_written_twice(tree: Run, tmp_path, monkeypatch) -> None:
    planted(monkeypatch)
    first, second = (write_page({"a": tree}, tmp_path / f"{i}.html") for i in range(2))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("out", "sentence"),
    [("page.htm", "exists already; name another"), ("page.txt", "A page is written to FILE.html")],
)
def test_what_cannot_be_written(out, sentence, tree: Run, tmp_path, monkeypatch) -> None:
    planted(monkeypatch)
    (tmp_path / "page.htm").write_text("mine")
    with pytest.raises(UserError, match=sentence):
        write_page({"tree": tree}, tmp_path / out)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_strings_are_refused(tmp_path) -> None:
    data = make_domains(tmp_path)
    recipe = small_recipe("multidomain-conv1d", training__steps=1)
    run = train(recipe, data, tmp_path / "run", quiet=True)
    with pytest.raises(UserError, match="makes image and text, and explore shows images"):
        facts_of("run", run)


def test_without_npm_it_is_said_what_to_do(tree: Run, tmp_path, cache, monkeypatch) -> None:
    monkeypatch.setattr(static, "graph_of", lambda model, step: b"")
    monkeypatch.setattr(runtime, "_CHECKSUM", "sha256:0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path / "empty"))
    with pytest.raises(UserError, match=r"npm, which fetches it, is not .*`npm pack onnxruntime"):
        write_page({"tree": tree}, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_missing_extra_and_a_folder_that_is_no_run(tree: Run, tmp_path: Path) -> None:
    result = command("explore", "nowhere", "--static", "page.html", cwd=tmp_path)
    assert result.returncode == 2
    assert "nowhere" in result.stderr
    assert not list(tmp_path.iterdir())
