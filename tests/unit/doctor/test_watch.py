"""Looks at a game: they change nothing, depend on the round alone, and measure what they are named after."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.pair import Pair, playing
from tests.recipes.conftest import SMALL, game, plays_on_points, sides
from zerosum.doctor import measures
from zerosum.doctor.watch import Watch
from zerosum.game import Game
from zerosum.run import checkpoint
from zerosum.run.directory import Run
from zerosum.run.training_config import TrainingConfig
from zerosum.runtime.distributed import World
from zerosum.runtime.progress import Silent, Status
from zerosum.training.trainer import Trainer

IMAGES, POINTS = (3, 16, 16), (2,)
CASES = [
    (name, shape) for name in sorted(SMALL) for shape in (IMAGES, POINTS) if shape != POINTS or plays_on_points(name)
]
OF_SAMPLES = {measures.DIVERSITY, measures.DISTANCE, measures.NEAREST}
OF_IMAGES = {measures.SATURATED, measures.CHECKERBOARD}
OF_LABELS = {measures.LABEL_EFFECT, measures.CLASS_DIVERSITY}


def watched(game: Game[Any], dataset: Any, *, every: int, rounds: int = 4) -> list[dict[str, float]]:
    """Play rounds of the first phase, and return what was watched."""
    watch = Watch(game, dataset, every=every, seed=0)
    game.begin_phase(0, game.recipe.phases()[0])
    looks = []
    for _ in range(rounds):
        if watch.is_due():
            with watch.observing():
                game.recipe.round(game)
            looks.append(watch.look())
        else:
            game.recipe.round(game)
        game.end_round()
    return looks


def look(game: Game[Any], dataset: Any) -> dict[str, float]:
    return watched(game, dataset, every=1, rounds=1)[0]


def tensors(state: Any) -> list[Tensor]:
    """Return all tensors of a nested state, in order, and its numbers as tensors."""
    if isinstance(state, dict):
        return [tensor for value in state.values() for tensor in tensors(value)]
    if isinstance(state, list | tuple):
        return [tensor for value in state for tensor in tensors(value)]
    return [state] if isinstance(state, Tensor) else [torch.tensor(state)] if isinstance(state, int | float) else []


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_a_watched_game_is_the_same_game_to_the_last_bit(name: str, shape: tuple[int, ...]) -> None:
    ends = []
    for every in (0, 2):
        played = game(name, shape)
        modes = [module.training for module in played.recipe.modules()]
        torch.manual_seed(5)
        looks = watched(played, sides(name, shape), every=every)
        assert len(looks) == (2 if every else 0)
        assert [module.training for module in played.recipe.modules()] == modes
        assert not any(module._forward_hooks for module in played.recipe.modules() if isinstance(module, nn.ReLU))
        grads = [p.grad for p in played.recipe.parameters() if p.grad is not None]
        ends.append([*tensors(played.recipe.state_dict()), *tensors(played.state_dict()), *grads])
    assert len(ends[0]) == len(ends[1])
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


@pytest.mark.parametrize(("name", "shape"), CASES)
def test_what_is_watched_fits_the_task_and_the_samples(name: str, shape: tuple[int, ...]) -> None:
    played = game(name, shape, settings={"batch": 16})
    found = look(played, sides(name, shape, 80))
    assert all(math.isfinite(value) for value in found.values())
    of_players = {key.format(player=p) for p in played.players for key in (measures.UPDATE, measures.WEIGHTS)}
    if name == "stackgan":  # whose encoder of sentences rests by then
        of_players -= {measures.UPDATE.format(player="encoder")}
    assert of_players <= set(found)
    expected = set()
    if played.recipe.task.given == "nothing":
        expected = OF_SAMPLES | (OF_IMAGES if len(played.recipe.spec.shape) == 3 else set())
        expected -= {measures.CHECKERBOARD} if name == "progan" else set()  # whose images are 4x4, enlarged, at first
        expected |= OF_LABELS if played.recipe.takes_labels else set()
    assert set(found) - of_players - {measures.DEAD_UNITS} == expected
    assert expected or measures.DEAD_UNITS not in found


def test_a_step_is_measured_beside_the_weights_before_it() -> None:
    played, twin = playing(Pair()), playing(Pair())
    twin.recipe.load_state_dict(played.recipe.state_dict())
    played.recipe.sample = played.recipe.made
    found = look(played, sides("gan", POINTS))
    before = [p.detach().clone() for p in twin.players["discriminator"].parameters]
    twin.recipe.round(twin)
    after = twin.players["discriminator"].parameters
    moved, size = (
        math.sqrt(sum(float(t.square().sum()) for t in tensors))
        for tensors in ([a.detach() - b for a, b in zip(after, before, strict=True)], before)
    )
    assert found["watch/discriminator/update"] == pytest.approx(moved / size, rel=1e-5)
    assert found["watch/discriminator/weights"] == pytest.approx(
        math.sqrt(sum(float(p.detach().square().sum()) for p in after)), rel=1e-6
    )


def sampling(name: str, shape: tuple[int, ...], sample: Any) -> dict[str, float]:
    """Return a look at a game whose samples are those of `sample(n, latent, labels)`, beside 80 random real ones."""
    played = game(name, shape)
    played.recipe.sample = lambda n, *, latent=None, labels=None: sample(n, latent, labels)
    return Watch(played, sides(name, shape, 80), every=1, seed=0).look()


def test_a_collapsed_generator_has_no_diversity() -> None:
    found = sampling("cgan", IMAGES, lambda n, latent, labels: torch.full((n, *IMAGES), 0.5))
    assert found[measures.DIVERSITY] == found[measures.CLASS_DIVERSITY] == 0
    assert found[measures.DISTANCE] > 0.4
    assert measures.LABEL_EFFECT not in found, "without any variety there is nothing to compare labels with"
    assert measures.CHECKERBOARD not in found, "without any detail there is no pattern"


def test_a_class_that_collapsed_is_found_among_others() -> None:
    def sample(n: int, latent: Any, labels: Tensor) -> Tensor:
        return 2 * torch.rand(n, *IMAGES) * (labels != 1).view(-1, 1, 1, 1) - 1

    found = sampling("cgan", IMAGES, sample)
    assert found[measures.CLASS_DIVERSITY] == 0
    assert found[measures.DIVERSITY] > 0.5


def test_real_samples_have_the_diversity_one_and_copies_no_distance() -> None:
    data = sides("gan", IMAGES, 80).batch(np.arange(80)).to(torch.device("cpu")).real
    found = sampling("gan", IMAGES, lambda n, latent, labels: data[torch.randint(80, (n,))])
    assert found[measures.DIVERSITY] == pytest.approx(1, abs=0.05)
    assert found[measures.DISTANCE] == pytest.approx(0, abs=0.05)
    assert found[measures.CHECKERBOARD] == pytest.approx(1, abs=0.1)
    assert found[measures.SATURATED] == pytest.approx(0, abs=0.01)
    assert found[measures.NEAREST] < 1e-2


def test_ignored_labels_have_no_effect_and_labels_alone_every_effect() -> None:
    def by_latent(n: int, latent: Tensor | None, labels: Tensor) -> Tensor:
        latent = torch.randn(n, 6) if latent is None else latent
        return latent[:, :1].view(-1, 1, 1, 1).tanh().expand(n, *IMAGES)

    def by_label(n: int, latent: Any, labels: Tensor) -> Tensor:
        return by_latent(n, latent, labels) * 0.01 + labels.view(-1, 1, 1, 1) / 3

    assert sampling("cgan", IMAGES, by_latent)[measures.LABEL_EFFECT] == 0
    assert sampling("cgan", IMAGES, by_label)[measures.LABEL_EFFECT] > 10


def test_a_checkerboard_and_saturated_pixels_are_measured() -> None:
    board = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1
    found = sampling("gan", IMAGES, lambda n, latent, labels: board.expand(n, *IMAGES))
    assert found[measures.CHECKERBOARD] > 3
    assert found[measures.SATURATED] > 0.9


def test_units_that_stay_zero_for_a_round_are_counted() -> None:
    played = game("dcgan", IMAGES)
    norms = [module for module in played.recipe.generator.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    with torch.no_grad():
        half = len(norms[0].bias) // 2
        norms[0].bias[:half] = -1_000
    found = look(played, sides("dcgan", IMAGES))
    assert found[measures.DEAD_UNITS] == pytest.approx(half / len(norms[0].bias))


def test_batch_norm_uses_the_batch_in_looks_and_keeps_its_running_statistics() -> None:
    played = game("dcgan", IMAGES)
    norms = [module for module in played.recipe.modules() if isinstance(module, nn.BatchNorm2d)]
    looked = [look(played, sides("dcgan", IMAGES))]
    for norm in norms:
        norm.running_mean.fill_(50)  # which a sample of evaluation mode would be lost by
    watch = Watch(played, sides("dcgan", IMAGES), every=1, seed=0)
    looked.append(watch.look())
    assert looked[0][measures.DIVERSITY] == looked[1][measures.DIVERSITY]
    assert all((norm.running_mean == 50).all() and norm.track_running_stats for norm in norms)


def test_another_process_than_the_first_does_not_look() -> None:
    played = game("gan", POINTS)
    assert Watch(played, sides("gan", POINTS), every=1, seed=0).is_due()
    played.world = World(rank=1, size=2)
    assert not Watch(played, sides("gan", POINTS), every=1, seed=0).is_due()


def test_more_classes_than_fit_into_a_look_take_turns() -> None:
    data = sides("cgan", POINTS, 400)
    names = tuple(map(str, range(40)))
    data = replace(data, spec=replace(data.spec, classes=names), labels=np.arange(400) % 40)
    played = game("cgan", POINTS)
    asked: list[list[int]] = []
    watch = Watch(played, data, every=1, seed=0)

    def sample(n: int, *, latent: Any = None, labels: Tensor) -> Tensor:
        asked.append(labels.tolist())
        return torch.rand(n, 2)

    played.recipe.sample = sample
    for round_ in range(3):
        played.clock.round = round_
        watch.look()
    of_classes = [label for piece in asked for label in piece if len(set(piece)) <= 2]
    assert set(of_classes) == set(range(40)), "16 classes a look: three looks are enough for 40"


class Killed(Silent):
    def update(self, status: Status) -> None:
        if status.round == 6:
            raise KeyboardInterrupt


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("name", ["cgan", "dcgan"])
def test_a_resumed_run_watches_what_a_straight_one_does(name: str, every: int, tmp_path: Path) -> None:
    def sit(run: Run, progress: Silent) -> None:
        playing = game(name, IMAGES, rounds=8)
        data = sides(name, IMAGES)
        if run.checkpoints():
            checkpoint.restore(run.latest(), playing)
            run.rewind(playing.clock.round)
        settings = TrainingConfig(save_every=2, log_every=4, watch_every=every)
        watch = Watch(playing, data, every=every, seed=settings.seed)
        Trainer(playing, run, settings, data.batch(np.arange(4)), progress, watch=watch).train()

    straight, stopped = (Run.create(tmp_path / which, {}) for which in ("straight", "stopped"))
    sit(straight, Silent())
    with pytest.raises(KeyboardInterrupt):
        sit(stopped, Killed())
    sit(stopped, Silent())
    timed = {"seconds", "images_per_second", "peak_rss_bytes", measures.DATA_WAIT}
    rows = [[{k: v for k, v in row.items() if k not in timed} for row in run.history()] for run in (straight, stopped)]
    assert rows[0] == rows[1]
    looked = [row["round"] for row in rows[0] if measures.DIVERSITY in row]
    assert looked == ([2, 4, 6, 8] if every == 1 else [4, 6])
    assert all(0 <= row[measures.DATA_WAIT] <= 1 for row in straight.history())


def test_previews_and_looks_of_one_round_share_a_row(tmp_path: Path) -> None:
    run, playing, data = Run.create(tmp_path / "run", {}), game("gan", POINTS), sides("gan", POINTS)
    settings = TrainingConfig(log_every=2, watch_every=2, preview_every=2)
    Trainer(
        playing, run, settings, data.batch(np.arange(4)), Silent(), watch=Watch(playing, data, every=2, seed=0)
    ).train()
    assert all(measures.DIVERSITY in row for row in run.history())
