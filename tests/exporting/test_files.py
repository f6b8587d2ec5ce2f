"""Exported files: what programs without mtgan make of them is what mtgan makes."""

import json
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

import mtgan
from exporting.conftest import alone
from mtgan.data.pixels import to_floats
from mtgan.errors import UserError
from mtgan.exporting.base import FORMATS, Export
from mtgan.exporting.checks import check, difference
from mtgan.exporting.graphs import program_of
from mtgan.training import Run, load_critic_features, train
from needed import need_package
from toys import ZOO, make_domains, small_recipe

ONNX = """
import json, numpy as np, onnxruntime
session = onnxruntime.InferenceSession("model.onnx")
metadata = session.get_modelmeta().custom_metadata_map["mtgan"]
given = dict(np.load("inputs.npz"))
made = session.run(None, given)
one = session.run(None, {name: x[:1] for name, x in given.items()})[0]
np.savez("made.npz", *made, one=one)
open("metadata.json", "w").write(metadata)
"""
PT2 = """
import json, numpy as np, torch
extra = {"mtgan.json": ""}
module = torch.export.load("model.pt2", extra_files=extra).module()
given = [torch.from_numpy(x) for x in np.load("inputs.npz").values()]
np.savez("made.npz", *(x.numpy() for x in module(*given)), one=module(*[x[:1] for x in given])[0])
open("metadata.json", "w").write(extra["mtgan.json"])
"""


def made_alone(code, folder, *without, **inputs):
    """The outputs for these inputs, the first one for the first sample alone, and the metadata."""
    np.savez(folder / "inputs.npz", **inputs)
    alone(code, folder, *without)
    found = np.load(folder / "made.npz")
    outputs = [found[name] for name in found.files if name.startswith("arr_")]
    return outputs, found["one"], json.loads((folder / "metadata.json").read_text())


