"""A game that circles, jumps, or gets worse with training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies, windows

JUMP = 5.0
"""Change of a cross-entropy from row to row: 7.1 to 7.3 at three onsets, and at most 1.2 before."""
UNUSUAL = 5.0
"""Times the 90th percentile of the changes before."""
PERIODIC = 0.7
"""Share of a loss's variance at one period; in 10,000 series of noise, with a memory of up to 50 rows, at most 0.5."""
CYCLES, ROWS = 8, 128
"""Fewest periods, and the rows that hold them: the last ones, and of longer stretches the means of 2, 4, 8 ... rows."""
WORSE = 1.1
"""Times the best distance from the data, with every evaluation since the last but three worse than the one before."""
RESTLESS = 0.1
"""Change of the accuracy from one epoch to the next, in five of the last seven."""
STRETCHES = 8


def find(evidence: Evidence) -> Finding | None:
    """Return the first of: a jump of the loss, samples that get worse, losses that circle, a restless accuracy."""
    return _jump(evidence) or _worse(evidence) or _circle(evidence) or _restless(evidence)


def _jump(evidence: Evidence) -> Finding | None:
    if evidence.facts.objective in ("wasserstein", "hinge"):
        return None
    for player in evidence.discriminators:
        rounds, losses = evidence.series(f"{player}/loss")
        kept = rounds > windows.warm_up(evidence)
        rounds, losses = rounds[kept], losses[kept]
        if len(losses) < 10:
            continue
        changes = np.diff(losses)
        bound = max(JUMP, UNUSUAL * float(np.quantile(np.abs(changes), 0.9)))
        place = int(np.max(np.flatnonzero(changes > bound), initial=-1))
        after = losses[place + 1 :]
        if place >= 0 and len(after) >= windows.rows(evidence, rounds, 50) and after.min() > losses[place] + bound / 2:
            return SIGN.finding(
                title="The discriminator's loss has jumped",
                severity="critical",
                confidence="likely",
                since=int(rounds[place + 1]),
                measure="change of the discriminator's loss from one row to the next",
                value=float(changes[place]),
                threshold=bound,
                keys=(f"{player}/loss",),
                meaning="The discriminator was certain and is now wrong with the same certainty. A jump of this size "
                "is how games break down from one moment to the next.",
                remedies=_remedies(evidence),
            )
    return None


def _worse(evidence: Evidence) -> Finding | None:
    for key in evidence.columns:
        if not key.startswith(("evaluation/fid", "evaluation/kid")):
            continue
        rounds, values = evidence.series(key)
        risen = len(values) > 3 and bool(np.all(np.diff(values[-4:]) > 0))
        if risen and values[-1] > WORSE * values.min() > 0:
            return SIGN.finding(
                title="The samples get worse",
                severity="warning",
                confidence="likely",
                since=int(rounds[int(np.argmin(values))]),
                measure=f"{key.partition('/')[2]} in units of its best value",
                value=float(values[-1] / values.min()),
                threshold=WORSE,
                keys=(key,),
                meaning="Three evaluations in a row were worse than the one before. The best checkpoint lies behind; "
                "more rounds of the same kind will hardly help.",
                remedies=_remedies(evidence),
            )
    return None


def _circle(evidence: Evidence) -> Finding | None:
    for player in [*evidence.discriminators, *evidence.generators]:
        key = f"{player}/loss"
        rounds, losses = evidence.series(key)
        kept = rounds > windows.warm_up(evidence)
        share, cycles, count = max(_scales(losses[kept]), default=(0.0, 0, 0))
        if share >= PERIODIC and _widens(losses[-count:]):
            begun = rounds[-count]
            period = (rounds[-1] - begun) / cycles
            return SIGN.finding(
                title="The losses circle",
                severity="warning",
                confidence="likely",
                since=int(begun),
                measure=f"share of the loss's variance at a period of {period:,.0f} rounds",
                value=share,
                threshold=PERIODIC,
                keys=tuple(f"{name}/loss" for name in [*evidence.discriminators, *evidence.generators]),
                meaning="Each player undoes what the other has just learned, and the swing does not get smaller: the "
                "game turns round its equilibrium and does not come nearer.",
                remedies=_remedies(evidence),
            )
    return None


