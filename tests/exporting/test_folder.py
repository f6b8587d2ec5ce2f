"""Model folders: written, read back, and refused where they are not what mtgan wrote."""

import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mtgan
from cli.test_commands import mtgan as command
from mtgan.errors import UserError
from mtgan.evaluation import Scorecard
from mtgan.exporting import Pretrained
from mtgan.exporting.config import fingerprint
from mtgan.runs import card_path
from needed import need_package
from toys import make_data


@pytest.fixture(scope="module")
def folder(runs, tmp_path_factory) -> Path:
    return mtgan.export(runs("ac-wgan-b"), tmp_path_factory.mktemp("models") / "v1", license="mit")


@pytest.fixture
def copied(folder, tmp_path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copied"))


def edit(folder: Path, stamped: bool = False, **changes: object) -> None:
    """Change keys of config.json; stamped: as somebody would who knows how it is guarded."""
    values = json.loads((folder / "config.json").read_text()) | changes
    if stamped:
        values["fingerprint"] = fingerprint(values)
    (folder / "config.json").write_text(json.dumps(values))


def test_a_folder_makes_a_round_trip(runs, folder, tmp_path) -> None:
    run, model = runs("ac-wgan-b"), mtgan.load(folder)
    assert isinstance(model, Pretrained)
    for labels in (None, {"coarse": "y"}, {"fine": [*"dcba"] * 3}):
        right, found = (each.sample(12, labels, seed=5) for each in (run, model))
        np.testing.assert_array_equal(found, right)
        np.testing.assert_array_equal(found.labels, right.labels)
    again = model.save_pretrained(tmp_path / "v1.1")
    assert again == tmp_path / "v1.1"
    assert (again / "config.json").read_bytes() == (folder / "config.json").read_bytes()
    other = Pretrained.from_pretrained(again)
    np.testing.assert_array_equal(other.sample(3, seed=1), run.sample(3, seed=1))
    assert (other.license, other.step) == ("mit", 1)
    assert repr(other) == f"Pretrained('{again}': ac-wgan-b on toy, iteration 1)"
    with pytest.raises(UserError, match="exists already"):
        model.save_pretrained(again)
    with pytest.raises(UserError, match="holds one checkpoint, of iteration 1, and not 7"):
        model.sample(1, step=7)


def test_its_discriminator_and_its_generators_are_those_of_the_run(runs, folder) -> None:
    run, model = runs("ac-wgan-b").game(), mtgan.load(folder).game()
    for name, tensor in run.networks["discriminator"].state_dict().items():
        assert tensor.equal(model.networks["discriminator"].state_dict()[name]), name
    for name, tensor in run.average["generator"].state_dict().items():
        assert tensor.equal(model.average["generator"].state_dict()[name]), name
        assert tensor.equal(model.networks["generator"].state_dict()[name]), name


def test_a_folder_holds_every_twin(runs, tmp_path) -> None:
    run = runs("mtl-wgan")
    model = mtgan.load(mtgan.export(run, tmp_path / "twins"))
    for twin in ("fine", "coarse"):
        right = run.sample(4, seed=0, twin=twin)
        np.testing.assert_array_equal(model.sample(4, seed=0, twin=twin), right)
    with pytest.raises(UserError, match="A folder holds the whole model"):
        mtgan.export(run, tmp_path / "other", twin="coarse")


def test_a_run_folder_is_loaded_as_a_run(runs) -> None:
    assert isinstance(mtgan.load(runs("ac-wgan-b").path), mtgan.Run)


def test_the_card_says_what_the_scorecard_says(runs, tmp_path) -> None:
    run = mtgan.Run.open(shutil.copytree(runs("ac-wgan-b").path, tmp_path / "run"))
    options = {"features": "pixels", "metrics": "frechet_distance", "n": 40, "protocol": "training"}
    card = mtgan.evaluate(run.sample(48, seed=0), make_data(shape=(3, 16, 16)), **options)
    card_path(run).write_text(card.to_json())
    model = mtgan.load(mtgan.export(run, tmp_path / "model", license="cc-by-4.0"))
    assert isinstance(model, Pretrained)
    assert isinstance(model.card, Scorecard)
    assert model.card["frechet_distance"] == card["frechet_distance"]
    text = (tmp_path / "model" / "README.md").read_text()
    assert "| fine | a, b, c, d |" in text
    assert card.protocol.sentence() in text
    with Image.open(tmp_path / "model" / "samples.png") as picture:
        assert picture.width > 10 * 16  # a column for each of ten latents
    os.utime(card_path(run), (0, 0))  # older than the checkpoint: of an earlier one
    assert mtgan.load(mtgan.export(run, tmp_path / "later")).card is None
    need_package("huggingface_hub")
    from huggingface_hub import ModelCard

    data = ModelCard.load(tmp_path / "model" / "README.md").data
    (result,) = data.eval_results
    assert result.metric_type == "frechet_distance"
    assert result.metric_value == pytest.approx(card["frechet_distance"], rel=1e-5)
    assert result.metric_args == {"protocol": card.protocol.sentence(), "samples": 40}
    assert (data.license, data.library_name) == ("cc-by-4.0", "mtgan")


def test_what_was_changed_is_refused(copied) -> None:
    text = (copied / "config.json").read_text()
    recipe = json.loads(text)["recipe"]
    edit(copied, recipe={**recipe, "latent": {**recipe["latent"], "distribution": "uniform"}})
    with pytest.raises(UserError, match=r"config\.json was changed after mtgan had written it"):
        mtgan.load(copied)
    edit(copied, stamped=True, recipe={**recipe, "generator": {**recipe["generator"], "width": 9}})
    with pytest.raises(UserError, match="of another architecture"):
        mtgan.load(copied)
    (copied / "config.json").write_text(json.dumps(json.loads(text)))  # in another layout
    mtgan.load(copied)
    weights = copied / "model.safetensors"
    content = weights.read_bytes()
    for broken in (content[:-1], content[:-1] + bytes([content[-1] ^ 1])):
        weights.write_bytes(broken)
        with pytest.raises(UserError, match=r"is not the file that config\.json beside it was"):
            mtgan.load(copied)
    weights.unlink()
    with pytest.raises(UserError, match=r"model\.safetensors cannot be read: it does not exist"):
        mtgan.load(copied)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "mtgan-model-2", "mtgan": "9.1"}, r"by a newer mtgan \(9.1, format 2; this is"),
        ({"format": "diffusers"}, "is no model that mtgan exported"),
        ({"step": "many"}, "does not hold what it should: step"),
        ({"data": {}}, "under `data`, does not hold what it should"),
        ({"recipe": {"generator": {"widht": 8}}}, "widht"),
    ],
)
def test_another_format_and_broken_values_are_refused(changes, sentence, copied) -> None:
    edit(copied, stamped=True, **changes)
    with pytest.raises(UserError, match=sentence):
        mtgan.load(copied)


