"""Studies whose runs are numbers made up, so that nothing is trained."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from mtgan.studies.collect import StudyResult, begin_folder, write_plan
from mtgan.studies.jobs import record_path
from mtgan.studies.plan import make_plan
from mtgan.studies.schema import Study

Values = Mapping[str, Mapping[str, list[float]]]


def fake_study(out: Path, values: Values, **keys: object) -> StudyResult:
    """A study's folder with finished runs: values by cell and measure, one per seed."""
    seeds = max(len(column) for cell in values.values() for column in cell.values())
    study = Study.model_validate(
        {
            "name": "fake",
            "title": "A study of fakes & more",
            "recipes": [{"name": name, "recipe": "wgan-gp"} for name in values],
            "set": {},
            "datasets": {"digits": {"name": "digits"}},
            "seeds": seeds,
            "measures": list(next(iter(values.values()))),
            **keys,
        }
    )
    # Cells that are trained alike would share their runs.
    entries = [
        entry.model_copy(update={"set": {"latent.dim": 10 + i}})
        for i, entry in enumerate(study.recipes)
    ]
    plan = make_plan(study.model_copy(update={"recipes": entries}))
    begin_folder(plan, out)
    write_plan(plan, out)
    for cell in plan.cells:
        for seed in range(seeds):
            finish(
                out / "runs" / cell.run_id(seed),
                plan.study,
                {
                    name: column[seed]
                    for name, column in values[cell.recipe_label].items()
                    if seed < len(column)
                },
                cell.mark,
            )
    return StudyResult.open(out)


def finish(run: Path, study: Study, values: Mapping[str, float], mark: float | None = None) -> None:
    """Write the result of a run, or of one of its marks, as a worker does."""
    if not values:
        return
    run.mkdir(parents=True, exist_ok=mark is not None)
    result = {
        "evaluation": study.evaluation.model_dump(mode="json"),
        "values": {name: {"value": value} for name, value in values.items()},
        "protocol": {"features": "classifier", "generated": 640, "reference": 640},
        "iterations": 10,
        "seconds": 2.5,
        "fingerprint": "f",
    }
    record_path(study.kind, run, mark).write_text(json.dumps(result))


@pytest.fixture
def fake(tmp_path: Path):
    """fake_study in a folder of its own."""
    return lambda values, **keys: fake_study(tmp_path / "study", values, **keys)
