"""A discriminator's loss without a lower bound, which makes its logits grow for ever."""

from __future__ import annotations

import numpy as np

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies, windows

LARGE = 30.0
"""Mean absolute logit; the sigmoid of half of it is 1 to six digits."""
GROWING = 1.5


def find(evidence: Evidence) -> Finding | None:
    """Return the first of: labels outside [0, 1], logits that grow, a negative cross-entropy."""
    return _labels(evidence) or _logits(evidence) or _negative(evidence)


def _labels(evidence: Evidence) -> Finding | None:
    for name in ("real_label", "fake_label"):
        bounds = evidence.facts.config.get(name)
        if not isinstance(bounds, tuple | list) or not len(evidence.history):
            continue
        value = max(bounds, key=lambda bound: abs(bound - 0.5))
        if min(bounds) < 0 or max(bounds) > 1:
            return SIGN.finding(
                title="Labels outside [0, 1] leave the loss without a lower bound",
                severity="warning",
                confidence="certain",
                since=int(evidence.history[0]["round"]),
                measure=f"the end of {name.replace('_', ' ')} that lies farthest out",
                value=float(value),
                threshold=float(value > 0.5),
                keys=_losses(evidence),
                meaning="With a label above 1 or below 0 the discriminator gains from every larger logit, so its "
                "logits grow for ever and it ends certain and brittle.",
                remedies=_remedies(evidence),
            )
    return None


def _logits(evidence: Evidence) -> Finding | None:
    if evidence.facts.objective == "wasserstein":
        return None
    for player in evidence.discriminators:
        for side in ("real", "fake"):
            key = f"{player}/{side}"
            rounds, logits = evidence.series(key)
            kept = rounds > windows.warm_up(evidence)
            found = windows.crossing(evidence, rounds, np.abs(logits), above=LARGE, lasting=50)
            late = windows.smooth(np.abs(logits[kept]), windows.rows(evidence, rounds, windows.WINDOW))
            if found and late[-1] > GROWING * late[len(late) // 2]:
                kind = "generated" if side == "fake" else "real"
                return SIGN.finding(
                    title="The discriminator's logits grow without bound",
                    severity="warning",
                    confidence="likely",
                    since=found.since,
                    measure=f"mean absolute logit of {kind} samples",
                    value=found.value,
                    threshold=LARGE,
                    keys=(f"{player}/real", f"{player}/fake"),
                    meaning="The discriminator gets ever more certain without telling more apart; where it is wrong, "
                    "it will be wrong by as much, and the players leap.",
                    remedies=_remedies(evidence),
                )
    return None


def _negative(evidence: Evidence) -> Finding | None:
    if evidence.facts.objective not in (None, "logistic") or evidence.facts.recipe is not None:
        return None
    for player in evidence.discriminators:
        key = f"{player}/loss"
        if not len(windows.accuracy(evidence, player)[0]):
            continue
        found = windows.crossing(evidence, *evidence.series(key), below=0.0, checks=windows.CHECKS)
        if found:
            return SIGN.finding(
                title="The discriminator's loss is negative",
                severity="note",
                confidence="possible",
                since=found.since,
                measure="discriminator's loss",
                value=found.value,
                threshold=0.0,
                keys=(key,),
                meaning="A cross-entropy below 0 means labels above 1 or below 0, with which the discriminator gains "
                "from every larger logit and gets too certain.",
                remedies=_remedies(evidence),
            )
    return None


def _losses(evidence: Evidence) -> tuple[str, ...]:
    return tuple(f"{player}/loss" for player in evidence.discriminators)


def _remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    config, parts = evidence.facts.config, []
    inner = "keeps the labels within what a probability can be"
    for name in ("real_label", "fake_label"):
        bounds = config.get(name)
        if isinstance(bounds, tuple | list) and (min(bounds) < 0 or max(bounds) > 1):
            width = round(float(max(bounds) - min(bounds)), 4)
            inside = (max(0.0, 1 - width), 1.0) if name == "real_label" else (0.0, min(1.0, width))
            parts.append(remedies.change(evidence, name, inside, inner))
    if not evidence.facts.flags:
        parts = [
            remedies.change(evidence, "real_label", (0.9, 1.0), inner),
            remedies.change(evidence, "fake_label", (0.0, 0.1), inner),
        ]
    return remedies.those(
        (
            remedies.joined(parts, inner),
            remedies.penalty(evidence),
            remedies.stabilise(evidence, "spectral-norm", None, "bounds what the discriminator makes of its input"),
            remedies.stabilise(evidence, "weight-penalty", 0.0001, "keeps the weights from growing"),
        )
    )


SIGN = Sign(
    name="loss-unbounded",
    title="The discriminator's loss has no lower bound",
    find=find,
    source="Salimans et al. 2016, section 3.4 (https://arxiv.org/abs/1606.03498): labels stay within [0, 1]; logits by "
    "our own choice",
)