@pytest.mark.parametrize("name", ["evil", "this"])
def test_nothing_that_a_folder_names_is_executed(name, copied, tmp_path, monkeypatch) -> None:
    """Neither a module beside it nor one that is installed, by any key, though it be stamped."""
    (tmp_path / "evil.py").write_text("raise SystemExit('executed')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    recipe = json.loads((copied / "config.json").read_text())["recipe"]
    generator = {**recipe["generator"], "backbone": f"{name}:Thing"}
    for changed in (
        {"plugins": [name]},
        {"generator": generator},
        {"run": {**recipe["run"], "plugins": {name: "1"}}},
        {"plugins": [name], "generator": generator},
    ):
        edit(copied, stamped=True, recipe={**recipe, **changed})
        if "generator" in changed:
            with pytest.raises(UserError, match=f"{name}.*--plugins {name}"):
                mtgan.load(copied)
        else:
            mtgan.load(copied)  # whose parts are all there without it
        assert name not in sys.modules
    assert importlib.util.find_spec(name) is not None


def test_the_command_line_exports_and_refuses(runs, tmp_path) -> None:
    run = str(runs("ac-wgan-b").path)
    done = command("export", run, "model", "--license", "mit", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "wrote model\n")
    assert mtgan.load(tmp_path / "model").license == "mit"  # type: ignore[attr-defined]
    for words, sentence in (
        ((run, "model"), "model exists already"),
        ((run, "x.pkl"), "found x.pkl"),
        (("model", "x.pt2", "--step", "3"), "holds one checkpoint, of iteration 1"),
        (("nothing", "x.pt2"), "There is no folder nothing"),
    ):
        failed = command("export", *words, cwd=tmp_path)
        assert failed.returncode == 2
        assert sentence in failed.stderr
        assert len(failed.stderr.strip().splitlines()) == 1
    assert command("export", "model", "again", cwd=tmp_path).returncode == 0
