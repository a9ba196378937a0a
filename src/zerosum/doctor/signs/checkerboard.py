"""Samples with a pattern of single pixels, as transposed convolutions leave it."""

from __future__ import annotations

import numpy as np

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding
from zerosum.doctor.measures import CHECKERBOARD
from zerosum.doctor.signs import Sign, remedies, windows

PATTERNED = 5.0
"""Times the share of power that real images have near the Nyquist frequencies."""
FADED_SHARE, FADED = 0.75, 5_000
"""Share of the planned rounds, or number of rounds, before which a pattern that fades by itself is not spoken of."""
LOOKED_AT, SMALLEST = 256, 16
FLOOR = 1e-6
"""Share of power that rounding to 8 bits leaves anywhere."""


def find(evidence: Evidence) -> Finding | None:
    """Return that samples have a multiple of real images' power at the shortest wavelengths.

    Early in a game they often have, and what learns fast has most of it.
    """
    rounds, values = evidence.series(CHECKERBOARD)
    found = windows.crossing(evidence, rounds, values, above=PATTERNED, span=1, checks=windows.CHECKS)
    if found is None or _is_early(evidence) or windows.rising(1 / np.maximum(values, FLOOR)):
        found = _of_samples(evidence)
    if found is None:
        return None
    return SIGN.finding(
        severity="warning",
        confidence="likely",
        since=found.since,
        measure="power near the Nyquist frequencies, where real images have 1",
        value=found.value,
        threshold=PATTERNED,
        keys=(CHECKERBOARD,),
        meaning="The samples carry a pattern with a period of two pixels that real images lack, as transposed "
        "convolutions leave it. The discriminator may go by the pattern instead of by what is shown.",
        remedies=remedies.those(
            (
                remedies.change(
                    evidence, "upsampling", "upsample", "doubles maps without the gaps that leave a pattern"
                ),
                remedies.both_rates(evidence, "lets the weights of neighbouring pixels settle"),
                remedies.scale(evidence, "rounds", 2, "gives the pattern time to fade: it is strongest early"),
            )
        ),
    )


def _is_early(evidence: Evidence) -> bool:
    planned = evidence.facts.rounds
    return planned is not None and evidence.last_round < min(FADED_SHARE * planned, FADED)


def _of_samples(evidence: Evidence) -> windows.Crossing | None:
    if evidence.samples is None or evidence.real is None or evidence.samples.ndim != 4:
        return None
    if min(evidence.samples.shape[2:]) < SMALLEST or evidence.samples.shape[1:] != evidence.real.shape[1:]:
        return None
    ratio = nyquist_share(evidence.samples) / max(nyquist_share(evidence.real), FLOOR)
    return windows.Crossing(evidence.last_round, ratio) if ratio >= PATTERNED else None


def nyquist_share(images: np.ndarray) -> float:
    """Return the share of the power of images (N, C, H, W) above 15/16 of the Nyquist frequency, down or across."""
    chosen = images[:LOOKED_AT].astype(np.float32)
    power = np.abs(np.fft.fft2(chosen - chosen.mean((2, 3), keepdims=True))) ** 2
    down, across = (np.abs(np.fft.fftfreq(side)) for side in chosen.shape[2:])
    near = (down[:, None] >= 15 / 32) | (across[None, :] >= 15 / 32)
    total = float(power.sum())
    return float(power[..., near].sum()) / total if total > 0 else 0.0


SIGN = Sign(
    name="checkerboard",
    title="The samples have a checkerboard pattern",
    find=find,
    source="Odena et al. 2016 (https://distill.pub/2016/deconv-checkerboard); threshold by our own choice",
)
