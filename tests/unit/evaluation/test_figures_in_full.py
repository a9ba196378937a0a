"""Every figure of an evaluation in full: its title, what it was taken on, its interval, and what that may cost."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.unit.evaluation.conftest import COUNT
from zerosum.data.sources import toys
from zerosum.errors import InputError
from zerosum.evaluation.evaluate import compute_metrics
from zerosum.evaluation.measures import base, chosen, discriminator, features, groups, memorisation, modes, pixels
from zerosum.evaluation.probes.discriminator_overfitting import DiscriminatorTrial, Shares
from zerosum.evaluation.samples import SampleSet
from zerosum.evaluation.splits import Split, Splits
from zerosum.features.extractor import Features
from zerosum.kinds import open_data
from zerosum.metrics.bootstrap import Interval

NEIGHBOURS = "k = 3 for precision and recall, 5 for density and coverage"
BINS = "12 bins by K-means on the features, significance 0.05"
UNLIKE = "above the floor it says that samples are unlike real ones, not that they are good"
SEARCHED = f"all 240 training samples searched; {UNLIKE}"
RESAMPLED, WILSON = "bootstrap of 200 draws of the generated samples", "Wilson's score"

PAGE: dict[str, tuple[str, str, str | None]] = {
    "fid": ("FID-means", "", RESAMPLED),
    "fid-infinity": (
        "FID-infinity-means",
        "both sides continued, from 1, 2, 4 disjoint splits",
        "jackknife of 10 groups of both sides",
    ),
    "kid": ("KID-means", "100 subsets of 120", "10 disjoint splits"),
    "precision": ("precision", NEIGHBOURS, WILSON),
    "recall": ("recall", NEIGHBOURS, RESAMPLED),
    "f-score": ("F of both", NEIGHBOURS, RESAMPLED),
    "density": ("density", NEIGHBOURS, RESAMPLED),
    "coverage": ("coverage", NEIGHBOURS, RESAMPLED),
    "ndb": ("NDB of 12", BINS, RESAMPLED),
    "js": ("JS of bins", BINS, RESAMPLED),
    "is": ("IS-means", "mean of 10 splits of 24", "10 disjoint splits"),
    "mode-score": ("Mode Score-means", "mean of 10 splits of 24", "10 disjoint splits"),
    "class-balance": ("class imbalance", "total variation distance to the shares of the training labels", RESAMPLED),
    "sliced-wasserstein": (
        "sliced Wasserstein",
        "40 images, 32 patches an image, 64 directions, times 1,000",
        "bootstrap of 20 draws",
    ),
    "spectrum": ("spectrum", "80 images, decibels", "bootstrap of 20 draws"),
    "duplicates": (
        "duplicates",
        "nearest other sample within 0.1 of the median distance that real samples have to theirs",
        WILSON,
    ),
    "authenticity": ("authenticity", SEARCHED, WILSON),
    "nearest": ("nearest by features", SEARCHED, RESAMPLED),
    "nearest-l1": (
        "nearest by L1",
        f"median of 100 samples to their nearest training images; {UNLIKE}",
        None,
    ),
}
"""Metric: title, settings and how its interval is made, of 240 digits against 240 others."""


def test_each_figure_says_what_it_is_and_how_it_was_taken(digits: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pixels, "IMAGES", 40)
    figures, _ = compute_metrics(digits.comparison(digits.fresh), tuple(PAGE))
    found = {f.metric: (f.title, f.settings, f.interval.method if f.interval else None) for f in figures}
    assert {name: found[name] for name in PAGE} == PAGE
    assert all(figure.floor is not None for figure in figures)
    value = {figure.metric: figure.value for figure in figures}
    both = value["precision"] * value["recall"] / (value["precision"] + value["recall"])
    assert value["f-score"] == pytest.approx(2 * both)


def test_what_is_taken_quickly_is_what_is_taken_in_full(digits: Any):
    target = digits.images(digits.real_rows)
    quick = set()
    for comparison, asked in (
        (digits.comparison(digits.fresh), tuple(PAGE)),
        (digits.comparison(target.flip(3), paired=True), ("psnr", "ssim", "l1")),
    ):
        for group in chosen(comparison, asked):
            if group.quick is None:
                continue
            alone = group.quick(comparison)
            quick |= set(alone)
            full = {figure.metric: figure.value for figure in group.compute(comparison)}
            assert full == pytest.approx({name: alone[name] for name in full})
    assert quick >= {"fid", "kid", "precision", "recall", "is", "mode-score", "class-balance", "psnr", "ssim", "l1"}


def test_a_bootstrap_takes_as_many_draws_as_can_be_afforded(digits: Any):
    comparison = digits.comparison(digits.fresh)
    for work, draws in ((1e8, 200), (1e9, 100), (4e9, 25), (1e11, 20), (9.9e11, 20)):
        made = base.by_bootstrap(comparison, work=work)
        assert made is not None
        assert made(lambda rows: float(rows.double().mean())).method.startswith(f"bootstrap of {draws} draws")
    assert base.by_bootstrap(comparison, work=1.01e12) is None


@pytest.mark.parametrize(
    ("module", "metric", "work"),
    [
        (features, "fid", COUNT * 64 * 64 + 10 * 64**3),
        (memorisation, "nearest", 100 * COUNT),
        (modes, "mode-kl", 10 * COUNT * 8),
    ],
)
def test_what_a_draw_costs_is_reckoned(
    module: Any, metric: str, work: float, digits: Any, monkeypatch: pytest.MonkeyPatch
):
    reckoned = []
    monkeypatch.setattr(module, "by_bootstrap", lambda _, work: reckoned.append(work))
    comparison = digits.comparison(digits.fresh)
    if module is modes:
        comparison = of_points(digits, torch.from_numpy(toys.modes("ring8")[0]).float().repeat(COUNT // 8, 1))
    compute_metrics(comparison, (metric,))
    assert work in reckoned


@pytest.mark.parametrize(("room", "expected"), [(1.02, True), (0.98, False)])
def test_the_jackknife_is_left_out_where_it_would_take_too_long(
    room: float, expected: bool, digits: Any, monkeypatch: pytest.MonkeyPatch
):
    once = len(features.PARTS) * (COUNT * 64 * 64 + 10 * 64**3)
    monkeypatch.setattr(features, "WORK", room * once)
    (figure,), _ = compute_metrics(digits.comparison(digits.fresh), ("fid-infinity",))
    assert (figure.interval is not None) == expected
    assert (base.TOO_MUCH in figure.notes) != expected


def of_points(digits: Any, points: torch.Tensor) -> Any:
    """Compare points with ring8 and with themselves."""
    side = SampleSet(outputs=Features(features=points))
    ring = Splits(real=Split(dataset=open_data("ring8"), split="train"), other=None, trained="train")
    reference = replace(digits.comparison(digits.fresh).reference, splits=ring, real=side, other=side)
    return reference.compare(side)


def test_the_share_of_points_in_modes_has_wilsons_interval(digits: Any):
    centres, sigma = torch.from_numpy(toys.modes("ring8")[0]).float(), toys.modes("ring8")[1]
    points = torch.cat([centres.repeat(3, 1), 9 * centres])
    figures, _ = compute_metrics(of_points(digits, points), ("modes", "high-quality", "mode-kl"))
    found = {figure.metric: (figure.title, figure.interval.method) for figure in figures if figure.interval}
    assert found == {
        "modes": ("modes of 8", RESAMPLED),
        "high-quality": ("high-quality share", WILSON),
        "mode-kl": ("KL of modes", RESAMPLED),
    }
    assert all(figure.settings == f"within 3 sigma of {sigma:g} of the nearest mode" for figure in figures)


def test_the_interval_of_the_kernel_distance_is_students_of_its_splits(digits: Any):
    (figure,), _ = compute_metrics(digits.comparison(digits.fresh), ("kid",))
    assert figure.interval is not None
    assert figure.value is not None
    reach = 2.262157 * figure.interval.standard_error  # of 9 degrees of freedom
    assert figure.interval.high - figure.value == pytest.approx(reach, rel=1e-5)
    assert figure.value - figure.interval.low == pytest.approx(reach, rel=1e-5)


def test_five_samples_have_no_five_neighbours(digits: Any):
    comparison = digits.comparison(digits.fresh[:5])
    with pytest.raises(InputError, match="5 samples have no 5 neighbours"):
        compute_metrics(comparison, ("precision",))


def test_what_metrics_are_blind_to_stands_beside_them():
    found = {name for group in groups() if group.blind for name in group.names}
    assert found >= {"fid", "precision", "ndb", "js", "is", "duplicates", "authenticity", "spectrum"}


def test_an_order_by_a_seed_is_the_same_whatever_was_drawn_before():
    orders = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        orders.append(base.shuffled(20, 0).tolist())
    assert orders[0] == orders[1]
    assert sorted(orders[0]) == list(range(20))
    assert base.shuffled(20, 1).tolist() != orders[0]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_duplicates_are_nearest_pairs_at_any_scale_of_features(scale: float, digits: Any):
    spread = torch.randn(40, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    near = torch.cat([spread[:20], spread[:20] + 1e-3, spread[20:]])  # 20 pairs and 20 single ones
    sides = [SampleSet(outputs=Features(features=(scale * rows).float())) for rows in (spread, near, spread)]
    reference = replace(digits.comparison(digits.fresh).reference, real=sides[0], other=sides[2])
    (figure,), _ = compute_metrics(reference.compare(sides[1]), ("duplicates",))
    assert figure.value == pytest.approx(40 / 60)
    assert figure.floor == 0


def test_an_interval_of_pairs_ends_at_the_largest_difference(digits: Any):
    target = torch.zeros(2, 1, 32, 32, dtype=torch.uint8)
    made = torch.stack([target[0] + 255, target[1] + 240])
    comparison = digits.comparison(made, paired=True)
    comparison = replace(comparison, reference=replace(comparison.reference, real=digits.side(target)))
    (figure,), _ = compute_metrics(comparison, ("l1",))
    assert figure.value == pytest.approx(255 / 127.5 / 2 + 240 / 127.5 / 2)
    assert figure.interval is not None
    assert figure.interval.high <= 2.0


def test_copies_of_data_that_nothing_was_trained_on_are_only_supposed(digits: Any):
    comparison = digits.comparison(digits.images(digits.real_rows))
    said = {}
    for trained in (True, False):
        memory = replace(comparison.reference.memory, trained=trained)
        other = replace(comparison, reference=replace(comparison.reference, memory=memory))
        (figure,), _ = compute_metrics(other, ("nearest-l1",))
        said[trained] = figure.notes
    text = "samples lie so near to training samples that they look like copies"
    assert said == {True: (f"{text}.",), False: (f"{text}, if they are what it was trained on.",)}


TRIAL = DiscriminatorTrial(
    **(
        {field.name: 0.5 for field in fields(DiscriminatorTrial)}
        | {"value": 0.75, "interval": Interval(0.7, 1.2, 0.95, 0.1, "resampled"), "samples": 1000}
        | {"meaning": "It memorised some."}
    )
)


@pytest.fixture
def of_a_run(digits: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A comparison of a run's samples, whose discriminator's trial is `TRIAL`."""

    def comparison(shares: Shares | None = None) -> Any:
        trial = replace(TRIAL, shares=shares)
        monkeypatch.setattr(discriminator, "discriminator_trial", lambda *_, **__: trial)
        found = digits.comparison(digits.fresh)
        held_out = replace(digits.dataset, source="held out")
        splits = replace(found.reference.splits, other=Split(dataset=held_out, split="test"))
        return replace(found, reference=replace(found.reference, splits=splits), recipe=SimpleNamespace())

    return comparison


