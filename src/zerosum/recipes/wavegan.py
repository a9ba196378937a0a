"""WaveGAN (Donahue et al. 2019): raw audio from DCGAN's networks flattened to one dimension, with WGAN-GP's game.

Kernels are longer and strides larger than for images (25 and 4 in place of 5x5 and 2x2), so that five layers make
16,384 samples, about a second at 16 kHz. Transposed convolutions leave artifacts of one frequency, and always of the
same phase, by which a critic would know samples at once: phase shuffle moves each layer's maps by a random number of
steps.

Paper: https://arxiv.org/abs/1802.04208

Written from the paper. With phase shuffle it reports an Inception Score of 4.67 +- 0.01 on spoken digits of the Speech
Commands (SC09; 9.18 for the data), by a classifier of its own.

Differs from the paper: waves of any length, from the shortest maps of 16 to 63 samples, cut where the strides lead
further; each sample's maps are shuffled by a draw of their own (in the authors' code by one for the batch); both
networks' convolutions pad 11 samples on either side; classes, where the data have them, enter the generator beside the
latent and the critic as a projection (--labels none leaves them out); a running average of the generator is what
samples. On a CPU, where nothing is asked for, the generator is narrower and --critic spectrograms plays R3GAN's game
(Huang et al. 2024) against two critics of spectrograms, with short windows for words and long ones for pitch, which
learns far more in minutes (--preset paper has the paper's).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.kinds.waveforms import Waveforms
from zerosum.latent import lerp
from zerosum.loss import Loss
from zerosum.networks.wavegan import (
    SpectrogramCritic,
    WaveCritic,
    WaveGenerator,
    coarse,
    fine,
    padded,
)
from zerosum.penalties import gradient_penalty, logits_and_slopes
from zerosum.player import Player
from zerosum.runtime import rng
from zerosum.tasks import ConditionalRecipe, LatentConfig, PresetConfig

SMALL: dict[str, Any] = {
    "rounds": 8_000,
    "batch": 16,
    "critic": "spectrograms",
    "fine_width": 16,
    "n_critic": 1,
    "lr": 1e-3,
    "betas": (0.0, 0.99),
    "ema_decay": 0.995,
}
"""What the presets for CPUs have in common."""

SHORT, LONG = 4_096, 16_384
"""Lengths up to which networks of a CPU may be wider, and beyond which they have to be narrower."""


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """WaveGAN."""

    presets: ClassVar = {
        "paper": {},
        "small": SMALL | {"width": 16},
        "small-short": SMALL | {"width": 32},
        "small-long": SMALL | {"width": 8},
    }

    rounds: PositiveInt = 200_000
    """Rounds to play: moves of the generator (section 5)."""

    batch: PositiveInt = 64
    """Real samples per draw, over all processes."""

    latent_dim: PositiveInt = 100
    """Values in a latent vector, drawn from U(-1, 1)."""

    width: PositiveInt = 64
    """Channels of the longest hidden maps (d); the shortest have 16 times as many for 16,384 samples."""

    critic: Literal["waves", "spectrograms"] = "waves"
    """What the critic takes: "waves", in the paper's game; or "spectrograms" of them, in R3GAN's, with R1 and R2."""

    critic_width: PositiveInt = 16
    """Channels after the first layer of a critic of spectrograms."""

    fine_width: NonNegativeInt = 0
    """Channels after the first layer of a second critic of spectrograms, of windows four times as long, which tells
    pitches apart; 0 for none."""

    phase_shuffle: NonNegativeInt = 2
    """Steps by which the maps of a critic of waves are shifted at random, to either side (n in section 3.3); 0 for
    none."""

    n_critic: PositiveInt = 5
    """Moves of the critic per round."""

    penalty: NonNegativeFloat = 10.0
    """Weight of the gradient penalty (lambda), of a critic of waves."""

    gamma: NonNegativeFloat = 10.0
    """Weight of R1 and R2 (gamma), of a critic of spectrograms."""

    lr: PositiveFloat = 1e-4
    """Learning rate of both Adams."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.9)
    """Decay of Adam's two moments."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return the paper's networks, or for a CPU small ones, the narrower the longer the waves."""
        if device != "cpu":
            return "paper"
        length = spec.shape[-1]
        return "small-short" if length <= SHORT else "small" if length <= LONG else "small-long"


