"""Metrics that play with the run's own players: what the discriminator learned, and how far from an equilibrium it is.

They take minutes, so they are taken only where they are asked for by name.
"""

from __future__ import annotations

from zerosum.data.dataset import SampleDataset
from zerosum.errors import InputError
from zerosum.evaluation.measures.base import POSITIVE, SHARE, MetricGroup, within
from zerosum.evaluation.probes.discriminator_overfitting import DiscriminatorTrial, discriminator_trial
from zerosum.evaluation.probes.duality_gap import duality_gap
from zerosum.evaluation.probes.labelled_images import labelled
from zerosum.evaluation.probes.linear_probe import probe_trial
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison
from zerosum.recipe import Recipe

HEART: dict[str, Better] = {"discriminator-auc": "near 0.5"}
RIGHTS: dict[str, Better] = {
    "discriminator-train": "near 0.5",
    "discriminator-held-out": "near 0.5",
    "discriminator-fake": "near 0.5",
}
DUALITY: dict[str, Better] = {"duality-gap": "lower"}
PROBE: dict[str, Better] = {"linear-probe": "higher"}

STEPS, BATCHES = 100, 40
LABELS_A_CLASS = 10


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(names=HEART, unavailable=_missing_held_out, compute=_compute_heart, cost="minutes"),
        MetricGroup(names=RIGHTS, unavailable=_missing_held_out, compute=_compute_rights, cost="minutes"),
        MetricGroup(names=DUALITY, unavailable=_missing, compute=_compute_duality, cost="minutes"),
        MetricGroup(names=PROBE, unavailable=_missing_labels, compute=_compute_probe, cost="minutes"),
    )


def _missing(comparison: Comparison) -> str | None:
    if comparison.recipe is None or not comparison.reference.own:
        return "it plays with a run that makes samples from nothing, on the run's own data; leave --against out"
    return None


def _missing_held_out(comparison: Comparison) -> str | None:
    held_out = comparison.reference.held_out
    return _missing(comparison) or ("the data have no split test or val beside train" if held_out is None else None)


def _missing_labels(comparison: Comparison) -> str | None:
    if (reason := _missing_held_out(comparison)) is not None:
        return reason
    _, training, held_out = _given(comparison)
    if comparison.fake.images is None or held_out is None or not (training.has_classes and held_out.has_classes):
        return "it needs images with labels"
    return None if training.spec.classes == held_out.spec.classes else "the splits have different classes"


def _given(comparison: Comparison) -> tuple[Recipe, SampleDataset, SampleDataset | None]:
    assert comparison.recipe is not None
    assert comparison.reference.training is not None
    return comparison.recipe, comparison.reference.training, comparison.reference.held_out


def _tried(comparison: Comparison) -> DiscriminatorTrial:
    """Let the discriminator judge all three kinds of samples, once."""
    recipe, training, held_out = _given(comparison)
    assert held_out is not None
    count, seed = len(comparison.fake), comparison.protocol.seed
    return comparison.fake.once(
        "discriminator", lambda: discriminator_trial(recipe, training, held_out, samples=count, seed=seed)
    )


def _compute_heart(comparison: Comparison) -> list[MetricResult]:
    found = _tried(comparison)
    figure = MetricResult(
        metric="discriminator-auc",
        title="discriminator AUC",
        value=finite(found.value),
        better="near 0.5",
        settings=f"{found.samples:,} training samples against as many held-out ones; 0.5 where none is memorised",
        interval=within(found.interval, found.value, SHARE, count=found.samples),
        notes=(found.meaning,),
    )
    return [figure]


def _compute_rights(comparison: Comparison) -> list[MetricResult]:
    found = _tried(comparison)
    if found.shares is None:
        raise InputError(
            f"{', '.join(RIGHTS)} is unavailable here: the values of a critic have no threshold; ask for "
            "discriminator-auc."
        )
    n, shares = found.samples, found.shares
    told = (
        (shares.train, f"{n:,} training samples called real"),
        (shares.held_out, f"{n:,} held-out samples called real"),
        (shares.fake, f"{2 * n:,} generated samples called generated"),
    )
    return [
        MetricResult(
            metric=name,
            title=f"discriminator on {name.removeprefix('discriminator-')}",
            value=finite(value),
            better=better,
            settings=f"share of {kind}; 0.5 where it cannot tell",
            interval=within(interval, value, SHARE, count=n),
        )
        for (name, better), (value, kind), interval in zip(RIGHTS.items(), told, shares.intervals, strict=True)
    ]


def _compute_duality(comparison: Comparison) -> list[MetricResult]:
    recipe, training, held_out = _given(comparison)
    found = duality_gap(recipe, training, held_out, steps=STEPS, batches=BATCHES, seed=comparison.protocol.seed)
    figure = MetricResult(
        metric="duality-gap",
        title="duality gap",
        value=finite(found.value),
        better="lower",
        settings=(
            f"of {type(recipe).__name__}, best responses of {found.steps} steps each, {found.batches} batches of "
            f"{found.data} data"
        ),
        interval=within(found.interval, found.value, POSITIVE, count=found.batches),
        notes=(found.meaning,),
    )
    return [figure]


def _compute_probe(comparison: Comparison) -> list[MetricResult]:
    recipe, training, held_out = _given(comparison)
    assert held_out is not None
    classes = len(training.spec.classes)
    found = probe_trial(
        recipe,
        labelled(training),
        labelled(held_out),
        classes=classes,
        labels=LABELS_A_CLASS * classes,
        seed=comparison.protocol.seed,
    )
    figure = MetricResult(
        metric="linear-probe",
        title="linear probe",
        value=finite(found.value),
        better="higher",
        settings=f"accuracy on {found.tested:,} held-out images; {found.labels} labels, {found.features:,} features",
        interval=within(found.discriminator.interval, found.value, SHARE, count=found.tested),
        notes=(found.meaning,),
    )
    return [figure]
