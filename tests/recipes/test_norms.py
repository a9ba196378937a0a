"""The norms of DCGAN-form networks as settings: training, resuming, pieces of a batch, and refusals."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import nn

from tests.recipes.conftest import game, sides
from zerosum import api, recipes
from zerosum.errors import InputError
from zerosum.layers.conditional_norm import ConditionalBatchNorm2d, norm_of
from zerosum.layers.instance_norm import InstanceNorm2d
from zerosum.layers.norms import Norm, dense_norm_layers, norm_layers
from zerosum.layers.pixel_norm import PixelNorm
from zerosum.layers.virtual_batch_norm import REFERENCE, VirtualBatchNorm2d
from zerosum.networks.residual import UpBlock
from zerosum.run.load import rebuild
from zerosum.runtime.distributed import World

KINDS = get_args(Norm)
IMAGES = (1, 16, 16)
SPECTRAL = ("projection", "sngan")
"""Recipes whose discriminator has no norm but its weights'."""
DISCRIMINATORS = {"wgan": "critic_norm", "wgan_gp": "critic_norm"} | dict.fromkeys(SPECTRAL)
"""The setting of the discriminator's norm, where it has another name, or None where there is none."""
NORMS = (
    nn.BatchNorm1d, nn.BatchNorm2d, ConditionalBatchNorm2d, InstanceNorm2d, nn.GroupNorm, nn.LayerNorm, PixelNorm,
    VirtualBatchNorm2d,
)  # fmt: skip
RECIPES = ("acgan", "cgan", "dcgan", "infogan", "lsgan", "projection", "sngan", "wgan", "wgan_gp")


def both(name: str, norm: str, **settings: Any) -> dict[str, Any]:
    names = {"generator_norm", DISCRIMINATORS.get(name, "discriminator_norm")} - {None}
    return {**dict.fromkeys(names, norm), **settings}


def play(playing: Any, rounds: int) -> None:
    for _ in range(rounds):
        playing.recipe.round(playing)
        playing.end_round()


@pytest.mark.parametrize("norm", KINDS)
@pytest.mark.parametrize("upsampling", ["transposed", "upsample"])
def test_dcgan_trains_with_every_norm(norm: str, upsampling: str) -> None:
    playing = game("dcgan", IMAGES, settings=both("dcgan", norm, upsampling=upsampling, dropout=0.25))
    play(playing, 5)
    assert all(math.isfinite(value) for value in playing.collect().values())
    playing.check_weights()
    kinds = {type(module).__name__ for module in playing.recipe.modules()}
    layer = {"batch": "BatchNorm2d", "instance": "InstanceNorm2d", "layer": "GroupNorm", "pixel": "PixelNorm"}
    layer["virtual-batch"] = "VirtualBatchNorm2d"
    assert kinds & set(layer.values()) == ({layer[norm]} if norm != "none" else set())


@pytest.mark.parametrize("name", sorted({*RECIPES} - {"projection"}))
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
def test_every_recipe_that_offers_it_plays_with_virtual_batch_norm(name: str, precision: torch.dtype) -> None:
    playing = game(name, IMAGES, settings=both(name, "virtual-batch"), precision=precision)
    play(playing, 1)
    playing.check_weights()
    assert any(isinstance(module, VirtualBatchNorm2d) for module in playing.recipe.generator.modules())
    expected = 1 if name in SPECTRAL else 2
    assert sum(key.endswith("reference") for key in playing.recipe.state_dict()) == expected


@pytest.mark.parametrize("norm", KINDS)
@pytest.mark.parametrize(("name", "dense", "maps"), [("infogan", 2, 1), ("projection", 0, 5), ("sngan", 0, 5)])
def test_generators_have_their_norm_in_each_place(name: str, dense: int, maps: int, norm: str) -> None:
    if (name, norm) == ("projection", "virtual-batch"):
        with pytest.raises(InputError, match=r"^--generator-norm is virtual-batch, .* --labels none\.$"):
            game(name, IMAGES, settings={"generator_norm": norm})
        return
    playing = game(name, IMAGES, settings=both(name, norm))
    play(playing, 2)
    playing.check_weights()
    assert all(value.grad is not None for value in playing.recipe.generator.parameters())
    found = [module for module in playing.recipe.generator.modules() if isinstance(module, NORMS)]
    assert len(found) == {"none": 0, "instance": maps}.get(norm, dense + maps)


