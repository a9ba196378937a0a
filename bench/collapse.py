"""Games that fail and games that do not: what the doctor says of each, and after how many rounds.

    python -m bench.collapse [--seeds 3] [--only NAME ...] [--folder runs/collapse] [--autopilot] [--save]

Each game is a run of `zerosum train` in --folder and is not played twice, so that a stopped benchmark goes on. The
history is examined as the doctor would have seen it while it grew. Thresholds may be set on the half called "tuned";
the other half, "judged", says how well they do. With --autopilot the failing games are played again with it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.results import save, table
from zerosum.data.options import DataConfig
from zerosum.doctor import Evidence, Finding, diagnose
from zerosum.doctor.facts import facts_of
from zerosum.kinds import open_data
from zerosum.run.directory import Run
from zerosum.run.history import History

PREFIXES = 40
"""Moments at which the doctor looks at a growing history."""

SMALL = "--size 16 --width 8"
STRONG = "--generator-hidden 64 64 --discriminator-hidden 64 64 --dropout 0 --latent-dim 2"


@dataclass(frozen=True)
class Case:
    """A game."""

    name: str
    data: str
    """A name, or one of `made`."""
    flags: str
    expected: tuple[str, ...] = ()
    """Signs, each of which would name what goes wrong; none for a game that does well."""


FAILING = (
    Case("strong discriminator, ring", "ring8", f"--recipe gan {STRONG} --generator-lr 1e-4 --discriminator-lr 1e-3 "
         "--n-discriminator 5 --rounds 1500", ("discriminator-overpowers", "mode-collapse")),
    Case("strong discriminator, grid", "grid25", f"--recipe gan {STRONG} --generator-lr 1e-4 --discriminator-lr 1e-3 "
         "--n-discriminator 5 --rounds 1500", ("discriminator-overpowers", "mode-collapse")),
    Case("strong discriminator, digits", "digits", "--recipe gan --dropout 0 --generator-lr 2e-5 "
         "--discriminator-lr 2e-3 --rounds 1200", ("discriminator-overpowers", "learning-rates-far-apart")),
    Case("strong discriminator, dcgan", "digits", f"--recipe dcgan {SMALL} --generator-lr 1e-5 "
         "--discriminator-lr 4e-3 --rounds 800", ("discriminator-overpowers", "learning-rates-far-apart")),
    Case("strong generator", "ring8", "--recipe gan --generator-lr 2e-2 --discriminator-lr 1e-5 --rounds 1500",
         ("generator-overpowers", "mode-collapse", "learning-rate-too-high", "learning-rates-far-apart")),
    Case("rate of 10", "ring8", "--recipe gan --generator-lr 10 --discriminator-lr 10 --rounds 1500",
         ("divergence", "learning-rate-too-high", "mode-collapse")),
    Case("rate of 0.1, dcgan", "digits", f"--recipe dcgan {SMALL} --generator-lr 0.1 --discriminator-lr 0.1 "
         "--rounds 800", ("learning-rate-too-high", "mode-collapse", "divergence")),
    Case("wide clipping", "ring8", "--recipe wgan --clip 5 --rounds 800",
         ("divergence", "failure-to-converge", "loss-unbounded", "learning-rate-too-high")),
    Case("labels outside 0 and 1", "digits", f"--recipe dcgan {SMALL} --real-label 0.7 1.2 --fake-label -0.2 0.3 "
         "--generator-lr 1e-3 --discriminator-lr 1e-3 --rounds 800", ("loss-unbounded", "discriminator-overpowers")),
    Case("batch of 2", "digits", f"--recipe dcgan {SMALL} --batch 2 --rounds 1500",
         ("batch-too-small-for-batch-norm",)),
    Case("100 digits", "few", f"--recipe dcgan {SMALL} --rounds 1500",
         ("discriminator-overfits", "samples-memorised", "discriminator-overpowers", "mode-collapse")),
    Case("labels without meaning", "shuffled", f"--recipe cgan {SMALL} --rounds 1200", ("labels-ignored",)),
    Case("high momentum", "digits", "--recipe gan --betas 0.95 0.999 --generator-lr 5e-3 --discriminator-lr 5e-3 "
         "--rounds 1200",
         ("failure-to-converge", "mode-collapse", "learning-rate-too-high", "discriminator-overpowers")),
    Case("slow average", "digits", f"--recipe dcgan {SMALL} --ema-decay 0.99999 --rounds 800", ("ema-too-slow",)),
    Case("constant channel", "opaque", f"--recipe dcgan {SMALL} --rounds 800", ("duplicates-or-constant-channel",)),
    Case("simultaneous, high rates", "ring8", "--recipe gan --simultaneous --betas 0.9 0.999 --generator-lr 2e-2 "
         "--discriminator-lr 2e-2 --rounds 1500",
         ("failure-to-converge", "learning-rate-too-high", "mode-collapse", "discriminator-overpowers")),
)  # fmt: skip

HEALTHY = (
    *(
        Case(f"{recipe}, ring", "ring8", f"--recipe {recipe} --rounds {rounds}")
        for recipe, rounds in (
            ("gan", 1500), ("lsgan", 1000), ("wgan", 600), ("wgan_gp", 600), ("r3gan", 1000), ("unrolled", 400),
        )
    ),
    *(
        Case(f"{recipe}, digits", "digits", f"--recipe {recipe} {SMALL} --rounds {rounds}")
        for recipe, rounds in (("dcgan", 1000), ("lsgan", 1000), ("cgan", 1000), ("wgan_gp", 400), ("acgan", 1000))
    ),
    Case("gan, digits", "digits", "--recipe gan --rounds 1500"),
    Case("slow learner, ring", "ring8", "--recipe gan --generator-lr 1e-4 --discriminator-lr 1e-4 --rounds 1500"),
    Case("slow learner, digits", "digits", f"--recipe dcgan {SMALL} --generator-lr 5e-5 --discriminator-lr 5e-5 "
         "--rounds 1000"),
    Case("instance noise, digits", "digits", f"--recipe dcgan {SMALL} --stabilise instance-noise:0.1 --rounds 1000"),
    Case("large batch, ring", "ring8", "--recipe lsgan --batch 1024 --rounds 600"),
)  # fmt: skip


def made(name: str, folder: Path) -> str:
    """Return where data lie: names as they are, others written beside the runs."""
    if name not in ("few", "shuffled", "opaque"):
        return name
    path = folder / f"{name}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        digits = open_data("digits", options=DataConfig())
        assert digits.labels is not None
        images, labels, generator = np.asarray(digits.samples), digits.labels, np.random.default_rng(0)
        if name == "few":
            np.savez(path, x_train=images[:100])
        elif name == "shuffled":
            np.savez(path, x_train=images, y_train=generator.permutation(labels))
        else:
            opaque = np.full_like(images, 255)
            np.savez(path, x_train=np.concatenate([images, images, images, opaque], axis=-1))
    return str(path)


def play(case: Case, seed: int, folder: Path, *, autopilot: bool) -> Run:
    """Train once, or go on with what was begun; a game that diverges ends there."""
    place = folder / f"{case.name.replace(' ', '-').replace(',', '')}-{seed}{'-autopilot' * autopilot}"
    done = place / "done"
    if not done.exists():
        began = (place / "run.json").exists() and any((place / "checkpoints").glob("*"))
        given = ["--resume", str(place)] if began else [made(case.data, folder), *case.flags.split()]
        pace = ["--save-every", "200", "--preview-every", "100000", "--watch-every", "50"]
        fresh = ["--seed", str(seed), *pace, "--run", str(place), *["--autopilot"] * autopilot]
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{place}.log", "a") as log:
            words = [sys.executable, "-m", "zerosum", "train", *given, *([] if began else fresh)]
            code = subprocess.run(words, stdout=log, stderr=log, check=False).returncode
        if code not in (0, 1, 3):
            raise SystemExit(f"{place}: ended with {code}; see {place}.log")
        done.write_text(f"{code}\n")
    return Run.open(place)


def alarms(run: Run) -> dict[int, list[Finding]]:
    """Return what the doctor warns of at some moments of a growing history, by round."""
    history, facts = run.history(), facts_of(run.description)
    step = max(1, len(history) // PREFIXES)
    found = {}
    for end in (*range(step, len(history), step), len(history)):
        evidence = Evidence(history=History(history[:end]), facts=facts)
        warned = [finding for finding in diagnose(evidence) if finding.severity != "note"]
        if warned:
            found[int(history[end - 1]["round"])] = warned
    return found


def sums(rows: list[tuple[Case, str, dict[int, list[Finding]]]], half: str) -> str:
    """Say how well the signs do on one half."""
    failing = [(case, found) for case, part, found in rows if part == half and case.expected]
    healthy = [found for case, part, found in rows if part == half and not case.expected]
    caught = [(case, found) for case, found in failing if found]
    named = sum(any(f.sign in case.expected for fs in found.values() for f in fs) for case, found in caught)
    first = [min(found) for _, found in caught]
    return (
        f"{half}: {len(caught)} of {len(failing)} failing games found, {named} of these named rightly, after "
        f"{statistics.median(first) if first else 0:,.0f} rounds (median); {sum(map(bool, healthy))} false alarms in "
        f"{len(healthy)} games that do well."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", action="append", help="play this one alone; may be given again")
    parser.add_argument("--folder", type=Path, default=Path("runs/collapse"))
    parser.add_argument("--autopilot", action="store_true", help="play the failing games with it")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    cases = [
        (case, "tuned" if place % 2 else "judged") for group in (FAILING, HEALTHY) for place, case in enumerate(group)
    ]
    cases = [(case, half) for case, half in cases if options.only is None or case.name in options.only]
    rows: list[tuple[Case, str, dict[int, list[Finding]]]] = []
    shown = [["game", "half", "seed", "fails by", "first warning", "of rounds", "warned of", "at the end"]]
    for seed in range(options.seeds):
        for case, half in cases:
            if options.autopilot and not case.expected:
                continue
            run = play(case, seed, options.folder, autopilot=options.autopilot)
            found = alarms(run)
            rows.append((case, half, found))
            last = max(row["round"] for row in run.history()) if len(run.history()) else 0
            signs = list(dict.fromkeys(finding.sign for findings in found.values() for finding in findings))
            ended = "fails" if last in found else "healthy"
            first = f"{min(found):,}" if found else ""
            shown.append(
                [case.name, half, str(seed), ", ".join(case.expected), first, f"{last:,}", ", ".join(signs), ended]
            )
            print(*shown[-1], sep=" | ", flush=True)
    remarks = [sums(rows, "judged"), sums(rows, "tuned")]
    if options.autopilot:
        healthy = sum(row[-1] == "healthy" for row in shown[1:])
        remarks = [f"With --autopilot {healthy} of {len(rows)} failing games end without a warning."]
    print(table(shown), *remarks, sep="\n")
    if options.save:
        name = "collapse-autopilot" if options.autopilot else "collapse"
        print(save(name, "What the doctor says of games that fail, and of games that do not", shown, remarks))


if __name__ == "__main__":
    main()
