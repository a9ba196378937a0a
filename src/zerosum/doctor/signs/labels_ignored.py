"""A conditional generator that makes the same of every label."""

from __future__ import annotations

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.measures import DIVERSITY, LABEL_EFFECT
from zerosum.doctor.signs import Sign, remedies, windows

NO_EFFECT = 0.2
"""Change of a sample with its label, as a share of that with its latent: 0.12 to 0.16 where labels are shuffled, 0.5 or
more where they are obeyed."""
LATE = 0.5
"""Share of the planned rounds up to which rows are left out: labels are learned after the shapes."""
COLLAPSED = 0.1


def find(evidence: Evidence) -> Finding | None:
    """Return that another label changes samples a fifth as much as another latent does, or less."""
    rounds, values = evidence.series(LABEL_EFFECT)
    after = max(windows.warm_up(evidence), LATE * (evidence.facts.rounds or 0))
    found = windows.crossing(evidence, rounds, values, below=NO_EFFECT, span=1, checks=windows.CHECKS, after=after)
    variety = evidence.series(DIVERSITY)[1]
    if found is None or windows.rising(values) or (len(variety) and variety[-1] < COLLAPSED):
        return None
    more = "has more labels of each kind in a batch, so that their mistakes are noticed"
    return SIGN.finding(
        severity="warning",
        confidence="likely",
        since=found.since,
        measure="change of a sample with its label, where that with its latent is 1",
        value=found.value,
        threshold=NO_EFFECT,
        keys=(LABEL_EFFECT,),
        meaning="The generator makes nearly the same of all labels, because the discriminator does not look at them, "
        "or because they say little about the images.",
        remedies=remedies.those(
            (
                remedies.scale(evidence, "batch", 2, more),
                remedies.moves(evidence, 1, "gives the discriminator time to learn the labels"),
                _projection(evidence),
                remedies.scale(evidence, "rounds", 2, "gives the labels time: they are learned after the shapes"),
            )
        ),
    )


def _projection(evidence: Evidence) -> Remedy | None:
    if evidence.facts.recipe in (None, "cgan", "acgan"):
        return Remedy(flags="--recipe projection", why="gives the label a place in the discriminator's last layer")
    return None


SIGN = Sign(
    name="labels-ignored",
    title="The labels are ignored",
    find=find,
    source="Miyato & Koyama 2018 (https://arxiv.org/abs/1802.05637); threshold by our own choice",
)
