"""A run that was stopped, in whatever way, and taken up again is the run that was never stopped, to the last bit."""

from __future__ import annotations

import random
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.cli.conftest import assert_same_checkpoint, measured, process
from tests.recipes.conftest import SMALL, game, plays_on_points, shape_of, sides
from zerosum import api
from zerosum.cli import main
from zerosum.errors import InputError
from zerosum.media import turntable
from zerosum.run import checkpoint
from zerosum.run.directory import Run
from zerosum.run.training_config import TrainingConfig
from zerosum.runtime.progress import Progress, Silent, Status
from zerosum.training.trainer import Trainer

GAN = ("train", "ring8", "--recipe", "gan", "--batch", 8, "--generator-hidden", 16, "--discriminator-hidden", 16)
IMAGES, POINTS = (3, 16, 16), (2,)
CASES = [
    *((name, shape_of(name, IMAGES)) for name in sorted(SMALL)),
    *((name, POINTS) for name in sorted(SMALL) if plays_on_points(name)),
]
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Killed(Silent):
    """Ends a run in the middle, after a round."""

    def __init__(self, round_: int) -> None:
        self.round = round_

    def update(self, status: Status) -> None:
        if status.round == self.round:
            raise KeyboardInterrupt


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("name", "shape"), CASES)
def test_every_recipe_resumes_to_the_last_bit(
    name: str, shape: tuple[int, ...], precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turntable, "FINER", 1)  # previews of volumes would take most of the time

    def sit(run: Run, progress: Progress) -> None:
        playing = game(name, shape, rounds=6, precision=PRECISIONS[precision])
        if run.checkpoints():
            checkpoint.restore(run.latest(), playing)
            run.rewind(playing.clock.round)
        preview = sides(name, shape).batch(np.arange(4))
        Trainer(playing, run, TrainingConfig(save_every=2, log_every=1), preview, progress).train()

    straight, stopped = (Run.create(tmp_path / which, {}) for which in ("straight", "stopped"))
    sit(straight, Silent())
    with pytest.raises(KeyboardInterrupt):
        sit(stopped, Killed(5))
    assert newest(stopped.path) == 4
    sit(stopped, Silent())

    assert_same_checkpoint(stopped.checkpoint(6), straight.checkpoint(6))
    assert measured(stopped.path) == measured(straight.path)
    assert [row["round"] for row in stopped.history()] == [1, 2, 3, 4, 5, 6]
    assert stopped.sample(6).read_bytes() == straight.sample(6).read_bytes()


@pytest.mark.parametrize("name", ["srgan", "age_cgan"])
def test_more_rounds_are_played_in_full_although_the_phases_before_would_be_longer_now(
    name: str, tmp_path: Path
) -> None:
    run = Run.create(tmp_path / "run", {})
    for rounds in (6, 12):
        playing = game(name, shape_of(name, IMAGES), rounds=rounds)
        if run.checkpoints():
            checkpoint.restore(run.latest(), playing)
        preview = sides(name, shape_of(name, IMAGES)).batch(np.arange(4))
        Trainer(playing, run, TrainingConfig(save_every=6, log_every=1), preview, Silent()).train()
    assert newest(run.path) == 12
    phases = [row["phase"] for row in run.history()]
    assert phases == sorted(phases, key=phases.index), "a phase was played twice"
    assert len(set(phases)) == 2


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_run_on_images_resumes_to_the_last_bit(precision: str) -> None:
    settings = {"size": "16", "width": 4, "batch": 16, "save_every": 2, "log_every": 1, "precision": precision}
    straight = train("digits", "dcgan", "straight", rounds=5, **settings)
    with pytest.raises(KeyboardInterrupt):
        api.train("digits", recipe="dcgan", run="stopped", rounds=5, progress=Killed(3), **settings)
    stopped = api.resume("stopped", progress=Silent())
    assert_same_checkpoint(stopped.checkpoint(5), straight.checkpoint(5))
    assert measured(stopped.path) == measured(straight.path)
    assert (stopped.path / "samples" / "nearest.png").exists()


