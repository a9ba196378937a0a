"""R3GAN (Huang et al. 2024): a regularised relativistic loss that needs no tricks, and plain residual networks.

Every real sample is compared with a generated one (RpGAN), which leaves no local minima where modes are dropped; zero-
centred gradient penalties on real and on generated samples (R1 and R2), in every round, make the game converge. With
that, normalisation, minibatch statistics and style modulation can go: the networks are residual blocks of grouped
convolutions. Learning rate, beta2, the penalties' weight, the augmentation's probability and the running average's
half-life follow a half cosine of the images drawn, over a burn-in, and stay as they are after it. Where the data have
labels, the generator gets an embedding of the class beside the latent, and the discriminator's output is projected on
one.

Paper: https://arxiv.org/abs/2501.05441

Differs from the paper: sized for a CPU by default (--preset cifar10, ffhq64, ffhq256, imagenet32, imagenet64 and
stacked-mnist are the paper's settings), with one block per stage and a constant learning rate for runs of minutes, and
without augmenting what the discriminator takes; that of the paper's presets is ADA's, with colours changed as often as
the rest, which the paper does half as often, and without holes; images of any size that can be halved down to 4 to 8
pixels start from there; samples are clipped to [-1, 1] in use, while both players are trained on the unbounded output;
the running average's decay is ramped up over the first rounds. On points both networks are multilayer perceptrons
without labels, as in our demonstrations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.adaptive_augmentation import augmented
from zerosum.loss import Loss
from zerosum.networks.dcgan import halvings
from zerosum.networks.mlp import Dense, initialise_he
from zerosum.networks.r3gan import R3Discriminator, R3Generator, stage_widths
from zerosum.objectives import relativistic_discriminator, relativistic_generator, relativistic_stats
from zerosum.optim.schedules import cosine
from zerosum.penalties import logits_and_slopes
from zerosum.player import Clock, Player
from zerosum.tasks import ConditionalRecipe, LatentConfig, PresetConfig

PAPER: dict[str, Any] = {"blocks": 2, "lr": (2e-4, 5e-5), "beta2": (0.9, 0.99), "burn_in": 20_000_000, "mirror": 0.5}
"""What the paper's presets have in common (table 8)."""


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """R3GAN."""

    by_kind: ClassVar = {
        "points": {
            "rounds": 6_000,
            "batch": 256,
            "latent_dim": 2,
            "gamma": (0.1, 0.02),
            "lr": (1e-3, 1e-4),
            "ema_half_life": (0.0, 25_000.0),
            "burn_in": 1_500_000,
        }
    }

    presets: ClassVar = {
        "small": {},
        "small64": {"gamma": (1.0, 0.5)},
        "medium": {"widths": (64,)},
        "large": {"widths": (96,), "rounds": 20_000, "batch": 64, "lr": (2e-4, 1e-4), "burn_in": 500_000},
        "large64": {
            "widths": (96, 96, 96, 96, 48),
            "rounds": 20_000,
            "batch": 64,
            "lr": (2e-4, 1e-4),
            "burn_in": 500_000,
            "gamma": (1.0, 0.2),
        },
        "cifar10": PAPER
        | {
            "rounds": 488_281,
            "batch": 512,
            "widths": (768,),
            "gamma": (0.05, 0.005),
            "augment_p": (0.0, 0.55),
            "ema_half_life": (0.0, 5_000_000.0),
        },
        "ffhq64": PAPER
        | {
            "rounds": 390_625,
            "batch": 256,
            "widths": (768, 768, 768, 768, 384),
            "gamma": (2.0, 0.2),
            "augment_p": (0.0, 0.3),
            "ema_half_life": (0.0, 500_000.0),
        },
        "ffhq256": PAPER
        | {
            "rounds": 781_250,
            "batch": 256,
            "widths": (768, 768, 768, 768, 384, 192, 96),
            "gamma": (150.0, 15.0),
            "augment_p": (0.0, 0.3),
            "ema_half_life": (0.0, 500_000.0),
        },
        "imagenet32": PAPER
        | {
            "rounds": 244_141,
            "batch": 4096,
            "widths": (1536,),
            "group": 32,
            "burn_in": 200_000_000,
            "gamma": (0.5, 0.05),
            "augment_p": (0.0, 0.5),
            "ema_half_life": (0.0, 50_000_000.0),
        },
        "imagenet64": PAPER
        | {
            "rounds": 244_141,
            "batch": 4096,
            "widths": (1536,),
            "group": 32,
            "burn_in": 200_000_000,
            "gamma": (1.0, 0.1),
            "augment_p": (0.0, 0.4),
            "ema_half_life": (0.0, 50_000_000.0),
        },
        "stacked-mnist": PAPER
        | {
            "mirror": 0.0,
            "rounds": 19_531,
            "batch": 512,
            "widths": (768,),
            "lr": (2e-4, 2e-4),
            "burn_in": 2_000_000,
            "gamma": (1.0, 0.1),
            "ema_half_life": (0.0, 0.0),
        },
    }

    rounds: PositiveInt = 5_000
    """Rounds to play: a move of each player on a batch."""

    batch: PositiveInt = 32
    """Real samples per draw, over all processes."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1)."""

    embedding: PositiveInt = 64
    """Values that stand for a class beside the latent, where the data have labels."""

    widths: tuple[PositiveInt, ...] = (64, 48, 32, 16)
    """Channels of the stages from the smallest maps to the full size. Images that need fewer stages leave out the
    first; where they need more, the first is repeated."""

    blocks: PositiveInt = 1
    """Residual blocks per stage."""

    group: PositiveInt = 16
    """Channels of a group of the 3x3 convolutions: twice the width / the cardinality."""

    points_hidden: tuple[PositiveInt, ...] = (128, 128, 128)
    """Widths of both networks' hidden layers on points."""

    gamma: tuple[NonNegativeFloat, NonNegativeFloat] = (0.1, 0.05)
    """Weight of R1 and R2, at the start and after the burn-in; it scales with the number of pixels. Raise it where the
    discriminator tells all samples from real ones: the small networks needed 100 for the modes of Stacked MNIST."""

    lr: tuple[PositiveFloat, PositiveFloat] = (5e-4, 5e-4)
    """Learning rate of both Adams, at the start and after the burn-in."""

    beta2: tuple[Fraction, Fraction] = (0.99, 0.99)
    """Decay of Adam's second moment, at the start and after the burn-in; the first moment's is 0."""

    ema_half_life: tuple[NonNegativeFloat, NonNegativeFloat] = (0.0, 2_000.0)
    """Images after which a generator's weights count half in the running average that samples, at the start and after
    the burn-in."""

    augment_p: tuple[Fraction, Fraction] = (0.0, 0.0)
    """Probability of each of ADA's transformations of what the discriminator takes, at the start and after the burn-in;
    of images of 1 or 3 channels."""

    burn_in: PositiveInt = 50_000
    """Images over which the schedules run from their first value to the second."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return the small networks for a CPU, the large ones for others; the penalties' weight goes by the size."""
        return ("small" if device == "cpu" else "large") + ("64" if min(spec.shape[1:]) > 32 else "")