def assert_same_images(found: np.ndarray, right: np.ndarray) -> None:
    """As the issue of exports has it: by at most 1, in at most one of a thousand pixels."""
    assert found.dtype == np.uint8
    apart = np.abs(found.astype(int) - np.asarray(right).astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 1e-3


def test_onnx_runtime_alone_gives_the_samples_of_the_run(runs, tmp_path) -> None:
    need_package("onnxscript")
    need_package("onnxruntime")
    run = runs("ac-wgan-b")
    mtgan.export(run.path, tmp_path / "model.onnx")
    right = run.sample(24, {"fine": [*"abcd"] * 6}, seed=1)
    given = {"z": right.latents, "label": np.arange(24) % 4}
    (found,), one, metadata = made_alone(ONNX, tmp_path, "torch", **given)
    assert_same_images(found, right)
    assert_same_images(one, right[:1])
    assert metadata["inputs"]["z"] == {
        "type": "float32",
        "shape": ["N", 6],
        "law": "normal, mean 0, variance 1",
    }
    levels = [{"level": "fine", "classes": ["a", "b", "c", "d"]}]
    assert metadata["inputs"]["label"] == {"type": "int64", "shape": ["N"], "levels": levels}
    assert metadata["outputs"] == {"image": {"type": "uint8", "shape": ["N", 3, 16, 16]}}
    assert (metadata["recipe"]["name"], metadata["step"]) == ("ac-wgan-b", 1)
    assert metadata["taxonomy"]["parents"]["fine"] == {"level": "coarse", "index": [0, 0, 1, 1]}
    assert "data" not in metadata["recipe"]["run"]  # which may hold paths of this machine


def test_pytorch_alone_gives_the_samples_of_a_run_that_is_told_two_levels(runs, tmp_path) -> None:
    run = runs("ac-projection-gan-b")
    mtgan.export(run, tmp_path / "model.pt2")
    right = run.sample(20, seed=2)
    told = {"z": right.latents, "label": right.labels[:, :2]}
    (found,), one, metadata = made_alone(PT2, tmp_path, **told)
    assert_same_images(found, right)
    assert_same_images(one, right[:1])
    assert [entry["level"] for entry in metadata["inputs"]["label"]["levels"]] == ["fine", "coarse"]


def module_of(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.load(path).module()


def test_each_twin_is_a_file_of_its_own(runs, tmp_path) -> None:
    run = runs("mtl-wgan")
    mtgan.export(run, tmp_path / "a.pt2", twin="coarse")
    right = run.sample(8, {"coarse": [*"xxyyxxyy"]}, seed=0, twin="coarse")
    label = torch.tensor([0, 0, 1, 1, 0, 0, 1, 1])
    (found,) = module_of(tmp_path / "a.pt2")(torch.from_numpy(right.latents), label)
    assert_same_images(found.numpy(), right)


def test_a_number_is_given_in_its_own_units(runs, tmp_path) -> None:
    run = runs("ccgan", bars=True)
    mtgan.export(run, tmp_path / "a.pt2", floats=True)
    right = run.sample(5, {"place": [0.0, 10.0, 45.5, 80.0, 90.0]}, seed=0)
    program = module_of(tmp_path / "a.pt2")
    inputs = [torch.from_numpy(right.latents), torch.tensor([0.0, 10.0, 45.5, 80.0, 90.0])]
    (found,) = program(*inputs)
    assert found.dtype == torch.float32
    bytes_of = np.clip(np.rint((found.numpy().astype(np.float64) + 1) * 127.5), 0, 255)
    assert_same_images(bytes_of.astype(np.uint8), right)


def test_a_discriminator_says_what_it_says_in_the_run(runs, tmp_path) -> None:
    run = runs("ac-wgan-b")
    mtgan.export(run, tmp_path / "a.pt2", part="discriminator")
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 16, 16), dtype=np.uint8)
    score, features, fine, coarse = module_of(tmp_path / "a.pt2")(torch.from_numpy(images))
    right = run.game().twin().discriminator.eval()(to_floats(images), {})
    close = {"atol": 1e-4, "rtol": 1e-4}
    torch.testing.assert_close(score, right.score, **close)
    torch.testing.assert_close(features, load_critic_features(run)(torch.tensor(images)), **close)
    torch.testing.assert_close(fine, right.logits["fine"], **close)
    torch.testing.assert_close(coarse, right.logits["coarse"], **close)
    assert (tuple(fine.shape), tuple(coarse.shape)) == ((7, 4), (7, 2))


def test_classifiers_of_their_own_are_a_part(runs, tmp_path) -> None:
    run = runs("sc-wgan-a")
    mtgan.export(run, tmp_path / "a.pt2", part="classifier")
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 16, 16), dtype=np.uint8)
    (found,) = module_of(tmp_path / "a.pt2")(torch.from_numpy(images))
    right = run.game().networks["classifier/fine"].eval()(to_floats(images))
    torch.testing.assert_close(found, right, atol=1e-4, rtol=1e-4)


def test_differences_by_hand() -> None:
    right = np.zeros((1, 1, 40, 50), dtype=np.uint8)  # 2,000 pixels
    assert difference(right, right) == ""
    made = right.copy()
    made[0, 0, 0, :2] = 1  # one of a thousand
    assert difference(right, made) == ""
    made[0, 0, 0, 2] = 1
    assert difference(right, made) == "0.15% of the pixels differ, by up to 1"
    made = right.copy()
    made[0, 0, 0, 0] = 2
    assert difference(right, made) == "0.05% of the pixels differ, by up to 2"
    assert difference(right, right.astype(np.int16)).startswith("int16 [1, 1, 40, 50] for uint8")
    scores = np.array([0.0, -20.0], dtype=np.float32)
    assert difference(scores, scores + np.float32(0.0019)) == ""  # up to 1e-4 of 20
    assert difference(scores, scores + np.float32(0.0021)) == "they differ by 0.0021"
    small = scores / 100
    assert difference(small, small + np.float32(1.1e-4)) == "they differ by 0.00011"


