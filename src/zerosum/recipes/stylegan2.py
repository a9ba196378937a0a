"""StyleGAN2 (Karras et al. 2020): a generator that is told at every layer which style to draw in.

Dense layers map latents to styles, and styles scale the channels of every convolution, which demodulation undoes in
size alone; noise adds what is random in a picture. Images are summed over resolutions, the discriminator is residual.
R1 keeps the discriminator's slope at real images low, and path length regularisation makes steps between styles move
images evenly; both are lazy, in every 16th and every 4th round, as moves of their own. Where the data have labels, both
networks take an embedding of the class, as in StyleGAN2-ADA.

Paper: https://arxiv.org/abs/1912.04958

Differs from the paper: sized for a CPU by default (--preset stylegan2, paper256, paper512, paper1024, cifar and auto256
are those of StyleGAN2-ADA, https://arxiv.org/abs/2006.06676), without path length regularisation; no adaptive
augmentation; where styles are mixed, each sample has a crossover of its own; path lengths are compared with their
average before the round, not after it, so that batches can be divided; minibatch deviations are of neighbours; images
of any size that can be halved down to 4 to 8 pixels start from there; noise is constant at use; samples are clipped to
[-1, 1] in use, while both players are trained on the unbounded output.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum.config import Fraction
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.latent import lerp
from zerosum.loss import Loss
from zerosum.networks.dcgan import halvings
from zerosum.networks.stylegan2 import StyleGenerator, channels
from zerosum.networks.stylegan2_discriminator import StyleDiscriminator
from zerosum.objectives import discriminator_stats, logistic_discriminator, non_saturating_generator
from zerosum.penalties import logits_and_slopes, path_lengths
from zerosum.player import Clock, Player
from zerosum.runtime import rng
from zerosum.tasks import ConditionalRecipe, LatentConfig, PresetConfig

PAPER: dict[str, Any] = {
    "latent_dim": 512,
    "base": 32768,
    "max_channels": 512,
    "mapping_layers": 8,
    "path_length": 2.0,
    "mixing": 0.9,
    "ema_ramp": 0.0,
}
"""What the paper's presets have in common."""

AUTO256: dict[str, Any] = PAPER | {
    "base": 16384,
    "mapping_layers": 2,
    "gamma": None,
    "ema_ramp": 0.05,
}
"""What StyleGAN2-ADA chooses for images of less than 512 pixels."""


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """StyleGAN2."""

    presets: ClassVar = {
        "small": {},
        "large": AUTO256 | {"rounds": 100_000, "base": 8192, "ema_half_life": 10_000.0},
        "large256": AUTO256 | {"rounds": 500_000, "ema_half_life": 10_000.0},
        "stylegan2": PAPER | {"rounds": 781_250, "lr": 0.002, "gamma": 10.0, "ema_half_life": 10_000.0},
        "paper256": PAPER
        | {
            "rounds": 390_625,
            "batch": 64,
            "base": 16384,
            "minibatch_group": 8,
            "gamma": 1.0,
            "ema_half_life": 20_000.0,
        },
        "paper512": PAPER
        | {"rounds": 390_625, "batch": 64, "minibatch_group": 8, "gamma": 0.5, "ema_half_life": 20_000.0},
        "paper1024": PAPER | {"rounds": 781_250, "lr": 0.002, "gamma": 2.0, "ema_half_life": 10_000.0},
        "cifar": PAPER
        | {
            "rounds": 1_562_500,
            "batch": 64,
            "mapping_layers": 2,
            "minibatch_group": 32,
            "residual": False,
            "gamma": 0.01,
            "path_length": 0.0,
            "mixing": 0.0,
            "ema_half_life": 500_000.0,
            "ema_ramp": 0.05,
        },
        "auto256": AUTO256 | {"rounds": 1_562_500, "batch": 16, "ema_half_life": 5_000.0},
    }

    rounds: PositiveInt = 5_000
    """Rounds to play: a move of each player on a batch, and the lazy ones."""

    batch: PositiveInt = 32
    """Real samples per draw, over all processes."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1), and in a style."""

    base: PositiveInt = 1024
    """Channels at a resolution are this / its pixels on a side, rounded up to a power of two."""

    max_channels: PositiveInt = 64
    """Most channels at any resolution."""

    mapping_layers: PositiveInt = 2
    """Dense layers from latents to styles."""

    minibatch_group: PositiveInt = 4
    """Neighbours in a batch whose standard deviation the discriminator gets."""

    residual: bool = True
    """Whether the discriminator's blocks have skip connections."""

    gamma: NonNegativeFloat | None = 0.1
    """Weight of R1; None: 0.0002 * height * width / batch."""

    r1_every: PositiveInt = 16
    """Rounds between moves on R1, which is weighed so many times more."""

    path_length: NonNegativeFloat = 0.0
    """Weight of path length regularisation; 0 leaves it out."""

    path_every: PositiveInt = 4
    """Rounds between moves on path lengths, which are weighed so many times more."""

    mixing: Fraction = 0.5
    """Share of the samples in training whose later layers take the styles of another latent."""

    lr: PositiveFloat = 0.0025
    """Learning rate of both Adams, before it is lowered for the lazy moves."""

    beta2: Fraction = 0.99
    """Decay of Adam's second moment, before it is adapted to the lazy moves; the first moment's is 0."""

    ema_half_life: PositiveFloat = 2_000.0
    """Images after which a generator's weights count half in the running average that samples."""

    ema_ramp: NonNegativeFloat = 0.05
    """Half-life at first, as a share of the images drawn so far; 0: the whole half-life from the start."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return the small networks for a CPU; for others those of StyleGAN2-ADA, narrower up to 64 pixels."""
        if device == "cpu":
            return "small"
        return "large" if min(spec.shape[1:]) <= 64 else "large256"


