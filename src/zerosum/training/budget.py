"""Size and number of rounds that fit a given time on this machine, by a short trial of the game itself."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from statistics import fmean
from typing import Any

import torch

from zerosum import kinds
from zerosum.config import MOST_MINUTES
from zerosum.data.sizes import at_size, candidates
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.recipe import Phase, Recipe
from zerosum.run.config import RunConfig
from zerosum.runtime import rng
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted, duration
from zerosum.training.build import build_game
from zerosum.training.choice import with_stabilisers
from zerosum.training.fitting import nearest_fit
from zerosum.training.open_data import with_expected_clusters

SHARE = 0.9
"""Of the time that is played; the rest goes to opening data, previews, checkpoints and the report."""

WANTED_IMAGES = 150_000
"""Real images that a generator should have been trained on before a larger size is worth its price."""

TRIAL_SECONDS = 4.0
"""Time in which the rounds of one size are counted."""

EXAMPLES = 256

SETTLED = 1_000
"""Round at which a trial begins: past those at the start that a recipe may play otherwise."""

LOOKED_AT = 10_000
"""Rounds whose cost is added up one by one; those after them cost on average what the latter half of them does."""


def alike(number: int) -> float:
    """Return the cost of a round where all cost the same."""
    return 1.0


@dataclass(frozen=True)
class Trial:
    """What a round costs at one size."""

    plan: RunConfig
    spec: Spec
    seconds: float
    """Of one round, as most are."""
    cost: Callable[[int], float] = alike
    """Of a round by its number, in units of that (`Recipe.cost`), with its lazy moves."""

    def rounds(self, minutes: float) -> int:
        """Return how many rounds fit, at least one."""
        room = SHARE * 60 * minutes / self.seconds
        for played in range(LOOKED_AT):
            room -= self.cost(played)
            if room < 0:
                return max(1, played)
        later = range(LOOKED_AT // 2, LOOKED_AT)
        return LOOKED_AT + int(room * len(later) / sum(map(self.cost, later)))

    def mean(self, rounds: int) -> float:
        """Return the mean of the seconds of so many rounds, of the first 10,000 at most."""
        return self.seconds * fmean(map(self.cost, range(min(rounds, LOOKED_AT))))

    def images(self, minutes: float) -> int:
        """Return how many real images are drawn in that time."""
        return self.rounds(minutes) * self.plan.config.batch


def within(
    plan: RunConfig, minutes: float, device: torch.device, progress: ProgressCallback | None = None
) -> tuple[RunConfig, tuple[str, ...]]:
    """Return a plan whose size and rounds fit `minutes` on this machine, and a sentence on why.

    The largest size is taken at which 150,000 images are seen in that time; a size that was asked for stays.

    Raises:
        InputError: `minutes` is no length of time, the data are points, no size fits the recipe, or --rounds was asked
            for too.
    """
    if not isinstance(minutes, Real) or not 0 < minutes <= MOST_MINUTES:
        raise InputError(f"--minutes is {minutes!r}, but should be greater than 0 and at most {MOST_MINUTES:,}.")
    if "rounds" in plan.asked:
        raise InputError(f"--minutes chooses the number of rounds: leave out --rounds {plan.config.rounds}, or it.")
    unit = _unit(plan)
    if unit is not None:
        raise InputError(f"--minutes needs images, and {plan.data} is made of {unit}: give --rounds.")
    specs, count = candidates(plan.data, plan.options, progress)
    if plan.options.size is None:
        specs = list(
            dict.fromkeys(nearest_fit(plan, with_expected_clusters(plan, spec), device.type) for spec in specs)
        )
    if not specs:
        raise InputError(f"--minutes needs images, and {plan.data} has none: give --rounds.")
    chosen, larger, refused = None, None, None
    for spec in specs:
        try:
            trial = measure(with_stabilisers(plan, spec, count), spec, device)
        except InputError as error:
            refused = error
            continue
        if chosen is not None and trial.images(minutes) < WANTED_IMAGES:
            larger = trial
            break
        chosen = trial
    if chosen is None:
        raise refused or InputError(f"No size fits {plan.data}.")
    rounds = chosen.rounds(minutes)
    config, options = replace(plan.config, rounds=rounds), at_size(plan.options, chosen.spec)
    done = replace(plan, config=config, options=options, asked={**plan.asked, "rounds": rounds})
    return done, (_sentence(chosen, larger, minutes),)


def measure(plan: RunConfig, spec: Spec, device: torch.device, clock: Callable[[], float] = time.perf_counter) -> Trial:
    """Play rounds on random images of a spec, and return what one costs.

    Those with lazy moves are played and timed apart, as many of each, so that a rare one is neither missed nor taken
    for more than it is of a whole run.

    Args:
        plan: what is to be trained.
        spec: of the images.
        device: on which is trained.
        clock: counts the seconds.

    Raises:
        InputError: the recipe's networks cannot take this size.
    """
    spec = with_expected_clusters(plan, spec)
    fitted = plan.fitted(spec, device.type)
    dataset = kinds.find(spec.kind).example(spec, max(EXAMPLES, fitted.config.batch))
    with rng.fork(device):
        game = build_game(fitted, dataset, device, World())
        try:
            phase = game.recipe.phases()[-1]
            game.begin_phase(len(game.recipe.phases()) - 1, phase)
            turns = _turns(game.recipe, 1 + min(SETTLED, game.rounds // 2))
            for turn in turns:
                _play(game, phase, next(turn.numbers), device)
            begun = clock()
            for turn in itertools.cycle(turns):
                if turns[-1].cost and clock() - begun >= TRIAL_SECONDS:
                    break
                began, number = clock(), next(turn.numbers)
                _play(game, phase, number, device)
                turn.seconds += clock() - began
                turn.cost += game.recipe.cost(number)
            return _trial(fitted, spec, turns, game.recipe)
        finally:
            game.source.close()


@dataclass
class _Turn:
    """Rounds that have the same lazy moves, and what was played of them."""

    lazy_moves: tuple[str, ...]
    numbers: Iterator[int]
    seconds: float = 0.0
    cost: float = 0.0


def _turns(recipe: Recipe, first: int) -> list[_Turn]:
    """Part the rounds from the first one on by their lazy moves, those that most rounds have first."""
    numbers: dict[tuple[str, ...], list[int]] = {}
    for number in range(first, first + LOOKED_AT):
        numbers.setdefault(recipe.lazy_moves(number), []).append(number)
    often = sorted(numbers.items(), key=lambda turn: -len(turn[1]))
    return [_Turn(lazy_moves, itertools.cycle(found)) for lazy_moves, found in often]


def _play(game: Game[Any], phase: Phase, number: int, device: torch.device) -> None:
    """Play the round of a number."""
    game.clock.round = number
    phase.play(game)
    _finish(device)
    game.end_round()


def _trial(plan: RunConfig, spec: Spec, turns: Sequence[_Turn], recipe: Recipe) -> Trial:
    """Return what was found: each round costs what those with its lazy moves did."""
    seconds = {turn.lazy_moves: turn.seconds / turn.cost for turn in turns}
    most = seconds[turns[0].lazy_moves]
    ratios = {lazy_moves: each / most for lazy_moves, each in seconds.items()}
    return Trial(plan, spec, most, lambda number: recipe.cost(number) * ratios.get(recipe.lazy_moves(number), 1.0))


def _unit(plan: RunConfig) -> str | None:
    """Return what a plan's data are made of, where that is not single images, of which random ones are tried."""
    name = kinds.name_of(plan.recipe_class.data, plan.data)
    kind = kinds.find(name) if name else None
    if kind is None or (kind.pictures and kind.single):
        return None
    return kind.unit if kind.unit != "images" else kind.name


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _sentence(chosen: Trial, larger: Trial | None, minutes: float) -> str:
    height, width = chosen.spec.shape[1:]
    batch, seen = chosen.plan.config.batch, chosen.images(minutes)
    text = (
        f"In {minutes:g} {'minute' if minutes == 1 else 'minutes'} this machine plays "
        f"{counted(chosen.rounds(minutes), 'round')} of batch {batch} at "
        f"{height}x{width} ({chosen.mean(chosen.rounds(minutes)):.2g} s each, {counted(seen, 'image')})"
    )
    if larger is None:
        return f"{text}."
    height, width = larger.spec.shape[1:]
    need = duration(60 * minutes * WANTED_IMAGES / larger.images(minutes))
    return (
        f"{text}; {height}x{width} would need {need} for the {WANTED_IMAGES:,} images that it takes to begin to learn."
    )
