"""Signs on a tutorial's log of 100 epochs, and on the Dirac-GAN, whose course is known (Mescheder et al. 2018)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from zerosum.doctor import Evidence, Facts, Finding, diagnose
from zerosum.doctor.examine import examine
from zerosum.run.history import History

CERTAIN = {46: 0.991, 62: 0.992, 63: 0.9998, 73: 0.998, 85: 0.991, 88: 0.997}
NEARLY = {74: 0.984, 79: 0.983, 86: 0.986, 90: 0.985}
BREAKDOWNS = (49, 65, 91)
REJECTING, ACCEPTING = range(50, 53), (*range(66, 69), *range(92, 101))


def epochs() -> list[dict[str, Any]]:
    """The log of a DCGAN's 100 epochs, rebuilt from what is known of it.

    The printed table is not at hand. Its phases are: the ranges, means and deviations of the healthy epochs, the
    accuracy of the shock at 47, the epochs at which the accuracy is at least 0.99 and 0.98, the plateaus of the losses
    while the discriminator says 0 (50 to 52) and 1 (66 to 68, 92 to 100) to everything, and the mixed epochs before
    them (49, 65, 91), at which its loss jumps by 7.319, 7.191 and 7.145. The values between are drawn.
    """
    rng, rows = np.random.default_rng(4), []
    for epoch in range(1, 101):
        accuracy = {47: 0.8064, **CERTAIN, **NEARLY}.get(epoch, float(np.clip(rng.normal(0.935, 0.03), 0.82, 0.975)))
        loss = float(np.clip(rng.normal(-0.2, 0.17), -0.58, 0.3))
        if epoch in CERTAIN or epoch in NEARLY:
            loss = -0.62 if epoch not in (63, 73, 88) else -0.74
        real = fake = accuracy
        generator = 13.6 if epoch in (35, 46, 63, 73, 74, 79, 85, 86, 88, 89, 90) else rng.uniform(5, 12.9)
        if epoch == 47:
            loss = 0.341
        elif epoch in BREAKDOWNS:
            loss = rows[-1]["discriminator/loss"] + {49: 7.319, 65: 7.191, 91: 7.145}[epoch]
            real, fake = (0.06, 0.98) if epoch == 49 else (0.98, 0.06)
        elif epoch in REJECTING:
            real, fake, loss, generator = 0.0, 1.0, rng.uniform(7.711, 7.713), 15.4250
        elif epoch in ACCEPTING:
            real, fake, loss, generator = 1.0, 0.0, rng.uniform(7.623, 7.626), 0.0
        rows.append(
            {
                "round": epoch,
                "discriminator/loss": float(loss),
                "discriminator/real_accuracy": real,
                "discriminator/fake_accuracy": fake,
                "generator/loss": float(generator),
            }
        )
    return rows


def alarms(rows: list[dict[str, Any]], last: int) -> list[Finding]:
    """What is found of the log up to an epoch, apart from notes."""
    found = diagnose(Evidence(history=History(rows[:last]), facts=Facts()))
    return [finding for finding in found if finding.severity != "note"]


def test_the_log_of_100_epochs_is_quiet_until_46_and_warns_before_each_breakdown() -> None:
    rows = epochs()
    when = {epoch: alarms(rows, epoch) for epoch in range(1, 101)}
    broken = {*BREAKDOWNS, *REJECTING, *ACCEPTING}
    assert {epoch for epoch, found in when.items() if found} == {*CERTAIN, *broken}
    for epoch in CERTAIN:
        assert [(finding.sign, finding.severity) for finding in when[epoch]] == [
            ("discriminator-overpowers", "warning")
        ]
    for onset in BREAKDOWNS:
        assert any(when[epoch] for epoch in range(onset - 3, onset + 1))
        assert any(finding.severity == "critical" for finding in when[onset])
    for epoch in (*REJECTING, *ACCEPTING):
        name = "discriminator-overpowers" if epoch in REJECTING else "generator-overpowers"
        assert any(finding.sign == name and finding.severity == "critical" for finding in when[epoch])


@pytest.mark.parametrize("onset", BREAKDOWNS)
def test_the_log_as_a_csv_file_warns_before_a_breakdown_and_is_critical_at_it(onset: int, tmp_path: Path) -> None:
    def found(last: int) -> list[Finding]:
        path = tmp_path / f"{last}.csv"
        lines = [",".join(str(value) for value in row.values()) for row in epochs()[:last]]
        path.write_text("\n".join(["epoch,d_loss,d_acc_real,d_acc_fake,g_loss", *lines]) + "\n")
        return [finding for finding in examine(path).findings if finding.severity != "note"]

    assert any(found(epoch) for epoch in range(onset - 3, onset))
    at = found(onset)
    assert "critical" in {finding.severity for finding in at}
    assert min(finding.since for finding in at) <= onset


def test_of_the_whole_log_the_last_breakdown_is_told_with_its_epoch() -> None:
    found = {finding.sign: finding for finding in alarms(epochs(), 100)}
    assert set(found) == {"generator-overpowers", "failure-to-converge"}
    assert found["generator-overpowers"].since == 92
    assert found["failure-to-converge"].since == 91


def test_losses_alone_suffice_for_the_breakdowns() -> None:
    rows = [{key: value for key, value in row.items() if not key.endswith("accuracy")} for row in epochs()]
    assert all(alarms(rows, epoch) for epoch in (*BREAKDOWNS, *REJECTING, *ACCEPTING))
    assert not any(alarms(rows, epoch) for epoch in range(1, 46))


def dirac(gamma: float, rounds: int = 3_000, rate: float = 0.1) -> list[dict[str, Any]]:
    """Rows of the Dirac-GAN: one real point at 0, one sample at theta, D(x) = psi x, simultaneous gradient descent."""
    theta, psi = torch.tensor(1.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    rows, paid = [], []
    for round_ in range(1, rounds + 1):
        fake, real = psi * theta, psi * 0.0
        losses = softplus(-real) + softplus(fake) + gamma / 2 * psi**2, softplus(-fake)
        slopes = [torch.autograd.grad(losses[0], psi, retain_graph=True)[0], torch.autograd.grad(losses[1], theta)[0]]
        with torch.no_grad():
            for weight, slope in zip((psi, theta), slopes, strict=True):
                weight -= rate * slope
        paid.append([*(loss.item() for loss in losses), *(slope.abs().item() for slope in slopes)])
        if round_ % 10 == 0:
            means = np.mean(paid[-10:], 0).tolist()
            names = [
                f"{player}/{term}" for term in ("loss", "gradient_norm") for player in ("discriminator", "generator")
            ]
            rows.append({"round": round_, **dict(zip(names, means, strict=True))})
    return rows


def test_the_dirac_gan_spirals_out_without_a_penalty_and_converges_with_it() -> None:
    facts = Facts(objective="logistic", rounds=3_000)
    circling = diagnose(Evidence(history=History(dirac(0.0)), facts=facts))
    assert [finding.sign for finding in circling] == ["failure-to-converge"]
    assert circling[0].remedies[0].flags.startswith("--stabilise r1:")
    assert diagnose(Evidence(history=History(dirac(1.0)), facts=facts)) == []


@pytest.mark.parametrize("every", [1, 10, 50])
def test_a_period_is_found_whatever_the_rows_of_the_log(every: int) -> None:
    rounds = np.arange(every, 8_000, every)
    noise = np.random.default_rng(0).normal(0, 0.2, (2, len(rounds)))
    rows = [
        {"round": int(r), "discriminator/loss": 1 + np.sin(r / 60) + a, "generator/loss": 1 + np.cos(r / 60) + b}
        for r, a, b in zip(rounds, *noise, strict=True)
    ]
    found = diagnose(Evidence(history=History(rows), facts=Facts(rounds=8_000)))
    assert [(finding.sign, finding.title) for finding in found] == [("failure-to-converge", "The losses circle")]
