"""Every metric says the right thing of a known change: of nothing, of a lost class, of a shift, of copies, of noise."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.unit.evaluation.conftest import COUNT
from zerosum.data.sources import toys
from zerosum.errors import InputError
from zerosum.evaluation.evaluate import compute_metrics
from zerosum.evaluation.measures import base as family_
from zerosum.evaluation.measures import better, captions, clips, parse_names, pixels, volumes, waveforms
from zerosum.evaluation.samples import SampleSet
from zerosum.evaluation.splits import Split, Splits
from zerosum.features.extractor import Features
from zerosum.kinds import open_data

ELSEWHERE = (
    {"psnr", "ssim", "l1", "modes", "high-quality", "mode-kl"}
    | {
        "discriminator-auc",
        "discriminator-train",
        "discriminator-held-out",
        "discriminator-fake",
        "duality-gap",
        "linear-probe",
        "lpips",
        "ppl",
        "cas",
        "synthetic-help",
        "class-accuracy",
    }
    | {name for kind in (captions, clips, volumes, waveforms) for group in kind.groups() for name in group.names}
)
"""Metrics of pairs, of other kinds of sample, of a run's players and latents, and of labelled samples: not of digits
alone."""


def noisy(images: torch.Tensor, amount: float) -> torch.Tensor:
    """Images with Gaussian noise of a standard deviation in levels."""
    draw = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return (images + amount * draw).round().clamp(0, 255).to(torch.uint8)


@pytest.fixture(scope="module")
def changed(digits: Any) -> dict[str, torch.Tensor]:
    """Digits, and digits that something was done to."""
    fresh, labels = digits.fresh, digits.labels(digits.rows)
    low = digits.images(digits.rows[labels < 5][:COUNT])
    return {
        "nothing": fresh,
        "no class above 4": low,
        "brighter": (fresh.int() + 60).clamp(0, 255).to(torch.uint8),
        "noise": noisy(fresh, 60),
        "copies": noisy(digits.images(digits.real_rows), 2),
        "one image": fresh[:1].expand(COUNT, -1, -1, -1).contiguous(),
        "blurred to gray": fresh.float().mean((2, 3), keepdim=True).expand_as(fresh).to(torch.uint8),
    }


MOVES = [
    ("fid", "brighter"),
    ("fid", "no class above 4"),
    ("fid-infinity", "brighter"),
    ("kid", "no class above 4"),
    ("precision", "noise"),
    ("recall", "no class above 4"),
    ("f-score", "no class above 4"),
    ("density", "noise"),
    ("coverage", "no class above 4"),
    ("ndb", "no class above 4"),
    ("js", "no class above 4"),
    ("is", "one image"),
    ("mode-score", "no class above 4"),
    ("class-balance", "no class above 4"),
    ("sliced-wasserstein", "noise"),
    ("spectrum", "noise"),
    ("duplicates", "one image"),
    ("authenticity", "copies"),
    ("nearest", "copies"),
    ("nearest-l1", "copies"),
]


@pytest.mark.parametrize(("metric", "change"), MOVES)
def test_a_change_for_the_worse_moves_each_metric_the_worse_way(
    metric: str, change: str, changed: Any, taken: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pixels, "IMAGES", 40)
    before, after = (taken(changed[name], metric)[metric] for name in ("nothing", change))
    assert (after > before) if better()[metric] == "lower" else (after < before)


def test_every_metric_on_samples_has_such_a_test():
    assert set(better()) - ELSEWHERE == {metric for metric, _ in MOVES}


def test_the_same_images_on_both_sides_are_at_no_distance(digits: Any, taken: Any):
    found = taken(digits.images(digits.real_rows), "fid", "precision", "recall", "ndb", "spectrum", "class-balance")
    assert found["fid"] < 1e-9
    assert (found["precision"], found["recall"]) == (1, 1)
    assert found["ndb"] == found["spectrum"] == 0
    assert found["class-balance"] < 0.2


def test_fresh_samples_lie_about_the_floor_and_the_interval_holds_them(digits: Any):
    figures, _ = compute_metrics(digits.comparison(digits.fresh), ("fid", "coverage", "kid", "is"))
    for figure in figures:
        assert figure.floor is not None
        assert figure.interval is not None
        assert figure.interval.low <= figure.value <= figure.interval.high
        assert abs(figure.value - figure.floor) < 6 * figure.interval.standard_error


def test_no_interval_passes_what_a_metric_can_be(digits: Any):
    for images in (digits.fresh, digits.images(digits.real_rows)):
        figures, _ = compute_metrics(
            digits.comparison(images), ("fid", "precision", "recall", "density", "coverage", "ndb", "js")
        )
        for figure in figures:
            assert figure.interval is not None
            assert 0 <= figure.interval.low <= figure.interval.high
            assert figure.interval.high <= 1 or figure.metric in ("fid", "density", "ndb")


def test_scores_of_splits_of_few_samples_are_not_given(digits: Any):
    with pytest.raises(InputError, match="10 splits of 90 samples hold too few; give --count 100 or more"):
        compute_metrics(digits.comparison(digits.fresh[:90]), ("is",))


def test_the_mode_score_stands_where_most_classes_of_the_extractor_are_never_seen(digits: Any):
    comparison = digits.comparison(digits.fresh)
    comparison = replace(comparison, reference=replace(comparison.reference, expected=None))
    for side in (comparison.real, comparison.fake, comparison.reference.other):
        unseen = torch.full((len(side), 90), float(side.logits.min()) - 1)
        side.outputs.__dict__["logits"] = torch.cat([side.logits, unseen], 1)
    (score,), _ = compute_metrics(comparison, ("mode-score",))
    (inception,), _ = compute_metrics(comparison, ("is",))
    assert 1 < score.value < inception.value
    assert score.value == pytest.approx(score.floor, rel=0.1)


def test_a_lost_class_is_counted_exactly(changed: Any, digits: Any):
    (figure,), _ = compute_metrics(digits.comparison(changed["no class above 4"]), ("class-balance",))
    above = (digits.labels(digits.real_rows) > 4).mean()
    assert figure.value == pytest.approx(above, abs=0.12)
    assert figure.value > 0.4


def test_a_lost_class_goes_by_its_name(changed: Any, digits: Any):
    comparison = digits.comparison(changed["one image"])
    names = tuple(f"digit\n{number}" for number in range(10))
    named = replace(digits.dataset, spec=replace(digits.dataset.spec, classes=names))
    splits = replace(comparison.reference.splits, real=Split(dataset=named, split="train"))
    known = replace(comparison, reference=replace(comparison.reference, splits=splits))
    unknown = replace(known, reference=replace(known.reference, expected=None))
    there = int(comparison.fake.logits[0].argmax())
    absent = [number for number in range(10) if number != there]
    for each, told in ((known, [rf"digit\n{number}" for number in absent]), (unknown, map(str, absent))):
        (figure,), _ = compute_metrics(each, ("class-balance",))
        assert f"9 of the expected classes ({', '.join(told)})." in figure.notes[0]


def test_equal_pairs_are_perfect_and_noise_has_the_psnr_of_its_variance(digits: Any, taken: Any):
    target = digits.images(digits.real_rows)
    same = taken(target, "psnr", "ssim", "l1", paired=True)
    assert same == {"psnr": math.inf, "ssim": 1.0, "l1": 0.0}
    (figure,), _ = compute_metrics(digits.comparison(target, paired=True), ("psnr",))
    assert (figure.value, figure.interval) == (None, None)
    shifted = (target.int() + torch.where(target < 128, 10, -10)).to(torch.uint8)
    assert taken(shifted, "psnr", "l1", paired=True) == {
        "psnr": pytest.approx(28.1308, abs=1e-4),
        "l1": pytest.approx(10 / 127.5, abs=1e-6),
    }


def test_metrics_that_cannot_be_had_say_what_to_type(digits: Any):
    comparison = digits.comparison(digits.fresh)
    for names, sentence in (
        (("psnr",), "psnr is unavailable here: there is no real image that a sample should equal"),
        (("modes",), "compare them with ring8 or grid25"),
    ):
        with pytest.raises(InputError, match=sentence):
            compute_metrics(comparison, names)
    comparison.fake.outputs.__dict__["logits"] = None
    with pytest.raises(InputError, match="use --features classifier or inception"):
        compute_metrics(comparison, ("is",))


def test_fewer_samples_than_features_are_warned_about(digits: Any):
    (figure,), _ = compute_metrics(digits.comparison(digits.fresh[:40]), ("fid",))
    assert figure.title == "FID-means"
    assert any("40 generated samples are no more than the 64 features" in note for note in figure.notes)


def test_nothing_is_taken_unasked_that_the_evidence_does_not_allow(digits: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pixels, "IMAGES", 16)
    monkeypatch.setattr(family_, "WORK", 1.0)
    figures, notes = compute_metrics(digits.comparison(digits.fresh[:100]), None)
    assert {figure.metric for figure in figures} == set(better()) - ELSEWHERE
    assert notes == ()


def test_copies_are_called_copies(changed: Any, digits: Any):
    for images, suspicious in ((changed["copies"], True), (changed["nothing"], False)):
        figures, _ = compute_metrics(digits.comparison(images), ("nearest", "nearest-l1"))
        assert all(bool(figure.notes) == suspicious for figure in figures)


def test_training_samples_that_repeat_each_other_are_searched_too(digits: Any):
    comparison = digits.comparison(digits.images(digits.rows[:COUNT]))
    memory = comparison.reference.memory
    twice = memory.training().take(torch.arange(COUNT) // 2)
    memory = replace(memory, training=lambda: twice)
    again = replace(comparison, reference=replace(comparison.reference, memory=memory))
    figures, _ = compute_metrics(again, ("authenticity",))
    assert figures[0].settings.startswith(f"all {COUNT} training samples searched")


def test_names_are_read_with_commas_and_a_slip_is_answered():
    assert parse_names(" FID,kid ") == ("fid", "kid")
    with pytest.raises(InputError, match="There is no metric 'fit': did you mean fid"):
        parse_names("fit")


def test_a_mode_that_is_lost_and_points_that_stray_are_counted(digits: Any):
    centres = torch.from_numpy(toys.modes("ring8")[0]).float()
    lost = centres[torch.arange(700) % 7]
    stray = torch.cat([centres[torch.arange(600) % 8], 1.5 * centres[:1].expand(200, 2)])
    for found, modes, share, divergence in ((lost, 7, 1.0, math.log(8 / 7)), (stray, 8, 0.75, 0.0)):
        side = SampleSet(outputs=Features(features=found))
        ring = Splits(real=Split(dataset=open_data("ring8"), split="train"), other=None, trained="train")
        reference = replace(digits.comparison(digits.fresh).reference, splits=ring, real=side, other=side)
        (count, quality, uneven), _ = compute_metrics(reference.compare(side), ("modes", "high-quality", "mode-kl"))
        assert (count.value, quality.value) == (modes, share)
        assert uneven.value == pytest.approx(divergence, abs=1e-6)
