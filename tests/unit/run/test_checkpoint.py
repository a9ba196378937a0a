"""Checkpoints: whole or absent, equal to the last bit, and never holding anything that is not a number."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum.errors import DivergedError, InputError, StorageError
from zerosum.run import checkpoint
from zerosum.run.directory import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "run", {})


def played(rounds: int, name: str = "gan", **options: Any) -> Any:
    playing = game(name, (2,), **options)
    for _ in range(rounds):
        playing.recipe.round(playing)
        playing.end_round()
    return playing


def content(run: Run) -> dict[str, bytes]:
    folder = run.path / "checkpoints"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_restored_is_saved_again_byte_for_byte(run: Run, tmp_path: Path) -> None:
    path = checkpoint.save(run, played(3), keep=3)
    other = Run.create(tmp_path / "other", {})
    fresh = game("gan", (2,), seed=5)
    checkpoint.restore(path, fresh)
    assert (fresh.clock.round, fresh.clock.seen, fresh.source.position) == (3, 24, 24)
    checkpoint.save(other, fresh, keep=3)
    before, after = content(run), content(other)
    assert before.keys() == after.keys()
    for name in ("weights", "averages"):
        assert before[f"00000003/{name}.safetensors"] == after[f"00000003/{name}.safetensors"]


def test_a_restored_game_goes_on_as_the_first_one_does(run: Run) -> None:
    first = played(2)
    checkpoint.save(run, first, keep=1)
    first.recipe.round(first)
    second = game("gan", (2,))
    checkpoint.restore(run.latest(), second)
    second.recipe.round(second)
    for key, value in first.recipe.state_dict().items():
        assert torch.equal(value, second.recipe.state_dict()[key])


def test_the_model_that_is_loaded_has_the_averaged_weights(run: Run) -> None:
    playing = played(3)
    checkpoint.save(run, playing, keep=1)
    loaded = game("gan", (2,), seed=9).recipe
    checkpoint.load_model(run.latest(), loaded)
    with playing.averaged():
        for key, value in playing.recipe.state_dict().items():
            assert torch.equal(value, loaded.state_dict()[key])
    live = playing.recipe.generator.state_dict()
    assert any(not torch.equal(value, loaded.generator.state_dict()[key]) for key, value in live.items())


def test_only_the_newest_are_kept(run: Run) -> None:
    playing = game("gan", (2,))
    for _ in range(5):
        playing.end_round()
        checkpoint.save(run, playing, keep=2)
    assert [path.name for path in run.checkpoints()] == ["00000004", "00000005"]


def test_a_disk_that_fills_at_any_moment_leaves_the_previous_checkpoint(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing = played(1)
    checkpoint.save(run, playing, keep=1)
    before, flush, said = content(run), os.fsync, []
    playing.end_round()
    for moment in range(1, 100):
        calls = 0

        def full(handle: int, moment: int = moment) -> None:
            nonlocal calls
            calls += 1
            if calls == moment:
                raise OSError(errno.ENOSPC, "No space left on device")
            flush(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            try:
                checkpoint.save(run, playing, keep=1)
            except StorageError as error:
                said.append(str(error))
        if calls < moment:
            break
        assert content(run).items() >= before.items() or run.checkpoints()[-1].name == "00000002"
        checkpoint.restore(run.latest(), game("gan", (2,)))
        assert not list((run.path / "checkpoints").glob(".*"))
    assert len(said) >= 4
    assert all("could not be written: No space left on device" in sentence for sentence in said)
    assert [path.name for path in run.checkpoints()] == ["00000002"]


def test_what_a_killed_process_left_half_written_is_not_listed_and_swept(run: Run) -> None:
    playing = played(1)
    checkpoint.save(run, playing, keep=2)
    half = run.path / "checkpoints" / ".00000007.part"
    half.mkdir()
    (half / "weights.safetensors").write_bytes(b"half")
    assert [path.name for path in run.checkpoints()] == ["00000001"]
    run.sweep()
    assert not half.exists()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("place", ["weight", "average", "buffer"])
def test_what_is_not_a_number_is_never_saved(run: Run, place: str, bad: float) -> None:
    playing = game("dcgan", (1, 16, 16))
    playing.recipe.round(playing)
    tensors = {
        "weight": next(playing.recipe.discriminator.parameters()).data,
        "average": next(iter(playing.players["generator"].average.values())),
        "buffer": next(b for name, b in playing.recipe.generator.named_buffers() if name.endswith("running_var")),
    }
    tensors[place].view(-1)[0] = bad
    with pytest.raises(DivergedError, match=r"A weight of (generator|discriminator) is no longer finite after round 0"):
        checkpoint.save(run, playing, keep=1)
    assert content(run) == {}


def test_a_checkpoint_says_what_it_holds(run: Run) -> None:
    path = checkpoint.save(run, played(2), keep=1)
    assert path is not None
    index = json.loads((path / "checkpoint.json").read_text())
    assert (index["format"], index["round"], index["seen"]) == (1, 2, 16)
    assert set(index["sha256"]) == {
        "weights.safetensors", "averages.safetensors", "state.pt", "checkpoint.json"
    }  # fmt: skip


def test_a_state_of_other_players_is_refused(run: Run) -> None:
    path = checkpoint.save(run, played(1, "gan"), keep=1)
    assert path is not None
    with pytest.raises(InputError, match="is of another model: "):
        checkpoint.restore(path, game("wgan_gp", (2,)))


def test_a_checkpoint_of_another_run_or_of_another_round_is_refused(tmp_path: Path) -> None:
    ours, theirs = (Run.create(tmp_path / name, {"id": name}) for name in ("ours", "theirs"))
    for each in (ours, theirs):
        checkpoint.save(each, played(2), keep=1)
    shutil.copytree(theirs.checkpoint(2), ours.checkpoint(4))
    with pytest.raises(InputError, match="is of another run than"):
        checkpoint.restore(ours.latest(), game("gan", (2,)))
    shutil.rmtree(ours.checkpoint(4))
    ours.checkpoint(2).rename(ours.checkpoint(6))
    with pytest.raises(InputError, match="is named after round 6 and holds round 2"):
        checkpoint.load_model(ours.latest(), game("gan", (2,)).recipe)


@pytest.mark.parametrize("bit", range(0, 8 * 400, 67))
def test_a_flipped_bit_of_the_index_is_noticed(tmp_path: Path, bit: int) -> None:
    run = Run.create(tmp_path / "run", {"id": "ours"})
    path = checkpoint.save(run, played(1), keep=1)
    assert path is not None
    index = bytearray((path / "checkpoint.json").read_bytes())
    index[bit // 8] ^= 1 << bit % 8
    (path / "checkpoint.json").write_bytes(index)
    with pytest.raises(InputError):
        checkpoint.restore(path, game("gan", (2,)))


def test_a_best_checkpoint_is_put_back_where_a_kill_came_between_the_old_and_the_new(run: Run) -> None:
    checkpoint.prepared(run, run.best, played(1))()
    run.best.rename(run.best.with_name(".zerosum-old.best"))
    run.sweep()
    checkpoint.restore(run.best, game("gan", (2,)))
    assert [path.name for path in run.best.parent.iterdir()] == ["best"]


def test_half_a_checkpoint_is_never_found_under_its_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    playing = played(1)
    checkpoint.save(run, playing, keep=1)
    playing.end_round()

    def killed(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(run, playing, keep=1)
    monkeypatch.undo()
    assert [path.name for path in run.checkpoints()] == ["00000002"]
    run.sweep()
    assert not list((run.path / "checkpoints").glob(".*"))