def test_a_linear_probe_is_said_in_full(of_a_run: Any, monkeypatch: pytest.MonkeyPatch):
    certain = Interval(1.0, 1.0, 0.95, 0.0, "repeats")
    taken = []

    def trial(recipe: Any, train: Any, test: Any, **options: Any) -> Any:
        taken.append(options)
        return SimpleNamespace(
            value=1.0,
            discriminator=SimpleNamespace(interval=certain),
            tested=500,
            labels=100,
            features=64,
            meaning="It reads classes.",
        )

    monkeypatch.setattr(discriminator, "probe_trial", trial)
    (figure,), _ = compute_metrics(of_a_run(), ("linear-probe",))
    assert taken == [{"classes": 10, "labels": 100, "seed": 0}]
    assert (figure.metric, figure.title, figure.value, figure.better) == ("linear-probe", "linear probe", 1.0, "higher")
    assert figure.settings == "accuracy on 500 held-out images; 100 labels, 64 features"
    assert figure.notes == ("It reads classes.",)
    assert figure.interval is not None
    assert math.isclose(figure.interval.low, 500 / (500 + 1.959964**2), rel_tol=1e-6), "Wilson's at 500 of 500"


def test_a_duality_gap_is_said_in_full(of_a_run: Any, monkeypatch: pytest.MonkeyPatch):
    found = SimpleNamespace(
        value=0.1,
        interval=Interval(-0.1, 0.3, 0.95, 0.1, "resampled"),
        steps=100,
        batches=40,
        data="held-out",
        meaning="Near an equilibrium.",
    )
    taken = []
    monkeypatch.setattr(discriminator, "duality_gap", lambda *_, **options: taken.append(options) or found)
    (figure,), _ = compute_metrics(of_a_run(), ("duality-gap",))
    assert taken == [{"steps": 100, "batches": 40, "seed": 0}]
    assert (figure.metric, figure.title, figure.value, figure.better) == ("duality-gap", "duality gap", 0.1, "lower")
    assert figure.settings == ("of SimpleNamespace, best responses of 100 steps each, 40 batches of held-out data")
    assert figure.interval == Interval(0.0, 0.3, 0.95, 0.1, "resampled", (0.0, None)), "a gap is at least 0"
    assert figure.notes == ("Near an equilibrium.",)


