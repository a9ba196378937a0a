"""InfoGAN (Chen et al. 2016): codes in the latent that come to mean something, without a single label.

A recogniser Q, which shares the discriminator's layers, infers the codes c from the samples. Both players raise
L_I = E[log Q(c | G(z, c))] + H(c), a lower bound of the codes' mutual information with the samples. On digits the
categorical code becomes the digit, and the continuous ones its slant and width.

Paper: https://arxiv.org/abs/1606.03657

As in the authors' code the information term stands in the losses of both players: the generator raises it with its own
learning rate, the discriminator's Adam moves Q too.

Differs from the paper: images of any size in [-1, 1] with tanh in place of 28x28 in [0, 1] with a sigmoid; a running
average of the generator is what samples. On points the networks are dense, with two values of noise beside the codes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.latent import lerp
from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.norms import Norm, dense_norm_layers, norm_layers
from zerosum.layers.virtual_batch_norm import add_reference
from zerosum.loss import Loss
from zerosum.networks.dcgan import halvings, initialise
from zerosum.networks.mlp import Dense
from zerosum.player import Player
from zerosum.recipe import RecipeConfig
from zerosum.runtime import rng
from zerosum.tasks import GenerativeRecipe

SLOPE = 0.1
"""Of the leaky ReLUs (appendix C.1)."""


@dataclass(frozen=True, kw_only=True)
class Config(RecipeConfig):
    """InfoGAN."""

    by_kind: ClassVar = {
        "points": {
            "noise": 2,
            "width": 128,
            "discriminator_lr": 1e-3,
            "ema_decay": 0.99,
        }
    }

    rounds: PositiveInt = 5_000
    """Rounds to play (50 epochs of 100 in the authors' code)."""

    batch: PositiveInt = 128
    """Real samples per draw, over all processes."""

    noise: PositiveInt = 62
    """Values of incompressible noise in a latent, drawn from U(-1, 1) (appendix C.1)."""

    categories: NonNegativeInt = 10
    """Values of the categorical code; 0 for none."""

    codes: NonNegativeInt = 2
    """Continuous codes, drawn from U(-1, 1)."""

    information: NonNegativeFloat = 1.0
    """Weight of the information term in the losses of both players (lambda in eq. 6)."""

    width: PositiveInt = 64
    """Channels of the narrowest layers. On points, the width of the hidden layers."""

    generator_norm: Norm = "batch"
    """Norm after the hidden layers of a generator of images."""

    discriminator_norm: Norm = "batch"
    """Norm after the layers that discriminator and recogniser of images share, but the first; the recogniser's own
    layer has batch norm."""

    generator_lr: PositiveFloat = 1e-3
    """Learning rate of the generator's Adam (appendix C.1)."""

    discriminator_lr: PositiveFloat = 2e-4
    """Learning rate of the Adam of the discriminator and the recogniser (appendix C.1)."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""


class InfoGAN(GenerativeRecipe):
    """Minimax game in which both players raise the information of the codes."""

    Config = Config
    data = (Images, Points)
    objective = "logistic"
    between = staticmethod(lerp)  # the prior is uniform
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if config.categories + config.codes == 0:
            raise InputError(
                "infogan got --categories 0 and --codes 0, and needs a code to inform about: raise one of them."
            )
        latent = config.noise + config.categories + config.codes
        if spec.kind == "points":
            self.generator: nn.Module = Dense(latent, (config.width,) * 2, spec.shape)
            trunk = Dense(2, (config.width,), (config.width,), activation="leaky_relu")
            trunk.layers.append(nn.LeakyReLU(0.2))
            self.trunk: nn.Module = trunk
            features = config.width
            hidden = nn.Identity(), features
        else:
            self.generator = _Generator(latent, spec.shape, config.width, config.generator_norm)
            self.trunk, features = _trunk(spec.shape, config.width, config.discriminator_norm), 1024
            hidden = nn.Sequential(nn.Linear(features, 128), nn.BatchNorm1d(128), nn.LeakyReLU(SLOPE)), 128
        self.discriminator = nn.Linear(features, 1)
        self.recogniser = nn.Sequential(hidden[0], nn.Linear(hidden[1], config.categories + config.codes))
        if spec.kind != "points":
            initialise(self)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.trunk,)

    def discriminator_parts(self) -> tuple[nn.Module, ...]:
        """Return the trunk and the layer of the logit; the recogniser tells codes, not data from samples."""
        return self.trunk, self.discriminator

    def players(self) -> dict[str, Player]:
        """Return the two; the recogniser is the discriminator's."""
        c = self.config
        return {
            "discriminator": Player.adam(
                self.trunk,
                self.discriminator,
                self.recogniser,
                role="discriminator",
                lr=c.discriminator_lr,
                betas=c.betas,
            ),
            "generator": Player.adam(
                self.generator, role="generator", lr=c.generator_lr, betas=c.betas, ema_decay=c.ema_decay
            ),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the discriminator with the recogniser, then the generator (eq. 6)."""
        batch = game.draw()
        game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Images | Points) -> Loss:
        """Classify data and samples, and infer the codes of the samples."""
        real, latent = self.discriminator(self.trunk(batch.real)).flatten(), self.prior(len(batch))
        fake, inferred = self._outputs(self.sample(len(batch), latent=latent))
        loss = Loss(
            adversarial=objectives.logistic_discriminator(real, fake), log=objectives.discriminator_stats(real, fake)
        )
        loss.update(self.information(latent, inferred))
        return loss

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Maximise log D(G(z, c)) + lambda L_I."""
        latent = self.prior(len(batch))
        fake, inferred = self._outputs(self.sample(len(batch), latent=latent))
        loss = Loss(adversarial=objectives.non_saturating_generator(fake))
        loss.update(self.information(latent, inferred))
        return loss

    def information(self, latent: Tensor, inferred: Tensor) -> dict[str, Tensor]:
        """Return -lambda L_I (eq. 5), for the categorical and the continuous codes: () each, in nats times lambda.

        Args:
            latent: (N, Z), whose codes are the true ones.
            inferred: (N, K + C) outputs of Q: logits of the categorical code, and means of the continuous ones, each
                N(mean, 1).
        """
        c, inferred = self.config, inferred.float()
        _, category, codes = latent.split([c.noise, c.categories, c.codes], dim=1)
        terms: dict[str, Tensor] = {}
        if c.categories:
            surprise = functional.cross_entropy(inferred[:, : c.categories], category)
            terms["categorical"] = c.information * (surprise - math.log(c.categories))
        if c.codes:
            surprise = 0.5 * (inferred[:, c.categories :] - codes).square() + 0.5 * math.log(2 * math.pi)
            terms["continuous"] = c.information * (surprise - math.log(2)).sum(1).mean()
        return terms

    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents: noise, the categorical code as one of K, and the continuous codes."""
        c = self.config
        parts = [rng.uniform(n, c.noise, device=self.device, low=-1.0)]
        if c.categories:
            category = rng.integers(n, high=c.categories, device=self.device)
            parts.append(functional.one_hot(category, c.categories).to(parts[0]))
        parts.append(rng.uniform(n, c.codes, device=self.device, low=-1.0))
        return torch.cat(parts, dim=1)

    def sample(
        self,
        n: int,
        *,
        latent: Tensor | None = None,
        category: int | None = None,
        codes: tuple[float, ...] | None = None,
    ) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            category: value of the categorical code, from 0; drawn for each sample by default.
            codes: values of the continuous codes, -1 to 1 in training and a little beyond in use.

        Raises:
            InputError: a category or a number of codes that the model does not have.
        """
        latent = self.prior(n) if latent is None else latent.to(self.device)
        return self.generator(self._with_codes(latent, category, codes))

    def _with_codes(self, latent: Tensor, category: int | None, codes: tuple[float, ...] | None) -> Tensor:
        c = self.config
        noise, chosen, values = latent.split([c.noise, c.categories, c.codes], dim=1)
        if category is not None:
            if not 0 <= category < c.categories:
                raise InputError(
                    f"--category is {category}, and this model's categories go from 0 to {c.categories - 1}."
                )
            chosen = functional.one_hot(torch.full((len(latent),), category), c.categories).to(latent)
        if codes is not None:
            if len(codes) != c.codes:
                raise InputError(f"--codes has {len(codes)} values, and this model has {c.codes} continuous codes.")
            values = torch.tensor(codes).to(latent).expand(len(latent), -1)
        return torch.cat([noise, chosen, values], dim=1)

    def _outputs(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Map samples to the discriminator's logits (N,) and the recogniser's outputs (N, K + C)."""
        features = self.trunk(samples)
        return self.discriminator(features).flatten(), self.recogniser(features)


class _Generator(nn.Module):
    """Dense 1024, dense to a map, then doubled by transposed convolutions (appendix C.1), at any size."""

    def __init__(self, latent: int, shape: tuple[int, ...], width: int, norm: Norm) -> None:
        super().__init__()
        depth, height, breadth = halvings(shape)
        channels = [width * min(8, 2**step) for step in reversed(range(depth))] + [shape[0]]
        size = channels[0] * height * breadth
        self.dense = nn.Sequential(
            nn.Linear(latent, 1024),
            *dense_norm_layers(norm, 1024),
            nn.ReLU(),
            nn.Linear(1024, size),
            *dense_norm_layers(norm, size),
            nn.ReLU(),
        )
        self.start = channels[0], height, breadth
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(channels[:-1]):
            doubling = ConvTranspose2d(fan_in, fan_out, 4, stride=2, padding=1)
            layers += [doubling, *norm_layers(norm, fan_out), nn.ReLU()]
        layers += [ConvTranspose2d(channels[-2], channels[-1], 4, stride=2, padding=1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        if norm == "virtual-batch":
            add_reference(self, (latent,))

    def forward(self, latent: Tensor) -> Tensor:
        maps = self.dense(latent).view(-1, *self.start)
        return self.layers(maps.contiguous(memory_format=torch.channels_last))


def _trunk(shape: tuple[int, ...], width: int, norm: Norm) -> nn.Sequential:
    """Convolutions of stride 2 and a dense layer of 1024, shared by D and Q (appendix C.1)."""
    depth, height, breadth = halvings(shape)
    channels = [width * min(8, 2**step) for step in range(depth)]
    layers: list[nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(zip([shape[0], *channels], channels, strict=False)):
        layers.append(Conv2d(fan_in, fan_out, 4, stride=2, padding=1))
        layers += norm_layers(norm, fan_out) if index else []
        layers.append(nn.LeakyReLU(SLOPE))
    size = channels[-1] * height * breadth
    layers += [nn.Flatten(), nn.Linear(size, 1024), *dense_norm_layers(norm, 1024), nn.LeakyReLU(SLOPE)]
    network = nn.Sequential(*layers)
    if norm == "virtual-batch":
        add_reference(network, shape)
    return network
