"""StackGAN (Zhang et al. 2017): images from sentences, in two stages.

An encoder of sentences is trained first, on the data's own captions with their images, and then fixed. Stage I makes
small images: a sentence becomes a Gaussian from which its condition is drawn (conditioning augmentation). Stage II,
with stage I fixed, reads the small image and the sentence again and makes a larger one. Discriminators are
matching-aware (Reed et al. 2016): a real image with the wrong sentence is to be rejected as a generated one is.
`zerosum paint RUN "a small red circle"` paints what it says.

Paper: https://arxiv.org/abs/1612.03242

Differs from the paper: sized for a CPU by default (--preset paper is the authors' size, from 64x64 to 256x256); the
encoder of sentences is of words and trained here by a contrastive loss, not a char-CNN-RNN trained elsewhere
(--text-encoder hf:NAME takes one of Hugging Face), and on a CPU it is to find the sentences of samples, too
(--contrastive, as in Xu et al. 2018); a sentence is drawn for each image each time. The means and variances of
conditions pass a ReLU in the presets of the authors' size alone, because few values with variances of 1 or more carry
too little of a sentence. As in the authors' code, their divergence is a mean over values, the small image is not given
to stage II's discriminator, and discriminators get the means of the conditions; stage II's discriminator also decides
whether images are real whatever the text. A running average of the generators is what samples, and stage II is trained
on that of stage I, with batch norm at rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import AfterValidator, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from zerosum import objectives
from zerosum.config import Fraction, ShareOrNumber
from zerosum.data.sentences import unpacked
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.features.text_models import TRAINED, TextModel, encoder_name, width_of
from zerosum.game import Game
from zerosum.kinds.captions import CaptionedImages
from zerosum.loss import Loss
from zerosum.networks.captions import ImageEncoder, Matching, SentenceEncoder, contrastive_loss, of_norm
from zerosum.networks.stackgan import FirstGenerator, SecondGenerator, TextDiscriminator, divergence, drawn, initialise
from zerosum.networks.stages import small_shape
from zerosum.player import Clock, Player
from zerosum.recipe import Phase
from zerosum.runtime import rng
from zerosum.tasks import LatentConfig, PaintingRecipe, PresetConfig, TextFunction

PAPER: dict[str, Any] = {
    "rounds": 180_000,
    "latent_dim": 100,
    "embedding": 1024,
    "condition": 128,
    "rectified": True,
    "divergence": 2.0,
    "width": 128,
    "second_width": 128,
    "discriminator_width": 64,
    "widest": 32,
    "blocks": 4,
    "factor": 4,
    "generator_lr": 2e-4,
    "discriminator_lr": 2e-4,
    "halvings": 5,
    "ema_decay": 0.999,
}


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """StackGAN."""

    presets: ClassVar = {
        "small": {"contrastive": 1.0},
        "medium": PAPER
        | {
            "rounds": 60_000,
            "embedding": 128,
            "condition": 64,
            "rectified": False,
            "divergence": 1.0,
            "second_width": 64,
            "widest": 8,
            "blocks": 2,
            "factor": 2,
            "halvings": 3,
        },
        "paper": PAPER,
        "coco": PAPER
        | {"rounds": 400_000, "batch": 128, "width": 192, "second_width": 192, "discriminator_width": 96, "blocks": 2},
    }

    rounds: PositiveInt = 4_000
    """Rounds to play in all: those of --encoder-rounds, then half of what is left for each stage."""

    encoder_rounds: ShareOrNumber = 0.05
    """Rounds in which the encoder of sentences is trained: below 1 a share of --rounds, from 1 on their number; none
    with an encoder of Hugging Face."""

    batch: PositiveInt = 64
    """Real samples per draw, over all processes (section 4)."""

    text_encoder: Annotated[str, AfterValidator(encoder_name)] = TRAINED
    """trained: on the captions and images of the data, first of all. hf:NAME: a text model of Hugging Face, such as
    hf:sentence-transformers/all-MiniLM-L6-v2 or hf:openai/clip-vit-base-patch32, as it is (pip install
    'zerosum[vision]')."""

    latent_dim: PositiveInt = 32
    """Values in a latent vector, drawn from N(0, 1) (100 in the paper)."""

    embedding: PositiveInt = 64
    """Values of a sentence's embedding, where its encoder is trained here (1024 in the paper)."""

    condition: PositiveInt = 16
    """Values of the condition that is drawn for a sentence (128 in the paper)."""

    rectified: bool = False
    """Whether the means of conditions and the logarithms of their variances pass a ReLU, as in the authors' code: no
    variance is then below 1."""

    factor: Literal[2, 4] = 2
    """How many times as large as those of stage I the images of stage II are (4 in the paper)."""

    width: PositiveInt = 64
    """Twice the channels of the last hidden layer of stage I's generator (128 in the authors' code)."""

    second_width: PositiveInt = 16
    """Channels of the first layer of stage II's generator (128 in the authors' code)."""

    blocks: NonNegativeInt = 1
    """Residual blocks of stage II's generator (4 in the paper)."""

    discriminator_width: PositiveInt = 32
    """Channels of the discriminators' first layers (64 in the authors' code)."""

    widest: PositiveInt = 8
    """Channels of the discriminators' widest layers, in units of the first (32 in the authors' code)."""

    divergence: NonNegativeFloat = 0.25
    """Weight of the divergence of the conditions from N(0, 1), a mean over their values: 2 of 128 values in the
    authors' code, as much for each value here."""

    contrastive: NonNegativeFloat = 0.0
    """Weight of a term by which the encoder of images that is trained here is to find each sample's sentence in the
    batch (lambda of Xu et al. 2018, eq. 3, https://arxiv.org/abs/1711.10485); 0, as in the paper, for none."""

    generator_lr: PositiveFloat = 5e-4
    """Learning rate of the Adam of the generators, at the start of a stage (2e-4 in section 4)."""

    discriminator_lr: PositiveFloat = 3e-4
    """Learning rate of the Adam of the discriminators, at the start of a stage (2e-4 in section 4)."""

    halvings: NonNegativeInt = 1
    """How often the learning rates are halved in a stage, after equal parts of it (5 in section 4)."""

    encoder_lr: PositiveFloat = 1e-3
    """Learning rate of the Adam of the encoder of sentences."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments."""

    ema_decay: Fraction = 0.995
    """Decay of the running average of the generators' weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return small on a CPU; elsewhere the paper's from 128 pixels a side, and medium below."""
        if device == "cpu":
            return "small"
        return "paper" if min(spec.shape[1:]) >= 128 else "medium"


