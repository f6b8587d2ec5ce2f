"""MLflow: at the server that MLFLOW_TRACKING_URI names, without it in a database in
RUN/trackers."""

import logging
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtgan.errors import import_extra
from mtgan.training.trackers.base import PROJECT, TRACKERS, Ending, Tracked

_STATUS = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}
_MOST_PARAMETERS = 100  # in one request
_LONGEST_PARAMETER = 500  # letters, of older servers
_REFUSED = re.compile(r"[^\w\-./: ]")  # letters that no name may have


@TRACKERS.register("mlflow")
class MLflow:
    """Speaks to a server or database by a client of its own, so that what a script does with
    mlflow.start_run and the like stays as it is.

    MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME hold.
    """

    needs = ("mlflow", "sqlalchemy", "alembic")
    extra = "trackers"
    kept: str | None

    def __init__(self, run: Tracked) -> None:
        mlflow: Any = import_extra("mlflow", "trackers", "--log mlflow")
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        address, artifacts = os.environ.get("MLFLOW_TRACKING_URI"), None
        if not address:
            folder = run.folder.resolve() / "mlflow"
            folder.mkdir(exist_ok=True)
            address, artifacts = f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts"
        self._client = mlflow.MlflowClient(address)
        self._metric = mlflow.entities.Metric
        if run.kept is None:
            self.kept = self._create(run, artifacts, mlflow.entities.Param)
        else:
            self.kept = run.kept
            self._client.update_run(self.kept, status="RUNNING")

    def _create(self, run: Tracked, artifacts: Path | None, parameter: Any) -> str:
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        found = self._client.get_experiment_by_name(name)
        place = None if artifacts is None else artifacts.as_uri()
        experiment = found.experiment_id if found else self._client.create_experiment(name, place)
        key: str = self._client.create_run(experiment, run_name=run.name).info.run_id
        parameters = [
            parameter(_REFUSED.sub("_", name), str(value)[:_LONGEST_PARAMETER])
            for name, value in _flat(run.config)
        ]
        for first in range(0, len(parameters), _MOST_PARAMETERS):
            self._client.log_batch(key, params=parameters[first : first + _MOST_PARAMETERS])
        self._client.log_dict(key, dict(run.config), "recipe.yaml")
        return key

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        now = int(1000 * time.time())
        metrics = [self._metric(_REFUSED.sub("_", n), x, now, step) for n, x in values.items()]
        self._client.log_batch(self.kept, metrics)

    def picture(self, step: int, tag: str, image: np.ndarray) -> None:
        self._client.log_image(self.kept, image, key=_REFUSED.sub("_", tag), step=step)

    def close(self, ending: Ending) -> None:
        self._client.set_terminated(self.kept, _STATUS[ending])


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Keys with dots between them, as --set takes them, and what is no mapping under them."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
