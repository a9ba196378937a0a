"""How often the 95 % intervals of metrics hold the truth: `python -m bench.coverage`, a table for docs/evaluation.md.

Real features stay as they are and generated ones are drawn again and again; the truth is the metric's mean over many
draws. `kid` and `fid-infinity` are of both sides: both are drawn again, and the truth is that of the two Gaussians.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import torch
from torch import Tensor

from zerosum.data.spec import Spec
from zerosum.evaluation.measures import features, neighbours
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.result import MetricResult
from zerosum.evaluation.samples import Comparison, Reference, SampleSet
from zerosum.evaluation.splits import Split, Splits
from zerosum.features.extractor import Features
from zerosum.kinds.points import PointDataset
from zerosum.metrics.kernel import polynomial_discrepancy

WIDTH, COUNT, SHIFT, SCALE = 8, 200, 0.3, 0.8
METRICS = ("fid", "fid-infinity", "kid", "precision", "recall", "f-score", "density", "coverage", "js")
BOTH = ("kid", "fid-infinity")


def coverage(
    *, repeats: int = 100, more: int = 300, metrics: Sequence[str] = METRICS, seed: int = 0
) -> dict[str, float]:
    """Return the share of intervals that hold the truth, by metric.

    Args:
        repeats: evaluations with an interval each.
        more: draws without an interval whose mean is the truth.
        metrics: which.
        seed: of all draws.
    """
    generator = torch.Generator().manual_seed(seed)

    def real() -> SampleSet:
        return _side(torch.randn(COUNT, WIDTH, generator=generator))

    def fake() -> SampleSet:
        return _side(SHIFT + SCALE * torch.randn(COUNT, WIDTH, generator=generator))

    taken = (*features.groups(), *neighbours.groups())
    fixed, groups = real(), {name: group for group in taken for name in group.names}
    truth, held = _truth(fixed, [(real(), fake()) for _ in range(more)]), dict.fromkeys(metrics, 0)
    for _ in range(repeats):
        made, found = fake(), dict[str, MetricResult]()
        on_fixed, on_fresh = _comparison(fixed, made), _comparison(real(), made)
        for group in {groups[name] for name in metrics}:
            comparison = on_fixed if group.names.keys().isdisjoint(BOTH) else on_fresh
            found |= {figure.metric: figure for figure in group.compute(comparison)}
        for name in metrics:
            interval = found[name].interval
            held[name] += interval is not None and interval.low <= truth[name] <= interval.high
    return {name: count / repeats for name, count in held.items()}


def table(found: Mapping[str, float]) -> str:
    """Write coverage as a Markdown table."""
    rows = [f"| `{name}` | {100 * share:.0f} % |" for name, share in found.items()]
    return "\n".join(["| metric | intervals that hold the truth |", "|---|---|", *rows])


def _truth(fixed: SampleSet, pairs: Sequence[tuple[SampleSet, SampleSet]]) -> dict[str, float]:
    quick = [group.quick for group in features.groups() if group.quick is not None]
    values = [{name: v for take in quick for name, v in take(_comparison(fixed, fake)).items()} for _, fake in pairs]
    means = {name: fmean(one[name] for one in values) for name in values[0]}
    kernel = fmean(polynomial_discrepancy(real.features, fake.features) for real, fake in pairs)
    return means | {"kid": kernel, "fid-infinity": WIDTH * (SHIFT**2 + (1 - SCALE) ** 2)}


def _side(samples: Tensor) -> SampleSet:
    return SampleSet(outputs=Features(features=samples))


def _comparison(real: SampleSet, fake: SampleSet) -> Comparison:
    protocol = Protocol(
        extractor="gaussian", identity="", sees="", data="", split="", fingerprint="", against="", real=len(real),
        fake=len(fake), size="", resizer="", seed=0,
    )  # fmt: skip
    dataset = PointDataset(
        samples=real.features.numpy(), labels=None, spec=Spec(shape=(WIDTH,), kind="points"), source="gaussian",
        fingerprint="", notes=(),
    )  # fmt: skip
    splits = Splits(real=Split(dataset=dataset, split="train"), other=None, trained="train")
    return Reference(protocol=protocol, splits=splits, real=real, other=real, memory=None).compare(fake)


if __name__ == "__main__":
    print(table(coverage()))
