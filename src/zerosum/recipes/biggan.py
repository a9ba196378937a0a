"""BigGAN (Brock et al. 2019): class-conditional GANs at scale, and the truncation trick.

Residual networks under spectral norm, the class in the generator's batch norms and as a projection in the
discriminator, several moves of the discriminator per round, self-attention. Beside width and large batches the paper
adds three things: one embedding of classes shared by all norms, pieces of the latent for each resolution, and latents
truncated at use, which trades variety for fidelity; a penalty towards orthogonal weights makes that work more often.

Paper: https://arxiv.org/abs/1809.11096

Differs from the paper: sized for a CPU by default (--preset imagenet is the paper's at 128x128; --preset large and
--preset cifar10 are the authors' later settings for one machine, but that a batch is not accumulated); Adam's epsilon
is 1e-8; classes are drawn by their shares of the data; both sides of a batch enter the discriminator together;
batch norm's statistics are of each process apart. Self-attention is at 64x64 from 128x128 on, and at half the size at
64x64. Data without labels are played without classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.spectral_norm import apply_spectral_norm
from zerosum.layers.standing_statistics import Statistics, put_in_place, standing_statistics
from zerosum.loss import Loss
from zerosum.networks.residual import ResidualDiscriminator, ResidualGenerator
from zerosum.player import Clock, Player
from zerosum.runtime import rng
from zerosum.tasks import ConditionalRecipe, LatentConfig, PresetConfig

STANDING = 16
"""Batches over which standing statistics are collected (authors' code)."""


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """BigGAN."""

    presets: ClassVar = {
        "small": {},
        "cifar10": {
            "rounds": 125_000,
            "batch": 50,
            "latent_dim": 128,
            "width": 64,
            "n_discriminator": 4,
            "ema_decay": 0.9999,
            "ema_start": 1_000,
        },
        "large": {
            "rounds": 100_000,
            "batch": 256,
            "latent_dim": 120,
            "hierarchical": True,
            "shared": 128,
            "width": 64,
            "init": "orthogonal",
            "generator_lr": 1e-4,
            "discriminator_lr": 4e-4,
            "ema_decay": 0.9999,
            "ema_start": 20_000,
        },
        "imagenet": {
            "rounds": 200_000,
            "batch": 2_048,
            "latent_dim": 120,
            "hierarchical": True,
            "shared": 128,
            "width": 96,
            "init": "orthogonal",
            "orthogonality": 1e-4,
            "n_discriminator": 2,
            "generator_lr": 5e-5,
            "discriminator_lr": 2e-4,
            "ema_decay": 0.9999,
            "ema_start": 20_000,
        },
    }

    rounds: PositiveInt = 6_000
    """Rounds to play: moves of the generator."""

    batch: PositiveInt = 32
    """Real samples per draw, over all processes (2048 in section 3)."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1) (120 at 128x128, appendix B)."""

    hierarchical: bool = False
    """Whether the latent is cut into pieces, one for each resolution (section 3)."""

    shared: NonNegativeInt = 0
    """Values of the classes' embedding that all norms share; 0 gives each an embedding of its own (128, section 3)."""

    width: PositiveInt = 8
    """Channels of a unit: 4 on all maps below 64x64, else 1 or 2 on the widest and 16 on the smallest (ch = 96,
    section 3)."""

    attention: bool = True
    """Whether both networks have self-attention, from images of 64x64 on (appendix B)."""

    init: Literal["normal", "orthogonal"] = "normal"
    """Weights at first: N(0, 0.02), or orthogonal (section 3)."""

    orthogonality: NonNegativeFloat = 0.0
    """Weight of the penalty towards orthogonal weights of the generator (beta = 1e-4 in eq. 3)."""

    n_discriminator: PositiveInt = 1
    """Moves of the discriminator per round, each on new samples (2 in appendix C)."""

    generator_lr: PositiveFloat = 2e-4
    """Learning rate of the generator's Adam (5e-5 in appendix C)."""

    discriminator_lr: PositiveFloat = 2e-4
    """Learning rate of the discriminator's Adam (appendix C)."""

    betas: tuple[Fraction, Fraction] = (0.0, 0.999)
    """Decay of Adam's two moments (appendix C)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples (0.9999 in appendix C)."""

    ema_start: NonNegativeInt = 0
    """Rounds before the running average begins: until then it is the weights themselves."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return small on a CPU, and settings for one machine by the images' size elsewhere."""
        return "small" if device == "cpu" else "cifar10" if min(spec.shape[1:]) < 64 else "large"


class BigGAN(ConditionalRecipe):
    """Hinge game of residual networks of spectral norm 1, of which the generator's latents can be truncated."""

    Config = Config
    data = (Images,)
    objective = "hinge"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        c, K = config, len(spec.classes)
        if c.hierarchical and K and not c.shared:
            raise InputError(
                "--hierarchical joins pieces of the latent to an embedding of classes, and --shared is 0: "
                "give --shared 128, for example."
            )
        self.generator = ResidualGenerator(
            c.latent_dim,
            spec.shape,
            c.width,
            classes=K,
            shared=c.shared,
            hierarchical=c.hierarchical,
            attention=c.attention,
        )
        self.discriminator = ResidualDiscriminator(spec.shape, c.width, classes=K, attention=c.attention)
        initialise(self, c.init)
        apply_spectral_norm(self.generator, embeddings=False)
        apply_spectral_norm(self.discriminator)
        self._standing: tuple[object, Statistics] = (None, [])

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config

        def decay(clock: Clock) -> float:
            return c.ema_decay if clock.round >= c.ema_start else 0.0

        return {
            "discriminator": Player.adam(
                self.discriminator, role="discriminator", lr=c.discriminator_lr, betas=c.betas
            ),
            "generator": Player.adam(
                self.generator, role="generator", lr=c.generator_lr, betas=c.betas, ema_decay=decay
            ),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the discriminator n times, each on new samples, then the generator once."""
        for _ in range(self.config.n_discriminator):
            batch = game.draw()
            game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Images) -> Loss:
        """Push data with their labels above 1 and samples with theirs below -1, under the same normalised weights."""
        fake, drawn = self._drawn(len(batch))
        labels = None if drawn is None or batch.label is None else torch.cat([batch.label, drawn])
        real, fake = self.discriminator(torch.cat([batch.real, fake]), labels).chunk(2)
        log = objectives.discriminator_stats(real, fake)
        return Loss(adversarial=objectives.hinge_discriminator(real, fake), log=log)

    def generator_loss(self, batch: Images) -> Loss:
        """Raise the logits of samples with their labels; hold the weights near orthogonal ones where asked (eq. 3)."""
        loss = Loss(adversarial=objectives.hinge_generator(self.discriminator(*self._drawn(len(batch)))))
        if weight := self.config.orthogonality:
            loss["orthogonality"] = weight * orthogonality(self.generator)
        return loss

    def sample(
        self,
        n: int,
        *,
        latent: Tensor | None = None,
        label: str | int | None = None,
        labels: Tensor | None = None,
        truncation: float | None = None,
        standing: bool = False,
    ) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            label: one class for all, by its name or its number from 0; by default classes are drawn by their shares of
                the training data.
            labels: (n,) int64 in [0, K), in place of `label`.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
                The statistics of batch norm are then standing ones, of latents truncated alike.
            standing: take batch norm's statistics from 16 batches of samples, in place of averages over the training.
        """
        classes = self.classes_of(n, label, labels)
        latents = self.latents(n, latent, truncation)
        if self.training or not (standing or truncation is not None):
            return self.generate(latents, classes)
        with put_in_place(self.generator, self._statistics(truncation)):
            return self.generate(latents, classes)

    def _drawn(self, n: int) -> tuple[Tensor, Tensor | None]:
        """Return (N, C, H, W) samples and their labels (N,)."""
        labels = self.classes_of(n)
        return self.generate(self.prior(n), labels), labels

    def _statistics(self, truncation: float | None) -> Statistics:
        """Return standing statistics of the present weights, always of the same latents and classes."""
        key = truncation, tuple((p.data_ptr(), p._version) for p in self.generator.parameters())
        if self._standing[0] != key:
            n = min(64, self.config.batch)

            def forward() -> None:
                self.generate(self.latents(n, truncation=truncation), self.classes_of(n))

            with rng.fork(self.device, seed=0):
                self._standing = key, standing_statistics(self.generator, forward, batches=STANDING)
        return self._standing[1]


def initialise(network: nn.Module, law: Literal["normal", "orthogonal"]) -> None:
    """Draw weights of convolutions, dense layers and embeddings; biases stay as PyTorch draws them (authors' code)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            if law == "orthogonal":
                nn.init.orthogonal_(layer.weight)
            else:
                nn.init.normal_(layer.weight, 0.0, 0.02)


def orthogonality(network: nn.Module) -> Tensor:
    """Return the sum over convolutions and dense layers of |W W^T (1 - I)|^2, of shape (): 0 for orthogonal rows.

    Source: Brock et al. 2019, eq. 3; over rows as in the authors' code.
    """
    total = torch.zeros((), device=next(network.parameters()).device)
    with torch.autocast(total.device.type, enabled=False):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                rows = layer.weight.flatten(1)
                products = rows @ rows.t()
                total = total + (products - products.diag().diag()).square().sum()
    return total
