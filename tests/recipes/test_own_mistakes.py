"""Mistakes in a recipe of one's own: each gets a sentence that says what was given and what to write."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import zerosum
from tests.recipes.test_outside import EXAMPLE, Plain
from zerosum import Loss, Player, objectives, recipes
from zerosum.errors import InputError

QUICK: dict[str, Any] = {"rounds": 1, "batch": 4, "run": "runs/mine"}


def test_the_page_of_an_own_recipe_is_printed_by_a_fresh_process():
    Path("my_gan.py").write_text(EXAMPLE)
    said = subprocess.run(
        [sys.executable, "-m", "zerosum", "recipes", "my_gan.py"], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert "Task: it generates samples from nothing (zerosum sample)" in said.stdout


def test_the_page_s_recipe_has_no_error_of_types():
    pyright = pytest.importorskip("pyright.cli")
    Path("my_gan.py").write_text(EXAMPLE)
    Path("pyrightconfig.json").write_text("{}")
    found = pyright.run("--pythonpath", sys.executable, "my_gan.py", capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


class Stabilised(Plain):
    """Says what stabilisers ask for, as the page has it."""

    def players(self) -> dict[str, Player]:
        players = super().players()
        for name, player in players.items():
            player.role = name  # type: ignore[assignment]
        return players

    def discriminators(self) -> tuple[torch.nn.Module, ...]:
        return (self.discriminator,)

    def discriminator_loss(self, batch: Any) -> Loss:
        real, fake = self.discriminator(batch.real), self.discriminator(self.sample(len(batch)))
        log = objectives.discriminator_stats(real, fake)
        return Loss(adversarial=objectives.hinge_discriminator(real, fake), log=log)


def test_a_recipe_of_one_s_own_takes_stabilisers_as_the_page_says():
    run = zerosum.train("digits", recipe=Stabilised, stabilise="r1:0.1,feature-matching", log_every=1, **QUICK)
    assert {"discriminator/r1", "generator/feature_matching"} <= set(run.history()[0])


class InAList(Plain):
    """Keeps its generator where PyTorch does not see it."""

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.hidden = [self.generator]
        del self.generator

    def players(self) -> dict[str, Player]:
        adam: dict[str, Any] = {"lr": 1e-3, "betas": (0.5, 0.9)}
        return {
            "discriminator": Player.adam(self.discriminator, **adam),
            "generator": Player.adam(self.hidden[0], **adam),
        }

    def sample(self, n: int) -> torch.Tensor:
        return self.hidden[0](self.latent(n))


class WithoutPlayers(Plain):
    def players(self) -> dict[str, Player]:
        return {}


def test_a_player_whose_weights_no_checkpoint_would_keep_is_refused():
    with pytest.raises(InputError, match=r"the player 'generator' moves weights that are not the recipe's.*ModuleList"):
        zerosum.train("digits", recipe=InAList, **QUICK)
    assert not Path("runs/mine/run.json").exists()
    with pytest.raises(InputError, match=r"WithoutPlayers\.players\(\) returns \{\}: return a dict"):
        zerosum.train("digits", recipe=WithoutPlayers, **QUICK)


def test_a_recipe_that_cannot_do_its_task_is_refused():
    Path("my_gan.py").write_text(EXAMPLE.replace("def sample(self, n", "def samples(self, n"))
    with pytest.raises(InputError, match=r"MyGAN lacks sample\(\)"):
        recipes.find("my_gan.py")
    with pytest.raises(InputError, match="recipe is an object of the type Linear: give a name, a path to a file, or a"):
        recipes.find(torch.nn.Linear(1, 1))  # type: ignore[arg-type]


class Mistaken(Plain):
    """Returns what `given` makes of the value of its generator's loss."""

    given: Any

    def generator_loss(self, batch: Any) -> Loss:
        return type(self).given(super().generator_loss(batch).total())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda value: value, "Mistaken.generator_loss returns a Tensor; return a zerosum.Loss"),
        (lambda value: {"a": value}, "Mistaken.generator_loss returns a dict; return a zerosum.Loss"),
        (lambda value: None, "Mistaken.generator_loss returns nothing; return a zerosum.Loss"),
        (lambda value: Loss(), "the Loss has no terms"),
        (lambda value: Loss(a=value, b=0.5), "Loss: b is 0.5, of the type float; give a tensor"),  # type: ignore[arg-type]
        (lambda value: Loss(a=value, log={"x": 3}), "Loss: x is 3, of the type int; give a tensor"),  # type: ignore[dict-item]
        (lambda value: Loss(a=value.detach()), "no term depends on the weights of generator"),
        (lambda value: Loss(a=value[None]), "the term 'a' has shape (1,); take its mean"),
    ],
)
def test_a_loss_that_cannot_be_minimised_is_named(given, said, monkeypatch):
    monkeypatch.setattr(Mistaken, "given", staticmethod(given), raising=False)
    with pytest.raises(TypeError, match=re.escape(said)):
        zerosum.train("digits", recipe=Mistaken, **QUICK)


class Misnamed(Plain):
    def round(self, game: Any) -> None:
        game.move("critic", self.discriminator_loss, game.draw())


def test_a_move_of_nobody_names_who_there_is():
    with pytest.raises(
        ValueError, match=r"game\.move\('critic', \.\.\.\): .* no such name, but discriminator, generator"
    ):
        zerosum.train("digits", recipe=Misnamed, **QUICK)


def test_an_export_without_known_latents_says_what_it_needs():
    pytest.importorskip("onnx")
    zerosum.train("digits", recipe=Plain, **QUICK)
    with pytest.raises(InputError, match=r"Plain says nothing of its latents.*zerosum\.tasks\.GenerativeRecipe"):
        zerosum.export("runs/mine", recipe=Plain)


class Missampled(Stabilised):
    """Makes of its samples, once they are to be shown, what `given` says."""

    given: Any

    def discriminator_loss(self, batch: Any) -> Loss:
        fake = self.generator(self.latent(len(batch)))
        return Loss(
            adversarial=objectives.hinge_discriminator(self.discriminator(batch.real), self.discriminator(fake))
        )

    def generator_loss(self, batch: Any) -> Loss:
        return Loss(adversarial=objectives.hinge_generator(self.discriminator(self.generator(self.latent(len(batch))))))

    def sample(self, n: int) -> Any:
        return type(self).given(super().sample(n))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda made: made[:, 0], "a tensor of the shape (64, 32, 32) for 64 samples"),
        (lambda made: made[..., :16, :16], "a tensor of the shape (64, 1, 16, 16) for"),
        (lambda made: made[:1], "a tensor of the shape (1, 1, 32, 32) for"),
        (lambda made: (made, made), "a tuple for 64 samples: return a tensor of floating-point numbers"),
        (lambda made: None, "a NoneType for"),
        (lambda made: (255 * made).byte(), "a tensor of the shape (64, 1, 32, 32) of torch.uint8 for"),
    ],
)
def test_samples_unlike_the_real_ones_are_refused_before_a_run_begins(given, said, monkeypatch):
    monkeypatch.setattr(Missampled, "given", staticmethod(given), raising=False)
    with pytest.raises(InputError, match=re.escape(f"Missampled.sample() returns {said}")):
        zerosum.train("digits", recipe=Missampled, **QUICK)
    assert not Path("runs/mine").exists()
