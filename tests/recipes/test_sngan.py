"""Games under spectral norm: which networks are normalised, which settings a machine gets, which images are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.layers.spectral_norm import LAYERS

SMALL: dict[str, Any] = {"generator_width": 2, "discriminator_width": 2}


def built(name: str, **settings: Any) -> Any:
    torch.manual_seed(0)
    kind = recipes.find(name)
    return kind(kind.Config.read({**SMALL, **settings}), Spec(shape=(3, 16, 16)))


@pytest.mark.parametrize(
    "recipe", [built("sngan"), built("sngan", form="dcgan"), built("projection")], ids=["resnet", "dcgan", "projection"]
)
def test_every_layer_of_the_discriminator_and_none_of_the_generator_is_normalised(recipe):
    for network, normalised in ((recipe.generator, False), (recipe.discriminator, True)):
        layers = [module for module in network.modules() if isinstance(module, LAYERS)]
        assert layers
        assert all(("u" in dict(layer.named_buffers())) == normalised for layer in layers)


@pytest.mark.parametrize(
    ("name", "device", "side", "preset"),
    [
        ("sngan", "cpu", 32, "small"),
        ("sngan", "cuda", 32, "cifar10"),
        ("projection", "cpu", 128, "small"),
        ("projection", "cuda", 128, "imagenet"),
        ("biggan", "cpu", 64, "small"),
        ("biggan", "cuda", 28, "cifar10"),
        ("biggan", "mps", 64, "large"),
    ],
)
def test_a_preset_is_chosen_by_device_and_size(name, device, side, preset):
    config = recipes.find(name).Config
    assert config.preset_for(Spec(shape=(3, side, side)), device) == preset
    assert config.for_kind("images", {"preset": preset}).checked().preset == preset


@pytest.mark.parametrize("name", ["sngan", "projection"])
def test_narrow_networks_have_a_higher_rate_than_the_papers(name):
    config = recipes.find(name).Config
    rates = {preset: config.for_kind("images", {"preset": preset}).lr for preset in config.presets}
    assert rates == {"small": 1e-3, "cifar10": 2e-4, "imagenet": 2e-4}


def test_projection_without_labels_is_sngan():
    one, other = built("sngan"), built("projection")
    assert list(one.state_dict()) == list(other.state_dict())
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in one.state_dict().items())


def test_a_class_is_generated_by_its_name_or_its_number():
    recipe = game("projection", (3, 16, 16)).recipe.eval()
    torch.nn.init.normal_(recipe.generator.blocks[0].norm1.gain.weight)
    latent = torch.randn(2, 6)
    by_name, by_number, other = (recipe.sample(2, latent=latent, label=label) for label in ("b", 1, "c"))
    assert torch.equal(by_name, by_number)
    assert not torch.equal(by_name, other)
    with pytest.raises(InputError, match="no such class"):
        recipe.sample(2, label="z")
