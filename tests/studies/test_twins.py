"""Studies measure every twin of a run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtgan.errors import UserError
from mtgan.runs import samples_of
from mtgan.studies.jobs import Job, read_results
from mtgan.studies.kinds import KINDS
from mtgan.studies.measure import measured_by, reference_of
from mtgan.studies.measures import Measure
from mtgan.studies.plan import StudyPlan, make_plan
from mtgan.studies.schema import Study
from mtgan.studies.worker import run_job
from mtgan.training import Run
from studies_toys import TINY

KEYS = {
    "sharing.0.layers": 1,
    "sharing.1.layers": 1,
    "schedule.discriminator_steps": 1,
    "optimizer.decay": "none",
}
RECIPE = {"recipe": "mtl-wgan-projection", "name": "twins", "set": KEYS}


def plan(**keys: object) -> StudyPlan:
    return make_plan(Study.model_validate({**TINY, "recipes": [RECIPE], **keys}))


def measured(job: Job) -> dict[str, float]:
    found = read_results(job)
    assert found is not None
    return {name: entry["value"] for name, entry in found[-1]["values"].items()}


@pytest.mark.parametrize("marks", [None, {"iterations": [1, 2]}])
def test_measures_of_a_twin_bear_its_name(marks: object, tmp_path: Path) -> None:
    [job] = plan(marks=marks, seeds=1, budget={"steps": 2, "scale": "tiny"}).jobs(tmp_path)
    run_job(job)
    run, wanted = Run.open(job.out), job.evaluation
    reference = reference_of(job.data, wanted["split"])
    values = measured(job)
    for twin, prefix in (("fine", ""), ("coarse", "coarse/")):
        made = samples_of(run.twin(twin), reference, wanted["samples"], wanted["seed"])
        alone = measured_by(made, reference, wanted, "cpu").values
        assert "frechet_distance" in alone
        for name, entry in alone.items():
            assert values[f"{prefix}{name}"] == pytest.approx(entry["value"], rel=1e-4), name
    assert values["frechet_distance"] != values["coarse/frechet_distance"]
    assert (made.labels >= 0).any(axis=0).tolist() == [False, True]
    if marks:
        before = replace(job, marks=[1.0])
        (Path(job.out) / "twins" / "coarse" / "marks" / "1.npz").unlink()
        (Path(job.out) / "result-1.json").unlink()
        run_job(before)
        assert "coarse/frechet_distance" not in measured(before), "as before twins were measured"


@pytest.mark.parametrize("marks", [None, {"iterations": [1]}])
def test_twins_with_image_sets_of_their_own_are_measured_against_these(
    marks: object, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 99, (80, 8, 8, 1), dtype=np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(80) % 2)
    made = plan(
        recipes=[{**RECIPE, "recipe": "mtl-wgan-sets"}],
        datasets={"two": {"name": f"sets:digits+noise={tmp_path}/noise.npz"}},
        marks=marks,
        seeds=1,
        budget={"steps": 1, "scale": "tiny"},
    )
    KINDS.get("gan").prepare(made)
    [job] = made.jobs(tmp_path / "runs")
    run_job(job)
    run, wanted, values = Run.open(job.out), job.evaluation, measured(job)
    whole = reference_of(job.data, wanted["split"])
    for twin, prefix, level, count in (
        ("first", "", "digits", 1438),
        ("second", "second/", "noise", 64),
    ):
        reference = whole.select(np.flatnonzero(whole.labels_of(level) >= 0))
        assert len(reference) == count
        taken = min(wanted["samples"], count)
        samples = samples_of(run.twin(twin), reference, taken, wanted["seed"])
        alone = measured_by(samples, reference, wanted, "cpu").values["frechet_distance"]
        assert values[f"{prefix}frechet_distance"] == pytest.approx(alone["value"], rel=1e-4)


def test_names_of_a_twins_values_are_understood() -> None:
    assert Measure(name="coarse/frechet_distance").better == "lower"
    assert Measure.model_validate("coarse/accuracy/coarse").better == "higher"
    assert Measure.model_validate("coarse/accuracy/coarse").title == "coarse: accuracy (coarse)"
    for curve, every in (("coarse/frechet_distance", 1), ("generator/loss", 0)):
        [cell] = make_plan(Study.model_validate({**TINY, "curves": [curve]})).cells
        assert cell.recipe.training.evaluate_every == every


def test_an_instrument_is_not_called_as_a_twin() -> None:
    with pytest.raises(UserError, match=r"instrument 'coarse', and recipe mtl-wgan-projection has"):
        plan(evaluation={**TINY["evaluation"], "beside": {"coarse": {}}})