def test_kills_at_random_moments_of_a_run_that_saves_every_round_lose_nothing(tmp_path: Path) -> None:
    rounds, killed, chance = 150, tmp_path / "killed", random.Random(0)
    straight = tmp_path / "straight"
    settings = ("--rounds", rounds, "--log-every", 1)
    assert main([str(a) for a in (*GAN, *settings, "--run", straight)]) == 0
    settings = (*settings, "--save-every", 1, "--keep", 2)

    reached = 0
    for attempt in range(3):
        more = ("train", "--resume", killed) if attempt else (*GAN, *settings, "--run", killed)
        child = process(*more)
        wait_for(lambda seen=reached: newest(killed) > seen, child)
        time.sleep(chance.uniform(0, 0.1))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert api.load(killed).sample(1).isfinite().all()
        reached = newest(killed)
    assert reached < rounds, "the kills came too late to test anything"
    assert main(["train", "--resume", str(killed)]) == 0

    assert_same_checkpoint(Run(killed).checkpoint(rounds), Run(straight).checkpoint(rounds))
    assert measured(killed) == measured(straight)
    assert not list((killed / "checkpoints").glob(".*"))


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        signal.SIGTERM,
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_signal_saves_says_how_to_go_on_and_exits_with_its_code(number: signal.Signals, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    child = process(*GAN, "--rounds", 1_000_000, "--save-every", 999_999, "--log-every", 1, "--run", run.path)
    wait_for(lambda: len(run.history()) > 3, child)
    child.send_signal(number)
    _, said = child.communicate(timeout=60)

    assert child.returncode == 128 + number, said
    assert said.splitlines()[-1].endswith(f"Continue with: zerosum train --resume {run.path}")
    saved = newest(run.path)
    assert saved == run.history()[-1]["round"] > 3
    api.resume(run.path, rounds=saved + 2, progress=Silent())
    straight = train(
        "ring8", "gan", "straight", rounds=saved + 2, batch=8, generator_hidden=[16], discriminator_hidden=[16],
        save_every=999_999, preview_every=999_999,
    )  # fmt: skip
    assert_same_checkpoint(run.checkpoint(saved + 2), straight.checkpoint(saved + 2))


def test_a_run_that_was_killed_before_its_first_checkpoint_begins_anew(tmp_path: Path, zerosum: Any) -> None:
    killed, straight = tmp_path / "killed", tmp_path / "straight"
    assert zerosum(*GAN, "--rounds", 3, "--run", straight).code == 0
    assert zerosum(*GAN, "--rounds", 3, "--run", killed).code == 0
    shutil.rmtree(Run(killed).checkpoint(3))
    said = zerosum("train", "--resume", killed)
    assert said.code == 0
    assert "No checkpoint was written before the run stopped: it starts again" in said.err
    assert_same_checkpoint(Run(killed).checkpoint(3), Run(straight).checkpoint(3))
    assert measured(killed) == measured(straight)


@pytest.mark.parametrize(
    "redirection",
    [
        "2>&1 | true",
        *(pytest.param(other, marks=pytest.mark.slow) for other in ("2>&-", "2>/dev/full", "2>&1 | head -c 1")),
    ],
)
def test_progress_that_cannot_be_written_ends_no_training(tmp_path: Path, redirection: str) -> None:
    run = tmp_path / "run"
    words = [sys.executable, "-m", "zerosum", *map(str, (*GAN, "--rounds", 3, "--run", run))]
    done = subprocess.run(["bash", "-o", "pipefail", "-c", f"{shlex.join(words)} {redirection}"], timeout=120)
    assert done.returncode == 0
    assert newest(run) == 3


def test_two_trainings_of_a_run_at_once_are_refused(tmp_path: Path, zerosum: Any) -> None:
    run = Run(tmp_path / "run")
    child = process(*GAN, "--rounds", 1_000_000, "--save-every", 999_999, "--log-every", 1, "--run", run.path)
    wait_for(lambda: len(run.history()) > 1, child)
    said = zerosum("train", "--resume", run.path)
    child.kill()
    child.communicate(timeout=60)
    assert said.code == 2
    assert said.err.startswith(
        f"{run.path} is being written by process {child.pid} on {socket.gethostname()}, since 20"
    )
    assert said.err.endswith(": wait until it has ended, or stop it.\n")
    assert zerosum("train", "--resume", run.path, "--rounds", 2).code == 0, "the lock ended with the process"


def test_a_second_training_in_the_process_is_refused(tmp_path: Path) -> None:
    class Nested(Silent):
        def note(self, text: str) -> None:
            with pytest.raises(InputError, match="Another training is under way in this process"):
                train("ring8", "gan", str(tmp_path / "inner"), rounds=1)
            refused.append(text)

    refused: list[str] = []
    api.train("ring8", recipe="gan", run=tmp_path / "outer", progress=Nested(), rounds=1, **SMALL["gan"])
    assert refused


def test_a_full_disk_stops_with_a_sentence_and_keeps_the_last_checkpoint(tmp_path: Path, zerosum: Any) -> None:
    run = Run(tmp_path / "run")
    assert zerosum(*GAN, "--rounds", 2, "--run", run.path).code == 0
    before = sorted((p, p.read_bytes()) for p in run.checkpoint(2).iterdir())
    largest = max(len(content) for _, content in before)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest - 1, hard))
    try:
        full = zerosum("train", "--resume", run.path, "--rounds", 4)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert full.code == 1
    assert "could not be written: File too large" in full.err.splitlines()[-1]
    assert "Traceback" not in full.err
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["00000002"]
    assert before == sorted((p, p.read_bytes()) for p in run.checkpoint(2).iterdir())
    assert zerosum("train", "--resume", run.path).code == 0
    straight = tmp_path / "straight"
    assert zerosum(*GAN, "--rounds", 4, "--run", straight).code == 0
    assert_same_checkpoint(run.checkpoint(4), Run(straight).checkpoint(4))


