"""The discriminator knows its few training samples by heart."""

from __future__ import annotations

from zerosum.doctor.evidence import FAKE, REAL, Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies, windows

FEW = 10_000
"""Training samples below which a discriminator has overfitted on 256x256 images (figure 1 of the paper)."""
PASSES = 20
KNOWN = 0.9
"""Mean sign of the logits of training samples; the paper augments from 0.6 on, where small healthy games are, too."""
OVERFITTED = 0.5
"""Share of the way from generated to training samples at which held-out ones lie, from the latter: r_v of the paper."""
HELD_OUT = "held_out"
"""Term of a discriminator under which the mean logit of held-out real samples is logged."""


def find(evidence: Evidence) -> Finding | None:
    """Return that held-out samples get the logits of generated ones, or that few training samples are all known."""
    return _held_out(evidence) or _few(evidence)


def _held_out(evidence: Evidence) -> Finding | None:
    for player in evidence.players(HELD_OUT):
        rounds, held_out = evidence.series(f"{player}/{HELD_OUT}")
        by_round = {name: dict(zip(*evidence.series(f"{player}/{name}"), strict=True)) for name in ("real", "fake")}
        kept = [r for r in rounds if r in by_round["real"] and by_round["real"][r] > by_round["fake"].get(r, r)]
        chosen = [place for place, r in enumerate(rounds) if r in kept]
        gap = rounds[chosen] * 0.0
        for place, r in enumerate(kept):
            real, fake = by_round["real"][r], by_round["fake"][r]
            gap[place] = (real - held_out[chosen[place]]) / (real - fake)
        found = windows.crossing(evidence, rounds[chosen], gap, above=OVERFITTED, checks=windows.CHECKS)
        if found:
            return _finding(evidence, player, found, "distance of held-out samples from training ones", OVERFITTED)
    return None


def _few(evidence: Evidence) -> Finding | None:
    facts = evidence.facts
    seen = evidence.series("seen")[1]
    if facts.images is None or facts.images >= FEW or len(facts.shape) != 3 or not len(seen):
        return None
    if seen[-1] < PASSES * facts.images or facts.objective in ("wasserstein", "relativistic"):
        return None
    for player in evidence.discriminators:
        rounds, real, fake = windows.accuracies(evidence, player)
        found = windows.crossing(evidence, rounds, 2 * real - 1, above=KNOWN, span=1000, lasting=300)
        apart = windows.crossing(evidence, rounds, 2 * fake - 1, above=KNOWN, span=1000)
        if found and apart:
            return _finding(evidence, player, found, "mean sign of the logits of training samples", KNOWN)
    return None


def _finding(evidence: Evidence, player: str, found: windows.Crossing, measure: str, threshold: float) -> Finding:
    many = (
        "the training samples" if evidence.facts.images is None else f"the {evidence.facts.images:,} training samples"
    )
    return SIGN.finding(
        severity="warning",
        confidence="likely" if threshold == OVERFITTED else "possible",
        since=found.since,
        measure=measure,
        value=found.value,
        threshold=threshold,
        keys=(f"{player}/{REAL}", f"{player}/{FAKE}", f"{player}/real", f"{player}/fake"),
        meaning=f"The discriminator tells {many} by heart and not by what they have in common. The samples get better "
        "for a while and then worse.",
        remedies=_remedies(evidence),
    )


def _remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    return remedies.those(
        (
            remedies.stabilise(evidence, "diff-augment", 1.0, "never shows the discriminator the same image twice"),
            remedies.stabilise(evidence, "ada", 0.6, "augments as much as the discriminator overfits"),
            remedies.penalty(evidence),
            remedies.stabilise(evidence, "lecam", 0.1, "keeps the logits of real and generated samples together"),
            remedies.stabilise(evidence, "dropout", 0.25, "weakens the discriminator"),
        )
    )


SIGN = Sign(
    name="discriminator-overfits",
    title="The discriminator overfits",
    find=find,
    source="Karras et al. 2020, section 2 and eq. 1 (https://arxiv.org/abs/2006.06676)",
)
