"""Random draws that do not depend on how a batch is split over micro-batches and processes.

Every process holds the same random state. Within `share`, a draw of one value per row makes the whole batch's values
and keeps this share's rows, so that two processes, or four micro-batches, draw exactly what one whole batch would.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Share:
    """Rows `start` to `stop` of a batch of `total`."""

    start: int
    stop: int
    total: int


_present: ContextVar[Share | None] = ContextVar("share", default=None)


@contextmanager
def share(start: int, stop: int, total: int) -> Iterator[None]:
    """Draw for rows `start` to `stop` of a batch of `total` rows."""
    token = _present.set(Share(start, stop, total) if stop - start < total else None)
    try:
        yield
    finally:
        _present.reset(token)


def normal(n: int, *shape: int, device: torch.device) -> Tensor:
    """Draw (n, *shape) values from N(0, 1)."""
    return _rows(n, lambda rows: torch.randn(rows, *shape, dtype=torch.float32, device=device))


def uniform(n: int, *shape: int, device: torch.device, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Draw (n, *shape) values from U(low, high)."""
    return _rows(
        n, lambda rows: torch.rand(rows, *shape, dtype=torch.float32, device=device).mul_(high - low).add_(low)
    )


def integers(n: int, *shape: int, high: int, device: torch.device) -> Tensor:
    """Draw (n, *shape) whole numbers from 0 to `high` - 1, as int64."""
    return _rows(n, lambda rows: torch.randint(high, (rows, *shape), device=device))


def random_bytes(n: int, size: int, device: torch.device) -> Tensor:
    """Draw (n, size) bytes, on a CPU eight at a time: the cheapest randomness there is (for the masks of dropout)."""
    if device.type != "cpu":
        return _rows(n, lambda rows: torch.randint(256, (rows, size), dtype=torch.uint8, device=device))
    words = -(-size // 8)
    whole = _rows(n, lambda rows: torch.empty(rows, words, dtype=torch.int64).random_(-(2**63), None))
    return whole.view(torch.uint8)[:, :size]


def state(device: torch.device) -> dict[str, Tensor]:
    """Return the random state of draws on `device`."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_state(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Restore what `state` returned."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps" and "mps" in states:
        torch.mps.set_rng_state(states["mps"])


def derived(seed: int, purpose: str) -> int:
    """Return a seed of a run's `seed` for one purpose, whose draws are independent of those of any other."""
    return int.from_bytes(hashlib.sha256(f"{purpose} {seed}".encode()).digest()[:8], "big") >> 1


@contextmanager
def fork(device: torch.device, *, seed: int | None = None) -> Iterator[None]:
    """Draw from a separate state, from `seed` if given; the previous state is restored afterwards."""
    before = state(device)
    if seed is not None and device.type == "cpu":
        torch.default_generator.manual_seed(seed)  # the same, without a look at other devices
    elif seed is not None:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        set_state(before, device)


def _rows(n: int, draw: Callable[[int], Tensor]) -> Tensor:
    """Draw n rows: of the whole batch's draw, those of the present share. A batch may be drawn several times over."""
    present = _present.get()
    if present is None:
        return draw(n)
    rows = present.stop - present.start
    if n % rows:
        raise ValueError(f"a draw of {n} rows does not fit a share of {rows} rows; draw one row, or k rows, per sample")
    times = n // rows
    whole = draw(times * present.total)
    return whole.unflatten(0, (times, present.total))[:, present.start : present.stop].flatten(0, 1)
