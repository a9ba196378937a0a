"""Damaged files of every kind that is read: each ends in a result or in an error of ours, and runs no pickle."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from tests.recipes.conftest import game
from zerosum import report
from zerosum.data.options import DataConfig
from zerosum.errors import ZerosumError
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.result import Evaluation, MetricResult
from zerosum.evaluation.table import comparison_lines
from zerosum.kinds import open_data
from zerosum.metrics.bootstrap import Interval
from zerosum.run import checkpoint
from zerosum.run.config import read_config, read_spec
from zerosum.run.directory import Run
from zerosum.runtime.external_weights import read_weights

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SECONDS = 15
"""How long each test goes on; its inputs are the same at every run, and their number depends on the machine."""
MOST = 3000
STRANGE: list[Any] = [None, {}, [], "", "x", "\ud800", -1, 0, 1e308, float("nan"), 10**30, True, [[1]], {"a": {}}]


class Trap:
    """Unpickles by making a folder, so that a pickle that ran is found out."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.path,)


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Trap]:
    place = tmp_path / "a pickle was run"
    yield Trap(place)
    assert not place.exists()


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Change, drop, add or repeat some bytes."""
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 5))):
        at = int(random.integers(len(changed) + 1))
        length = int(random.choice([1, 1, 2, 4, 8, 64]))
        match int(random.integers(6)):
            case 0 | 1:
                changed[at : at + length] = random.bytes(min(length, len(changed) - at))
            case 2:
                del changed[at : at + length]
            case 3:
                changed[at:at] = random.bytes(length)
            case 4:
                changed[at : at + length] = bytes([int(random.choice([0, 255, 128]))]) * min(length, len(changed) - at)
            case 5:
                changed[at:at] = changed[:length] if random.random() < 0.7 else b""
                changed = changed if random.random() < 0.7 else changed[:at]
    return bytes(changed)


def strange(value: Any, random: np.random.Generator) -> Any:
    """Put something else in the place of one value of a JSON document, or drop it, or nest it deep."""
    places = list(_places(value))
    holder, key = places[int(random.integers(len(places)))]
    if random.random() < 0.15:
        del holder[key]
    else:
        holder[key] = STRANGE[int(random.integers(len(STRANGE)))]
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)


def json_damaged(content: bytes, random: np.random.Generator) -> bytes:
    if random.random() < 0.4:
        return damaged(content, random)
    if random.random() < 0.03:
        return content.replace(b"0", b"[" * 100_000 + b"]" * 100_000, 1)
    value = json.loads(content)
    for _ in range(int(random.integers(1, 3))):
        value = strange(value, random)
        if not value:
            break
    return json.dumps(value).encode()


def fuzz(
    contents: list[bytes],
    read: Callable[[bytes], Any],
    *,
    change: Callable[[bytes, np.random.Generator], bytes] = damaged,
) -> None:
    """Give a reader each content and then its damaged forms, until the time has passed."""
    begun, tried, found = time.monotonic(), 0, {}
    while time.monotonic() - begun < SECONDS and tried < MOST:
        random = np.random.default_rng(tried)
        content = contents[tried % len(contents)]
        content = content if tried < len(contents) else change(content, random)
        try:
            read(content)
        except ZerosumError:
            pass
        except Exception as error:
            found.setdefault(f"{type(error).__name__}: {str(error)[:120]}", tried)
        tried += 1
    print(f"{tried} inputs")
    assert not found, f"of {tried} inputs, by the first input that raised it: {found}"
    assert tried > len(contents)


def saved(save: Callable[[Any], Any]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def picture(form: str, *shape: int, mode: Any = np.uint8, **options: Any) -> bytes:
    values = np.random.default_rng(0).integers(0, 200, shape).astype(mode)
    return saved(lambda file: Image.fromarray(values).save(file, form, **options))


def opened(path: Path, cache: Path, **options: Any) -> None:
    data = open_data(path, options=DataConfig(cache=str(cache), **options))
    data.batch(np.arange(min(2, len(data))))


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif"])
def test_images(tmp_path: Path, suffix: str) -> None:
    contents = {
        "png": [picture("PNG", 9, 8, 3), picture("PNG", 8, 8, mode=np.uint16), picture("PNG", 8, 8, 4)],
        "jpg": [picture("JPEG", 9, 8, 3), picture("JPEG", 8, 8), picture("JPEG", 8, 8, 3, progressive=True)],
        "tif": [
            picture("TIFF", 9, 8, 3),
            picture("TIFF", 8, 8, mode=np.float32),
            picture("TIFF", 8, 8, 3, compression="tiff_lzw"),
        ],
    }[suffix]
    folder = tmp_path / "photos"
    folder.mkdir()

    def read(content: bytes) -> None:
        for name in "ab":
            (folder / f"{name}.{suffix}").write_bytes(content)
        opened(folder, tmp_path / f"cache-{len(list(tmp_path.iterdir()))}", size="8")

    fuzz(contents, read)


@pytest.mark.parametrize("suffix", ["npy", "npz", "zip"])
def test_arrays_and_zips(tmp_path: Path, suffix: str, trap: Trap) -> None:
    values = np.random.default_rng(0).integers(0, 200, (4, 8, 8, 3), dtype=np.uint8)
    objects = np.array([trap, trap], dtype=object)

    def zipped(file: Any) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("a/1.png", "b/2.png"):
                archive.writestr(name, picture("PNG", 8, 8, 3))

    contents = {
        "npy": [
            saved(lambda file: np.save(file, values)),
            saved(lambda file: np.save(file, values.astype(np.float64))),
            saved(lambda file: np.save(file, objects, allow_pickle=True)),
        ],
        "npz": [
            saved(lambda file: np.savez(file, images=values, labels=np.arange(4))),
            saved(lambda file: np.savez_compressed(file, x_train=values, x_test=values)),
            saved(lambda file: np.savez(file, images=values, labels=objects)),
        ],
        "zip": [saved(zipped)],
    }[suffix]
    path = tmp_path / f"data.{suffix}"

    def read(content: bytes) -> None:
        path.write_bytes(content)
        opened(path, tmp_path / f"cache-{len(list(tmp_path.iterdir()))}")

    fuzz(contents, read)


def test_labels(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        (folder / name).write_bytes(picture("PNG", 8, 8))
    table = tmp_path / "labels.csv"

    def read(content: bytes) -> None:
        table.write_bytes(content)
        opened(folder, tmp_path / f"cache-{len(list(tmp_path.iterdir()))}", labels=str(table))

    fuzz([b"file,label\na.png,cat\nb.png,dog\nc.png,cat\n", b'file,label\na.png,"x, y"\nb.png,\n'], read)


def test_weights_from_outside(tmp_path: Path, trap: Trap) -> None:
    tensors = {"a": torch.ones(2, 3), "b": torch.zeros(4, dtype=torch.int64)}
    legacy = saved(lambda file: torch.save(tensors, file, _use_new_zipfile_serialization=False))
    contents = [saved(lambda file: torch.save(tensors, file)), legacy, saved(lambda file: torch.save([trap], file))]
    contents += [pickle.dumps(trap), saved(lambda file: torch.save(trap, file, _use_new_zipfile_serialization=False))]
    contents += [safetensors.torch.save(tensors)]

    def read(content: bytes) -> None:
        for suffix in (".pth", ".safetensors"):
            path = tmp_path / f"weights{suffix}"
            path.write_bytes(content)
            read_weights(path)

    fuzz(contents, read)


@pytest.mark.parametrize("name", [checkpoint.WEIGHTS, checkpoint.AVERAGES, checkpoint.STATE, checkpoint.INDEX])
def test_checkpoints(tmp_path: Path, name: str, trap: Trap) -> None:
    playing = game("gan", (2,))
    playing.recipe.round(playing)
    playing.end_round()
    path = checkpoint.save(Run.create(tmp_path / "run", {}), playing, keep=1)
    assert path is not None
    original = {file.name: file.read_bytes() for file in path.iterdir()}
    contents = [original[name]]
    if name == checkpoint.STATE:
        contents += [saved(lambda file: torch.save({"players": trap}, file)), pickle.dumps(trap)]

    def read(content: bytes) -> None:
        (path / name).write_bytes(content)
        if name != checkpoint.INDEX:  # with the right checksum, so that the content itself is read
            index = json.loads(original[checkpoint.INDEX])
            index["sha256"][name] = hashlib.sha256(content).hexdigest()
            (path / checkpoint.INDEX).write_text(json.dumps(index))
        checkpoint.played(path)
        checkpoint.load_model(path, game("gan", (2,)).recipe)
        checkpoint.restore(path, game("gan", (2,)))

    fuzz(contents, read, change=json_damaged if name == checkpoint.INDEX else damaged)


ABOUT = {
    "format": 2,
    "recipe": "gan",
    "data": {"source": "ring8", "fingerprint": "a", "samples": 100, "notes": ["one"]},
    "spec": {"shape": [2], "classes": [], "kind": "points", "source_shape": None},
    "config": {"rounds": 20, "batch": 8, "latent_dim": 6},
    "training": {"seed": 1, "log_every": 10},
    "data_options": {"size": None, "channels": None},
    "environment": {"device": "cpu", "precision": "float32", "processes": 1},
    "versions": {"zerosum": "0.1.0", "torch": "2.6"},
    "started": "2026-01-01T00:00:00",
    "command": ["zerosum", "train", "ring8"],
}
ROW = {"round": 10, "phase": "main", "seen": 80, "seconds": 1.5, "discriminator/loss": 1.2, "generator/loss": 0.8}
PROTOCOL = Protocol(
    extractor="pixels",
    identity="pixels",
    sees="The pixels.",
    data="digits",
    split="train",
    fingerprint="digits",
    against="other samples of train",
    real=10,
    fake=10,
    size="1x8x8",
    resizer="none",
    seed=0,
)


def written(folder: Path) -> Run:
    run = Run.create(folder / "run", {key: value for key, value in ABOUT.items() if key != "format"})
    for number in (10, 20):
        run.log({**ROW, "round": number})
    return run


def test_run_json(tmp_path: Path) -> None:
    run = written(tmp_path)

    def read(content: bytes) -> None:
        (run.path / "run.json").write_bytes(content)
        try:
            plan, spec = read_config(Run.open(run.path)), read_spec(Run.open(run.path))
            assert (plan.data, spec.kind) != ("", "")
        finally:
            report.write(run.path)

    fuzz([(run.path / "run.json").read_bytes()], read, change=json_damaged)


def test_histories(tmp_path: Path) -> None:
    run = written(tmp_path)
    original = (run.path / "history.jsonl").read_bytes()

    def change(content: bytes, random: np.random.Generator) -> bytes:
        if random.random() < 0.4:
            return damaged(content, random)
        first, second = content.splitlines()
        return first + b"\n" + json_damaged(second, random) + b"\n"

    def read(content: bytes) -> None:
        (run.path / "history.jsonl").write_bytes(content)
        history = Run(run.path).history()
        for name in history.measured():
            history.series(name)
            history.last(name)
        report.write(run.path)
        Run(run.path).rewind(10)

    fuzz([original], read, change=change)


def test_evaluations(tmp_path: Path) -> None:
    figure = MetricResult(
        metric="fid",
        title="FID-pixels",
        value=7.25,
        better="lower",
        floor=0.5,
        interval=Interval(low=7.0, high=7.5, level=0.95, method="bootstrap", standard_error=0.1),
        notes=("few",),
    )
    run = written(tmp_path)
    path = run.path / "evaluation.json"
    Evaluation(subject="run", round=20, protocol=PROTOCOL, figures=(figure,), notes=("a",)).write(path)

    def read(content: bytes) -> None:
        path.write_bytes(content)
        report.write(run.path)
        found = Evaluation.read(path)
        comparison_lines([found, found])

    fuzz([path.read_bytes()], read, change=json_damaged)