def _scales(losses: np.ndarray) -> Iterator[tuple[float, int, int]]:
    """Yield, for stretches of 128, 256, 512 ... rows up to the last, their periodicity and their length."""
    count = ROWS
    while count <= len(losses):
        yield *periodicity(losses[-count:].reshape(ROWS, -1).mean(1)), count
        count *= 2


def periodicity(values: np.ndarray) -> tuple[float, int]:
    """Return the largest share of the variance of (T,) values at one frequency, without their line, and its cycles.

    Slow changes, of fewer than eight cycles, are not counted as periods, but in the variance.
    """
    steps = np.arange(len(values))
    values = values / max(float(np.abs(values).max()), 1e-300)
    rest = values - np.polyval(np.polyfit(steps, values, 1), steps)
    power = np.abs(np.fft.rfft(rest * np.hanning(len(rest)))) ** 2
    total = power[1:].sum()
    if total <= 1e-12 * len(values):
        return 0.0, 0
    peak = CYCLES + int(np.argmax(power[CYCLES : len(power) // 2]))
    return float(power[peak - 1 : peak + 2].sum() / total), peak


def _widens(losses: np.ndarray) -> bool:
    """Whether the swing of the second half is at least nine tenths of the first's."""
    half = len(losses) // 2
    return bool(np.std(losses[half:]) >= 0.9 * np.std(losses[:half]))


def _restless(evidence: Evidence) -> Finding | None:
    for player in evidence.discriminators:
        rounds, values = windows.accuracy(evidence, player)
        kept = rounds > windows.warm_up(evidence)
        size = windows.rows(evidence, rounds, windows.WINDOW)
        count = int(kept.sum()) // size
        if count < STRETCHES:
            continue
        epochs = values[kept][-count * size :].reshape(count, size).mean(1)[-STRETCHES:]
        changes = np.diff(epochs)
        moved = np.abs(changes) > RESTLESS
        turned = np.sum(np.sign(changes[1:]) != np.sign(changes[:-1]))
        if moved.sum() >= 5 and turned >= 4:
            return SIGN.finding(
                title="The discriminator's accuracy does not settle",
                severity="warning",
                confidence="possible",
                since=int(rounds[kept][-STRETCHES * size]),
                measure=f"median change of the accuracy from one stretch of {windows.WINDOW} rounds to the next",
                value=float(np.median(np.abs(changes))),
                threshold=RESTLESS,
                keys=(f"{player}/real_accuracy", f"{player}/fake_accuracy"),
                meaning="The accuracy goes up and down by more than a tenth without a trend: the players take turns at "
                "winning.",
                remedies=_remedies(evidence),
            )
    return None


def _remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    facts = evidence.facts
    momentum = None
    betas = facts.config.get("betas")
    if isinstance(betas, tuple | list) and betas[0] > 0.5:
        momentum = remedies.change(evidence, "betas", (0.5, betas[1]), "takes the swing out of Adam's momentum")
    return remedies.those(
        (
            remedies.penalty(evidence),
            remedies.stabilise(
                evidence, "instance-noise", 0.1, "makes both distributions overlap, and the game smooth"
            ),
            remedies.both_rates(evidence, "takes smaller steps round the equilibrium"),
            momentum,
            remedies.stabilise(evidence, "historical-averaging", 0.001, "damps players that circle"),
            remedies.change(evidence, "ema_decay", 0.999, "samples from the middle of the orbit, not from its rim")
            if facts.config.get("ema_decay", 1) < 0.99
            else None,
        )
    )


SIGN = Sign(
    name="failure-to-converge",
    title="The game does not converge",
    find=find,
    source="Mescheder et al. 2018, section 2 (https://arxiv.org/abs/1801.04406); jumps: our calibration on a DCGAN log "
    "of 100 epochs",
)
