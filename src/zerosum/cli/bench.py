"""`zerosum bench modes`: recipes on data whose modes can be counted, beside published numbers."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from pydantic import AfterValidator, PositiveInt

from zerosum import recipes, stabilisers
from zerosum.benchmarks.mode_collapse import benchmark, protocols
from zerosum.benchmarks.mode_collapse.experiment import Variant
from zerosum.benchmarks.mode_collapse.table import Results
from zerosum.cli import flags
from zerosum.cli.elsewhere import setting_elsewhere
from zerosum.config import BaseConfig
from zerosum.errors import InputError
from zerosum.runtime.terminal import say


@dataclass(frozen=True, kw_only=True)
class Bench(BaseConfig):
    """Measure how many modes recipes find, beside a perfect sampler and published numbers."""

    study: tyro.conf.Positional[Literal["modes"]]
    """modes: the mode-collapse benchmark on a ring of 8 Gaussians, a grid of 25, or 1,000 stacks of three digits."""

    data: tuple[str, ...] = ("ring", "grid")
    """One or more of ring, grid and stacked-mnist."""

    recipe: tuple[str, ...] = ("gan",)
    """One or more recipes; in quotes, with flags as `zerosum train` takes them, where they are to depart from the
    protocol's settings: --recipe gan "unrolled --steps 10" "gan --stabilise pac:2"."""

    protocol: protocols.Name = "pacgan"
    """pacgan: networks, batch and rates of PacGAN's experiments, as far as a recipe has such settings. unrolled: those
    of Unrolled GAN's. quick: small networks and short runs on the data and counts of PacGAN."""

    seeds: PositiveInt = 10
    """Runs of each recipe on each data set, from the seeds 0, 1, ..."""

    rounds: PositiveInt | None = None
    """Rounds of each run; by default the protocol's, which are fewer than were published; the table says so."""

    size: str | None = None
    """Side of stacked-mnist's images in pixels: 28, or 32 for a recipe that needs it, with zeros around them."""

    out: Path = Path("runs/modes")
    """Folder for the runs and the results, modes.json and modes.md. The same command on the same folder goes on where
    it was stopped, and repeats nothing."""

    device: str = "auto"
    """Where to compute: cuda, mps, cpu, or auto."""


@dataclass(frozen=True, kw_only=True)
class _Added(BaseConfig):
    """What a variant is trained with beside its recipe's settings."""

    stabilise: Annotated[str | None, AfterValidator(stabilisers.checked)] = None
    """Stabilisers, as for `zerosum train`: pac:2."""


def run(arguments: list[str]) -> int:
    """Play what is missing, print the tables and say where they are.

    Raises:
        InputError: something given cannot be used.
    """
    given: Bench = flags.parse(Bench, arguments, prog="zerosum bench").checked()
    for name in ("data", "recipe"):
        if not getattr(given, name):
            raise InputError(f"--{name} is empty: name one or more after it, or leave it out.")
    results = benchmark.run(
        given.out,
        data=given.data,
        protocol=given.protocol,
        variants=[variant(words, given.protocol, given.data) for words in given.recipe],
        seeds=given.seeds,
        rounds=given.rounds,
        size=given.size,
        device=given.device,
    )
    show(results)
    say(given.out / "modes.md")
    return 0 if results.finished else 130


def variant(words: str, protocol: protocols.Name, data: tuple[str, ...]) -> Variant:
    """Read a recipe and its flags: "unrolled --steps 10".

    Raises:
        InputError: There is no such recipe, or the words are not to be told apart.
        SystemExit: A flag is wrong, and the reason is on stderr.
    """
    try:
        name, *rest = shlex.split(words) or [""]
    except ValueError as error:
        raise InputError(f'--recipe {words!r} cannot be read ({error}): write it like "unrolled --steps 10".') from None
    if not name:
        raise InputError('--recipe is empty: name a recipe, such as gan or "unrolled --steps 10".')
    base = protocols.find(protocol, data[0]).config(name, {})
    kind: Any = make_dataclass(
        "Flags",
        [
            ("settings", Annotated[recipes.find(name).Config, tyro.conf.arg(name=name)], field(default=base)),
            ("training", Annotated[_Added, tyro.conf.arg(name="")], field(default=_Added())),
        ],
        kw_only=True,
    )
    parsed = flags.parse(kind, rest, prog=f"--recipe {name}", elsewhere=setting_elsewhere(name))
    config, added = parsed.settings.checked(), parsed.training.checked()
    settings = {key: getattr(config, key) for key in config.names() if flags.is_typed(rest, key)}
    return Variant(recipe=name, settings=settings, stabilise=added.stabilise)


def show(results: Results) -> None:
    """Print the tables on the terminal, but for those that have no finished run yet."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    shown = [one for one in results.tables if one.runs]
    for one in shown:
        drawn = Table(title=one.title, box=box.SIMPLE, title_justify="left")
        filled = [column for column in zip(*one.rows, strict=True) if any(column[1:])]
        header, *body = zip(*filled, strict=True)
        for index, name in enumerate(header):
            number = index > 0 and name not in ("runs", "source")
            drawn.add_column(name, justify="right" if number else "left", no_wrap=number, overflow="fold")
        for row in body:
            drawn.add_row(*map(Text, row), style="bold" if row[-1].startswith("here") else None)
        console.print(drawn)
    for remark in dict.fromkeys(remark for one in shown for remark in one.remarks):
        console.print(Text(f"- {remark}"))
