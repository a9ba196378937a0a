"""StyleGAN2: styles, their mixing and truncation, noise, lazy moves, and export."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.layers.pixel_norm import pixel_norm
from zerosum.player import Clock
from zerosum.recipes.stylegan2 import Config, StyleGAN2, lazy, r1_gamma
from zerosum.run.config import RunConfig


def small(shape: tuple[int, ...] = (3, 16, 16), classes: tuple[str, ...] = (), **settings: Any) -> StyleGAN2:
    torch.manual_seed(0)
    config = Config.read({"latent_dim": 6, "base": 128, "max_channels": 8, **settings})
    return StyleGAN2(config, Spec(shape=shape, classes=classes)).eval()


def test_lazy_moves_slow_adam_down() -> None:
    assert lazy(0.0025, 0.99, 16)["betas"][1] == pytest.approx(0.990585, abs=1e-6)
    assert lazy(0.0025, 0.99, 4)["betas"][1] == pytest.approx(0.991992, abs=1e-6)
    assert lazy(0.0025, 0.99, 4)["lr"] == pytest.approx(0.002)
    assert lazy(0.0025, 0.99, None) == {"lr": 0.0025, "betas": (0.0, 0.99)}
    generator = small(path_length=2.0).players()["generator"].optimizer.param_groups[0]
    assert generator["lr"] == pytest.approx(0.002)
    assert small().players()["generator"].optimizer.param_groups[0]["lr"] == pytest.approx(0.0025)


def test_lazy_moves_come_every_so_many_rounds() -> None:
    playing = game("stylegan2", (1, 16, 16), rounds=20)
    moves: list[str] = []
    gradient = playing.gradient

    def spied(name: str, loss: Any, batch: Any, **givens: Any) -> Any:
        result = gradient(name, loss, batch, **givens)
        moves.append(next(iter(result)))
        return result

    playing.gradient = spied  # type: ignore[method-assign]
    for _ in range(17):
        playing.recipe.round(playing)
        playing.end_round()
    assert moves.count("adversarial") == 34
    assert moves.count("path") == 5
    assert moves.count("penalty") == 2


def test_r1s_weight_is_the_heuristic_where_none_is_given() -> None:
    assert r1_gamma((3, 256, 256), 32) == pytest.approx(0.4096, abs=1e-4)
    assert small(gamma=None).gamma == pytest.approx(0.0002 * 256 / 32)


def test_r1_of_a_linear_discriminator_is_half_gamma_times_its_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, weight = small(gamma=10.0), torch.randn(3, 16, 16)
    monkeypatch.setattr(recipe, "logits", lambda x, labels: (x * weight).flatten(1).sum(1))
    loss = recipe.r1_loss(game("stylegan2", (3, 16, 16)).draw())
    assert loss.log["r1"].item() == pytest.approx(5 * weight.square().sum().item(), rel=1e-5)
    assert loss["penalty"].item() == pytest.approx(16 * loss.log["r1"].item())


def test_the_average_is_ramped_up_with_the_images_drawn() -> None:
    recipe = small(batch=64, ema_half_life=500_000.0, ema_ramp=0.05)
    assert recipe.ema_decay(Clock(seen=10**9)) == pytest.approx(0.9999113, abs=1e-7)
    assert recipe.ema_decay(Clock(seen=64_000)) == pytest.approx(0.5 ** (64 / 3200))
    assert small(batch=32, ema_half_life=10_000.0, ema_ramp=0.0).ema_decay(Clock()) == pytest.approx(
        0.9977844, abs=1e-7
    )


def test_latents_are_normalised_before_they_are_mapped() -> None:
    assert pixel_norm(torch.randn(4, 512)).square().mean(1).tolist() == pytest.approx([1.0] * 4)
    recipe, latent = small(), torch.randn(2, 6)
    torch.testing.assert_close(recipe.mapping(5 * latent), recipe.mapping(latent))


def test_noise_has_no_strength_at_first_and_is_constant_at_use() -> None:
    recipe, latent = small(), torch.randn(2, 6)
    styles = recipe.mapping(latent)
    torch.testing.assert_close(recipe.train().synthesis(styles), recipe.eval().synthesis(styles))
    with torch.no_grad():
        for name, parameter in recipe.named_parameters():
            if name.endswith("strength"):
                parameter.fill_(0.5)
    assert torch.equal(recipe.eval().synthesis(styles), recipe.synthesis(styles))
    assert not torch.equal(recipe.train().synthesis(styles), recipe.synthesis(styles))


def test_truncation_pulls_styles_towards_their_mean() -> None:
    recipe, latent = small(), torch.randn(3, 6)
    recipe.generator.mapping.average.copy_(torch.randn(6))
    mean = recipe.synthesis(recipe.generator.mapping.average[None])
    torch.testing.assert_close(recipe.sample(3, latent=latent, truncation=0.0), mean.expand(3, -1, -1, -1))
    torch.testing.assert_close(recipe.sample(3, latent=latent, truncation=1.0), recipe.sample(3, latent=latent))
    with pytest.raises(InputError, match="The truncation is nan"):
        recipe.sample(3, latent=latent, truncation=float("nan"))


def test_mixing_keeps_the_styles_of_the_layers_before() -> None:
    recipe, latent = small(), torch.randn(2, 6)
    torch.manual_seed(1)
    mixed = recipe.sample(2, latent=latent, mix=3)
    torch.manual_seed(1)
    other = recipe.mapping(recipe.prior(2))
    own = recipe.mapping(latent)
    styles = torch.stack([own, own, own, other, other, other], 1)
    torch.testing.assert_close(mixed, recipe.synthesis(styles))
    with pytest.raises(InputError, match=r"--mix is 6.* give 1 to 5"):
        recipe.sample(1, mix=6)


def test_the_mean_style_follows_the_styles_of_training() -> None:
    playing = game("stylegan2", (1, 16, 16))
    playing.recipe.round(playing)
    assert playing.recipe.generator.mapping.average.abs().sum() > 0
    assert playing.recipe.mean_length > 0


def test_classes_change_what_both_networks_do() -> None:
    recipe = small(classes=("cat", "dog"))
    latent = torch.randn(4, 6)
    cats, dogs = (recipe.sample(4, latent=latent, label=name) for name in ("cat", "dog"))
    assert not torch.equal(cats, dogs)
    of_cat, of_dog = (recipe.logits(cats, torch.full((4,), label)) for label in (0, 1))
    assert not torch.equal(of_cat, of_dog)


def test_the_generator_survives_export() -> None:
    recipe, latent = small(), torch.randn(2, 6)
    expected = recipe.generator(latent)
    exported = torch.export.export(recipe.generator, (latent,)).module()
    torch.testing.assert_close(exported(latent), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("side", "device", "name"), [(28, "cpu", "small"), (64, "cuda", "large"), (256, "mps", "large256")]
)
def test_the_preset_goes_by_size_and_device(side: int, device: str, name: str) -> None:
    plan = RunConfig.read("digits", "stylegan2", {}).fitted(Spec(shape=(1, side, side)), device)
    assert plan.config.to_json()["preset"] == name


@pytest.mark.parametrize("name", [*Config.presets])
def test_presets_are_whole_settings(name: str) -> None:
    config = Config.for_kind("images", {"preset": name})
    assert config.checked() == config
    millions = {"stylegan2": 25, "paper256": 25, "paper512": 25, "paper1024": 25, "cifar": 100, "auto256": 25}
    if name in millions:
        assert config.rounds * config.batch == millions[name] * 10**6
    if name == "auto256":
        assert r1_gamma((3, 256, 256), config.batch) == pytest.approx(0.8192)
