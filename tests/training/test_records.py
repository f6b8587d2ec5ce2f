"""Whatever a run writes is read back, and what was changed by hand is refused in one sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from safetensors.torch import load_file, save_file

from mtgan.data import Dataset, Taxonomy, load_dataset
from mtgan.data.domains.image import ImageDomain
from mtgan.data.domains.sequence import SequenceDomain
from mtgan.errors import UserError
from mtgan.training import Run, train
from mtgan.training.dataset_info import DatasetInfo
from toys import make_data, small_recipe

SETTINGS: dict[str, object] = {"training__steps": 2, "training__log_every": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A conditional run; tests change copies of it."""
    out = tmp_path_factory.mktemp("run") / "run"
    return train(small_recipe("ac-wgan-b", **SETTINGS), make_data(), out, quiet=True).path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "run")


def resume(run: Path, **overrides: object) -> Run:
    recipe = small_recipe("ac-wgan-b", **{**SETTINGS, "training__steps": 3, **overrides})
    return train(recipe, make_data(), run, resume=True, quiet=True)


# What is written is read


def dataset(levels: dict[str, int], count: int, missing: bool = False) -> Dataset:
    random = np.random.default_rng(0)
    classes = {name: tuple(f"{name}{i}" for i in range(size)) for name, size in levels.items()}
    labels = [np.full(count, -1) if missing else np.arange(count) % n for n in levels.values()]
    return Dataset(
        random.integers(0, 256, (count, 1, 8, 8), dtype=np.uint8),
        np.stack(labels, axis=1) if labels else np.zeros((count, 0), dtype=np.int64),
        Taxonomy(tuple(levels), classes, {}),
    )


@pytest.mark.parametrize(
    ("levels", "count", "missing"),
    [
        ({}, 9, False),
        ({}, 1, False),
        ({"color": 3}, 9, False),
        ({"color": 1}, 9, False),
        ({"color": 3}, 1, False),
        ({"color": 3, "size": 2}, 9, False),
        ({"color": 3}, 9, True),
        ({"color": 3, "size": 2}, 9, True),
        ({"color": 3}, 0, False),
        ({}, 0, False),
    ],
)
def test_facts_of_any_data_are_read_back(levels, count: int, missing: bool) -> None:
    info = DatasetInfo.of(dataset(levels, count, missing))
    again = DatasetInfo.from_dict(json.loads(json.dumps(info.to_dict())))
    assert (again.shape, again.taxonomy, again.domains) == (info.shape, info.taxonomy, ())
    assert again.label_rows.shape == (len(info.label_counts), len(levels))
    assert again.label_rows.tolist() == info.label_rows.tolist()
    assert again.label_counts.tolist() == info.label_counts.tolist()


def test_a_run_on_pictures_without_labels(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    (tmp_path / "flat").mkdir()
    for i in range(20):
        pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "flat" / f"{i}.png")
    data = load_dataset(tmp_path / "flat")
    run = train(small_recipe(training__steps=1), data, tmp_path / "run", quiet=True)
    opened = Run.open(run.path)
    assert opened.sample(3).shape == (3, 3, 16, 16)
    assert opened.load_data().fingerprint == data.fingerprint
    assert len(opened.load_data("test")) == 4
    again = train(small_recipe(training__steps=2), data, run.path, resume=True, quiet=True)
    assert again.steps == [0, 1, 2]