def test_a_game_that_diverges_says_who_where_when_and_what_to_try(tmp_path: Path, zerosum: Any) -> None:
    run = Run(tmp_path / "run")
    said = zerosum(
        *GAN, "--rounds", 9, "--save-every", 1, "--activation", "relu", "--generator-lr", "1e30", "--run", run.path
    )
    assert said.code == 1
    sentence = said.err.splitlines()[-1]
    assert sentence.startswith("The term 'adversarial' of discriminator's loss is nan in round 2;")
    assert f"the last good checkpoint is {run.checkpoint(1)}" in sentence
    assert "Try a lower learning rate" in sentence
    assert "Traceback" not in said.err
    assert newest(run.path) == 1
    assert all(p.isfinite().all() for p in api.load(run.path).parameters())


def test_samples_that_overflow_stop_the_run_too(tmp_path: Path, zerosum: Any) -> None:
    said = zerosum(*GAN, "--generator-lr", "1e38", "--preview-every", 1, "--run", tmp_path / "run")
    assert said.code == 1
    assert "no longer finite after round 1; no checkpoint was written yet." in said.err.splitlines()[-1]


def test_a_finished_run_can_be_made_longer_but_not_shorter() -> None:
    run = train("ring8", "gan", "run", rounds=3, **SMALL["gan"])
    api.resume(run.path, rounds=4, progress=Silent())
    assert newest(run.path) == 4
    with pytest.raises(InputError, match=r"has played 4 rounds already, and --rounds 2 makes 2\."):
        api.resume(run.path, rounds=2, progress=Silent())
    assert run.description["config"]["rounds"] == 4


def test_going_on_under_other_conditions_is_said(tmp_path: Path, zerosum: Any) -> None:
    run = train("ring8", "gan", "run", rounds=1, **SMALL["gan"])
    other = {"precision": "bfloat16", "threads": 99, "cpu": "Babbage 1", "torch": "0.1"}
    versions = run.description["versions"] | {"zerosum": "0.0"}
    run.describe(run.description | {"machine": run.description["machine"] | other, "versions": versions})
    said = zerosum("train", "--resume", run.path, "--rounds", 2)
    assert said.code == 0
    assert "The run began with precision bfloat16 and goes on with float32." in said.err
    assert "The run began with threads 99 and goes on with" in said.err
    assert "The run began with cpu Babbage 1 and goes on with" in said.err
    assert f"The run began with torch 0.1 and goes on with {torch.__version__}." in said.err
    assert "The run began with zerosum 0.0 and goes on with" in said.err


def train(data: str, recipe: str, run: str, **settings: Any) -> Run:
    return api.train(data, recipe=recipe, run=run, progress=Silent(), **settings)


def newest(run: Path) -> int:
    return max((int(path.name) for path in Run(run).checkpoints()), default=0)


def wait_for(condition: Any, child: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert child.poll() is None, child.communicate()[1]
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)
