"""What `bench.kinds` puts beside a run: an untrained model, samples shuffled, and training samples in their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from bench.kinds import figures, memorised, ranks, shuffled
from zerosum.data.options import DataConfig
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.inputs import of_run
from zerosum.evaluation.result import MetricResult
from zerosum.kinds import open_data
from zerosum.metrics.bootstrap import Interval
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe
from zerosum.runtime.distributed import World


def figure(value: float, low: float, high: float, better: str = "lower") -> MetricResult:
    interval = Interval(low=low, high=high, level=0.95, standard_error=1.0, method="")
    return MetricResult(metric="fid", title="FID", value=value, better=better, interval=interval)  # type: ignore[arg-type]


def test_a_metric_ranks_where_intervals_are_apart_and_the_run_is_on_the_better_side() -> None:
    run, before = figure(2.0, 1.0, 3.0), figure(9.0, 8.0, 10.0)
    assert ranks(run, before)
    assert not ranks(before, run)
    assert not ranks(run, figure(9.0, 2.5, 12.0))
    assert ranks(figure(0.8, 0.7, 0.85, "near 0.5"), figure(1.0, 0.95, 1.0, "near 0.5"))


@pytest.mark.slow
def test_training_samples_have_the_classes_asked_for_and_shuffling_undoes_them(tmp_path: Path) -> None:
    torch.manual_seed(0)
    plan = RunConfig.read("moving-shapes", None, {"frames": 2, "size": "16", "width": 2, "cache": str(tmp_path)})
    spec = open_data("moving-shapes", options=DataConfig(frames=2, size="16")).spec
    recipe: Recipe = build_recipe(plan, spec).eval()
    context = EvaluationContext(device=torch.device("cpu"), cache=tmp_path, world=World(), progress=None)
    comparison = of_run(recipe, plan, EvaluationConfig(count=100), context)
    known = memorised(comparison, context)
    found = figures(known, ["class-accuracy", "recall"])
    assert found["class-accuracy"].value > 0.9
    assert found["recall"].value > 0.5
    assert figures(shuffled(known), ["class-accuracy"])["class-accuracy"].value < 0.5
    training = comparison.reference.training
    assert known.fake.samples is not None
    every = {sample.tobytes() for sample in training.real(np.arange(len(training))[1::2]).numpy()}
    assert all(sample.tobytes() in every for sample in known.fake.samples.numpy())
