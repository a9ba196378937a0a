"""The verdict says the worst first, in plain words, and nothing of quality from untrained features."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evaluation.conftest import PROTOCOL
from zerosum.evaluation.measures import better
from zerosum.evaluation.result import MetricResult
from zerosum.evaluation.verdict import verdict

GOOD = {
    "fid": (4.1, 3.9),
    "precision": (0.88, 0.9),
    "recall": (0.85, 0.9),
    "duplicates": (0.01, 0.01),
    "authenticity": (0.58, 0.58),
    "spectrum": (0.2, 0.1),
}


def said(extractor: str = "inception", **changed: tuple[float, float]) -> tuple[str, ...]:
    values = GOOD | {name.replace("_", "-"): pair for name, pair in changed.items()}
    figures = [
        MetricResult(metric=name, title=name.upper(), value=value, floor=floor, better="lower")
        for name, (value, floor) in values.items()
    ]
    return verdict(figures, replace(PROTOCOL, extractor=extractor))


def test_good_samples_are_called_close_to_real() -> None:
    assert said() == ("Close to real: FID 4.1 beside 3.9 for real images.",)


@pytest.mark.parametrize("metric", sorted(better()))
@pytest.mark.parametrize(("value", "floor"), [(0.0, 0.5), (7.0, 0.5), (0.5, None)])
def test_any_metric_may_stand_alone(metric: str, value: float, floor: float | None) -> None:
    figure = MetricResult(metric=metric, title=metric, value=value, floor=floor, better="lower")
    assert all(sentence.endswith(".") for sentence in verdict([figure], PROTOCOL))


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        ({"recall": (0.0, 0.9)}, "Recall 0 % (real images: 90 %): the samples cover almost none of the real images."),
        ({"recall": (0.3, 0.9)}, "the samples cover a small part of the real images."),
        ({"duplicates": (0.98, 0.01)}, "The generator has collapsed: 98 % of the samples are (nearly) identical"),
        ({"authenticity": (0.02, 0.58)}, "Samples look like copies of training images: 98 % lie nearer"),
        ({"recall": (0.0, 0.9), "spectrum": (14.0, 0.1)}, "nothing like the real images (noise, or a generator"),
        ({"fid": (150.0, 3.9)}, "Far from real: FID 150 beside 3.9"),
        ({"fid": (10.0, 3.9), "precision": (0.1, 0.9)}, "Near real, with a difference"),
    ],
)
def test_the_worst_comes_first(changed: dict[str, tuple[float, float]], first: str) -> None:
    found = said(**changed)
    assert first in found[0]
    assert len(found) <= 3


@pytest.mark.parametrize("extractor", ["random", "pixels"])
def test_untrained_features_claim_no_quality(extractor: str) -> None:
    (only,) = said(extractor)
    assert "cannot say how good it is" in only
    assert "--features inception" in only
    collapsed = said(extractor, duplicates=(1.0, 0.0))
    assert "collapsed" in collapsed[0]


def test_points_are_told_by_their_modes() -> None:
    modes = MetricResult(metric="modes", title="modes of 8", value=2.0, floor=8.0, better="higher")
    assert verdict([modes], PROTOCOL) == ("2 of 8 modes are found: the generator leaves out the others.",)
    near = MetricResult(metric="high-quality", title="", value=0.914, floor=0.98, better="higher")
    assert verdict([modes, near], PROTOCOL) == (
        "2 of 8 modes are found, and 91 % of the points lie near one: the generator leaves out the others.",
    )