def test_a_run_without_a_checkpoint_yet(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")
    (run / "metrics.jsonl").unlink()
    opened = Run.open(run)
    assert (opened.steps, opened.metrics(), list(opened.games())) == ([], [], [])
    with pytest.raises(UserError, match="checkpoint yet; train on by mtgan train --resume"):
        opened.sample(2)


def test_a_run_on_arrays_says_that_they_cannot_be_loaded_again(run: Path, tmp_path: Path) -> None:
    data = dataset({}, 20)
    made = train(small_recipe(training__steps=1), data, tmp_path / "arrays", quiet=True)
    with pytest.raises(UserError, match="'unnamed' was made of arrays, or that was changed"):
        Run.open(made.path).load_data()


# What was changed is refused


def change(file: Path, key: str, value: Any) -> None:
    """Set a dotted key of a JSON or YAML file; the value `del` takes it away."""
    text = file.read_text()
    values = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
    here = values
    *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    for part in path:
        here = here[part]
    if value == "del":
        del here[last]
    else:
        here[last] = value
    file.write_text(json.dumps(values) if file.suffix == ".json" else yaml.safe_dump(values))


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("shape", "del", "shape is missing; it should be a list of"),
        ("shape.0", 0, "shape.0 should be a whole number from 1 to 65,536; found 0"),
        ("taxonomy.classes.fine", None, "taxonomy.classes.fine should be a list of: text"),
        ("taxonomy.classes.fine.0", 7, "taxonomy.classes.fine.0 should be text; found 7"),
        ("taxonomy.parents.fine.index.0", 9, "is not a class of 'coarse'"),
        ("taxonomy.levels", ["fine"], "needs distinct levels with classes each"),
        ("label_rows.1", [9, 0], r"label_rows.1: \[9, 0\] is no row of the taxonomy"),
        ("label_rows.1", [1], r"label_rows.1: \[1\] is no row of the taxonomy"),
        ("label_rows.1.0", -2, "label_rows.1.0 should be a whole number at least -1"),
        ("label_counts.0", "many", "label_counts.0 should be a whole number from 1"),
        ("label_counts", [1], "label_counts: it has 1 entries, and label_rows 4"),
        ("label_counts.0", 10**30, "label_counts.0 should be a whole number from 1"),
        ("domains", [{"type": "video"}], "type should be image or sequence, found 'video'"),
        ("domains", [{"type": ["image"]}], "type should be image or sequence, found"),
        ("domains", [{"type": "image", "name": "a"}], "domains: shape"),
    ],
)
def test_a_changed_data_json(run: Path, key: str, value: Any, sentence: str) -> None:
    change(run / "data.json", key, value)
    with pytest.raises(UserError, match=rf"data\.json does not hold what it should: .*{sentence}"):
        Run.open(run)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("run", "del", "data is missing; it should be keys with values"),
        ("run.seed", -1, "seed should be a whole number at least 0; found -1"),
        ("run.data_fingerprint", "del", "data_fingerprint is missing; it should be text"),
        ("run.data.split", "dev", "data.split"),
        ("run.data.taxonomy", "x", "data.taxonomy"),
        ("training.steps", 0, "training.steps"),
        ("optimizer.beta1", float("inf"), "optimizer.beta1"),
    ],
)
def test_a_changed_recipe(run: Path, key: str, value: Any, sentence: str) -> None:
    change(run / "recipe.yaml", key, value)
    with pytest.raises(UserError, match=rf"run.recipe\.yaml.*{sentence}"):
        Run.open(run)


def test_a_data_set_of_unknown_options(run: Path) -> None:
    change(run / "recipe.yaml", "run.data.colour", "red")
    with pytest.raises(UserError, match=r"recipe.yaml names no data set that can be loaded"):
        Run.open(run).load_data()


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("iteration", "del", "iteration is missing; it should be a whole number"),
        ("iteration", "2", "iteration should be a whole number at least 0; found '2'"),
        ("iteration", 1, "is of iteration 1, and its folder was renamed; name it step-00000001"),
        ("best", {"step": 1}, "best.frechet_distance is missing; it should be a number"),
        ("averages", [{"names": ["a"], "sums": [], "count": 1}], "there are 1 names and 0 sums"),
        ("clock.seconds", None, "clock.seconds should be a number at least 0; found None"),
    ],
)
@pytest.mark.parametrize(
    "ask", [resume, lambda run: Run.open(run).sample(2)], ids=["resume", "ask"]
)
def test_a_changed_state(run: Path, key: str, value: Any, sentence: str, ask: Callable) -> None:
    change(run / "checkpoints" / "step-00000002" / "state.json", key, value)
    with pytest.raises(UserError, match=rf"step-00000002.*{sentence}"):
        ask(run)


def test_a_checkpoint_under_another_step(run: Path) -> None:
    (run / "checkpoints" / "step-00000002").rename(run / "checkpoints" / "step-00000009")
    for ask in (resume, lambda run: Run.open(run).sample(2)):
        with pytest.raises(UserError, match="step-00000009 is of iteration 2"):
            ask(run)
    assert Run.open(run).sample(2, step=0).shape == (2, 1, 16, 16)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("part", ["weight", "running_var"])
