"""The same numbers come out wherever zerosum is called, and the caller finds its process as it was."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zerosum import api
from zerosum.runtime.progress import Silent


def weights(run: Path) -> bytes:
    trained = api.train("ring8", recipe="gan", run=run, progress=Silent(), rounds=2, batch=8)
    api.load(run).sample(3)
    return (trained.checkpoint(2) / "weights.safetensors").read_bytes()


def in_float64(work: Callable[[], Any]) -> Any:
    torch.set_default_dtype(torch.float64)
    try:
        done = work()
        assert torch.get_default_dtype() == torch.float64
        return done
    finally:
        torch.set_default_dtype(torch.float32)


def without_gradients(work: Callable[[], Any]) -> Any:
    with torch.no_grad():
        done = work()
        assert not torch.is_grad_enabled()
        return done


def in_inference_mode(work: Callable[[], Any]) -> Any:
    with torch.inference_mode():
        return work()


def under_autocast(work: Callable[[], Any]) -> Any:
    with torch.autocast("cpu", torch.bfloat16):
        return work()


def on_another_device(work: Callable[[], Any]) -> Any:
    torch.set_default_device("meta")
    try:
        done = work()
        assert torch.get_default_device().type == "meta"
        return done
    finally:
        torch.set_default_device(None)


def in_a_thread(work: Callable[[], Any]) -> Any:
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(work()))
    thread.start()
    thread.join()
    return done[0]


@pytest.mark.parametrize(
    "around", [in_float64, without_gradients, in_inference_mode, under_autocast, on_another_device, in_a_thread]
)
def test_training_gives_the_same_bits(around: Callable[..., Any], tmp_path: Path) -> None:
    assert around(lambda: weights(tmp_path / "there")) == weights(tmp_path / "here")


FEW: dict[str, Any] = {"metrics": "precision", "count": 20}
CALLS: dict[str, Callable[[Path], Any]] = {
    "train": lambda run: api.train("ring8", recipe="gan", run=run / "again", progress=Silent(), rounds=1, batch=8),
    "tune": lambda run: api.tune("ring8", recipe="gan", out=run / "tune", progress=Silent(), trials=1, rounds=1),
    "resume": lambda run: api.resume(run, rounds=3, progress=Silent()),
    "load": api.load,
    "evaluate": lambda run: api.evaluate(run, progress=Silent(), **FEW),
    "diagnose": api.diagnose,
    "export": lambda run: api.export(run, to="pt2"),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_caller_finds_its_random_state(name: str, tmp_path: Path) -> None:
    weights(tmp_path / "run")
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()  # type: ignore[index]
    CALLS[name](tmp_path / "run")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before[1:]  # type: ignore[index]
