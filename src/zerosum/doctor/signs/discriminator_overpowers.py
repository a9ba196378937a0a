"""The discriminator overpowers the generator, whose gradient vanishes."""

from __future__ import annotations

import numpy as np

from zerosum.doctor.evidence import FAKE, REAL, Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies, windows

CERTAIN = 0.99
"""Mean accuracy of a discriminator that is hardly ever wrong: 3 of 3 onsets in a log of 100 epochs, 2 false alarms."""
APART = 0.9
"""The same on points, whose distributions overlap once the generator has learned: it is 0.6 in games that go well."""
NEVER, SELDOM = 0.01, 0.2
"""Accuracy on one kind of sample below which the discriminator calls all of it the other kind, or nearly all."""
VANISHED = 1e-6
"""Norm of the generator's gradient."""
PERFECT = 0.139
"""A tenth of 2 ln 2, the loss of a discriminator that guesses."""
LOSING = 3.0
"""Generator's loss above which it is losing, in a cross-entropy."""
PENALTIES = ("r1", "r2", "gradient-penalty", "approximate-r1")

MEANING = (
    "The discriminator is hardly ever wrong, so its answer changes little with the samples and the generator learns "
    "little from it. In a log of 100 epochs this came one to three epochs before each breakdown."
)


def find(evidence: Evidence) -> Finding | None:
    """Return the worst of: no gradient, all called generated, hardly ever wrong, D(G(z)) or a loss near 0."""
    found = _vanished(evidence) or _rejects(evidence) or _accurate(evidence)
    return found or _convinced(evidence) or _perfect(evidence)


def _vanished(evidence: Evidence) -> Finding | None:
    for player in evidence.generators:
        key = f"{player}/gradient_norm"
        losses = evidence.series(f"{player}/loss")[1]
        found = windows.crossing(evidence, *evidence.series(key), below=VANISHED, span=1, lasting=20)
        certain = found is not None and found.value == 0 and abs(losses[-1:].sum()) > PERFECT
        if found and (certain or losses[-1:].sum() > LOSING):
            return SIGN.finding(
                title="The generator gets no gradient",
                severity="critical",
                confidence="certain" if certain else "likely",
                since=found.since,
                measure="norm of the generator's gradient",
                value=found.value,
                threshold=VANISHED,
                keys=(key, f"{player}/loss"),
                meaning="The generator does not change any more, because nothing it could change alters the "
                "discriminator's answer. It does not recover on its own.",
                remedies=_remedies(evidence),
            )
    return None


def _rejects(evidence: Evidence) -> Finding | None:
    if evidence.facts.objective in ("wasserstein", "relativistic"):
        return None
    for player in evidence.discriminators:
        rounds, real, fake = windows.accuracies(evidence, player)
        for bound, over, severity in ((NEVER, 1, "critical"), (SELDOM, windows.WINDOW, "warning")):
            lost = np.where(fake > 1 - bound, real, 1.0)
            found = windows.crossing(evidence, rounds, lost, below=bound, span=over, lasting=50)
            if found:
                return SIGN.finding(
                    title="The discriminator calls everything generated",
                    severity=severity,
                    confidence="certain" if severity == "critical" else "likely",
                    since=found.since,
                    measure="accuracy of the discriminator on real samples",
                    value=found.value,
                    threshold=bound,
                    keys=(f"{player}/{REAL}", f"{player}/{FAKE}"),
                    meaning="The discriminator no longer tells real from generated samples: it rejects both. The "
                    "generator cannot learn what would please it.",
                    remedies=_remedies(evidence),
                )
    return None


def _accurate(evidence: Evidence) -> Finding | None:
    facts = evidence.facts
    pairs = facts.objective == "relativistic"
    if facts.objective == "wasserstein" or (pairs and _penalised(evidence)):
        return None
    bound = APART if len(facts.shape) == 1 and not pairs else CERTAIN
    for player in evidence.discriminators:
        found = windows.crossing(evidence, *windows.accuracy(evidence, player), above=bound)
        if found:
            return SIGN.finding(
                severity="warning",
                confidence="possible" if pairs or facts.objective is None else "likely",
                since=found.since,
                measure="share of pairs that the discriminator orders rightly" if pairs else "discriminator's accuracy",
                value=found.value,
                threshold=bound,
                keys=(f"{player}/{REAL}", f"{player}/{FAKE}"),
                meaning=MEANING,
                remedies=_remedies(evidence),
            )
    return None