def test_tensors_that_are_not_finite(run: Path, part: str, value: float) -> None:
    file = run / "checkpoints" / "step-00000002" / "networks.safetensors"
    tensors = load_file(file)
    name = next(name for name in tensors if name.endswith(part))
    tensors[name].view(-1)[0] = value
    save_file(tensors, file)
    for ask in (resume, lambda run: Run.open(run).sample(2), lambda run: Run.open(run).game(2)):
        with pytest.raises(UserError, match=rf"step-00000002 holds .* not finite, in {name}: "):
            ask(run)
    assert Run.open(run).sample(2, step=0).any()


@pytest.mark.parametrize("content", [b"", b"{}", b"\x08\0\0\0\0\0\0\0{}      ", None])
def test_tensors_that_are_none(run: Path, content: bytes | None) -> None:
    file = run / "checkpoints" / "step-00000002" / "networks.safetensors"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    for ask in (resume, lambda run: Run.open(run).sample(2)):
        with pytest.raises(UserError, match=r"step-00000002 is (incomplete or|of another)"):
            ask(run)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("junk", "is not valid JSON"),
        ("", "is not valid JSON"),
        ("[]", "it should be keys with values"),
        ('{"kind": "train", "step": 1, "seconds": 1.0}', "values is missing; it should be"),
        ('{"kind": "train", "step": -1, "seconds": 1, "values": {}}', "step should be a whole"),
        ('{"kind": 1, "step": 1, "seconds": 1, "values": {}}', "kind should be text"),
        ('{"kind": "train", "step": 1, "seconds": 1e999, "values": {}}', "seconds should be a nu"),
        ('{"kind": "train", "step": 1, "seconds": 1, "values": {"a": null}}', "values.a should"),
        ('{"kind": "evaluation", "step": 1, "seconds": 1, "values": {}}', "a value frechet_dist"),
    ],
)
def test_a_changed_line_of_the_log(run: Path, line: str, sentence: str) -> None:
    log = run / "metrics.jsonl"
    log.write_text(f"{line}\n{log.read_text()}")
    for ask in (resume, lambda run: Run.open(run).metrics()):
        with pytest.raises(UserError, match=rf"Line 1 of .*metrics\.jsonl .*{sentence}"):
            ask(run)


@pytest.mark.parametrize("cut", ["", "{", '{"kind": "train", "step": 3, "val'])
def test_a_last_line_that_is_cut_off_is_passed_over(run: Path, cut: str) -> None:
    before = Run.open(run).metrics()
    with (run / "metrics.jsonl").open("a") as file:
        file.write(cut)
    assert Run.open(run).metrics() == before


# Numbers


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ({"n": 0}, "n should be a whole number from 1 to 10,000,000; found 0"),
        ({"n": 10**12}, "n should be a whole number from 1 to 10,000,000; found 1000000000000"),
        ({"n": 2.5}, "n should be .* found 2.5"),
        ({"n": True}, "n should be .* found True"),
        ({"seed": -1}, "seed should be a whole number from 0 to 2,147,483,647; found -1"),
        ({"seed": 2**64}, "from 0 to 2,147,483,647; found 18446744073709551616"),
        ({"batch_size": 0}, "batch_size should be a whole number from 1 to 10,000,000; found 0"),
        ({"step": -1}, "step should be a whole number from 0 to 1,000,000,000; found -1"),
        ({"step": 10**9}, "has no checkpoint of step 1000000000; there are 0, 2"),
        ({"labels": {"fine": -1}}, "'fine' should be a whole number from 0 to 3; found -1"),
        ({"labels": {"fine": None}}, "'fine' should be a whole number from 0 to 3; found None"),
    ],
)
def test_numbers_out_of_range(trained: Path, numbers: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Run.open(trained).sample(**{"n": 2, **numbers})


def test_the_ends_of_the_ranges(trained: Path) -> None:
    run = Run.open(trained)
    assert len(run.sample(1, seed=2**31 - 1, batch_size=10**7)) == 1
    assert len(run.sample(np.int64(2), {"fine": np.int64(3)}, seed=0, step=0)) == 2


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "a\0b"])
def test_domains_whose_names_are_no_folders(name: str) -> None:
    for make in (
        lambda: ImageDomain(name, (1, 8, 8)),
        lambda: SequenceDomain(name, "characters", ("|", "a"), 3),
    ):
        with pytest.raises(UserError, match="a name without slashes"):
            make()
