"""The metrics of each kind of sample beside their floors: untrained, shuffled, the training set, real against real.

    python -m bench.kinds RUN ... [--count 1000] [--save]

Takes finished runs. "untrained" is the same model before its first round; "shuffled" the run's samples with their
labels or captions given to others, where a metric takes them; "training set" real training samples of the classes asked
for (of captions: the training image with the nearest sentence), drawn with repetition among those that neither the run
is compared with nor the extractor learned, which is what a generator that memorises gets; "real" is the floor of
`zerosum evaluate`.

What was measured lies in floors.json in the run, and is not measured again for the same round and count.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from bench.results import save, table, without_folders
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.evaluate import compute_metrics
from zerosum.evaluation.inputs import compare_samples, extract_stream, of_run
from zerosum.evaluation.result import MetricResult
from zerosum.evaluation.samples import Comparison, SampleSet, rows_of
from zerosum.evaluation.table import interval_of, spoken
from zerosum.evaluation.unseen import learned_by, rows_left
from zerosum.features.captions import Matched
from zerosum.inference.generate import draw_labels
from zerosum.kinds.captions import CaptionDataset
from zerosum.recipe import Recipe
from zerosum.run.config import RunConfig, read_config, read_spec
from zerosum.run.directory import Run
from zerosum.run.load import build_recipe, load_recipe
from zerosum.runtime.distributed import World

METRICS = {
    "gan3d": "fid,coverage-cd,mmd-cd,1nna-cd,occupancy-error,connected,nearest-iou,authenticity",
    "dvdgan": "fid,precision,recall,class-accuracy,motion,frozen,frame-fid,authenticity",
    "wavegan": "fid,is,precision,recall,class-accuracy,pitch,loudness,authenticity",
    "stackgan": "caption-rank,r-precision,fid,precision,recall",
    "age_cgan": "fid,precision,recall,class-accuracy,authenticity",
}
"""The main metrics of each recipe."""

OF_CONDITIONS = ("class-accuracy", "caption-rank", "r-precision")
"""Metrics of how samples fit their labels or captions."""

HEADER = ("run", "metric", "better", "untrained", "shuffled", "run, 95 %", "training set", "real")
CHUNK = 64


def untrained(run: Run, plan: RunConfig) -> Recipe:
    """Build the model of a run as it was before its first round, in evaluation mode."""
    torch.manual_seed(plan.training.seed)
    return build_recipe(plan, read_spec(run)).eval().requires_grad_(False)


def memorised(comparison: Comparison, context: EvaluationContext) -> Comparison:
    """Return the comparison of real training samples in the place of generated ones."""
    reference, count = comparison.reference, len(comparison.fake)
    training, seen = reference.training, reference.splits.real.split == reference.splits.trained
    known = (
        rows_left(len(training))
        if learned_by(reference.extractor) == training.fingerprint
        else np.arange(len(training))
    )
    pool = np.setdiff1d(known, reference.rows if seen else [])
    random = np.random.default_rng(comparison.protocol.seed)
    rows = random.choice(pool, count)
    if isinstance(training, CaptionDataset) and isinstance(reference.extractor, Matched):
        asked = reference.splits.real.dataset
        assert isinstance(asked, CaptionDataset)
        wanted, said = (
            reference.extractor.sentences(data.first_captions(of))
            for data, of in ((asked, reference.rows), (training, pool))
        )
        rows = pool[(wanted @ said.T).argmax(1).numpy()]
    elif comparison.recipe is not None and comparison.recipe.takes_labels and training.labels is not None:
        labels = draw_labels(comparison.recipe.spec, count, comparison.protocol.seed).numpy()
        rows = np.array([random.choice(pool[training.labels[pool] == label]) for label in labels])
    batches = (training.real(part) for part in np.array_split(rows, -(-count // CHUNK)))
    return replace(comparison, fake=extract_stream(reference.extractor, batches, count=count, context=context))


def shuffled(comparison: Comparison) -> Comparison:
    """Return the comparison of the same samples in another order, so that each has the label or caption of another."""
    order = torch.randperm(len(comparison.fake), generator=torch.Generator().manual_seed(comparison.protocol.seed))
    return replace(comparison, fake=SampleSet(outputs=rows_of(comparison.fake.outputs, order)))


def figures(comparison: Comparison, names: Sequence[str]) -> dict[str, MetricResult]:
    """Compute metrics by name."""
    return {figure.metric: figure for figure in compute_metrics(comparison, names)[0]}


def cell(figure: MetricResult | None) -> str:
    """Lay out a value with its interval."""
    if figure is None:
        return ""
    interval = interval_of(figure)
    return spoken(figure.value) + (f" ({interval})" if interval else "")


def ranks(run: MetricResult, before: MetricResult) -> bool:
    """Whether a metric says of a run, beyond the intervals, that it is better than before its first round."""
    if run.value is None or before.value is None:
        return False
    if run.interval is not None and before.interval is not None:
        low, high = (run.interval, before.interval) if run.value < before.value else (before.interval, run.interval)
        if low.high >= high.low:
            return False
    if run.better == "near 0.5":
        return abs(run.value - 0.5) < abs(before.value - 0.5)
    return (run.value < before.value) == (run.better == "lower")


def kept(path: Path, count: int) -> tuple[list[list[str]], str]:
    """Return what `lines_of` says of a run, from its folder where that was measured before."""
    file, measured = path / "floors.json", {"round": int(Run.open(path).latest().name), "count": count}
    if file.exists() and (found := json.loads(file.read_text()))["of"] == measured:
        return found["rows"], found["remark"]
    rows, remark = lines_of(path, count)
    file.write_text(json.dumps({"of": measured, "rows": rows, "remark": remark}, indent=2) + "\n")
    return rows, remark


def lines_of(path: Path, count: int) -> tuple[list[list[str]], str]:
    """Evaluate a run and its floors; return a row a metric, and a sentence on the run and the metrics' order."""
    run = Run.open(path)
    plan = read_config(run)
    context = EvaluationContext(
        device=torch.device("cpu"), cache=plan.options.cache_folder(), world=World(), progress=None
    )
    recipe = load_recipe(run, plan, device=context.device)
    names = [name for name in METRICS[plan.recipe].split(",") if name != "class-accuracy" or recipe.takes_labels]
    trained = of_run(recipe, plan, EvaluationConfig(metrics=",".join(names), count=count), context)
    before = compare_samples(untrained(run, plan), trained.reference, context)
    sides = {"untrained": before, "run": trained, "training set": memorised(trained, context)}
    found = {name: figures(side, names) for name, side in sides.items()}
    if mixed := [name for name in OF_CONDITIONS if name in names]:
        found["shuffled"] = figures(shuffled(trained), mixed)
    rows = []
    for name, figure in found["run"].items():
        values = [cell(found.get(side, {}).get(name)) for side in ("untrained", "shuffled", "run", "training set")]
        rows.append([path.name, figure.title, figure.better, *values, spoken(figure.floor)])
    not_ranked = [f.title for name, f in found["run"].items() if not ranks(f, found["untrained"][name])]
    command = without_folders(shlex.split(re.sub(r"--run \S+", "", run.description["command"])))
    order = f"; not better than untrained, beyond the intervals, by {', '.join(not_ranked)}" * bool(not_ranked)
    size = f"{trained.protocol.fake:,} samples against {trained.protocol.real:,} of split {trained.protocol.split}"
    return rows, f"{path.name}: `{command}`, {run.history()[-1]['round']:,} rounds; {size}{order}."


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=1_000, help="samples on each side, at most")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks/kinds.json too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, remarks = [list(HEADER)], [" ".join((__doc__ or "").split("\n\n")[2].split())]
    for path in options.runs:
        new, remark = kept(path, options.count)
        print(table([HEADER, *new]), remark, "", sep="\n", flush=True)
        rows += new
        remarks.append(remark)
    if options.save:
        save("kinds", "Every kind beside its floors", rows, remarks)


if __name__ == "__main__":
    main()