class R3GAN(ConditionalRecipe):
    """Relativistic game with zero-centred gradient penalties on both sides."""

    Config = Config
    data = (Images, Points)
    objective = "relativistic"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        on_points = spec.kind == "points"
        if any(config.augment_p) and (on_points or spec.shape[0] not in (1, 3)):
            what = "points" if on_points else f"images of {spec.shape[0]} channels"
            raise InputError(
                f"--augment-p turns and recolours images of 1 or 3 channels, and these are {what}: give 0 0."
            )
        super().__init__(config, replace(spec, classes=(), class_counts=()) if on_points else spec)
        if on_points:
            self.generator = Dense(config.latent_dim, config.points_hidden, spec.shape)
            self.discriminator = Dense(2, config.points_hidden)
            initialise_he(self.generator)
            initialise_he(self.discriminator)
            return
        depth, *start = halvings(spec.shape)
        widths = stage_widths(config.widths, depth + 1)
        sizes: dict[str, Any] = {"start": (start[0], start[1]), "blocks": config.blocks, "group": config.group}
        sizes["classes"] = len(spec.classes)
        self.generator = R3Generator(config.latent_dim, spec.shape, widths, embedding=config.embedding, **sizes)
        self.discriminator = R3Discriminator(spec.shape, widths, **sizes)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        betas = (0.0, self.config.beta2[0])
        return {
            "discriminator": Player.adam(
                self.discriminator,
                role="discriminator",
                lr=self.config.lr[0],
                betas=betas,
                schedule=self.adam_options,
            ),
            "generator": Player.adam(
                self.generator,
                role="generator",
                lr=self.config.lr[0],
                betas=betas,
                schedule=self.adam_options,
                ema_decay=self.ema_decay,
            ),
        }

    def adam_options(self, clock: Clock) -> Mapping[str, Any]:
        """Return the present learning rate and decays of both Adams."""
        c = self.config
        return {"lr": self.scheduled(c.lr, clock), "betas": (0.0, self.scheduled(c.beta2, clock))}

    def ema_decay(self, clock: Clock) -> float:
        """Return the running average's present decay per round: 2^(-batch / half-life)."""
        half_life = self.scheduled(self.config.ema_half_life, clock)
        return 0.5 ** (self.config.batch / half_life) if half_life > 0 else 0.0

    def scheduled(self, ends: tuple[float, float], clock: Clock) -> float:
        """Return the present value of a setting that goes from one end to the other over the burn-in (appendix D)."""
        return cosine(clock.seen / self.config.burn_in, start=ends[0], stop=ends[1])

    def round(self, game: Game[Any]) -> None:
        """Move the discriminator, then the generator, on the same real samples."""
        batch = game.draw()
        gamma, p = (self.scheduled(ends, game.clock) for ends in (self.config.gamma, self.config.augment_p))
        game.move("discriminator", self.discriminator_loss, batch, gamma=gamma, augment_p=p)
        game.move("generator", self.generator_loss, batch, augment_p=p)

    def discriminator_loss(self, batch: Images | Points, *, gamma: float, augment_p: float = 0.0) -> Loss:
        """Raise each real logit above a generated one's, with R1 and R2 (eq. 2 and section 2.3).

        The slopes are those at the samples as they are, through what augments them (authors' code).
        """
        real, slope_real = logits_and_slopes(lambda x: self.logits(x, batch.label, augment_p), batch.real)
        fake, slope_fake = logits_and_slopes(lambda x: self.logits(x, batch.label, augment_p), self.fake(batch))
        return Loss(
            adversarial=relativistic_discriminator(real, fake),
            r1=gamma / 2 * slope_real.mean(),
            r2=gamma / 2 * slope_fake.mean(),
            log=relativistic_stats(real, fake),
        )

    def generator_loss(self, batch: Images | Points, *, augment_p: float = 0.0) -> Loss:
        """Raise each generated logit above a real one's (eq. 2)."""
        fake, real = (self.logits(x, batch.label, augment_p) for x in (self.fake(batch), batch.real))
        return Loss(adversarial=relativistic_generator(real, fake))

    def logits(self, samples: Tensor, labels: Tensor | None, augment_p: float = 0.0) -> Tensor:
        """Map samples (N, *shape), and labels (N,) where the data have classes, to logits (N,)."""
        samples = augmented(samples, augment_p)
        return self.discriminator(samples, labels) if self.spec.classes else self.discriminator(samples)

    def fake(self, batch: Images | Points) -> Tensor:
        """Generate unbounded samples of a batch's labels, (N, *shape)."""
        latent = self.prior(len(batch))
        return self.generator(latent, batch.label) if self.spec.classes else self.generator(latent)

    def generate(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        """Map latents (N, Z), and labels (N,) where the data have them, to samples (N, *shape), images clipped."""
        samples = super().generate(latent, labels)
        return samples if self.spec.kind == "points" else samples.clamp(-1, 1)
