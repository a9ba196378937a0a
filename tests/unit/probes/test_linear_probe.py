"""Linear probes of discriminators whose features are known to tell the classes, or not."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
from torch.nn import functional

from tests.recipes.conftest import game
from zerosum.data.batch import to_float
from zerosum.errors import InputError
from zerosum.evaluation.probes.labelled_images import LabelledImages
from zerosum.evaluation.probes.linear_probe import discriminator_features, probe_trial

SHAPE = (1, 16, 16)


def stripes(count: int, seed: int) -> LabelledImages:
    """Faint upright stripes at a random place in class 1, noise of the same mean and variance in class 0."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    images = 128 + 20 * torch.randn(count, *SHAPE, generator=generator)
    phases = torch.randint(2, (count, 1, 1, 1), generator=generator)
    waves = 1 - 2.0 * ((torch.arange(16) // 2 + phases) % 2)
    images = images + 25 * waves * labels.view(-1, 1, 1, 1)
    return LabelledImages(images=images.clamp(0, 255).to(torch.uint8), labels=labels)


def with_stripes_seen(recipe):
    """Have half of the first layer's filters answer to stripes."""
    weight = recipe.discriminator.layers[0].weight.data
    wave = torch.tensor([1.0, 1.0, -1.0, -1.0]) / 8
    weight[:] = torch.stack([wave, wave.roll(1), -wave, wave.flip(0).roll(1)])[:, None, None, :].expand_as(weight)
    return recipe


def test_features_that_see_what_pixels_do_not_show_to_a_linear_classifier_win():
    recipe = with_stripes_seen(game("dcgan", SHAPE).recipe)
    found = probe_trial(recipe, stripes(400, 0), stripes(500, 1), classes=2, labels=40)
    assert found.value > 0.95
    assert found.over_pixels.interval.low > 0.2
    assert found.labels == 40
    assert found.tested == 500
    assert found.value == found.discriminator.value
    json.dumps(asdict(found))


def test_a_network_that_never_trained_shows_no_gain_over_another():
    recipe = game("dcgan", SHAPE, seed=3).recipe
    found = probe_trial(recipe, stripes(400, 0), stripes(500, 1), classes=2, labels=40)
    assert found.over_untrained.interval.low < 0
    assert "is not shown" in found.meaning


def test_features_are_the_largest_answers_of_every_layer_in_a_grid_of_4():
    recipe = game("dcgan", SHAPE).recipe.eval()
    images = stripes(6, 0).images
    maps, expected = to_float(images), []
    for layer in recipe.discriminator.layers:
        maps = layer(maps)
        if isinstance(layer, torch.nn.LeakyReLU):
            expected.append(functional.max_pool2d(maps, max(1, maps.shape[-1] // 4)).flatten(1))
    torch.testing.assert_close(discriminator_features(recipe)(images), torch.cat(expected, 1))


def test_the_recipe_is_left_as_it_is():
    played = game("infogan", SHAPE)
    before = {key: value.clone() for key, value in played.recipe.state_dict().items()}
    features = discriminator_features(played.recipe)(stripes(4, 0).images)
    assert len(features) == 4
    assert features.isfinite().all()
    assert played.recipe.training
    assert all(torch.equal(value, before[key]) for key, value in played.recipe.state_dict().items())


@pytest.mark.parametrize("name", ["progan", "pix2pix"])
def test_a_discriminator_that_sees_more_than_an_image_is_refused(name):
    with pytest.raises(InputError, match="more than an image"):
        discriminator_features(game(name, SHAPE).recipe)(stripes(4, 0).images)


def test_images_of_another_size_are_refused():
    with pytest.raises(InputError, match="--size"):
        discriminator_features(game("dcgan", SHAPE).recipe)(torch.zeros(1, 1, 8, 8, dtype=torch.uint8))
