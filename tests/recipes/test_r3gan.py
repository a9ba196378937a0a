"""R3GAN: schedules, networks at their start, the penalties and what samples are clipped to."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.networks.r3gan import R3Discriminator, R3Generator, ResidualBlock
from zerosum.player import Clock
from zerosum.recipes import r3gan as module
from zerosum.recipes.r3gan import R3GAN, Config
from zerosum.run.config import RunConfig

CLASSES = ("cat", "dog", "eel")


def preset(name: str) -> Config:
    return Config.for_kind("images", {"preset": name})


def small(shape: tuple[int, ...] = (3, 16, 16), classes: tuple[str, ...] = (), **settings: Any) -> R3GAN:
    torch.manual_seed(0)
    return R3GAN(Config.read({"widths": (16, 8), **settings}), Spec(shape=shape, classes=classes))


def test_schedules_stand_in_the_middle_at_half_the_burn_in() -> None:
    config = preset("cifar10")
    recipe = R3GAN(Config.read({**config.to_json(), "widths": (16,)}), Spec(shape=(3, 32, 32)))
    clock = Clock(seen=10_000_000)
    assert recipe.scheduled(config.gamma, clock) == pytest.approx(0.0275)
    options = recipe.adam_options(clock)
    assert options["lr"] == pytest.approx(1.25e-4)
    assert options["betas"] == (0.0, pytest.approx(0.945))
    assert recipe.scheduled(config.gamma, Clock()) == pytest.approx(0.05)
    assert recipe.scheduled(config.gamma, Clock(seen=10**9)) == pytest.approx(0.005)


def test_the_average_loses_half_in_its_half_life() -> None:
    recipe = small(batch=64, ema_half_life=(0.0, 500_000.0), burn_in=10)
    assert recipe.ema_decay(Clock(seen=10)) == pytest.approx(0.9999113, abs=1e-7)
    assert recipe.ema_decay(Clock()) == 0.0


def test_a_round_takes_the_schedules_values() -> None:
    playing = game("r3gan", (3, 16, 16), batch=8)
    player = playing.players["generator"]
    playing.recipe.round(playing)
    playing.recipe.config = Config.read({**playing.recipe.config.to_json(), "lr": (1e-3, 1e-5), "burn_in": 32})
    playing.recipe.round(playing)  # 16 of 32 images
    assert player.optimizer.param_groups[0]["lr"] == pytest.approx(5.05e-4)


def test_what_the_discriminator_takes_is_augmented_as_often_as_the_schedule_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, float]] = []
    plain = module.augmented
    monkeypatch.setattr(module, "augmented", lambda x, p: asked.append((len(x), p)) or plain(x, p))
    playing = game("r3gan", (3, 16, 16), batch=8, settings={"augment_p": (0.0, 0.5), "burn_in": 24})
    for _ in range(2):
        playing.recipe.round(playing)
    first, second = asked[:4], asked[4:]
    assert first == [(8, pytest.approx(0.125))] * 4, "real and generated, in both moves; at 8 of 24 images"
    assert second == [(8, pytest.approx(0.375))] * 4
    assert preset("cifar10").augment_p == (0.0, 0.55)
    with pytest.raises(InputError, match="these are images of 2 channels: give 0 0"):
        small((2, 16, 16), augment_p=(0.0, 0.1))
    with pytest.raises(InputError, match="these are points: give 0 0"):
        R3GAN(Config(augment_p=(0.0, 0.1)), Spec(shape=(2,), kind="points"))


def test_a_block_starts_as_the_identity() -> None:
    maps = torch.randn(2, 8, 4, 4)
    assert torch.equal(ResidualBlock(8, 16, 3)(maps), maps)


@pytest.mark.parametrize("widths", [(48, 32, 16), (64, 48, 32, 16)])
def test_the_output_starts_with_a_deviation_of_about_a_half(widths: tuple[int, ...]) -> None:
    spreads = []
    for seed in range(8):
        torch.manual_seed(seed)
        generator = R3Generator(64, (3, 8, 8), widths, start=(4, 4), blocks=1)
        spreads.append(generator(torch.randn(64, 64)).std())
    assert 0.5 < torch.stack(spreads).mean() < 0.64


def test_both_penalties_are_half_gamma_times_the_squared_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small()
    weight = torch.randn(3, 16, 16)
    monkeypatch.setattr(recipe, "logits", lambda x, labels, p: (x * weight).flatten(1).sum(1))
    batch = game("r3gan", (3, 16, 16)).draw()
    loss = recipe.discriminator_loss(batch, gamma=0.3)
    expected = 0.15 * weight.square().sum().item()
    assert loss["r1"].item() == pytest.approx(expected, rel=1e-5)
    assert loss["r2"].item() == pytest.approx(expected, rel=1e-5)


def test_the_losses_do_not_change_when_all_logits_are_shifted(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, batch = small(), game("r3gan", (3, 16, 16)).draw()
    plain, found = recipe.logits, []
    for shift in (0.0, 5.0):
        monkeypatch.setattr(recipe, "logits", lambda x, labels, p, by=shift: plain(x, labels, p) + by)
        torch.manual_seed(1)
        found.append([*recipe.discriminator_loss(batch, gamma=0.1).values(), *recipe.generator_loss(batch).values()])
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_penalties_are_taken_through_the_hooks_of_the_discriminator() -> None:
    recipe, batch = small(), game("r3gan", (3, 16, 16)).draw()
    torch.manual_seed(1)
    plain = recipe.discriminator_loss(batch, gamma=0.3)
    recipe.discriminator.register_forward_pre_hook(lambda _, given: (3 * given[0], *given[1:]))
    tripled = recipe.discriminator_loss(batch, gamma=0.3)["r1"] / plain["r1"]
    assert tripled.item() > 4  # 9 where the discriminator is linear


def test_samples_are_clipped_and_losses_are_not() -> None:
    recipe = small()
    with torch.no_grad():
        recipe.generator.to_image.weight.mul_(20)
    batch = game("r3gan", (3, 16, 16)).draw()
    assert recipe.sample(8).abs().max() == 1
    assert recipe.fake(batch).abs().max() > 1


def test_classes_change_what_both_networks_do() -> None:
    recipe = small(classes=CLASSES)
    latent = recipe.prior(1)
    cat, dog = (recipe.sample(1, latent=latent, label=name) for name in ("cat", "dog"))
    assert not torch.equal(cat, dog)
    logits = [recipe.logits(cat, torch.tensor([label])).item() for label in range(3)]
    assert len(set(logits)) == 3
    assert torch.equal(recipe.sample(1, latent=latent, labels=torch.tensor([1])), dog)


def test_points_are_played_without_labels() -> None:
    recipe = R3GAN(Config.for_kind("points"), Spec(shape=(2,), kind="points", classes=CLASSES))
    assert recipe.sample(5).shape == (5, 2)
    assert not recipe.takes_labels
    with pytest.raises(InputError, match="without labels"):
        recipe.sample(1, label="cat")


@pytest.mark.parametrize(
    ("side", "device", "name"), [(28, "cpu", "small"), (64, "cpu", "small64"), (32, "cuda", "large")]
)
def test_the_preset_goes_by_size_and_device(side: int, device: str, name: str) -> None:
    plan = RunConfig.read("digits", "r3gan", {}).fitted(Spec(shape=(1, side, side)), device)
    assert plan.config.to_json()["preset"] == name


@pytest.mark.parametrize("name", [*Config.presets])
def test_presets_are_whole_settings(name: str) -> None:
    config = preset(name)
    assert config.checked() == config
    images = {"cifar10": 250e6, "ffhq64": 100e6, "ffhq256": 200e6, "imagenet32": 1e9, "stacked-mnist": 10e6}
    if name in images:
        assert config.rounds * config.batch == pytest.approx(images[name], rel=1e-4)


def test_odd_sizes_start_from_odd_maps() -> None:
    recipe = small((1, 28, 20))
    assert recipe.generator.basis.shape == (16, 7, 5)
    assert recipe.sample(2).shape == (2, 1, 28, 20)
    critic = R3Discriminator((1, 28, 20), (16, 8), start=(14, 10), blocks=1)
    assert critic(recipe.sample(2)).shape == (2,)
    with pytest.raises(InputError, match="--size"):
        small((3, 17, 17))
