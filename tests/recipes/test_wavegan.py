"""WaveGAN against spectrograms: what these are, what classes reach, and truncation of a uniform prior."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.networks.wavegan import coarse, fine


@pytest.mark.parametrize(("resolution", "band"), [(coarse, 20), (fine, 80)])
def test_a_sine_of_full_scale_is_one_in_its_band_and_silence_minus_one(resolution: Any, band: int) -> None:
    length, taken = 16_384, resolution(16_384)
    sine = torch.sin(2 * math.pi * band / taken.window * torch.arange(length))
    found = taken(torch.stack([sine, torch.zeros(length)])[:, None])
    inside = found[0, 0, :, 2:-2]
    assert inside[band].tolist() == pytest.approx([1.0] * inside.shape[1], abs=1e-3)
    assert inside.argmax(0).eq(band).all()
    assert torch.allclose(found[1], torch.tensor(-1.0))


@pytest.mark.parametrize("length", [64, 300, 4_096, 16_384, 65_536])
def test_spectrograms_have_the_shape_that_critics_are_built_for(length: int) -> None:
    for resolution in (coarse(length), fine(length)):
        assert resolution(torch.zeros(1, 1, length)).shape == (1, *resolution.shape((1, length)))
    _, bands, steps = coarse(length).shape((1, length))
    assert 0.5 < bands / steps <= 2
    assert fine(length).shape((1, length))[1:] == (bands, steps // 2)


def test_pitches_that_one_critic_cannot_tell_apart_the_fine_one_can() -> None:
    """125 and 141 Hz are in one band of the coarse spectrogram, and in two of the fine one."""
    place = torch.arange(16_384)
    waves = torch.stack([torch.cos(2 * math.pi * hertz / 16_000 * place) for hertz in (125.0, 140.625)])[:, None]
    peaks = [resolution(16_384)(waves)[:, 0, :, 30].argmax(1).tolist() for resolution in (coarse, fine)]
    assert peaks[0][0] == peaks[0][1]
    assert peaks[1] == [8, 9]


@pytest.mark.parametrize("settings", [{"critic": "waves"}, {"critic": "spectrograms", "fine_width": 4}])
def test_a_class_reaches_the_sound_and_the_critics(settings: dict[str, Any]) -> None:
    playing = game("wavegan", (1, 256), settings=settings)
    recipe: Any = playing.recipe
    latent = recipe.prior(1)
    one, other = recipe.sample(1, latent=latent, label=0), recipe.sample(1, latent=latent, label=1)
    assert not torch.equal(one, other)
    for critic, taken in zip(recipe.discriminators(), recipe.real_inputs(playing.draw()), strict=True):
        values = [critic.eval()(taken[:1], torch.tensor([label])).item() for label in (0, 1)]
        assert values[0] != values[1]


def test_each_critic_of_spectrograms_has_half_of_the_loss_and_of_the_penalty() -> None:
    """What both give together is the mean of what each gives alone."""
    recipe: Any = game("wavegan", (1, 256), settings={"critic": "spectrograms", "fine_width": 4}).recipe
    batch = game("wavegan", (1, 256)).draw()
    fake = recipe.generate(recipe.prior(len(batch)), batch.label).detach()
    recipe.generate = lambda latent, labels: fake
    heard, parts = list(recipe.heard), []
    for only in ([heard[0]], [heard[1]], heard):
        recipe.heard = only
        loss = recipe.critic_loss(batch)
        parts.append(
            [
                loss["relativistic"].item(),
                loss["penalty"].item(),
                *(term.item() for term in recipe.generator_loss(batch).values()),
            ]
        )
    one, other, both = parts
    assert both == pytest.approx([(a + b) / 2 for a, b in zip(one, other, strict=True)], rel=1e-5)
    assert one != pytest.approx(other, rel=1e-2)


def test_the_generator_is_compared_with_real_sounds_of_the_classes_that_it_is_given() -> None:
    playing = game("wavegan", (1, 256), settings={"critic": "spectrograms"})
    recipe: Any = playing.recipe
    batch = playing.draw()
    given: list[Any] = []
    recipe.critic.register_forward_pre_hook(lambda module, inputs: given.append(inputs[1]))
    recipe.generator.register_forward_pre_hook(lambda module, inputs: given.append(inputs[1]))
    recipe.generator_loss(batch)
    assert len(given) == 3
    assert all(labels is batch.label for labels in given)


def test_sounds_without_labels_are_played() -> None:
    kind = recipes.find("wavegan")
    recipe = kind(kind.Config.read({"width": 2, "critic": "spectrograms"}), Spec(shape=(1, 256), kind="waveforms"))
    assert recipe.critic.value.embedding is None
    assert recipe.sample(2).shape == (2, 1, 256)


def test_truncation_narrows_the_uniform_prior() -> None:
    recipe: Any = game("wavegan", (1, 256)).recipe
    drawn = recipe.latents(400, None, 0.5)
    assert 0.45 < drawn.abs().max() <= 0.5
    assert recipe.latents(400, None, 2.0).abs().max() <= 1
    for truncation in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match=f"The truncation is {truncation}; give a number above 0"):
            recipe.latents(4, None, truncation)
