"""Checkpoints: written whole or not at all, read without trusting them. The only user of torch.save and torch.load."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor

from zerosum.errors import InputError, ZerosumError
from zerosum.game import Game
from zerosum.recipe import Recipe
from zerosum.run.checkpoint_files import AVERAGES, FORMAT, STATE, WEIGHTS, Checkpoint, read
from zerosum.run.checkpoint_index import INDEX, digest, run_id
from zerosum.run.directory import Run
from zerosum.run.pruning import prune
from zerosum.run.weights_file import packed
from zerosum.runtime.atomic_files import storing, write_folder
from zerosum.runtime.lock import require_held
from zerosum.runtime.regular_files import read_regular

T = TypeVar("T")


def save(run: Run, game: Game[Any], *, keep: int, elders: bool = False) -> Path | None:
    """Write the present round's checkpoint, and drop all but the newest `keep` and, if asked, two `elders`.

    The files are written beside, forced to disk, and renamed into place together, so that a kill at any moment leaves
    the previous checkpoint and either none or the whole of this one. Only the first process writes.

    Raises:
        DivergedError: a weight is not finite; nothing is written.
        StorageError: the disk refuses; the previous checkpoints stand.
    """
    target = run.checkpoint(game.clock.round)
    write = prepared(run, target, game)
    if write is None:
        return None
    write()
    prune(run, keep=keep, elders=elders)
    return target


def played(path: Path) -> int:
    """Return the rounds that a checkpoint stands after.

    Raises:
        InputError: it is not one of ours.
    """
    return of_index(path, lambda index: int(index["round"]))


def of_index(path: Path, read: Callable[[Any], T]) -> T:
    """Return what `read` takes from a checkpoint's index.

    Raises:
        InputError: it is not one of ours.
    """
    try:
        return read(json.loads(read_regular(path / INDEX)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{path} is not a zerosum checkpoint: its {INDEX} cannot be read.") from None


def prepared(
    run: Run,
    target: Path,
    game: Game[Any],
    *,
    about: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Callable[[], None] | None:
    """Take a game's state, and return in the first process what writes it, whatever the game does meanwhile.

    Args:
        run: the run.
        target: folder of the checkpoint.
        game: that is played.
        about: more entries of its index.
        files: more files of it.

    Raises:
        DivergedError: a weight is not finite.
        StorageError: another process writes the run.
    """
    game.check_weights()
    state = game.state_dict()
    if not game.world.is_first:
        return None
    require_held(run.path)
    averages: dict[str, Tensor] = {}
    for player in game.players.values():
        averages.update(player.averages(game.recipe))
    own = {WEIGHTS: packed(game.recipe.state_dict()), AVERAGES: packed(averages), STATE: _pickled(state)}
    clock = {"round": game.clock.round, "seen": game.clock.seen}
    return partial(write_files, run, target, clock | dict(about or {}), own | dict(files or {}))


def write_files(run: Run, target: Path, about: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write the files of a checkpoint, and an index with their checksums and with what is said of it."""
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    index: dict[str, Any] = {"format": FORMAT, **about, "run": run_id(run), "sha256": sums}
    index["sha256"][INDEX] = digest(index)
    with storing(target):
        write_folder(target, {**files, INDEX: json.dumps(index, indent=2).encode() + b"\n"})


def restore(path: Path, game: Game[Any], *, run: Run | None = None) -> None:
    """Bring `game`, of the same recipe and settings, to where `save` left it; `run`, which holds it, if it is open.

    Raises:
        InputError: the checkpoint is damaged, not one of ours, or of another model.
    """
    files = read(path, run or Run(path.parent.parent)).files
    if STATE not in files:
        raise InputError(
            f"{path} holds weights alone, as a run that was pulled does, so training cannot go on from it: pull it "
            "with --with-state, if it was pushed so, or train anew."
        )
    with _ours(path):
        weights = safetensors.torch.load(files[WEIGHTS])
        state = torch.load(io.BytesIO(files[STATE]), map_location="cpu", weights_only=True)
    _load_weights(game.recipe, weights, path)
    with _ours(path):
        game.load_state_dict(state)


def load_model(path: Path, recipe: Recipe, *, run: Run | None = None) -> None:
    """Fill `recipe` with the weights of a checkpoint at a path, as `fill` does."""
    fill(recipe, read(path, run or Run(path.parent.parent)))


def fill(recipe: Recipe, found: Checkpoint) -> None:
    """Fill `recipe` with the averaged weights of a checkpoint, and the live ones where no average was kept.

    Raises:
        InputError: the checkpoint is not one of ours, or of another model.
    """
    with _ours(found.path):
        weights = safetensors.torch.load(found.files[WEIGHTS]) | safetensors.torch.load(found.files[AVERAGES])
    _load_weights(recipe, weights, found.path)


def save_parts(run: Run, round_: int, weights: bytes, averages: bytes, state: Any = None) -> None:
    """Write a checkpoint from safetensors of live weights and of averages; without a state it cannot be resumed from.

    Raises:
        StorageError: the disk refuses.
    """
    files = {WEIGHTS: weights, AVERAGES: averages} | ({} if state is None else {STATE: _pickled(state)})
    write_files(run, run.checkpoint(round_), {"round": round_}, files)


def parts(found: Checkpoint) -> tuple[bytes, bytes, Any]:
    """Return what `save_parts` takes of a checkpoint: safetensors of weights and averages, and the state or None.

    Raises:
        InputError: the checkpoint is not one of ours.
    """
    with _ours(found.path):
        packed = found.files.get(STATE)
        state = None if packed is None else torch.load(io.BytesIO(packed), map_location="cpu", weights_only=True)
    return found.files[WEIGHTS], found.files[AVERAGES], state


def _pickled(state: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def _load_weights(recipe: Recipe, weights: Mapping[str, Tensor], path: Path) -> None:
    try:
        recipe.load_state_dict(weights)
    except RuntimeError:
        ours = {name: tuple(t.shape) for name, t in recipe.state_dict().items()}
        theirs = {name: tuple(t.shape) for name, t in weights.items()}
        differing = sorted({name for name, _ in ours.items() ^ theirs.items()})
        shown = ", ".join(differing[:3])
        raise InputError(
            f"The checkpoint {path} is of another model: {len(differing)} tensors differ ({shown}, ...); "
            "is run.json the one it was trained with?"
        ) from None


@contextmanager
def _ours(path: Path) -> Iterator[None]:
    """Refuse, in one sentence, files that `save` did not write: their readers raise anything."""
    try:
        yield
    except (ZerosumError, MemoryError):
        raise
    except Exception as error:
        raise InputError(f"{path} is not a checkpoint of this run: its files hold something else.") from error