@pytest.mark.parametrize("norm", ["instance", "layer", "pixel", "none"])
def test_a_class_modulates_any_norm(norm: Norm) -> None:
    torch.manual_seed(0)
    x, labels = torch.randn(6, 4, 3, 3), torch.tensor([0, 1, 2, 0, 1, 2])
    layer = norm_of(3, 0, norm)(4)
    normed = layer.norm(x)
    torch.testing.assert_close(layer(x, labels), normed)
    layer.gain.weight.data.normal_()
    layer.shift.weight.data.normal_()
    gain, shift = (part.weight[labels][:, :, None, None] for part in (layer.gain, layer.shift))
    torch.testing.assert_close(layer(x, labels), normed * (1 + gain) + shift)
    assert {name for name, _ in layer.named_parameters()} == {"gain.weight", "shift.weight"}


@pytest.mark.parametrize("norm", KINDS)
def test_a_block_leaves_its_maps_as_they_are_for_its_shortcut(norm: Norm) -> None:
    torch.manual_seed(0)
    block, maps = UpBlock(4, 2, norm_of(0, 0, norm)), torch.randn(2, 4, 3, 3)
    block(kept := maps.clone(), ())
    assert torch.equal(kept, maps)


@pytest.mark.parametrize("norm", KINDS)
def test_vectors_are_normalised_as_maps_of_one_position(norm: Norm) -> None:
    torch.manual_seed(0)
    x = torch.randn(6, 8)
    flat, maps = nn.Sequential(*dense_norm_layers(norm, 8)), nn.Sequential(*norm_layers(norm, 8))
    expected = x if norm == "instance" else maps(x[:, :, None, None]).flatten(1)
    torch.testing.assert_close(flat(x), expected)


def test_both_forms_of_acgan_cgan_and_sngan_have_their_norms() -> None:
    for name, setting, value in (
        ("acgan", "architecture", "paper"), ("cgan", "architecture", "even"), ("sngan", "form", "dcgan"),
    ):  # fmt: skip
        playing = game(name, (1, 32, 32), settings=both(name, "virtual-batch", **{setting: value}))
        assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in playing.recipe.modules())
        play(playing, 1)


@pytest.mark.parametrize("norm", ["layer", "virtual-batch"])
def test_a_game_with_a_norm_resumes_to_the_last_bit(norm: str) -> None:
    settings = both("dcgan", norm, dropout=0.25)
    straight = game("dcgan", IMAGES, settings=settings)
    play(straight, 5)
    first = game("dcgan", IMAGES, settings=settings)
    play(first, 2)
    weights, state = copy.deepcopy((first.recipe.state_dict(), first.state_dict()))
    second = game("dcgan", IMAGES, seed=1, settings=settings)
    second.source = first.source
    second.recipe.load_state_dict(weights)
    second.load_state_dict(state)
    play(second, 3)
    for key, value in straight.recipe.state_dict().items():
        assert torch.equal(second.recipe.state_dict()[key], value), key


@pytest.mark.parametrize("norm", ["instance", "layer", "pixel", "virtual-batch", "none"])
def test_pieces_of_a_batch_give_its_gradient(norm: str) -> None:
    found = []
    for parts in (1, 2):
        playing = game("dcgan", IMAGES, micro_batches=parts, settings=both("dcgan", norm, dropout=0.25))
        batch = playing.draw()
        playing.gradient("generator", playing.recipe.generator_loss, batch)
        found.append([p.grad for p in playing.players["generator"].parameters])
    for whole, pieces in zip(*found, strict=True):
        torch.testing.assert_close(whole, pieces, rtol=1e-4, atol=1e-5 * float(whole.abs().max()))


def test_processes_have_one_reference_and_a_run_its_own() -> None:
    def references(rank: int, seed: int = 0) -> list[torch.Tensor]:
        state = game(
            "cgan", IMAGES, seed=seed, settings=both("cgan", "virtual-batch"), world=World(rank=rank, size=2)
        ).recipe.state_dict()
        return [value for key, value in state.items() if key.endswith("reference")]

    for first, second, other in zip(references(0), references(1), references(0, seed=1), strict=True):
        assert torch.equal(first, second)
        assert not torch.equal(first, other)