def _convinced(evidence: Evidence) -> Finding | None:
    """Read it off the mean of the discriminator's probabilities, as many logs have it."""
    for player in evidence.players("fake_probability"):
        key = f"{player}/fake_probability"
        found = windows.crossing(evidence, *evidence.series(key), below=NEVER, lasting=windows.WINDOW)
        if found:
            return SIGN.finding(
                severity="warning",
                confidence="likely",
                since=found.since,
                measure="mean probability that generated samples are real, to the discriminator",
                value=found.value,
                threshold=NEVER,
                keys=(key, f"{player}/real_probability"),
                meaning=MEANING,
                remedies=_remedies(evidence),
            )
    return None


def _perfect(evidence: Evidence) -> Finding | None:
    """Read it off the losses of a cross-entropy where no accuracy was logged."""
    if evidence.facts.objective not in (None, "logistic"):
        return None
    generator = windows.first(evidence.generators, "generator")
    losing = windows.crossing(evidence, *evidence.series(f"{generator}/loss"), above=LOSING, lasting=500, checks=2)
    for player in evidence.discriminators:
        if len(windows.accuracy(evidence, player)[0]) or losing is None:
            continue
        rounds, losses = evidence.series(f"{player}/loss")
        if len(losses) and losses.min() < 0:  # labels outside [0, 1], or no cross-entropy
            continue
        found = windows.crossing(evidence, rounds, losses, above=0, below=PERFECT, lasting=500, checks=2)
        if found:
            return SIGN.finding(
                severity="warning",
                confidence="possible",
                since=max(found.since, losing.since),
                measure="discriminator's loss",
                value=found.value,
                threshold=PERFECT,
                keys=(f"{player}/loss", f"{generator}/loss"),
                meaning="If this is a cross-entropy, the discriminator is hardly ever wrong, and the generator learns "
                "little from it.",
                remedies=_remedies(evidence),
            )
    return None


def _penalised(evidence: Evidence) -> bool:
    asked = str(evidence.facts.training.get("stabilise") or "")
    gamma = evidence.facts.config.get("gamma")
    return bool(gamma) or any(part.partition(":")[0].strip() in PENALTIES for part in asked.split(","))


def _remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    few = evidence.facts.images is not None and evidence.facts.images < 10_000
    noise = "blurs the line between real and generated samples, so that the discriminator cannot be certain"
    return remedies.those(
        (
            remedies.stabilise(evidence, "diff-augment", 1.0, "keeps the discriminator from memorising few images")
            if few
            else None,
            remedies.stabilise(evidence, "instance-noise", 0.1, noise),
            remedies.penalty(evidence),
            remedies.rate(evidence, "discriminator", "lets the generator keep up with the discriminator", shared=False),
            remedies.moves(evidence, -1, "gives the generator more of the moves"),
            remedies.change(evidence, "real_label", (0.9, 0.9), "keeps the discriminator from becoming certain")
            if evidence.facts.flags
            else None,
            remedies.stabilise(evidence, "label-smoothing", 0.1, "keeps the discriminator from becoming certain"),
            remedies.stabilise(evidence, "dropout", 0.25, "weakens the discriminator"),
            remedies.another_recipe(evidence, "wgan_gp", "plays by a loss whose gradient does not vanish"),
        )
    )


SIGN = Sign(
    name="discriminator-overpowers",
    title="The discriminator overpowers the generator",
    find=find,
    source="Arjovsky & Bottou 2017, section 2 (https://arxiv.org/abs/1701.04862); accuracy: our calibration on a DCGAN "
    "log of 100 epochs",
)