class StackGAN(PaintingRecipe):
    """Two games of a generator and a discriminator that both take sentences, one after the other."""

    Config = Config
    data = (CaptionedImages,)
    config: Config
    divisible = False  # batch norm, and sentences of other rows
    stage: Tensor
    """(), int64: 2 once stage II is played, and what is made is of its size; 1 before."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        c, small = config, small_shape(config.factor, spec.shape)
        named = c.text_encoder.removeprefix("hf:")
        self._model_name = None if c.text_encoder == TRAINED else named
        self._model: TextModel | None = None
        E = c.embedding if self._model_name is None else width_of(named)
        self.first = FirstGenerator(c.latent_dim, E, c.condition, small, c.width, rectified=c.rectified)
        self.second = SecondGenerator(
            E, c.condition, small, c.second_width, blocks=c.blocks, factor=c.factor, rectified=c.rectified
        )
        build = partial(TextDiscriminator, condition=c.condition, width=c.discriminator_width, widest=c.widest)
        self.first_discriminator, self.second_discriminator = build(small), build(spec.shape, unconditional=True)
        for network in (self.first, self.second, self.first_discriminator, self.second_discriminator):
            initialise(network)
        self.matching: Matching | None = None
        if self._model_name is None:
            words = SentenceEncoder(spec.vocabulary, E, E)
            self.matching = Matching(words, ImageEncoder(small, c.discriminator_width, E))
        self.register_buffer("stage", torch.tensor(1))

    @property
    def notes(self) -> tuple[str, ...]:
        """What encodes the sentences, and what was left without rounds."""
        if self._model_name is not None:
            said = f"Sentences are encoded by {self._model_name} of Hugging Face, which painting needs too."
        else:
            said = f"Sentences are encoded by their words, of which {len(self.spec.vocabulary):,} are known."
        left = "--rounds leaves no rounds for stage II: give more."
        return (said,) if len(self.phases()) == len(self._parts()) else (said, left)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the layers of the discriminators that images enter before the text is joined."""
        return (self.first_discriminator.trunk, self.second_discriminator.trunk)

    def real_inputs(self, batch: CaptionedImages) -> tuple[Tensor, ...]:
        """Return small images and whole ones."""
        return (self.shrunk(batch.image), batch.image)

    def players(self) -> dict[str, Player]:
        """Return who encodes sentences, where that is trained, and the two of both stages."""
        c = self.config
        found = {
            "discriminator": Player.adam(
                *self.first_discriminator.children(),
                *self.second_discriminator.children(),
                role="discriminator",
                lr=c.discriminator_lr,
                betas=c.betas,
                schedule=partial(self._schedule, c.discriminator_lr),
            ),
            "generator": Player.adam(
                self.first,
                self.second,
                role="generator",
                lr=c.generator_lr,
                betas=c.betas,
                schedule=partial(self._schedule, c.generator_lr),
                ema_decay=self._decay,
            ),
        }
        if self.matching is None:
            return found
        return {"encoder": Player.adam(self.matching, lr=c.encoder_lr, betas=(0.9, 0.999)), **found}

    def phases(self) -> Sequence[Phase]:
        """Return the encoder's training, stage I and stage II, as far as there are rounds for them."""
        return [phase for phase in self._parts() if phase.rounds > 0]

    def encoder_round(self, game: Game[Any]) -> None:
        """Move the encoder of sentences."""
        assert self.matching is not None
        batch = game.draw()
        game.move("encoder", self.matching_loss, batch, tokens=self.matching.sentence.tokens(unpacked(batch.caption)))

    def round(self, game: Game[Any]) -> None:
        """Move the discriminator, then the generator, of the stage that is played."""
        second = game.clock.phase == len(self._parts()) - 1
        if second and game.clock.phase_round == 0:
            self._fix_first(game)
        self.stage.fill_(2 if second else 1)
        batch = game.draw()
        with game.autocast(), self.evaluating():
            given: dict[str, Tensor] = {"embedding": self.embed(batch.caption)}
            if second:
                given["small"] = self.first_image(given["embedding"])
        losses = (self.second_discriminator_loss, self.second_generator_loss)
        if not second:
            losses = (self.first_discriminator_loss, self.first_generator_loss)
        mean = game.move("discriminator", losses[0], batch, **given).outputs["mean"]
        game.move("generator", losses[1], batch, **given, mean=mean)

    def matching_loss(self, batch: CaptionedImages, *, tokens: Tensor) -> Loss:
        """Find which sentence of the batch belongs to which image, and which image to which sentence."""
        assert self.matching is not None
        logits = self.matching(self.shrunk(batch.image), tokens)
        right = logits.argmax(1) == torch.arange(len(logits), device=logits.device)
        return Loss(contrastive=contrastive_loss(logits, tokens), log={"found": right.float()})

    def first_discriminator_loss(self, batch: CaptionedImages, *, embedding: Tensor) -> Loss:
        """Part real images with their sentences from samples, and from real images with other sentences (eq. 3)."""
        d = self.first_discriminator
        mean, log_variance = self.first.augment(embedding)
        maps = d.trunk(self.shrunk(batch.image))
        fake = d.trunk(self.first(self._prior(len(batch)), drawn(mean, log_variance)))
        right, false, wrong = d.matches(maps, mean), d.matches(fake, mean), d.matches(maps[:-1], mean[1:])
        return Loss(
            real=_accepted(right),
            fake=_rejected(false) / 2,
            mismatched=_rejected(wrong) / 2,
            log=objectives.discriminator_stats(right, false) | {"wrong": wrong.mean()},
            outputs={"mean": mean},
        )

    def first_generator_loss(self, batch: CaptionedImages, *, embedding: Tensor, mean: Tensor) -> Loss:
        """Pass for real with the sentence, whose conditions stay near N(0, 1) (eq. 4)."""
        own, log_variance = self.first.augment(embedding)
        fake = self.first(self._prior(len(batch)), drawn(own, log_variance))
        logits = self.first_discriminator.matches(self.first_discriminator.trunk(fake), mean)
        return self._with_text(Loss(adversarial=_accepted(logits)), own, log_variance, fake, batch)

    def second_discriminator_loss(self, batch: CaptionedImages, *, embedding: Tensor, small: Tensor) -> Loss:
        """Part real images from samples, with their sentences and without, and from other sentences (eq. 5)."""
        d = self.second_discriminator
        mean, log_variance = self.second.augment(embedding)
        maps = d.trunk(batch.image)
        fake = d.trunk(self.second(small, drawn(mean, log_variance)))
        right, false, wrong = d.matches(maps, mean), d.matches(fake, mean), d.matches(maps[:-1], mean[1:])
        return Loss(
            real=(_accepted(right) + _accepted(d.is_real(maps))) / 2,
            fake=(_rejected(false) + _rejected(d.is_real(fake))) / 3,
            mismatched=_rejected(wrong) / 3,
            log=objectives.discriminator_stats(right, false) | {"wrong": wrong.mean()},
            outputs={"mean": mean},
        )

    def second_generator_loss(self, batch: CaptionedImages, *, embedding: Tensor, small: Tensor, mean: Tensor) -> Loss:
        """Pass for real, with the sentence and without (eq. 6)."""
        d = self.second_discriminator
        own, log_variance = self.second.augment(embedding)
        fake = self.second(small, drawn(own, log_variance))
        maps = d.trunk(fake)
        loss = Loss(adversarial=_accepted(d.matches(maps, mean)) + _accepted(d.is_real(maps)))
        return self._with_text(loss, own, log_variance, self.shrunk(fake), batch)

    def _with_text(self, loss: Loss, mean: Tensor, log_variance: Tensor, small: Tensor, batch: CaptionedImages) -> Loss:
        """Add the divergence of conditions, and how hard it is to find the sentences of samples of stage I's size."""
        loss["divergence"] = self.config.divergence * divergence(mean, log_variance)
        if self.matching is not None and self.config.contrastive:
            tokens = self.matching.sentence.tokens(unpacked(batch.caption))
            logits = self.matching.eval()(small, tokens)
            loss["contrastive"] = self.config.contrastive * contrastive_loss(logits, tokens)
        return loss

    def paint(self, text: str, n: int = 8) -> Tensor:
        """Make (n, *shape) images of a text, in [-1, 1].

        Args:
            text: a sentence, such as those of the data.
            n: how many.

        Raises:
            InputError: there is no text.
        """
        if not text.strip():
            raise InputError('The text is empty: say what to paint, as in "a small red circle on the left".')
        return self.images(self.encode([text]).expand(n, -1))

    def unknown_words(self, text: str) -> list[str]:
        """Return the words of a text that the text encoder has not been trained on; of Hugging Face's, none."""
        return [] if self.matching is None else self.matching.sentence.unknown(text)

    def fake_and_real(self, batch: CaptionedImages) -> tuple[Tensor, Tensor]:
        """Return images of the captions, and the real ones."""
        return self.images(self.embed(batch.caption)), batch.image

    def text_function(self) -> TextFunction:
        """Return the function of words and noise that paints, at the stage that has been reached.

        Raises:
            InputError: sentences are encoded by a model of Hugging Face.
        """
        if self.matching is None:
            raise InputError(
                f"This run's sentences are encoded by {self._model_name} of Hugging Face, which no file holds: "
                "use zerosum paint or zerosum serve, or train with --text-encoder trained."
            )
        sentence, c, stage = self.matching.sentence, self.config, int(self.stage)

        def function(words: Tensor, *noise: Tensor) -> Tensor:
            return self.images(sentence(words).float(), noise, stage=stage)

        noise = {"latent": c.latent_dim, **{f"condition_{place}": c.condition for place in range(1, stage + 1)}}
        return TextFunction(reader=sentence.reader, noise=noise, function=function)

    def images(self, embedding: Tensor, noise: Sequence[Tensor] = (), *, stage: int | None = None) -> Tensor:
        """Make (N, *shape) images of embeddings (N, E), at the size of stage I enlarged until stage II is played.

        Args:
            embedding: of the sentences.
            noise: latents (N, Z), and what draws the condition of each stage (N, C); drawn from N(0, 1) by default.
            stage: the last one; by default the one that has been reached.
        """
        latent, first, second = (*noise, None, None, None)[:3]
        small = self.first_image(embedding, latent, first)
        if (stage or int(self.stage)) == 1:
            return functional.interpolate(small, scale_factor=float(self.config.factor), mode="nearest")
        return self.second(small, drawn(*self.second.augment(embedding), noise=second))

    def first_image(self, embedding: Tensor, latent: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        """Make images of stage I of embeddings (N, E), with latents (N, Z) and noise (N, C) from N(0, 1)."""
        latent = self._prior(len(embedding)) if latent is None else latent
        return self.first(latent, drawn(*self.first.augment(embedding), noise=noise))

    def embed(self, caption: Tensor) -> Tensor:
        """Return the embeddings (N, E) of captions (N, L) as a batch holds them."""
        return self.encode(unpacked(caption))

    def encode(self, sentences: Sequence[str]) -> Tensor:
        """Return the embeddings (N, E) of sentences, of norm sqrt(E)."""
        if self.matching is not None:
            return self.matching.sentence(self.matching.sentence.tokens(sentences)).float()
        if self._model is None:
            self._model = TextModel(str(self._model_name), device=self.device)
        return of_norm(self._model(sentences))

    def shrunk(self, image: Tensor) -> Tensor:
        """Average images to the size of stage I."""
        return functional.avg_pool2d(image, self.config.factor)

    def _prior(self, n: int) -> Tensor:
        return rng.normal(n, self.config.latent_dim, device=self.device)

    def _parts(self) -> list[Phase]:
        c = self.config
        asked = int(c.encoder_rounds * c.rounds if c.encoder_rounds < 1 else c.encoder_rounds)
        encoder = 0 if self.matching is None else min(c.rounds, max(1, asked))
        second = (c.rounds - encoder) // 2
        trained = [] if self.matching is None else [Phase(name="encoder", rounds=encoder, play=self.encoder_round)]
        return [
            *trained,
            Phase(name="stage I", rounds=c.rounds - encoder - second, play=self.round),
            Phase(name="stage II", rounds=second, play=self.round),
        ]

    def _fix_first(self, game: Game[Any]) -> None:
        """Put the running average of stage I in the place of its weights, which move no more."""
        with game.averaged():
            kept = {name: value.clone() for name, value in self.first.state_dict().items()}
        self.first.load_state_dict(kept)

    def _decay(self, clock: Clock) -> float:
        """Let the running average begin anew with a stage, because that of unplayed batch norm is of no image."""
        return min(self.config.ema_decay, (2 + clock.phase_round) / (11 + clock.phase_round))

    def _schedule(self, lr: float, clock: Clock) -> dict[str, float]:
        return {"lr": lr * 0.5 ** int(clock.progress * (self.config.halvings + 1))}


_accepted = objectives.non_saturating_generator


def _rejected(logits: Tensor) -> Tensor:
    return -objectives.minimax_generator(logits)
