"""Super-resolution (Ledig et al. 2017): images two, four or more times as large, with the detail that was lost made up.

First SRResNet alone learns to come near the originals pixel by pixel, which gives the best PSNR and smooth pictures.
Then it plays against a discriminator of photographs, held to the original by a content loss on the features that VGG19
has of both: sharper pictures, of lower PSNR. Images of any size are enlarged in use: `zerosum upscale RUN INPUT`.

To learn from photographs at full resolution, cut them into tiles and shrink those: --fit tiles --size 96 --degrade
downscale:4. Small and large images may be given instead, under the same names: DATA --target LARGE --fit tiles.

The paper's content loss needs weights of VGG19, which are not part of zerosum: --vgg FILE names a file of them. Without
one the content loss is the distance of the pixels (--content pixels), or of the discriminator's own features (--content
discriminator); what is at work is said when training starts.

Paper: https://arxiv.org/abs/1609.04802

Differs from the paper: small images are in [-1, 1] as large ones are, not in [0, 1], and the last layer has a tanh,
which keeps its results there; adversarial losses are means over a batch, not sums; the discriminator pools its last
maps to 6x6, so that it takes crops of other sizes than 96x96; crops are the tiles that the data are cut into, not drawn
at random; without --vgg, another content loss. On a CPU the default is a generator of half the blocks, without batch
norm (Lim et al. 2017, https://arxiv.org/abs/1707.02921), whose results are added to an interpolated image (Kim et al.
2016, https://arxiv.org/abs/1511.04587), from tiles that are mirrored and turned, and 1 % of the rounds, with a higher
learning rate that falls, and a running average (--preset paper has the paper's).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Interval
from pydantic import AfterValidator, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from zerosum import objectives
from zerosum.config import Fraction, ShareOrNumber
from zerosum.data.batch import Pairs
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.conv import Conv2d
from zerosum.loss import Loss
from zerosum.networks.srresnet import SRResNet
from zerosum.networks.vgg import SMALLEST, VGG19, read_vgg19
from zerosum.optim.schedules import constant_then_linear
from zerosum.player import Clock, Player
from zerosum.recipe import Phase
from zerosum.runtime.paths import absolute
from zerosum.tasks import PresetConfig, TranslationConfig, UpscalingRecipe

Content = Literal["vgg", "pixels", "discriminator"]
Absolute = Annotated[str, AfterValidator(lambda path: str(absolute(path)))]
FEATURE_SCALE = 1 / 12.75
"""Brings VGG's features to the scale of pixels (section 3.2)."""


FEWEST_PIXELS = 12
"""Pixels a side of a reduced tile: a generator that learned from 3x3 made photographs black, from 12x12 it did not."""


@dataclass(frozen=True, kw_only=True)
class Config(TranslationConfig, PresetConfig):
    """Super-resolution."""

    presets: ClassVar = {
        "small": {
            "rounds": 12_000,
            "pretrain_hold": 0.5,
            "mirror": 0.5,
            "rotate": 0.75,
            "width": 48,
            "blocks": 8,
            "batch_norm": False,
            "global_residual": True,
            "lr": 1e-3,
            "game_lr": 1e-4,
            "ema_decay": 0.999,
        },
        "paper": {},
    }

    rounds: PositiveInt = 1_200_000
    """Rounds to play in all: those of --pretrain, and what is left against the discriminator (section 3.2)."""

    pretrain: ShareOrNumber = 5 / 6
    """Rounds in which the generator learns alone, from the distance of the pixels (SRResNet): below 1 a share of
    --rounds, from 1 on their number (10^6 of 1.2 * 10^6 in section 3.2)."""

    pretrain_hold: Fraction = 1.0
    """Share of the rounds of --pretrain that keep the learning rate, before it falls in a line to a tenth of it; all of
    them in section 3.2."""

    lr_hold: Fraction = 0.5
    """Share of the rounds after --pretrain that keep the learning rate, before a tenth of it (section 3.2)."""

    batch: PositiveInt = 16
    """Real samples per draw, over all processes (section 3.2)."""

    enlarge: Annotated[float, Interval(ge=1, le=4)] = 1.0
    """Factor by which images are enlarged before they are cropped to their size at a random place; 1 crops nothing."""

    mirror: Fraction = 0.0
    """Share of the draws that are mirrored left to right."""

    width: PositiveInt = 64
    """Channels of the generator, and of the discriminator's narrowest layers; its widest have 8 times as many."""

    blocks: PositiveInt = 16
    """Residual blocks of the generator (figure 4)."""

    batch_norm: bool = True
    """Whether the generator has batch norm (figure 4). Without it brightness and contrast of an image are kept as they
    are, not brought to those of the batches (Lim et al. 2017, section 3.1)."""

    global_residual: bool = False
    """Whether the generator learns what is missing in an image that was enlarged by interpolation, not the whole image
    (Kim et al. 2016, section 3.2). Not from several channels to another number of them."""

    content: Content | Literal["auto"] = "auto"
    """What holds a result to its original in the game: vgg, the paper's, compares VGG19's features (needs --vgg);
    discriminator compares the discriminator's; pixels the images themselves. auto: vgg with --vgg, otherwise pixels."""

    vgg: Absolute | None = None
    """A .safetensors or .pth file of VGG19's weights, trained on ImageNet, in torchvision's names
    (features.0.weight and so on)."""

    adversarial: NonNegativeFloat = 1e-3
    """Weight of the adversarial loss beside the content loss (eq. 3)."""

    lr: PositiveFloat = 1e-4
    """Learning rate of both Adams (section 3.2)."""

    game_lr: PositiveFloat | None = None
    """Learning rate of both Adams after --pretrain; None for the same (section 3.2)."""

    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    """Decay of Adam's two moments (section 3.2)."""

    ema_decay: Fraction = 0.0
    """Decay of a running average of the generator's weights, which then is what enlarges; 0 keeps none."""


