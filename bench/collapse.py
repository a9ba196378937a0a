"""Games that fail and games that do not: what the doctor says of each, and after how many rounds.

    python -m bench.collapse [--seeds 3] [--only NAME ...] [--folder runs/collapse] [--autopilot]
                           [--as-played] [--save]

Each game is a run of `zerosum train` in --folder and is not played twice, so that a stopped benchmark goes on. Whether
it failed is measured by `bench.outcomes`, whatever it was meant to do. The history is examined as the doctor would have
seen it while it grew. Thresholds may be set on the half called "tuned"; the other half, "judged", says how well they
do. With --autopilot the games that fail are played again with it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
from dataclasses import dataclass
from pathlib import Path

from bench.collapse_cases import FAILING, HEALTHY, Case, made
from bench.outcomes import RULE, Outcome, outcome
from bench.results import save, table
from zerosum import doctor
from zerosum.cli import main as zerosum
from zerosum.doctor import Evidence, Finding
from zerosum.doctor.facts import facts_of
from zerosum.run.directory import Run
from zerosum.run.history import History

PREFIXES = 40
"""Moments at which the doctor looks at a growing history."""


CLEARLY = 1.1
"""Ratio by which one end is better than another."""


@dataclass(frozen=True)
class Played:
    """A game that was played."""

    case: Case
    seed: int
    run: Run
    ended: Outcome

    @property
    def last(self) -> int:
        """The last round of its history."""
        return max((row["round"] for row in self.run.history()), default=0)


def play(case: Case, seed: int, folder: Path, *, autopilot: bool = False, only_played: bool = False) -> Run | None:
    """Train once, or go on with what was begun; a game that diverges ends there.

    None where its data are missing, or with `only_played` where it was not played.
    """
    data = made(case.data, folder)
    if data is None:
        return None
    place = folder / f"{case.name.replace(' ', '-').replace(',', '')}-{seed}{'-autopilot' * autopilot}"
    done = place / "done"
    if not done.exists():
        if only_played:
            return None
        began = (place / "run.json").exists() and any((place / "checkpoints").glob("*"))
        given = ["--resume", str(place)] if began else [data, *case.flags.split()]
        pace = ["--save-every", "200", "--preview-every", "100000", "--watch-every", "50"]
        fresh = ["--seed", str(seed), *pace, "--run", str(place), *["--autopilot"] * autopilot]
        place.parent.mkdir(parents=True, exist_ok=True)
        code = _in_a_fork(["train", *given, *([] if began else fresh)], Path(f"{place}.log"))
        if code not in (0, 1, 3):
            raise SystemExit(f"{place}: ended with {code}; see {place}.log")
        done.write_text(f"{code}\n")
    return Run.open(place)


def _in_a_fork(arguments: list[str], log: Path) -> int:
    """Run a command of the program in a copy of this process, which has its modules already; return its exit code."""
    process = multiprocessing.get_context("fork").Process(target=_command, args=(arguments, log))
    process.start()
    process.join()
    return process.exitcode or 0


def _command(arguments: list[str], log: Path) -> None:
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(written, 1)
    os.dup2(written, 2)
    raise SystemExit(zerosum(arguments))


def alarms(run: Run) -> dict[int, list[Finding]]:
    """Return what the doctor warns of at some moments of a growing history, by round."""
    history, facts = run.history(), facts_of(run.description)
    step = max(1, len(history) // PREFIXES)
    found = {}
    for end in (*range(step, len(history), step), len(history)):
        evidence = Evidence(history=History(history[:end]), facts=facts)
        warned = [finding for finding in doctor.diagnose(evidence) if finding.severity != "note"]
        if warned:
            found[int(history[end - 1]["round"])] = warned
    return found


def signs_of(found: dict[int, list[Finding]]) -> list[str]:
    """Return the names of all that was found at some moment, in the order of the rounds."""
    return list(dict.fromkeys(finding.sign for findings in found.values() for finding in findings))


def summary(rows: list[tuple[Played, dict[int, list[Finding]]]], half: str) -> str:
    """Say how well the signs do on one half; each game is counted by its outcome."""
    rows = [row for row in rows if row[0].case.half == half]
    failing = [(game, found) for game, found in rows if game.ended.fails]
    healthy = [found for game, found in rows if not game.ended.fails]
    caught = [(game, found) for game, found in failing if found]
    explained = [(game, found) for game, found in caught if game.case.expected]
    named = sum(any(sign in game.case.expected for sign in signs_of(found)) for game, found in explained)
    first = [min(found) for _, found in caught]
    share = [min(found) / game.last for game, found in caught]
    return (
        f"{half}: {len(caught)} of {len(failing)} games that failed were found, {named} of the {len(explained)} with a "
        f"known cause named rightly, the first warning after {statistics.median(first) if first else 0:,.0f} rounds "
        f"(median; {statistics.median(share) if share else 0:.0%} of the game); {sum(map(bool, healthy))} false alarms "
        f"in {len(healthy)} healthy games."
    )


def diagnosed(games: list[Played]) -> tuple[list[list[str]], list[str]]:
    """Return the table of what the doctor said of games, and remarks."""
    shown = [["game", "half", "seed", "meant", "ended", "measured", "first warning", "of rounds", "warned of", "named"]]
    rows = [(game, alarms(game.run)) for game in games]
    for game, found in rows:
        case, signs = game.case, signs_of(found)
        counts = game.ended.fails and case.expected
        named = ("yes" if any(sign in case.expected for sign in signs) else "no") if counts else ""
        first = f"{min(found):,}" if found else ""
        about = [case.name, case.half, str(game.seed), case.meant, _word(game.ended), game.ended.measured]
        shown.append([*about, first, f"{game.last:,}", ", ".join(signs), named])
    causes = "; ".join(f"{case.name}: {', '.join(case.expected)}" for case in FAILING)
    differ = [game for game in games if (game.case.meant == "fails") != game.ended.fails]
    remarks = [
        summary(rows, "judged"),
        summary(rows, "tuned"),
        f"{RULE} Figures of real samples in brackets. {len(differ)} of {len(games)} games ended otherwise than meant "
        "and are counted by how they ended.",
        f"Named rightly is a game of which one of these was warned. {causes}.",
    ]
    return shown, remarks


def rescued(games: list[Played], folder: Path) -> tuple[list[list[str]], list[str]]:
    """Play the games that fail again with the autopilot; return the table and remarks."""
    shown = [["game", "half", "seed", "without", "with the autopilot", "ended", "rescues", "changes"]]
    healthy = count = given_up = untouched = better = worse = 0
    for game in games:
        if not game.ended.fails:
            continue
        run = play(game.case, game.seed, folder, autopilot=True)
        assert run is not None, "its data were there before"
        ended = outcome(run.path, made(game.case.like, folder) or game.case.like)
        rescues = [rescue for rescue in run.description.get("rescues", []) if not rescue.get("gave_up")]
        count, healthy = count + 1, healthy + (not ended.fails)
        untouched += not rescues
        better += ended.badness < game.ended.badness / CLEARLY
        worse += ended.badness > game.ended.badness * CLEARLY
        stopped = (run.path / "done").read_text().strip() == "3"
        given_up += stopped
        changes = "; ".join(
            ", ".join(f"{name} {now}" for name, (_, now) in rescue["changes"].items()) for rescue in rescues
        )
        about = [game.case.name, game.case.half, str(game.seed), game.ended.measured, ended.measured]
        shown.append([*about, _word(ended) + (", gave up" if stopped else ""), str(len(rescues)), changes])
        print(*shown[-1], sep=" | ", flush=True)
    remarks = [
        f"{healthy} of {count} failing games end healthy with --autopilot ({healthy / max(1, count):.0%}; goal 80 %); "
        f"{untouched} were left alone because nothing was found, {given_up} were given up. {better} end better by more "
        f"than a tenth than without it, {worse} worse: of images by the Frechet distance, of points by the share of "
        "modes times that of samples near one.",
        RULE,
    ]
    return shown, remarks


def _word(ended: Outcome) -> str:
    return "fails" if ended.fails else "healthy"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", action="append", help="play this one alone; may be given again")
    parser.add_argument("--half", choices=("tuned", "judged"), help="play this half alone")
    parser.add_argument("--folder", type=Path, default=Path("runs/collapse"))
    parser.add_argument("--autopilot", action="store_true", help="play the failing games again with it")
    parser.add_argument(
        "--as-played", action="store_true", help="take the games that lie in --folder, and play no other"
    )
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    games = []
    for seed in range(options.seeds):
        for case in (*FAILING, *HEALTHY):
            if (options.only and case.name not in options.only) or options.half not in (None, case.half):
                continue
            run = play(case, seed, options.folder, only_played=options.as_played)
            if run is None:
                print(
                    f"{case.name}, seed {seed}: left out, not played or its data are not in $ZEROSUM_DATA", flush=True
                )
                continue
            like = made(case.like, options.folder) or case.like
            games.append(Played(case, seed, run, outcome(run.path, like)))
            print(case.name, seed, games[-1].ended, sep=" | ", flush=True)
    if options.autopilot:
        shown, remarks = rescued(games, options.folder)
    else:
        shown, remarks = diagnosed(games)
    print(table(shown), *remarks, sep="\n")
    if options.save:
        name = "collapse-autopilot" if options.autopilot else "collapse"
        title = "Games that fail, with the autopilot" if options.autopilot else "What the doctor says of games"
        print(save(name, title, shown, remarks))


if __name__ == "__main__":
    main()
