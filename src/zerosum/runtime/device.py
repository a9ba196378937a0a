"""Choice of device, precision and memory format, and settings of the allocator."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from zerosum.errors import InputError

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h
_TRIM_THRESHOLD, _MMAP_MAX = 128 * 1024, 65_536  # what glibc begins with


def keep_freed_memory() -> None:
    """Have the C library keep freed memory for the next tensor instead of giving it back to the system.

    glibc maps every tensor above 32 MiB again and unmaps it when it is freed, so that each step pays a page fault for
    every 4 KiB it writes: 5 to 25 % of a DCGAN's step on a CPU, and more for wider maps. Call it before large tensors
    exist. ZEROSUM_KEEP_MEMORY=0 turns it off; without glibc it does nothing.
    """
    if (libc := _glibc()) is not None:
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(_M_MMAP_MAX, 0)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed memory as `keep_freed_memory` does, and give it back to the system at the end."""
    keep_freed_memory()
    try:
        yield
    finally:
        if (libc := _glibc()) is not None:
            libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
            libc.mallopt(_M_MMAP_MAX, _MMAP_MAX)
            libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Return the C library where its allocator may be set."""
    if os.environ.get("ZEROSUM_KEEP_MEMORY", "1") == "0" or not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and platform.libc_ver()[0] == "glibc" else None


def pick_device(name: str = "auto") -> torch.device:
    """Return the device to compute on.

    Args:
        name: cuda (or cuda:1, ...), mps, cpu; auto takes the first of these that is there, and under `torchrun` each
            process its own GPU.

    Raises:
        InputError: an unknown name, or a device that is not there.
    """
    present = devices()
    if name == "auto":
        name = present[0].partition(":")[0]
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise InputError(f"There is no device {name!r}; give one of: auto, {', '.join(present)}.") from None
    if device.type == "cuda" and device.index is None and present[0].startswith("cuda"):
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if str(device) not in present:
        raise InputError(f"The device {name!r} is not there; give one of: auto, {', '.join(present)}.")
    return device


def devices() -> list[str]:
    """Return the names of the devices that are there, the fastest first and cpu last."""
    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the arithmetic of the networks.

    Args:
        name: float32, bfloat16, or auto: bfloat16 where the device has units for it.
        device: where the networks are.

    Raises:
        InputError: an unknown name.
    """
    if name == "auto":
        return torch.bfloat16 if has_bfloat16(device) else torch.float32
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in known:
        raise InputError(f"There is no precision {name!r}; give one of: auto, {', '.join(known)}.")
    return known[name]


def has_bfloat16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and not {"avx512_bf16", "amx_bf16"}.isdisjoint(_cpu_flags())


@contextmanager
def without_tf32() -> Iterator[None]:
    """Compute float32 convolutions of an NVIDIA GPU in float32, where PyTorch rounds their factors to TF32 by default.

    cuDNN's deterministic algorithms are used meanwhile.
    """
    cudnn: Any = torch.backends.cudnn
    try:
        cudnn.allow_tf32  # noqa: B018  (has no value beside the newer `fp32_precision`, torch >= 2.9, once that was set)
    except RuntimeError:
        flags = _convolutions_in_float32(cudnn.conv)
    else:
        flags = cudnn.flags(enabled=cudnn.enabled, deterministic=True, allow_tf32=False)
    with flags:
        yield


@contextmanager
def _convolutions_in_float32(operator: Any) -> Iterator[None]:
    cudnn: Any = torch.backends.cudnn
    before = operator.fp32_precision, cudnn.deterministic
    operator.fp32_precision, cudnn.deterministic = "ieee", True
    try:
        yield
    finally:
        operator.fp32_precision, cudnn.deterministic = before


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Have an NVIDIA GPU sum in the same order each time, so that a resumed game computes the same bits.

    Where PyTorch has no such kernel, the usual one is used without a word. On a CPU the order of sums is fixed already.
    """
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or cuBLAS may split products as its memory allows
    fill: Any = torch.utils.deterministic
    before = torch.get_deterministic_debug_mode(), fill.fill_uninitialized_memory
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation")
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        fill.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.set_deterministic_debug_mode(before[0])
            fill.fill_uninitialized_memory = before[1]


@contextmanager
def order_of_sums_free(device: torch.device) -> Iterator[None]:
    """Allow, within `deterministic`, kernels of an NVIDIA GPU that sum in any order: where the order cannot matter."""
    mode = torch.get_deterministic_debug_mode() if device.type == "cuda" else 0
    if mode:
        torch.set_deterministic_debug_mode(0)
    try:
        yield
    finally:
        if mode:
            torch.set_deterministic_debug_mode(mode)


def pick_memory_format(name: str, device: torch.device, precision: torch.dtype) -> torch.memory_format:
    """Return the order of images and convolution weights in memory.

    Args:
        name: channels_last, contiguous, or auto: channels_last on CPUs, and on GPUs in bfloat16, where it is faster.
        device: where the networks are.
        precision: their arithmetic.

    Raises:
        InputError: an unknown name.
    """
    known = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
    if name == "auto":
        pays = device.type == "cpu" or (device.type == "cuda" and precision == torch.bfloat16)
        return torch.channels_last if pays else torch.contiguous_format
    if name not in known:
        raise InputError(f"There is no memory format {name!r}; give one of: auto, {', '.join(known)}.")
    return known[name]


def describe() -> dict[str, str | int]:
    """Return what a result may depend on: processor, cores, threads, GPUs, system and torch."""
    return {
        "system": platform.platform(),
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "bfloat16": "yes" if has_bfloat16(torch.device("cpu")) else "no",
        "gpus": ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())),
        "torch": torch.__version__,
    }


def _cpu_flags() -> set[str]:
    """Return the instruction sets for bfloat16 that torch, or else Linux, says the CPU has."""
    asked = {"avx512_bf16": "_is_avx512_bf16_supported", "amx_bf16": "_is_amx_tile_supported"}
    answers = {flag: getattr(torch.cpu, function, None) for flag, function in asked.items()}
    if all(answers.values()):
        return {flag for flag, answer in answers.items() if answer is not None and answer()}
    return set(_cpu_info("flags").split())


def _cpu_name() -> str:
    return _cpu_info("model name") or platform.processor() or platform.machine()


def _cpu_info(entry: str) -> str:
    """Return the first entry of that name in Linux's description of the CPU; elsewhere nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == entry), "")