class StyleGAN2(ConditionalRecipe):
    """Non-saturating game of a generator driven by styles, with lazy regularisation of both players."""

    Config = Config
    data = (Images,)
    objective = "logistic"
    config: Config
    generator: StyleGenerator
    mean_length: Tensor
    """(), running average of the path lengths."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.minibatch_group = config.minibatch_group
        depth, *start = halvings(spec.shape)
        side = min(spec.shape[1:])
        widths = channels(config.base, config.max_channels, [side >> depth - level for level in range(depth + 1)])
        size, classes = (start[0], start[1]), len(spec.classes)
        self.generator = StyleGenerator(
            config.latent_dim, spec.shape[0], widths, size, mapping=config.mapping_layers, classes=classes
        )
        self.discriminator = StyleDiscriminator(
            spec.shape[0], widths, size, group=config.minibatch_group, residual=config.residual, classes=classes
        )
        self.register_buffer("mean_length", torch.zeros(()))
        self.gamma = r1_gamma(spec.shape, config.batch) if config.gamma is None else config.gamma

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def players(self) -> dict[str, Player]:
        """Return the two, their Adams slowed down where every k-th round has a lazy move (appendix B)."""
        c = self.config
        return {
            "discriminator": Player.adam(
                self.discriminator, role="discriminator", **lazy(c.lr, c.beta2, c.r1_every if self.gamma else None)
            ),
            "generator": Player.adam(
                self.generator,
                role="generator",
                ema_decay=self.ema_decay,
                **lazy(c.lr, c.beta2, c.path_every if c.path_length else None),
            ),
        }

    def ema_decay(self, clock: Clock) -> float:
        """Return the running average's present decay per round: 2^(-batch / half-life)."""
        c = self.config
        half_life = min(c.ema_half_life, c.ema_ramp * clock.seen) if c.ema_ramp else c.ema_half_life
        return 0.5 ** (c.batch / half_life) if half_life > 0 else 0.0

    def round(self, game: Game[Any]) -> None:
        """Move the generator and the discriminator, each on its loss and now and then on what regularises it."""
        batch, lazy_moves = game.draw(), self.lazy_moves(game.clock.round)
        styles = game.move("generator", self.generator_loss, batch).outputs["styles"]
        average = self.generator.mapping.average
        average.lerp_(game.world.average_(styles.float().mean(0)).to(average), 0.005)
        if "path" in lazy_moves:
            lengths = game.move("generator", self.path_loss, batch[::2]).log["length"]
            self.mean_length.lerp_(game.world.average_(lengths.mean()).to(self.mean_length), 0.01)
        game.move("discriminator", self.discriminator_loss, batch)
        if "r1" in lazy_moves:
            game.move("discriminator", self.r1_loss, batch)

    def lazy_moves(self, number: int) -> tuple[str, ...]:
        """Return which of the path lengths and R1 have their turn in a round, counted from 0."""
        c = self.config
        turns = {"path": c.path_length and number % c.path_every == 0, "r1": self.gamma and number % c.r1_every == 0}
        return tuple(name for name, has_turn in turns.items() if has_turn)

    def generator_loss(self, batch: Images) -> Loss:
        """Maximise log D(G(z)), with mixed styles."""
        styles, mixed = self.training_styles(batch)
        fake = self.logits(self.generator.synthesis(mixed), batch.label)
        return Loss(adversarial=non_saturating_generator(fake), outputs={"styles": styles})

    def path_loss(self, batch: Images) -> Loss:
        """Pull the path lengths towards their average (section 3.2); half a batch is enough."""
        _, mixed = self.training_styles(batch)
        lengths = path_lengths(self.generator.synthesis(mixed), mixed)
        weight = self.config.path_length * self.config.path_every
        return Loss(path=weight * (lengths - self.mean_length).square().mean(), log={"length": lengths}, lazy=True)

    def discriminator_loss(self, batch: Images) -> Loss:
        """Tell data from samples."""
        samples = self.generator.synthesis(self.training_styles(batch)[1])
        real, fake = self.logits(batch.real, batch.label), self.logits(samples, batch.label)
        return Loss(adversarial=logistic_discriminator(real, fake), log=discriminator_stats(real, fake))

    def r1_loss(self, batch: Images) -> Loss:
        """Lower the slope at real images (appendix B), with the logits of samples beside those of the images."""
        samples = self.generator.synthesis(self.training_styles(batch)[1])
        real, slopes = logits_and_slopes(lambda image: self.logits(image, batch.label), batch.real)
        fake = self.logits(samples, batch.label)
        r1 = self.gamma / 2 * slopes.mean()
        return Loss(penalty=self.config.r1_every * r1, log={**discriminator_stats(real, fake), "r1": r1}, lazy=True)

    def training_styles(self, batch: Images) -> tuple[Tensor, Tensor]:
        """Draw styles for a batch's labels: (N, S), and (N, L, S) that change to other ones at a random layer."""
        n, layers = len(batch), self.generator.synthesis.layers
        styles = self.mapping(self.prior(n), batch.label)
        mixed = styles[:, None].expand(-1, layers, -1)
        if self.config.mixing:
            crossover = 1 + rng.integers(n, high=layers - 1, device=self.device)
            kept = rng.uniform(n, device=self.device) >= self.config.mixing
            first = (torch.arange(layers, device=self.device) < crossover[:, None]) | kept[:, None]
            mixed = torch.where(first[:, :, None], mixed, self.mapping(self.prior(n), batch.label)[:, None])
        return styles, mixed

    def mapping(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map latents (N, Z), and labels (N,) where the data have classes, to styles (N, S)."""
        return self.generator.mapping(latent, labels)

    def synthesis(self, styles: Tensor) -> Tensor:
        """Map styles (N, S), or those of each layer (N, L, S), to samples (N, *shape) in [-1, 1]."""
        return self.generator.synthesis(styles).clamp(-1, 1)

    def logits(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Map images (N, C, H, W), and labels (N,) where the data have classes, to logits (N,)."""
        return self.discriminator(images, labels) if self.spec.classes else self.discriminator(images)

    def generate(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        """Map latents (N, Z), and labels (N,) where the data have them, to samples (N, *shape)."""
        return self.synthesis(self.mapping(latent, labels))

    def sample(
        self,
        n: int,
        *,
        latent: Tensor | None = None,
        label: str | int | None = None,
        labels: Tensor | None = None,
        truncation: float | None = None,
        mix: int | None = None,
    ) -> Tensor:
        """Generate (n, *shape) samples.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            label: one class for all, by its name or its number from 0; by default classes are drawn by their shares of
                the training data.
            labels: (n,) int64 in [0, K), in place of `label`.
            truncation: how far styles lie from their mean, as a share: below 1, more typical samples of less variety.
            mix: layer, counted from 1, from which on the styles are those of other latents: coarse to fine.
        """
        classes, layers = self.classes_of(n, label, labels), self.generator.synthesis.layers
        styles = self.mapping(self.latents(n, latent), classes)[:, None].expand(-1, layers, -1)
        if mix is not None:
            if not 1 <= mix < layers:
                raise InputError(
                    f"--mix is {mix}, and images of this size take styles at {layers} layers: give 1 to {layers - 1}."
                )
            styles = torch.cat([styles[:, :mix], self.styles_beside(n, classes, layers - mix)], 1)
        if truncation is not None:
            if not math.isfinite(truncation):
                raise InputError(f"The truncation is {truncation}; give a number, for example 0.7.")
            styles = lerp(self.generator.mapping.average, styles, truncation)
        return self.synthesis(styles)

    def styles_beside(self, n: int, labels: Tensor | None, layers: int) -> Tensor:
        """Draw styles of fresh latents for `layers` layers, (n, layers, S)."""
        return self.mapping(self.prior(n), labels)[:, None].expand(-1, layers, -1)


def lazy(lr: float, beta2: float, every: int | None) -> Mapping[str, Any]:
    """Return Adam's options for a player with a lazy move every so many rounds: c = k / (k + 1) (appendix B).

    >>> {name: value for name, value in lazy(0.0025, 0.99, 4).items()}
    {'lr': 0.002, 'betas': (0.0, 0.9919919678228657)}
    """
    share = every / (every + 1) if every else 1.0
    return {"lr": lr * share, "betas": (0.0, beta2**share)}


def r1_gamma(shape: tuple[int, ...], batch: int) -> float:
    """Return the weight of R1 that StyleGAN2-ADA takes for images (C, H, W): 0.0002 * H * W / batch.

    >>> round(r1_gamma((3, 256, 256), 32), 4)
    0.4096
    """
    return 0.0002 * shape[1] * shape[2] / batch
