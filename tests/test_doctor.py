"""`mtgan doctor`, and devices by their names."""

import json
import os
import tomllib
from pathlib import Path

import pytest
import torch

import mtgan
from cli.test_commands import mtgan as command
from mtgan import doctor
from mtgan.errors import UserError
from mtgan.recipes.rules import RecipeWarning
from mtgan.training.devices import (
    FALLBACK,
    choose_device,
    multiplies_bfloat16,
    refuse_compiling,
    widest,
)

PROJECT = tomllib.loads((Path(mtgan.__file__).parents[2] / "pyproject.toml").read_text())["project"]
METAL = torch.device("mps")


def test_it_knows_every_extra_that_users_can_install() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(doctor.EXTRAS) == set(extras) - {"eval", "dev"}
    base = {line.split(">")[0] for line in PROJECT["dependencies"]}
    for name, (packages, _) in doctor.EXTRAS.items():
        # What only some systems can have is not missed on the others.
        everywhere = [line for line in extras[name] if ";" not in line]
        named = {line.split("[")[0].split(">")[0] for line in everywhere} - base
        assert set(packages) == named, name


def test_it_finds_what_is_there(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MTGAN_CACHE", str(tmp_path / "cache"))
    assert doctor.diagnose().cache_bytes == 0  # where there is no folder yet
    (tmp_path / "cache" / "deep").mkdir(parents=True)
    (tmp_path / "cache" / "a").write_bytes(b"x" * 1000)
    (tmp_path / "cache" / "deep" / "b").write_bytes(b"x" * 24)
    found = doctor.diagnose()
    assert (found.cache, found.cache_bytes) == (str(tmp_path / "cache"), 1024)
    assert found.versions["torch"] == torch.__version__
    assert found.threads == torch.get_num_threads()
    assert 1 <= found.cores <= (os.cpu_count() or 1)
    assert list(found.devices) == ["cpu", "cuda", "mps"]
    assert found.settings["MTGAN_CACHE"] == str(tmp_path / "cache")
    if not torch.cuda.is_available():
        assert found.devices["cuda"] == ""


def test_a_missing_extra_is_named_with_what_it_would_give(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(doctor.EXTRAS, "chem", (("rdkit-of-nobody",), "molecules"))
    shown = command("doctor", cwd=tmp_path)
    assert shown.returncode == 0
    wanted = "without rdkit-of-nobody; pip install 'mtgan[chem]' gives: molecules"
    assert wanted in " ".join(shown.stdout.split())
    values = json.loads(command("doctor", "--json", cwd=tmp_path).stdout)
    extra = {"installed": {}, "missing": ["rdkit-of-nobody"], "gives": "molecules"}
    assert values["extras"]["chem"] == extra


def test_mps_is_refused_where_there_is_none(monkeypatch) -> None:
    monkeypatch.setattr("mtgan.training.devices.has_mps", lambda: False)
    with pytest.raises(UserError, match="PyTorch finds no Metal device here"):
        choose_device("mps")


def test_mps_says_what_happens_to_what_metal_lacks(monkeypatch, recwarn) -> None:
    """As on a Mac, as far as the choice of a device goes."""
    monkeypatch.setattr("mtgan.training.devices.has_mps", lambda: True)
    monkeypatch.setattr("mtgan.doctor.has_mps", lambda: True)
    monkeypatch.delenv(FALLBACK, raising=False)
    with pytest.warns(RecipeWarning, match=f"with {FALLBACK}=1 in the environment the CPU"):
        assert choose_device("mps") == METAL
    assert f"an error, unless {FALLBACK}=1" in doctor.devices()["mps"]
    recwarn.clear()
    monkeypatch.setenv(FALLBACK, "1")
    assert choose_device("mps") == METAL
    assert len(recwarn) == 0
    assert doctor.devices()["mps"].endswith("on the CPU")
    if not torch.cuda.is_available():
        assert choose_device("auto") == torch.device("cpu")  # mps is taken by its name alone
    monkeypatch.setattr("mtgan.processes.count", lambda: 2)
    with pytest.raises(UserError, match="device=mps is for one process"):
        choose_device("mps")


def test_metal_has_no_float64() -> None:
    assert (widest(METAL), widest(torch.device("cpu"))) == (torch.float32, torch.float64)


def test_cuda_is_refused_where_there_is_none(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="no CUDA device here; take device=cpu or auto"):
        choose_device("cuda")


def test_mps_neither_compiles_nor_takes_bfloat16_by_itself() -> None:
    assert not multiplies_bfloat16(METAL)
    with pytest.raises(UserError, match="leave it out on mps"):
        refuse_compiling(METAL)
