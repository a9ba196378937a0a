"""The DCGAN tutorial whose log collapses, on LEGO bricks: with its loss, on logits, and each with the autopilot.

    python -m bench.tutorial [--rounds 10000] [--seed 0] [--only NAME ...] [--folder runs/tutorial] [--save]

`bench.tutorial_game` says what is played. Data: $ZEROSUM_DATA/lego_bricks/lego_64_gray.npz, 64x64. Each game is a run
of `zerosum train` in --folder, 2,000 rounds an hour of one core; one that was stopped goes on, none is played twice.
A row of the history is *dead* where the generator's gradient is exactly zero, or where the discriminator says the same
of all: it is right about less than 1 % of the real images, or of the generated ones.
"""

from __future__ import annotations

import argparse
import os
import subprocess
from itertools import groupby
from pathlib import Path
from statistics import fmean

from bench.collapse import alarms, signs_of
from bench.default import command
from bench.outcomes import RULE, outcome
from bench.results import ROOT, save, table
from zerosum.run.directory import Run
from zerosum.run.history import Row

GAME = ROOT / "bench" / "tutorial_game.py"
GAMES = {
    "its loss": ["--loss", "probabilities"],
    "logits": ["--loss", "logits"],
    "its loss, with the autopilot": ["--loss", "probabilities", "--autopilot"],
    "logits, with the autopilot": ["--loss", "logits", "--autopilot"],
    "its loss, weights of DCGAN": ["--loss", "probabilities", "--initial-weights", "normal"],
}
FINISHED, WENT_WRONG, GIVEN_UP = 0, 1, 3
"""Exit codes of `zerosum train`."""

DEAD = 0.01
"""Accuracy below which the discriminator says the same of all."""

Rows = list[list[str]]


def play(name: str, place: Path, data: Path, rounds: int, seed: int) -> Run:
    """Train, or go on with what was begun; a game that has so many rounds, or was given up, is not played again."""
    ended = place / "ended"
    if ended.exists() or (place.exists() and last_round(Run.open(place)) >= rounds):
        return Run.open(place)
    words = [str(data), "--size", "64", *GAMES[name], "--seed", str(seed), "--run", str(place)]
    words += ["--save-every", "250", "--preview-every", "500", "--device", "cpu"]
    if (place / "run.json").exists():
        words = ["--resume", str(place)]
    words = command("train", *words, "--recipe", str(GAME), "--rounds", str(rounds))
    code = subprocess.run(words, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False).returncode
    if code not in (FINISHED, WENT_WRONG, GIVEN_UP):
        raise SystemExit(f"{place}: ended with {code}.")
    if code == GIVEN_UP:
        ended.touch()
    return Run.open(place)


def last_round(run: Run) -> int:
    """Return the last round of a run's history; 0 where there is none."""
    return max((int(row["round"]) for row in run.history()), default=0)


def dead(row: Row) -> str | None:
    """Return why nothing is learned at a row of the history; None where something is."""
    if row["discriminator/real_accuracy"] < DEAD:
        return "all are called fake"
    if row["discriminator/fake_accuracy"] < DEAD:
        return "all are called real"
    return "no gradient" if row["generator/gradient_norm"] == 0 else None


def phases(rows: list[Row]) -> str:
    """Say between which rounds the game was dead, and how."""
    told, before = [], 0
    for how, group in groupby(rows, dead):
        last = int(list(group)[-1]["round"])
        told += [f"{how}, {before:,} to {last:,}"] if how else []
        before = last
    return "; ".join(told) or "never"


def result(name: str, run: Run, data: Path) -> list[str]:
    """Return the row of a game: how it ended, and what the doctor and the autopilot made of it."""
    history = [row for row in run.history() if "discriminator/real_accuracy" in row]
    found = alarms(run)
    rescues = [rescue for rescue in run.description.get("rescues", []) if not rescue.get("gave_up")]
    changes = "; ".join(
        f"{rescue['round']:,}: " + ", ".join(f"{key} {now}" for key, (_, now) in rescue["changes"].items())
        for rescue in rescues
    )
    ended = outcome(run.path, str(data), recipe=GAME)
    gave_up = any(rescue.get("gave_up") for rescue in run.description.get("rescues", []))
    return [
        name,
        f"{last_round(run):,}",
        phases(history),
        ("fails" if ended.fails else "healthy") + ", gave up" * gave_up,
        ended.measured,
        f"{min(found):,}" if found else "",
        ", ".join(signs_of(found)),
        changes,
    ]


def curves(name: str, run: Run) -> Rows:
    """Return the losses and accuracies of a game, as means over each tenth of it."""
    history, last = run.history(), last_round(run)
    rows = []
    for key in ("discriminator/loss", "generator/loss", "discriminator/real_accuracy", "discriminator/fake_accuracy"):
        tenths: list[list[float]] = [[] for _ in range(10)]
        for row in history:
            tenths[int(10 * (row["round"] - 1) / last)] += [row[key]] if key in row else []
        rows.append([name, key, *(f"{fmean(part):.2f}" if part else "" for part in tenths)])
    return rows


def main() -> None:
    """Play, measure, and write docs/benchmarks/tutorial.json and tutorial-curves.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=GAMES, help="play this one alone; may be given again")
    parser.add_argument("--folder", type=Path, default=Path("runs/tutorial"))
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    data = Path(os.environ.get("ZEROSUM_DATA", "data")).expanduser() / "lego_bricks" / "lego_64_gray.npz"
    options.folder.mkdir(parents=True, exist_ok=True)
    runs = {}
    for name in options.only or GAMES:
        place = options.folder / f"{name.replace(',', '').replace(' ', '-')}-{options.seed}"
        runs[name] = play(name, place, data, options.rounds, options.seed)
    titles = ["game", "rounds", "dead", "ended", "measured", "first warning", "warned of"]
    rows = [[*titles, "changed by the autopilot"], *(result(name, run, data) for name, run in runs.items())]
    tenths = [
        ["game", "", *(f"{n}0 %" for n in range(1, 11))],
        *(r for name, run in runs.items() for r in curves(name, run)),
    ]
    remarks = [
        "`zerosum train lego_64_gray.npz --size 64 --recipe bench/tutorial_game.py --loss probabilities` or `--loss "
        f"logits`, seed {options.seed}, on a CPU with its default precision. The tutorial has 31,300 rounds on 40,000 "
        "images, which are 5,200 here.",
        "Dead: over a row of the history the generator's gradient is exactly zero, or the discriminator is right about "
        "less than 1 % of the real images, or of the generated ones.",
        RULE,
    ]
    print(table(rows), table(tenths), *remarks, sep="\n")
    if options.save:
        print(save("tutorial", "A tutorial whose log collapses", rows, remarks))
        print(save("tutorial-curves", "The same games: means over each tenth", tenths, []))


if __name__ == "__main__":
    main()