class WaveGAN(ConditionalRecipe):
    """Wasserstein game of two networks of one dimension, or relativistic game against critics of spectrograms."""

    Config = Config
    data = (Waveforms,)
    config: Config

    between = staticmethod(lerp)  # the prior is uniform

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        c, K = config, len(spec.classes)
        self.of_waves = c.critic == "waves"
        self.objective = "wasserstein" if self.of_waves else "relativistic"
        self.generator = WaveGenerator(c.latent_dim, spec.shape, c.width, classes=K)
        if self.of_waves:
            self.critic: nn.Module = WaveCritic(spec.shape, c.width, phase_shuffle=c.phase_shuffle, classes=K)
            self.heard: list[tuple[Callable[[Tensor], Tensor], nn.Module]] = [(nn.Identity(), self.critic)]
            return
        length = spec.shape[-1]
        self.critic = SpectrogramCritic(coarse(length).shape(spec.shape), c.critic_width, classes=K)
        self.heard = [(coarse(length), self.critic)]
        if c.fine_width:
            self.fine_critic = SpectrogramCritic(fine(length).shape(spec.shape), c.fine_width, classes=K)
            self.heard.append((fine(length), self.fine_critic))

    @property
    def notes(self) -> tuple[str, ...]:
        """Say at which length the networks compute, where it is not the samples'."""
        length = self.spec.shape[-1]
        if padded(length) == length:
            return ()
        return (f"The networks compute with {padded(length):,} samples, of which the first {length:,} are kept.",)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return tuple(critic for _, critic in self.heard)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config
        return {
            "critic": Player.adam(*self.discriminators(), role="discriminator", lr=c.lr, betas=c.betas),
            "generator": Player.adam(self.generator, role="generator", lr=c.lr, betas=c.betas, ema_decay=c.ema_decay),
        }

    def round(self, game: Game[Waveforms]) -> None:
        """Move the critic n times, each on new samples, then the generator."""
        for _ in range(self.config.n_critic):
            batch = game.draw()
            game.move("critic", self.critic_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def real_inputs(self, batch: Waveforms) -> tuple[Tensor, ...]:
        """Return what each critic takes of the real waves."""
        return tuple(take(batch.real) for take, _ in self.heard)

    def critic_loss(self, batch: Waveforms) -> Loss:
        """Part the critics' values of data and samples, of one class where there are classes."""
        fake = self.generate(self.prior(len(batch)), batch.label)
        if self.of_waves:
            return self._wasserstein_loss(batch.real, fake, batch.label)
        both = None if batch.label is None else batch.label.repeat(2)
        waves = torch.cat([batch.real, fake])
        judged = [logits_and_slopes(partial(critic, labels=both), take(waves)) for take, critic in self.heard]
        real_values, fake_values = map(torch.cat, zip(*(values.chunk(2) for values, _ in judged), strict=True))
        return Loss(
            relativistic=objectives.relativistic_discriminator(real_values, fake_values),
            penalty=self.config.gamma * torch.cat([slopes for _, slopes in judged]).mean(),  # gamma / 2 of each half
            log=objectives.relativistic_stats(real_values, fake_values),
        )

    def generator_loss(self, batch: Waveforms) -> Loss:
        """Raise the critics' values of samples, in the relativistic game above those of real waves in pairs."""
        fake = self._values(self.generate(self.prior(len(batch)), batch.label), batch.label)
        if self.of_waves:
            return Loss(wasserstein=objectives.wasserstein_generator(fake))
        return Loss(relativistic=objectives.relativistic_generator(self._values(batch.real, batch.label), fake))

    def _values(self, waves: Tensor, labels: Tensor | None) -> Tensor:
        """Return the values that the critics give waves (N, 1, L): N of the first, then N of the next."""
        return torch.cat([critic(take(waves), labels) for take, critic in self.heard])

    def _wasserstein_loss(self, real: Tensor, fake: Tensor, labels: Tensor | None) -> Loss:
        """Part the values of waves, with the critic's slope held at 1 (section 2.1)."""
        value_real, value_fake = self.critic(real, labels), self.critic(fake, labels)
        wasserstein = objectives.wasserstein_critic(value_real, value_fake)
        return Loss(
            wasserstein=wasserstein,
            penalty=self.config.penalty * gradient_penalty(lambda x: self.critic(x, labels), real, fake),
            log={"real": value_real, "fake": value_fake, "distance": -wasserstein},
        )

    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents from U(-1, 1), as in training."""
        return rng.uniform(n, self.config.latent_dim, device=self.device, low=-1.0)

    def latents(self, n: int, given: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Return (n, Z) latents on the recipe's device: those given, or draws of the prior, narrowed if asked."""
        if given is not None:
            return given.to(self.device)
        if truncation is not None and not truncation > 0:
            raise InputError(f"The truncation is {truncation}; give a number above 0, for example 0.7.")
        return self.prior(n) if truncation is None else self.prior(n) * min(truncation, 1.0)
