"""Augmentations of the discriminator's input that show in the samples."""

from __future__ import annotations

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding
from zerosum.doctor.signs import Sign, remedies, windows

LEAKY = 0.85
"""Probability of augmentation from which on the generator cannot tell which images are the plain ones."""


def find(evidence: Evidence) -> Finding | None:
    """Return that adaptive augmentation has come to a probability at which it leaks."""
    for player in evidence.players("ada_p"):
        key = f"{player}/ada_p"
        found = windows.crossing(evidence, *evidence.series(key), above=LEAKY)
        if found:
            return SIGN.finding(
                severity="warning",
                confidence="possible",
                since=found.since,
                measure="probability of augmentation",
                value=found.value,
                threshold=LEAKY,
                keys=(key,),
                meaning="Nearly every image that the discriminator takes is turned, shifted or recoloured, so that the "
                "generator may learn to make turned, shifted and recoloured samples.",
                remedies=remedies.those(
                    (
                        remedies.penalty(evidence),
                        remedies.stabilise(evidence, "lecam", 0.1, "regularises without changing any image"),
                        remedies.rate(evidence, "discriminator", "makes the discriminator overfit less"),
                        remedies.change(evidence, "mirror", 0.5, "doubles the data, where left and right are alike"),
                    )
                ),
            )
    return None


SIGN = Sign(
    name="augmentation-leaks",
    title="The augmentation leaks into the samples",
    find=find,
    source="Karras et al. 2020, section 2.2 and figure 3 (https://arxiv.org/abs/2006.06676)",
)
