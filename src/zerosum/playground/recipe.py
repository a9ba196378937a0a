"""Game of two dense networks on points, with any of six losses: what the page of `zerosum playground` computes.

It is here for the losses and settings that no paper's recipe has together. The discriminator moves first, some times a
round, and then the generator; with unrolled steps the generator begins, against the discriminator as it will be (Metz
et al. 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives, penalties
from zerosum.config import Fraction
from zerosum.data.batch import Points
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.networks.mlp import Activation, Dense, initialise_he, initialise_orthogonal
from zerosum.optim.unroll import Network, RuleMaker, rule_of, unrolled
from zerosum.player import Player
from zerosum.recipe import Objective
from zerosum.tasks import LatentConfig, LatentRecipe

LossName = Literal["minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic"]

FAMILIES: dict[LossName, Objective] = {
    "minimax": "logistic",
    "non-saturating": "logistic",
    "least-squares": "least-squares",
    "hinge": "hinge",
    "wasserstein": "wasserstein",
    "relativistic": "relativistic",
}
DISCRIMINATOR: dict[Objective, Callable[[Tensor, Tensor], Tensor]] = {
    "logistic": objectives.logistic_discriminator,
    "least-squares": objectives.least_squares_discriminator,
    "hinge": objectives.hinge_discriminator,
    "wasserstein": objectives.wasserstein_critic,
    "relativistic": objectives.relativistic_discriminator,
}
GENERATOR: dict[str, Callable[[Tensor], Tensor]] = {
    "minimax": objectives.minimax_generator,
    "non-saturating": objectives.non_saturating_generator,
    "least-squares": objectives.least_squares_generator,
    "hinge": objectives.hinge_generator,
    "wasserstein": objectives.wasserstein_generator,
}
PENALISED = ("wasserstein", "relativistic")


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """The playground's game."""

    rounds: PositiveInt = 3_000
    """Rounds to play."""

    batch: PositiveInt = 128
    """Real samples per draw, over all processes."""

    latent_dim: PositiveInt = 2
    """Values in a latent vector, drawn from N(0, 1)."""

    loss: LossName = "non-saturating"
    """The losses of both players; wasserstein has a gradient penalty, and relativistic has R1 and R2."""

    penalty: NonNegativeFloat = 0.1
    """Weight of the gradient penalty, in a Wasserstein game."""

    gamma: NonNegativeFloat = 0.1
    """Weight of R1 and R2, in a relativistic game."""

    generator_hidden: tuple[PositiveInt, ...] = (32, 32)
    """Widths of the generator's hidden layers."""

    discriminator_hidden: tuple[PositiveInt, ...] = (32, 32)
    """Widths of the discriminator's hidden layers."""

    activation: Activation = "relu"
    """After each hidden layer; the discriminator's is leaky_relu in place of relu in plain games without penalty."""

    unrolled: NonNegativeInt = 0
    """Steps of the discriminator that the generator looks ahead; only in games without penalty."""

    n_discriminator: PositiveInt = 1
    """Moves of the discriminator per round."""

    generator_lr: PositiveFloat = 1e-3
    """Learning rate of the generator's Adam."""

    discriminator_lr: PositiveFloat = 1e-3
    """Learning rate of the discriminator's Adam, and of the steps looked ahead."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments."""

    ema_decay: Fraction = 0.0
    """Decay of the running average of the generator's weights, which is what samples; 0: the weights themselves."""


class Playground(LatentRecipe):
    """Game of two perceptrons on points, by any of six losses."""

    Config = Config
    data = (Points,)
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if config.unrolled and config.loss in PENALISED:
            raise InputError(f"--unrolled does not go with --loss {config.loss}: leave it out, or choose another loss.")
        self.objective = FAMILIES[config.loss]
        self.divisible = config.unrolled == 0  # the steps looked ahead go down the gradient of the whole batch
        same = config.activation == "tanh" or config.unrolled > 0 or config.loss in PENALISED
        self.generator = Dense(config.latent_dim, config.generator_hidden, spec.shape, activation=config.activation)
        self.discriminator = Dense(
            2, config.discriminator_hidden, activation=config.activation if same else "leaky_relu"
        )
        for network in (self.generator, self.discriminator):
            if config.unrolled:
                initialise_orthogonal(network, gain=1.4)
            elif config.loss in PENALISED:
                initialise_he(network)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config
        return {
            "discriminator": Player.adam(
                self.discriminator, role="discriminator", lr=c.discriminator_lr, betas=c.betas
            ),
            "generator": Player.adam(
                self.generator, role="generator", lr=c.generator_lr, betas=c.betas, ema_decay=c.ema_decay
            ),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the discriminator some times, then the generator; with unrolled steps the generator begins."""
        ahead = self.config.unrolled
        batch = game.draw()
        if ahead:
            rule = rule_of(game.players["discriminator"].optimizer, self.discriminator)
            game.move("generator", self.generator_loss, batch, rule=rule)
        for move in range(self.config.n_discriminator):
            batch = game.draw() if move else batch
            game.move("discriminator", self.discriminator_loss, batch)
        if not ahead:
            game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Points) -> Loss:
        """Part the logits of data and samples, with the penalty that belongs to the loss."""
        c, fake = self.config, self.sample(len(batch))
        if c.loss == "relativistic":
            real, steep_real = penalties.logits_and_slopes(self.discriminator, batch.real)
            fake, steep_fake = penalties.logits_and_slopes(self.discriminator, fake)
            return Loss(
                adversarial=objectives.relativistic_discriminator(real, fake),
                penalty=c.gamma / 2 * (steep_real.mean() + steep_fake.mean()),
                log=objectives.relativistic_stats(real, fake),
            )
        value_real, value_fake = self.discriminator(batch.real), self.discriminator(fake)
        adversarial = DISCRIMINATOR[FAMILIES[c.loss]](value_real, value_fake)
        if c.loss == "wasserstein":
            penalty = c.penalty * penalties.gradient_penalty(self.discriminator, batch.real, fake)
            return Loss(adversarial=adversarial, penalty=penalty, log={"real": value_real, "fake": value_fake})
        threshold = 0.5 if c.loss == "least-squares" else 0.0
        stats = objectives.discriminator_stats(value_real, value_fake, threshold=threshold)
        return Loss(adversarial=adversarial, log=stats)

    def generator_loss(self, batch: Points, *, rule: RuleMaker | None = None) -> Loss:
        """Move samples to where the discriminator, or the one some steps from now, takes them for data."""
        real, fake = batch.real, self.sample(len(batch))
        if self.config.loss == "relativistic":
            loss = objectives.relativistic_generator(self.discriminator(real), self.discriminator(fake))
            return Loss(adversarial=loss)
        network: Network = self.discriminator
        if rule is not None:
            part = DISCRIMINATOR[FAMILIES[self.config.loss]]

            def cost(discriminator: Network) -> Tensor:
                return part(discriminator(real), discriminator(fake))

            network = unrolled(self.discriminator, cost, steps=self.config.unrolled, rule=rule)
        return Loss(adversarial=GENERATOR[self.config.loss](network(fake)))
