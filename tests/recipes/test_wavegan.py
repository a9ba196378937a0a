"""WaveGAN against spectrograms: what these are, what classes reach, and truncation of a uniform prior."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.networks.wavegan import spectrogram_shape, spectrograms


def test_a_sine_of_full_scale_is_one_in_its_band_and_silence_minus_one() -> None:
    band, length = 20, 16_384
    sine = torch.sin(2 * math.pi * band / 256 * torch.arange(length))
    found = spectrograms(torch.stack([sine, torch.zeros(length)])[:, None])
    assert found.shape == (2, 1, 128, 128)
    inside = found[0, 0, :, 1:-1]
    assert inside[band].tolist() == pytest.approx([1.0] * 126, abs=1e-3)
    assert inside.argmax(0).eq(band).all()
    assert torch.allclose(found[1], torch.tensor(-1.0))


@pytest.mark.parametrize(("length", "bands", "steps"), [(64, 8, 8), (300, 16, 18), (4_096, 64, 64), (65_536, 256, 256)])
def test_spectrograms_have_about_as_many_bands_as_steps(length: int, bands: int, steps: int) -> None:
    assert spectrograms(torch.zeros(1, 1, length)).shape == (1, 1, bands, steps)
    assert spectrogram_shape((1, length)) == (1, bands, steps)


@pytest.mark.parametrize("critic", ["waves", "spectrograms"])
def test_a_class_reaches_the_sound_and_the_critic(critic: str) -> None:
    playing = game("wavegan", (1, 256), settings={"critic": critic})
    recipe: Any = playing.recipe
    latent = recipe.prior(1)
    one, other = recipe.sample(1, latent=latent, label=0), recipe.sample(1, latent=latent, label=1)
    assert not torch.equal(one, other)
    taken = recipe.real_inputs(playing.draw())[0][:1]
    values = [recipe.critic.eval()(taken, torch.tensor([label])).item() for label in (0, 1)]
    assert values[0] != values[1]


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