class SRGAN(UpscalingRecipe):
    """SRResNet, alone and then in a conditional game that holds it to the content of its sources."""

    Config = Config
    config: Config
    divisible = False  # batch norm

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        source = spec.source_shape or (spec.shape[0], *(side // 4 for side in spec.shape[1:]))
        if config.batch == 1 and max(spec.shape[1:]) <= 16:
            raise InputError("Batch norm needs more than a single pixel: give --batch 2 or more, or a larger --size.")
        self.content = _content(config, spec)
        self.factor = _factor(source, spec)
        self.generator = SRResNet(
            source[0],
            spec.shape[0],
            width=config.width,
            blocks=config.blocks,
            doublings=self.factor.bit_length() - 1,
            batch_norm=config.batch_norm,
            global_residual=config.global_residual and source[0] in (1, spec.shape[0]),
        )
        self.discriminator = Discriminator(spec.shape[0], config.width)
        self._vgg: VGG19 | None = None

    @property
    def radius(self) -> int:
        """How far, in pixels of a source, a pixel of the result looks beyond the one that it lies in."""
        return self.generator.radius

    @property
    def notes(self) -> tuple[str, ...]:
        """What the content loss is, or that there is none, and whether tiles are too small, to be said at the start."""
        c, small = self.config, self._small_tiles()
        if self.pretrain_rounds >= c.rounds:
            return (
                *small,
                f"All {c.rounds:,} rounds are SRResNet's alone: give a --pretrain below that for a game after it.",
            )
        said = {
            "vgg": f"features of VGG19, with the weights in {c.vgg}, as in the paper",
            "discriminator": "the discriminator's own features, not VGG19's as in the paper (--vgg FILE)",
            "pixels": "the distance of the pixels, not of VGG19's features as in the paper (--vgg FILE)",
        }[self.content]
        return (*small, f"Content loss after --pretrain: {said}.")

    def _small_tiles(self) -> tuple[str, ...]:
        """Say that reduced tiles are so small that the generator hardly learns but at their padded edges."""
        height, width = (side // self.factor for side in self.spec.shape[1:])
        if min(height, width) >= FEWEST_PIXELS:
            return ()
        enough = FEWEST_PIXELS * self.factor
        return (
            f"The generator learns from images of {height}x{width} pixels, most of which lie beside the zeros that pad "
            f"them, so that larger images come out with wrong colours: --size {enough} or more.",
        )

    @property
    def pretrain_rounds(self) -> int:
        """Rounds in which the generator learns alone, 1 at least."""
        c = self.config
        return min(c.rounds, max(1, int(c.pretrain * c.rounds if c.pretrain < 1 else c.pretrain)))

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def players(self) -> dict[str, Player]:
        """Return the two. VGG's weights are read here, because only training needs them."""
        c = self.config
        if self.content == "vgg":
            self._vgg = read_vgg19(Path(str(c.vgg))).to(self.device)
        return {
            "discriminator": Player.adam(
                self.discriminator, role="discriminator", lr=c.lr, betas=c.betas, schedule=self._schedule
            ),
            "generator": Player.adam(
                self.generator,
                role="generator",
                lr=c.lr,
                betas=c.betas,
                schedule=self._schedule,
                ema_decay=c.ema_decay or None,
            ),
        }

    def phases(self) -> Sequence[Phase]:
        """Return the generator's schooling, and the game if rounds are left for it."""
        alone, left = self.pretrain_rounds, self.config.rounds - self.pretrain_rounds
        alone = Phase(name="pretrain", rounds=alone, play=self.pretrain_round)
        game = Phase(name="adversarial", rounds=left, play=self.round, reset_optimizers=("generator",))
        return [alone, game] if game.rounds > 0 else [alone]

    def pretrain_round(self, game: Game[Any]) -> None:
        """Move the generator alone."""
        game.move("generator", self.pixel_loss, game.draw())

    def round(self, game: Game[Any]) -> None:
        """Move the generator, then the discriminator, who sees the images that the generator was moved by."""
        batch = game.draw()
        made = game.move("generator", self.generator_loss, batch).outputs["made"]
        game.move("discriminator", self.discriminator_loss, batch, made=made)

    def pixel_loss(self, batch: Pairs) -> Loss:
        """Come near the original, pixel by pixel (eq. 4)."""
        return Loss(pixels=mse_loss(self.translate(batch.source).float(), batch.target))

    def generator_loss(self, batch: Pairs) -> Loss:
        """Keep the content, and pass for an original (eq. 3)."""
        made = self.translate(batch.source)
        return Loss(
            content=self.content_loss(made, batch.target),
            adversarial=self.config.adversarial * objectives.non_saturating_generator(self.discriminator(made)),
            outputs={"made": made},
            log={"pixels": mse_loss(made.float(), batch.target)},
        )

    def discriminator_loss(self, batch: Pairs, *, made: Tensor) -> Loss:
        """Tell originals from what was made (eq. 2)."""
        real, fake = self.discriminator(batch.target), self.discriminator(made)
        return Loss(
            adversarial=objectives.logistic_discriminator(real, fake), log=objectives.discriminator_stats(real, fake)
        )

    def content_loss(self, made: Tensor, target: Tensor) -> Tensor:
        """Return the mean square difference of what two (N, C, H, W) images hold (eq. 4 and 5): ()."""
        if self.content == "pixels":
            return mse_loss(made.float(), target)
        if self.content == "discriminator":
            return mse_loss(self.discriminator.features(made).float(), self.discriminator.features(target).float())
        assert self._vgg is not None
        return mse_loss(FEATURE_SCALE * self._vgg(made), FEATURE_SCALE * self._vgg(target))

    def translate(self, images: Tensor) -> Tensor:
        """Make (N, C, fH, fW) images from small ones (N, C', H, W), of any size."""
        return self.generator(images)

    def _schedule(self, clock: Clock) -> dict[str, float]:
        c = self.config
        if clock.phase == 0:
            return {"lr": c.lr * max(0.1, constant_then_linear(clock.progress, hold=c.pretrain_hold))}
        return {"lr": (c.game_lr or c.lr) * (0.1 if clock.progress >= c.lr_hold else 1.0)}


class Discriminator(nn.Module):
    """Images to one logit each: eight 3x3 convolutions, every second of stride 2, and two dense layers (figure 4).

    Args:
        channels: of the images.
        width: channels of the first layer.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        before = width
        for index in range(1, 8):
            after = width << index // 2
            layers.append(Conv2d(before, after, 3, stride=1 + index % 2, padding=1))
            layers += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2, inplace=True)]
            before = after
        self.features = nn.Sequential(*layers)
        self.verdict = nn.Sequential(
            nn.AdaptiveAvgPool2d(6),
            nn.Flatten(),
            nn.Linear(36 * before, 16 * width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(16 * width, 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C, H, W) to logits (N,)."""
        return self.verdict(self.features(image)).flatten()


def _factor(source: tuple[int, ...], spec: Spec) -> int:
    """Return the factor by which sources of a shape are enlarged, a power of two."""
    for factor in (2, 4, 8, 16):
        if tuple(factor * side for side in source[1:]) == spec.shape[1:]:
            return factor
    raise InputError(
        f"srgan makes images 2, 4, 8 or 16 times as large, and these are to go from {source[1]}x{source[2]} to "
        f"{spec.shape[1]}x{spec.shape[2]}: give --degrade downscale:4, or small and large images with --target and "
        "--fit tiles."
    )


def _content(config: Config, spec: Spec) -> Content:
    """Decide what the content loss compares."""
    content = config.content
    if content == "auto":
        content = "pixels" if config.vgg is None else "vgg"
    if (content == "vgg") != (config.vgg is not None):
        raise InputError(
            "--content vgg needs VGG19's weights: name them with --vgg FILE, or choose --content pixels."
            if content == "vgg"
            else f"--content {content} has no use for --vgg: leave one of them out."
        )
    if content == "vgg" and (spec.shape[0] not in (1, 3) or min(spec.shape[1:]) < SMALLEST):
        raise InputError(
            f"VGG19 looks at gray or RGB images of {SMALLEST} pixels a side or more, and these are {spec.shape} "
            "(channels, height, width): give --channels 3 or a larger --size."
        )
    return content