def test_what_a_discriminator_memorised_is_said_in_full(of_a_run: Any):
    (figure,), _ = compute_metrics(of_a_run(None), ("discriminator-auc",))
    assert (figure.metric, figure.title, figure.value) == ("discriminator-auc", "discriminator AUC", 0.75)
    assert figure.settings == "1,000 training samples against as many held-out ones; 0.5 where none is memorised"
    assert figure.interval == Interval(0.7, 1.0, 0.95, 0.1, "resampled", (0.0, 1.0)), "a share is at most 1"
    assert figure.notes == ("It memorised some.",)


def test_what_a_discriminator_calls_right_is_said_in_full(of_a_run: Any):
    names = ("discriminator-train", "discriminator-held-out", "discriminator-fake")
    with pytest.raises(InputError, match="a critic have no threshold"):
        compute_metrics(of_a_run(None), names)
    wide = [Interval(-0.1, 0.9 + 0.1 * i, 0.95, 0.1, "resampled") for i in range(2)]
    certain = Interval(1.0, 1.0, 0.95, 0.0, "resampled")
    shares = Shares(train=0.6, held_out=0.5, fake=1.0, gap=0.1, intervals=(*wide, certain))
    figures, _ = compute_metrics(of_a_run(shares), names)
    assert [(figure.metric, figure.title, figure.value) for figure in figures] == [
        (name, f"discriminator on {name.removeprefix('discriminator-')}", value)
        for name, value in zip(names, (0.6, 0.5, 1.0), strict=True)
    ]
    assert [figure.settings for figure in figures] == [
        f"share of {kind}; 0.5 where it cannot tell"
        for kind in (
            "1,000 training samples called real",
            "1,000 held-out samples called real",
            "2,000 generated samples called generated",
        )
    ]
    intervals = [(figure.interval.low, figure.interval.high) for figure in figures if figure.interval]
    assert intervals[:2] == [(0.0, 0.9), (0.0, 1.0)]
    assert intervals[2][1] == 1.0
    assert math.isclose(intervals[2][0], 1000 / (1000 + 1.959964**2), rel_tol=1e-6), "Wilson's at 1,000 of 1,000"