def test_a_file_that_differs_is_not_kept(runs, tmp_path, monkeypatch) -> None:
    """As if PyTorch had exported another network."""
    _, program = program_of(Export(runs("ac-wgan-b")))
    wrong = replace(program, expected=lambda inputs: [255 - x for x in program.expected(inputs)])
    with pytest.raises(UserError, match="X gives another image than mtgan for 2 samples"):
        check(wrong, lambda inputs: program.expected([*map(torch.tensor, inputs.values())]), "X")
    monkeypatch.setattr("mtgan.exporting.formats.pt2.program_of", lambda asked: ("x", wrong))
    with pytest.raises(UserError, match="so it was not kept"):
        FORMATS.get("pt2").write(Export(runs("ac-wgan-b")), tmp_path / "a.pt2")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "options", "sentence"),
    [
        ("a.pt", {}, "FILE.onnx or FILE.pt2, or to a folder; found"),
        ("taken.pt2", {}, "taken.pt2 exists already; name another"),
        ("taken", {}, "taken exists already; name another"),
        ("a.pt2", {"part": "generater"}, "did you mean 'generator'"),
        ("a.pt2", {"part": "classifier"}, "ac-wgan-b trains no classifier of its own"),
        ("a.pt2", {"part": "discriminator", "floats": True}, "floats is of a generator's images"),
        ("a.pt2", {"twin": "coarse"}, "trains no twins"),
        ("a.pt2", {"step": 7}, "no checkpoint of step 7; there are 0, 1"),
        ("a", {"part": "discriminator"}, "A folder holds the whole model"),
        ("a", {"floats": True}, "A folder holds the whole model"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    out, options, sentence, runs, tmp_path
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    (tmp_path / "taken.pt2").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=sentence):
        mtgan.export(runs("ac-wgan-b"), tmp_path / out, **options)
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "taken.pt2").read_text() == "mine"


def test_a_run_without_a_checkpoint_and_a_missing_package_are_refused(
    runs, tmp_path, monkeypatch
) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("recipe.yaml", "data.json"):
        (bare / name).write_bytes((runs("ac-wgan-b").path / name).read_bytes())
    for out in ("a.pt2", "a"):
        with pytest.raises(UserError, match="has no complete checkpoint yet"):
            mtgan.export(bare, tmp_path / out)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"needs the package onnx.*mtgan\[export\]"):
        mtgan.export(runs("ac-wgan-b"), tmp_path / "a.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


def test_strings_are_read_off_their_canvases(tmp_path) -> None:
    data = make_domains(tmp_path)
    recipe = small_recipe("multidomain-conv1d", training__steps=1)
    run = train(recipe, data, tmp_path / "run", quiet=True)
    mtgan.export(run, tmp_path / "a.pt2")
    asked = run.sample(6, run.of_domain("text"), seed=0)
    (level,) = run.asking().taken
    label = torch.from_numpy(asked.labels[:, asked.taxonomy.levels.index(level)])
    (found,) = module_of(tmp_path / "a.pt2")(torch.from_numpy(asked.latents), label)
    text = run.dataset_info.domain("text")
    assert text.decode(found.numpy()) == run.sample_domain(6, "text", seed=0)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("ignore")
def test_every_recipe_of_the_zoo_becomes_onnx(runs, tmp_path) -> None:
    """An export checks itself; no recipe is known that fails."""
    need_package("onnxscript")
    need_package("onnxruntime")
    for name in ZOO:
        try:
            run: Run = runs(name)
        except UserError:  # it needs other labels
            continue
        for twin in run.twins or (None,):
            mtgan.export(run, tmp_path / f"{name}-{twin}.onnx", twin=twin)
    assert len(list(tmp_path.iterdir())) > 40
