"""Properties that every recipe has, whatever its paper, as one function: `check_recipe(MyGAN, data="digits")`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zerosum import recipes
from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.data.stream import Stream
from zerosum.game import Game
from zerosum.kinds import open_as
from zerosum.recipes import RecipeLike
from zerosum.run.checkpoint import restore, save
from zerosum.run.directory import Run
from zerosum.runtime import rng
from zerosum.training.preview import draw_preview

SMALL = {"batch": 8, "rounds": 4}


def check_recipe(recipe: RecipeLike, *, data: str | Path | Dataset = "digits", seed: int = 0, **settings: Any) -> None:
    """Try a recipe out on the CPU: a few rounds, each property on games of its own.

    A round of every phase is finite and moves every player; the same seed plays the same game; a run that is stopped
    and resumed ends bit for bit as one that was not; micro-batches give the gradient of the whole batch; a preview
    can be drawn.

    Args:
        recipe: the class, or what `--recipe` takes.
        data: as for `zerosum.train`, or data already opened. Small images make it quick: (1, 8, 8) of digits.
        seed: of weights, latents and the order of the data.
        settings: of the recipe; by default batch 8 and 4 rounds.

    Raises:
        AssertionError: a property does not hold; the sentence says which, and what is usually the reason.
        InputError: there is no such recipe or setting, or it cannot take the data.
    """
    kind = recipes.find(recipe)
    dataset = open_as(kind.data, data, options=DataConfig()) if isinstance(data, str | Path) else data
    config = kind.Config.read(SMALL | settings)

    games: list[Game[Any]] = []

    def game(micro_batches: int = 1, kind_of_game: type[Game[Any]] = Game) -> Game[Any]:
        torch.manual_seed(seed)
        built = kind(config, dataset.spec)
        source = Stream(dataset, seed=seed, jitter=built.jitter)
        games.append(kind_of_game(built, source, micro_batches=micro_batches))
        return games[-1]

    try:
        with rng.fork(torch.device("cpu")):
            _check_rounds(game())
            _check_equal(
                _weights_after(game(), 2), _weights_after(game(), 2), "the same seed plays another game", DRAWS
            )
            _check_resume(game)
            _check_micro_batches(game)
            _check_preview(game(), dataset)
    finally:
        for played in games:
            played.source.close()


ROUNDING = 1e-3
"""Share of a gradient's norm by which the order of sums may change it."""

DRAWS = "draw latents with zerosum.runtime.rng (normal, uniform, integers), never from a generator of your own"


def _check_rounds(game: Game[Any]) -> None:
    name = type(game.recipe).__name__
    before = {key: value.clone() for key, value in game.recipe.state_dict().items()}
    for index, phase in enumerate(game.recipe.phases()):
        game.begin_phase(index, phase)
        phase.play(game)
        game.end_round()
    game.check_weights()
    for player, owned in game.players.items():
        mine = {id(p) for p in owned.parameters}
        keys = [key for key, p in game.recipe.named_parameters() if id(p) in mine]
        after = game.recipe.state_dict()
        assert any(not torch.equal(before[key], after[key]) for key in keys), (
            f"{name}: a round leaves {player} where it was: does round() call game.move({player!r}, ...), with a loss "
            "that depends on its networks?"
        )
    logged = game.collect()
    assert {key.partition("/")[0] for key in logged} == set(game.players), f"{name}: some player's loss is not logged"
    assert all(value == value for value in logged.values()), f"{name}: a logged value is not a number"


def _check_resume(game: Any) -> None:
    """Compare two rounds with one round, a checkpoint, and another."""
    straight = _played(game(), 2)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        path = save(run, _played(game(), 1), keep=1)
        assert path is not None
        resumed = game()
        restore(path, resumed)
        _played(resumed, 1)
    _check_equal(
        straight.recipe.state_dict(),
        resumed.recipe.state_dict(),
        "a resumed run does not go on as it would have",
        "keep everything that changes during training in parameters or buffers (register_buffer)",
    )


class _Measured(Game[Any]):
    """A game whose players stand still; their gradients are kept, move by move."""

    gradients: list[tuple[str, Tensor]]

    def step(self, name: str) -> None:
        """Keep the gradient of a move, flat, in place of taking it."""
        parts = [p.grad.flatten() for p in self.players[name].parameters if p.grad is not None]
        self.gradients = [*getattr(self, "gradients", []), (name, torch.cat(parts))]


def _check_micro_batches(game: Any) -> None:
    """Compare a batch in one piece with a batch in two, where the recipe and its layers allow a batch to be divided."""
    tried = game()
    if not tried.recipe.divisible or tried.batch % (2 * tried.recipe.minibatch_group) or _has_statistics(tried):
        return
    whole = _played(game(kind_of_game=_Measured), 1)
    divided = _played(game(micro_batches=2, kind_of_game=_Measured), 1)
    for one, other in zip(whole.gradients, divided.gradients, strict=True):
        difference = (one[1] - other[1]).norm() / one[1].norm().clamp(min=1e-12)
        assert difference < ROUNDING, (
            f"micro-batches change the gradient of {one[0]}: take means over samples in every loss, draw with "
            "zerosum.runtime.rng and drop out with zerosum.layers.dropout; or set divisible = False"
        )


def _has_statistics(game: Game[Any]) -> bool:
    """Whether buffers change as the networks run, as those of batch norm and spectral norm do: pieces then differ."""
    before = {name: buffer.clone() for name, buffer in game.recipe.named_buffers()}
    _played(game, 1)
    return any(not torch.equal(before[name], buffer) for name, buffer in game.recipe.named_buffers())


def _check_preview(game: Game[Any], dataset: Dataset) -> None:
    batch = dataset.batch(np.arange(8) % len(dataset)).to(game.device)
    with game.averaged():
        picture, _ = draw_preview(game.recipe, batch, rounds=0)
        fake, real = game.recipe.fake_and_real(batch)
    assert min(picture.size) > 0
    assert fake.shape == real.shape, (
        f"{type(game.recipe).__name__}: fake_and_real() returns samples of {tuple(fake.shape)} for real ones of "
        f"{tuple(real.shape)}"
    )


def _played(game: Any, rounds: int) -> Any:
    for _ in range(rounds):
        phase = game.recipe.phases()[0]
        game.begin_phase(0, phase)
        phase.play(game)
        game.end_round()
    return game


def _weights_after(game: Game[Any], rounds: int) -> dict[str, Tensor]:
    return _played(game, rounds).recipe.state_dict()


def _check_equal(one: dict[str, Tensor], other: dict[str, Tensor], wrong: str, advice: str) -> None:
    differing = [key for key in one if not torch.equal(one[key], other[key])]
    assert not differing, f"{wrong} ({', '.join(differing[:3])} differ): {advice}."
