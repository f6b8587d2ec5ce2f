"""Folders of reproductions whose runs are numbers made up, so that nothing is trained."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mtgan.data.domains.base import Preview
from mtgan.reproduction import machine
from mtgan.reproduction.machine import Setting
from mtgan.reproduction.material import Material
from mtgan.studies.collect import begin_folder, write_plan
from mtgan.studies.jobs import record_path
from mtgan.studies.plan import StudyPlan

Value = Callable[[str, int, str], float]
"""A measure's value: of a cell's label, a seed, and the measure's name."""

STEPS = range(1, 11)


def noisy(label: str, seed: int, measure: str) -> float:
    return 1.0 + 0.01 * ((sum(map(ord, label + measure)) + 7 * seed) % 13)


def plant(
    plan: StudyPlan,
    out: Path,
    value: Value = noisy,
    logged: Callable[[str, int, str, int], float] | None = None,
) -> None:
    """A study's folder with all runs finished; logged: values at ten points by cell, seed, name."""
    begin_folder(plan, out)
    write_plan(plan, out)
    curves = dict.fromkeys(curve.name for curve in plan.study.curves)
    names = [measure.name for measure in plan.study.measures]
    for cell in plan.cells:
        for seed in cell.seeds(plan.study.seeds):
            run = out / "runs" / cell.run_id(seed)
            run.mkdir(parents=True, exist_ok=True)
            result = {
                "evaluation": plan.study.evaluation.model_dump(mode="json"),
                "values": {name: {"value": value(cell.label, seed, name)} for name in names},
                "protocol": {"features": "classifier", "generated": 64, "reference": 64},
                "iterations": 10,
                "seconds": 2.5,
                "fingerprint": "f",
            }
            record_path(cell.kind_name, run).write_text(json.dumps(result))
            kind = "train" if cell.kind_name == "gan" else "epoch"
            lines = [
                {
                    "kind": kind,
                    "step": step,
                    "seconds": 1.0 * step,
                    "epoch": 0.5 * step,
                    "values": {
                        name: logged(cell.label, seed, name, step) if logged else 1 / step
                        for name in curves
                    },
                }
                for step in STEPS
            ]
            text = "".join(f"{json.dumps(line)}\n" for line in lines)
            (run / "metrics.jsonl").write_text(text)


def made_samples(self: Material, arm: str, classes: int, each: int) -> tuple[np.ndarray, list[str]]:
    """In the place of a run's samples."""
    images = np.zeros((classes * each, 1, 8, 8), np.uint8)
    return images, [f"class {index}" for index in range(classes)]


def made_answer(
    self: Material, folder: Path, analysis: str, options: Mapping[str, Any]
) -> tuple[dict[str, Any], Path]:
    """In the place of an analysis of a run."""
    picture = folder / f"{analysis}.png"
    Image.new("RGB", (8, 8)).save(picture)
    answer = {"verdict": f"{analysis} was asked.", "memorizing": False}
    return {**answer, "paths": {"most_jumping": 0.1 + 0.01 * len(folder.name)}}, picture


def made_previews(self: Material, arm: str, first: bool) -> tuple[int, list[tuple[str, Preview]]]:
    """In the place of a run's samples of two domains."""
    picture = Preview(picture=Image.new("RGB", (8, 8)))
    return 5 if first else 20, [("image", picture), ("smiles", Preview(("CCO", "C|C")))]


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples, answers and real images' values without any run."""
    monkeypatch.setattr(Material, "samples", made_samples)
    monkeypatch.setattr(Material, "previews", made_previews)
    monkeypatch.setattr(Material, "answer", made_answer)
    monkeypatch.setattr(machine, "real_values", lambda plan, out: RealOnes())


class RealOnes(dict[str, float]):
    """What real images get: 1 in everything."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> float:
        return 1.0


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path / "results", "tiny")


@pytest.fixture
def flat_data(tmp_path: Path) -> Path:
    """A folder of images of two classes that no level is above."""
    for name in ("cat", "dog"):
        (tmp_path / "flat" / name).mkdir(parents=True)
        for index in range(8):
            image = Image.fromarray(np.full((8, 8), 20 * index, np.uint8))
            image.save(tmp_path / "flat" / name / f"{index}.png")
    return tmp_path / "flat"
