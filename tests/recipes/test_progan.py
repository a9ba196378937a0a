"""Progressive growing: the paper's networks, what a fade shows, and phases that resume wherever they are stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.recipes.conftest import game
from zerosum import api
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.penalties import gradient_penalty
from zerosum.player import Clock
from zerosum.recipes import progan
from zerosum.recipes.progan import Config, ProGAN, blurred, channels, enlarged, shrunk
from zerosum.run import checkpoint
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent
from zerosum.runtime.weightless import without_weights

PAPER = {"base": 8192, "max_channels": 512, "latent_dim": 512}
SHAPE = (1, 16, 16)
GROWTH = ["stabilise 4x4", "fade in 8x8", "stabilise 8x8", "fade in 16x16", "stabilise 16x16"]


def count(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def play(playing: Game[Any], until: int) -> None:
    """Play as the trainer does, up to round `until` of the run."""
    for index, phase in list(enumerate(playing.recipe.phases()))[playing.clock.phase :]:
        playing.begin_phase(index, phase)
        while playing.clock.phase_round < phase.rounds:
            if playing.clock.round == until:
                return
            phase.play(playing)
            playing.end_round()


@pytest.fixture
def recipe() -> ProGAN:
    torch.manual_seed(0)
    return ProGAN(Config(latent_dim=6, base=32, max_channels=8), Spec(shape=(3, 16, 24)))


def latents() -> Tensor:
    return torch.randn(4, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("shape", "settings", "generator", "critic"),
    [
        ((3, 1024, 1024), PAPER, 23_079_115, 23_087_249),
        ((3, 256, 256), PAPER, 23_044_309, 23_052_353),
        ((3, 128, 128), PAPER, 22_933_394, 22_941_313),
        ((3, 64, 64), PAPER, 22_490_383, 22_498_049),
        ((3, 32, 32), PAPER, 20_719_628, 20_726_785),
        ((1, 32, 32), {}, 278_180, 279_073),
    ],
)
def test_the_networks_have_the_authors_numbers_of_parameters(shape, settings, generator, critic):
    with without_weights():
        recipe = ProGAN(Config(**settings), Spec(shape=shape))
    assert (count(recipe.generator), count(recipe.critic)) == (generator, critic)


def test_widths_are_the_authors():
    assert channels(8192, 512, 8) == [512, 512, 512, 512, 256, 128, 64, 32, 16]
    assert channels(512, 64, 3) == [64, 64, 64, 32]


@pytest.mark.parametrize("shape", [(3, 16, 24), (1, 28, 28), (5, 48, 64), (1, 8, 8), (3, 20, 40)])
def test_every_level_has_its_size_of_images_and_one_value_each(shape):
    recipe = ProGAN(Config(latent_dim=6, base=32, max_channels=8), Spec(shape=shape))
    channels_, height, width = shape
    for level in range(recipe.depth + 1):
        halved = recipe.depth - level
        image = recipe.generator(latents(), level, 0.5)
        assert image.shape == (4, channels_, height >> halved, width >> halved)
        assert recipe.critic(image, level, 0.5).shape == (4,)


def test_at_the_start_of_a_fade_the_generator_shows_the_level_below_enlarged(recipe):
    for level in (1, 2):
        faded = recipe.generator(latents(), level, 0.0)
        assert torch.equal(faded, enlarged(recipe.generator(latents(), level - 1)))


def test_at_the_end_of_a_fade_the_generator_shows_the_new_layers_alone(recipe):
    faded = recipe.generator(latents(), 2, 1 - 1e-7)
    for parameter in recipe.generator.to_image[:2].parameters():
        parameter.data.fill_(9)
    torch.testing.assert_close(faded, recipe.generator(latents(), 2), rtol=0, atol=2e-6)


def test_at_the_start_of_a_fade_the_critic_sees_what_the_level_below_sees(recipe):
    image = torch.randn(4, 3, 8, 12)
    torch.testing.assert_close(recipe.critic(image, 1, 0.0), recipe.critic(shrunk(image), 0))


def test_at_the_end_of_a_fade_the_critic_sees_with_the_new_layers_alone(recipe):
    image = torch.randn(4, 3, 16, 24)
    value = recipe.critic(image, 2, 1 - 1e-7)
    for parameter in recipe.critic.from_image[:2].parameters():
        parameter.data.fill_(9)
    torch.testing.assert_close(value, recipe.critic(image, 2), rtol=1e-4, atol=1e-5)


def test_a_fade_s_middle_is_the_mean_of_its_ends(recipe):
    start, middle, end = (recipe.generator(latents(), 2, fade) for fade in (0.0, 0.5, 1.0))
    torch.testing.assert_close(middle, (start + end) / 2)


def test_layers_above_the_present_level_do_not_run(recipe):
    recipe.generator(latents(), 1, 0.5).sum().backward()
    recipe.critic(torch.randn(4, 3, 8, 12), 1, 0.5).sum().backward()
    still = {name for name, parameter in recipe.named_parameters() if parameter.grad is None}
    assert still == {
        name
        for name, _ in recipe.named_parameters()
        if name.split(".")[1:3] in (["blocks", "1"], ["to_image", "2"], ["from_image", "2"])
    }


def test_real_images_are_faded_too():
    image = torch.randn(2, 3, 8, 12)
    start = blurred(image, 0.0)
    blocks = start.unfold(2, 2, 2).unfold(3, 2, 2)
    assert torch.equal(blocks, blocks[..., :1, :1].expand_as(blocks))
    torch.testing.assert_close(blocks[..., 0, 0], image.unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5)))
    torch.testing.assert_close(blurred(image, 0.25), 0.75 * start + 0.25 * image)
    assert torch.equal(blurred(image, 1.0), image)


def test_the_loss_is_that_of_wgan_gp_with_drift_on_faded_images(recipe, monkeypatch):
    batch = game("progan", (3, 16, 24)).draw()
    seen = {}

    def spied(critic, real, fake, *, target):
        seen.update(real=real, fake=fake, target=target)
        return gradient_penalty(critic, real, fake, target=target)

    monkeypatch.setattr(progan, "gradient_penalty", spied)
    loss = recipe.critic_loss(batch, level=1, fade=0.5)
    real, fake = recipe.critic(seen["real"], 1, 0.5), recipe.critic(seen["fake"], 1, 0.5)
    torch.testing.assert_close(seen["real"], blurred(shrunk(batch.real), 0.5))
    torch.testing.assert_close(loss["wasserstein"], fake.mean() - real.mean())
    torch.testing.assert_close(loss["drift"], 0.001 * real.square().mean())
    assert set(loss) == {"wasserstein", "penalty", "drift"}
    assert seen["target"] == 1


@pytest.mark.parametrize("slope", [1.0, 750.0])
def test_the_penalty_is_relative_to_the_slope_it_holds(slope, monkeypatch):
    recipe = ProGAN(Config(latent_dim=6, base=32, max_channels=8, slope=slope), Spec(shape=SHAPE))
    monkeypatch.setattr(recipe.critic, "forward", lambda image, level, fade: image.flatten(1).sum(1) * 3 / 16)
    batch = game("progan", SHAPE).draw()
    penalty = recipe.critic_loss(batch, level=2, fade=1.0)["penalty"].item()  # of a critic whose slope is 3
    assert penalty == pytest.approx(10 * (3 - slope) ** 2 / slope**2, rel=1e-4)


@pytest.mark.parametrize(("kimg", "lod"), [(0, 3), (599, 3), (600, 3), (900, 2.5), (1200, 2), (2100, 1.5), (3600, 0)])
def test_the_level_of_detail_follows_the_authors_schedule(kimg, lod):
    settings = {"stabilise_kimg": 600, "fade_kimg": 600, "batch_doublings": 0, "rounds": 300_000}
    recipe = ProGAN(Config(**settings), Spec(shape=(1, 32, 32)))
    clock, left = Clock(), kimg * 1000 // 16
    for phase in recipe.phases():
        clock.phase_rounds, clock.phase_round = phase.rounds, left
        if left < phase.rounds:
            break
        clock.phase, left = clock.phase + 1, left - phase.rounds
    level, fade = recipe.stage(clock)
    assert recipe.depth - level + 1 - fade == pytest.approx(lod)


def test_phases_last_as_many_images_as_asked_in_batches_that_fit_the_size():
    recipe = ProGAN(Config(stabilise_kimg=32, fade_kimg=16, rounds=10_000), Spec(shape=(1, 32, 64)))
    phases = recipe.phases()
    assert [phase.name for phase in phases[:3]] == ["stabilise 4x8", "fade in 8x16", "stabilise 8x16"]
    assert [phase.batch for phase in phases] == [64, 64, 64, 32, 32, 16, 16]
    assert [phase.rounds for phase in phases[:-1]] == [500, 250, 500, 500, 1000, 1000]
    assert sum(phase.rounds for phase in phases) == 10_000


def test_a_run_of_few_rounds_plays_the_same_schedule_and_stops_on_the_way():
    spec, settings = Spec(shape=SHAPE), {"stabilise_kimg": 1, "fade_kimg": 1, "batch_doublings": 0}
    short, long = (ProGAN(Config(rounds=rounds, **settings), spec) for rounds in (100, 1000))
    assert [phase.name for phase in long.phases()] == GROWTH
    assert [(phase.name, phase.rounds) for phase in short.phases()] == [(GROWTH[0], 62), (GROWTH[1], 38)]
    clock = Clock(phase=1, phase_round=31, phase_rounds=38)
    assert short.stage(clock) == long.stage(clock) == (1, 0.5)


def test_new_layers_start_with_an_optimizer_that_remembers_nothing():
    playing = game("progan", SHAPE, rounds=16)
    remembered = {}
    for index, phase in enumerate(playing.recipe.phases()):
        playing.begin_phase(index, phase)
        remembered[phase.name] = [bool(player.optimizer.state) for player in playing.players.values()]
        phase.play(playing)
        playing.end_round()
    assert remembered == {name: [name.startswith("stabilise") and name != GROWTH[0]] * 2 for name in GROWTH}


def test_a_sample_shows_the_detail_reached_enlarged_to_the_full_size():
    playing = game("progan", SHAPE, rounds=9)
    detail = []
    for until in range(10):
        play(playing, until)
        shown = playing.recipe.sample(4, latent=latents())
        assert shown.shape == (4, *SHAPE)
        detail.append(16 // next(pixels for pixels in (4, 2, 1) if torch.equal(shown, coarse(shown, pixels))))
    # a fade's first round shows what was there before it
    assert detail == [4, 4, 4, 8, 8, 16, 16, 16, 16, 16]


def coarse(image: Tensor, pixels: int) -> Tensor:
    """Every square of `pixels` pixels as its first."""
    return image[:, :, ::pixels, ::pixels].repeat_interleave(pixels, 2).repeat_interleave(pixels, 3)


def test_samples_are_the_networks_own_output_where_it_lies_in_range(recipe):
    recipe.lod.fill_(0.0)
    raw = recipe.generator(latents(), 2)
    assert raw.abs().max() > 1, "linear outputs leave the range at first"
    assert torch.equal(recipe.sample(4, latent=latents()), raw.clamp(-1, 1))


@pytest.mark.parametrize(
    ("stop", "precision"),
    [*((stop, torch.float32) for stop in (1, 2, 4, 5, 8)), *((stop, torch.bfloat16) for stop in (4, 8))],
)
def test_a_run_stopped_in_any_phase_goes_on_to_the_last_bit(stop, precision, tmp_path):
    options = {"rounds": 9, "precision": precision, "memory_format": torch.channels_last}
    straight = game("progan", SHAPE, **options)
    play(straight, until=9)
    stopped = game("progan", SHAPE, **options)
    play(stopped, until=stop)
    path = checkpoint.save(Run.create(tmp_path / "run", {}), stopped, keep=1)
    resumed = game("progan", SHAPE, **options)
    checkpoint.restore(Path(path), resumed)
    assert torch.equal(resumed.recipe.lod, stopped.recipe.lod)
    latent = torch.ones(2, 6)
    assert torch.equal(resumed.recipe.sample(2, latent=latent), stopped.recipe.sample(2, latent=latent))
    play(resumed, until=9)
    ours, theirs = resumed.recipe.state_dict(), straight.recipe.state_dict()
    assert [key for key in theirs if not torch.equal(ours[key], theirs[key])] == []
    averages = (g.players["generator"].average for g in (resumed, straight))
    assert all(torch.equal(a, b) for a, b in zip(*(average.values() for average in averages), strict=True))
    assert vars(resumed.clock) == vars(straight.clock)


def test_the_small_game_is_stopped_at_the_ends_and_within_a_fade_and_the_full_size():
    assert [phase.rounds for phase in game("progan", SHAPE, rounds=9).recipe.phases()] == [1, 1, 1, 2, 4]


def test_pieces_of_a_batch_that_hold_whole_groups_give_the_gradient_of_the_whole():
    states = []
    for parts in (1, 2):
        playing = game("progan", SHAPE, rounds=14, micro_batches=parts)
        play(playing, until=4)
        gradients = {}
        level, fade = 2, 0.3
        batch = playing.draw()
        for name, loss in (("critic", playing.recipe.critic_loss), ("generator", playing.recipe.generator_loss)):
            playing.gradient(name, loss, batch, level=level, fade=fade)
            gradients |= {f"{name}{i}": p.grad for i, p in enumerate(playing.players[name].parameters)}
        states.append(gradients)
    for key, value in states[0].items():
        if value is not None:
            torch.testing.assert_close(states[1][key], value, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("batch", "micro_batches", "multiple"), [(6, 1, 4), (16, 8, 32)])
def test_a_batch_that_would_cut_a_group_at_any_size_is_refused_before_anything_is_written(
    batch, micro_batches, multiple, tmp_path
):
    settings = {"batch": batch, "micro_batches": micro_batches, "size": "16", "cache": str(tmp_path / "cache")}
    with pytest.raises(InputError, match=f"--batch {batch} .* groups of 4: give a multiple of {multiple}"):
        api.train("digits", recipe="progan", run=tmp_path / "run", progress=Silent(), **settings)
    assert not (tmp_path / "run").exists()


def test_a_size_that_cannot_be_halved_is_refused_with_one_that_fits():
    with pytest.raises(InputError, match=r"Images of 33x33 .* --size 32x32 would fit"):
        ProGAN(Config(), Spec(shape=(3, 33, 33)))


def test_bfloat16_moves_the_networks_nearly_as_float32_does():
    losses = []
    for precision in (torch.float32, torch.bfloat16):
        playing = game("progan", SHAPE, rounds=14, precision=precision)
        recipe: ProGAN = playing.recipe
        losses.append(playing.gradient("critic", recipe.critic_loss, playing.draw(), level=2, fade=0.5))
    for term, value in losses[0].items():
        torch.testing.assert_close(losses[1][term].float(), value, rtol=0.05, atol=0.05)
