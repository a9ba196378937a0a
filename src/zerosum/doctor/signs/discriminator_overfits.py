"""The discriminator has memorised its few training samples."""

from __future__ import annotations

from zerosum.doctor.evidence import FAKE, REAL, Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies, windows

FEW = 10_000
"""Training samples below which a discriminator has overfitted on 256x256 images (figure 1 of the paper)."""
PASSES = 20
KNOWN = 0.9
"""Mean sign of the logits of training samples; the paper augments from 0.6 on, where small healthy games are, too."""
WORSE = 1.1
"""Times the best distance of the samples from the data, at the last evaluation."""


def find(evidence: Evidence) -> Finding | None:
    """Return that few training samples, seen often, are nearly all known."""
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
            return SIGN.finding(
                severity="warning",
                confidence="likely" if _gets_worse(evidence) else "possible",
                since=found.since,
                measure="mean sign of the logits of training samples",
                value=found.value,
                threshold=KNOWN,
                keys=(f"{player}/{REAL}", f"{player}/{FAKE}", f"{player}/real", f"{player}/fake"),
                meaning=f"The discriminator has memorised the {facts.images:,} training samples rather than learned "
                "what they have in common. The samples get better for a while and then worse.",
                remedies=_remedies(evidence),
            )
    return None


def _gets_worse(evidence: Evidence) -> bool:
    """Whether the last evaluation lies above the best one, as it does once the discriminator overfits."""
    distances = [evidence.series(key)[1] for key in evidence.columns if key.startswith("evaluation/fid")]
    return any(values[-1] > WORSE * values.min() for values in distances)


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