def test_the_discriminators_reference_is_of_distinct_real_samples_with_their_labels() -> None:
    playing = game("cgan", IMAGES, settings=both("cgan", "virtual-batch"))
    reference = playing.recipe.discriminator.body.layers.reference
    data = sides("cgan", IMAGES).batch(np.arange(64)).to(torch.device("cpu"))
    assert reference.shape == (REFERENCE, 1 + 3, 16, 16)
    places = [int((data.real == image).flatten(1).all(1).nonzero()[0]) for image in reference[:, :1]]
    assert sorted(places) == list(range(64))
    assert torch.equal(reference[:, 1:, 0, 0].argmax(1), data.label[places])  # type: ignore[index]
    latents = playing.recipe.generator.body.reference
    assert torch.equal(latents[:, 6:].argmax(1), data.label[places])  # type: ignore[index]
    assert 0.8 < latents[:, :6].std() < 1.2


def test_a_reference_changes_no_other_draw() -> None:
    drawn = []
    for norm in ("layer", "virtual-batch"):
        recipe = game("dcgan", IMAGES, settings={"generator_norm": "layer", "discriminator_norm": norm}).recipe
        assert recipe.training
        drawn.append(recipe.prior(3))
    assert torch.equal(*drawn)


def test_a_rebuilt_recipe_keeps_the_reference() -> None:
    recipe = game("dcgan", IMAGES, settings=both("dcgan", "virtual-batch")).recipe
    assert rebuild(recipe).sample(2).isfinite().all()


@pytest.mark.parametrize(("name", "settings"), [("wgan_gp", {}), ("cgan", {"loss": "wasserstein"})])
def test_a_gradient_penalty_refuses_batch_norm(name: str, settings: dict[str, Any]) -> None:
    setting = DISCRIMINATORS.get(name, "discriminator_norm")
    with pytest.raises(InputError, match=rf"^--{setting.replace('_', '-')} is batch, .*: give layer, [^.]+\.$"):
        game(name, IMAGES, settings={setting: "batch", **settings})
    for norm in ("instance", "layer", "pixel", "virtual-batch", "none"):
        playing = game(name, IMAGES, settings={setting: norm, **settings})
        play(playing, 1)
        playing.check_weights()


def test_penalties_may_be_added_where_samples_are_apart() -> None:
    with pytest.raises(InputError, match="has batch norm"):
        game("dcgan", IMAGES, stabilise="r1")
    playing = game("dcgan", IMAGES, stabilise="r1,feature-matching", settings={"discriminator_norm": "virtual-batch"})
    play(playing, 2)
    playing.check_weights()


def test_packs_divide_the_reference() -> None:
    settings = {"discriminator_norm": "virtual-batch"}
    play(game("dcgan", IMAGES, stabilise="pac:4", settings=settings), 1)
    with pytest.raises(InputError, match=r"pac:3 does not divide the 64 samples .*: give pac:2 or pac:4\.$"):
        game("dcgan", IMAGES, batch=6, stabilise="pac:3", settings=settings)


@pytest.mark.parametrize("loss", ["logistic", "wasserstein"])
def test_cgans_discriminator_has_the_norm_of_its_loss(loss: str) -> None:
    recipe = game("cgan", IMAGES, settings={"loss": loss}).recipe
    found = any(isinstance(module, torch.nn.BatchNorm2d) for module in recipe.discriminator.modules())
    assert found == (loss == "logistic")


def test_a_run_is_resumed_and_sampled_with_its_reference(tmp_path: Path) -> None:
    options: Any = {
        "recipe": "dcgan", "width": 2, "latent_dim": 4, "batch": 8, "rounds": 4, "save_every": 2, "size": "16",
        "preview_every": 4, "generator_norm": "virtual-batch", "discriminator_norm": "virtual-batch",
    }  # fmt: skip
    straight = api.train("digits", run=tmp_path / "a", **options)
    api.train("digits", run=tmp_path / "b", **{**options, "rounds": 2})
    resumed = api.resume(tmp_path / "b", rounds=4)
    one, other = api.load(straight.path), api.load(resumed.path)
    for key, value in one.state_dict().items():
        assert torch.equal(other.state_dict()[key], value), key
    latent = torch.randn(3, 4)
    together = one.sample(3, latent=latent)
    torch.testing.assert_close(one.sample(1, latent=latent[:1]), together[:1])


def test_settings_of_norms_are_offered_where_they_act() -> None:
    for name in recipes.names():
        offered = {
            setting
            for setting in recipes.find(name).Config.names()
            if setting.endswith("_norm") and setting != "batch_norm"
        }
        assert offered == (set(both(name, "none")) if name in RECIPES else set()), name
