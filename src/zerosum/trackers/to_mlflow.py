"""MLflow, at $MLFLOW_TRACKING_URI or its own default."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient  # pyright: ignore[reportMissingImports]  # an extra
from mlflow.entities import Metric, Param  # pyright: ignore[reportMissingImports]

from zerosum.trackers.base import About

LONGEST = 250
"""Characters of a name or of a setting's value."""


class MLflow:
    """A run of MLflow."""

    def __init__(self, client: MlflowClient, session: str) -> None:
        self._client, self.session = client, session

    def log(self, values: Mapping[str, float], round_: int) -> None:
        """Send what was measured at a round."""
        now = int(time.time() * 1000)
        self._client.log_batch(self.session, metrics=[Metric(_name(k), v, now, round_) for k, v in values.items()])

    def picture(self, path: Path, round_: int) -> None:
        """Send a preview as a file."""
        self._client.log_artifact(self.session, str(path), "samples")

    def summary(self, values: Mapping[str, float]) -> None:
        """Send figures as metrics of the run."""
        self.log(values, 0)

    def finish(self) -> None:
        """End the run."""
        self._client.set_terminated(self.session)


def connect(about: About, session: str | None) -> MLflow:
    """Begin a run, or go on with one."""
    client = MlflowClient()
    if session is not None:
        client.update_run(session, status="RUNNING")
        return MLflow(client, session)
    found = client.get_experiment_by_name(about.project)
    experiment = client.create_experiment(about.project) if found is None else found.experiment_id
    run = client.create_run(experiment, run_name=about.name)
    settings = [Param(_name(name), str(value)[:LONGEST]) for name, value in about.settings.items()]
    client.log_batch(run.info.run_id, params=settings[:100])
    return MLflow(client, run.info.run_id)


def _name(name: str) -> str:
    """Return a name of the characters that MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", name)[:LONGEST]
