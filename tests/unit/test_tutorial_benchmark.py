"""The game of the DCGAN tutorial: cross-entropy of clipped probabilities, and when a game is dead."""

from __future__ import annotations

import pytest
import torch

from bench.tutorial import phases
from bench.tutorial_game import Config, Tutorial
from zerosum import objectives
from zerosum.data.spec import Spec


def tutorial(loss: str) -> Tutorial:
    return Tutorial(Config.read({"loss": loss, "width": 2}), Spec(shape=(1, 16, 16), kind="images"))


@pytest.mark.parametrize("loss", ["probabilities", "logits"])
def test_its_loss_is_the_cross_entropy_within_what_probabilities_can_be(loss: str) -> None:
    real, fake = torch.randn(2, 50) * 4
    labels = {"real_label": torch.rand(50) * 0.1 + 1, "fake_label": torch.rand(50) * -0.1}
    game = tutorial(loss)
    found = game.cross_entropy(real, labels["real_label"]) + game.cross_entropy(fake, labels["fake_label"])
    assert float(found) == pytest.approx(float(objectives.labelled_discriminator(real, fake, **labels)), rel=1e-3)


def test_beyond_the_clip_there_is_no_gradient_but_by_logits() -> None:
    for loss, steps in (("probabilities", 0.0), ("logits", -1.0)):
        fake = torch.tensor([-17.0, -30.0], requires_grad=True)
        tutorial(loss).cross_entropy(fake, torch.ones(2)).backward()
        assert fake.grad is not None
        assert 2 * fake.grad == pytest.approx(torch.tensor([steps, steps]), abs=1e-6)


def test_losses_of_a_dead_game_are_those_of_the_tutorials_log() -> None:
    """Where all are called fake: 15.4250 of the generator, and 7.71 of the discriminator with its noisy labels."""
    says = torch.full((50,), -40.0)
    game = tutorial("probabilities")
    assert float(game.cross_entropy(says, torch.ones(50))) == pytest.approx(15.4250, abs=5e-4)
    of_real, of_fake = (
        game.cross_entropy(says, torch.full((50,), 1.05)),
        game.cross_entropy(says, torch.full((50,), -0.05)),
    )
    assert float(of_real + of_fake) / 2 == pytest.approx(7.712, abs=2e-3)


@pytest.mark.parametrize(("drawn", "deviation"), [("glorot", (2 / (16 * (32 + 64))) ** 0.5), ("normal", 0.02)])
def test_weights_begin_as_keras_draws_them_or_as_dcgan_does(drawn: str, deviation: float) -> None:
    config = Config.read({"width": 32, "initial_weights": drawn})
    game = Tutorial(config, Spec(shape=(1, 16, 16), kind="images"))
    weight = next(tensor.detach() for tensor in game.discriminator.parameters() if tensor.shape == (64, 32, 4, 4))
    assert float(weight.std()) == pytest.approx(deviation, rel=0.02)
    assert bool(weight.abs().max() <= deviation * 3**0.5) == (drawn == "glorot")


def test_what_is_dead_is_told_with_its_rounds() -> None:
    names = ("discriminator/real_accuracy", "discriminator/fake_accuracy", "generator/gradient_norm")
    values = [(0.9, 0.9, 1.0), (1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (0.8, 0.9, 0.2), (0.0, 1.0, 3.0), (1.0, 0.0, 3.0)]
    rows = [dict(zip(names, row, strict=True)) | {"round": 10 * n} for n, row in enumerate(values, 1)]
    assert phases(rows) == "no gradient, 10 to 30; all are called fake, 40 to 50; all are called real, 50 to 60"
    assert phases(rows[:1]) == "never"
