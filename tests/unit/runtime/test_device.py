"""What the machine is asked must be answered truly, and what it lacks refused."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from zerosum.errors import InputError
from zerosum.runtime import device

CPU = torch.device("cpu")
HAS_CUDA = torch.cuda.is_available()


def test_auto_picks_the_first_device_that_is_there() -> None:
    assert device.pick_device("auto").type == device.devices()[0].partition(":")[0]
    assert device.devices()[-1] == "cpu"


def test_cpu_is_always_there() -> None:
    assert device.pick_device("cpu") == CPU


@pytest.mark.skipif(HAS_CUDA, reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(InputError, match=r"'cuda' is not there; give one of: auto, .*cpu"):
        device.pick_device("cuda")


@pytest.mark.parametrize("name", ["gpu", "", "tpu:0"])
def test_an_unknown_device_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(InputError, match=r"give one of: auto, .*cpu"):
        device.pick_device(name)


@pytest.mark.skipif(not HAS_CUDA, reason="needs a GPU")
def test_cuda_without_a_number_is_the_one_of_this_process() -> None:
    assert device.pick_device("cuda") == torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def test_precisions_are_taken_by_name() -> None:
    assert device.pick_precision("float32", CPU) == torch.float32
    assert device.pick_precision("bfloat16", CPU) == torch.bfloat16


def test_auto_takes_bfloat16_exactly_where_the_cpu_has_units_for_it() -> None:
    wanted = torch.bfloat16 if device.has_bfloat16(CPU) else torch.float32
    assert device.pick_precision("auto", CPU) == wanted
    assert device.describe()["bfloat16"] == ("yes" if wanted == torch.bfloat16 else "no")


@pytest.mark.skipif(not os.path.exists("/proc/cpuinfo"), reason="needs Linux")
def test_linux_and_torch_agree_on_what_the_cpu_can(monkeypatch: pytest.MonkeyPatch) -> None:
    by_torch = device.has_bfloat16(CPU)
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
    assert device.has_bfloat16(CPU) == by_torch


def test_memory_formats_are_taken_by_name_and_auto_is_channels_last_on_a_cpu() -> None:
    assert device.pick_memory_format("auto", CPU, torch.float32) == torch.channels_last
    assert device.pick_memory_format("contiguous", CPU, torch.bfloat16) == torch.contiguous_format
    assert device.pick_memory_format("channels_last", CPU, torch.float32) == torch.channels_last


def test_a_gpu_gets_channels_last_in_bfloat16_alone() -> None:
    gpu = torch.device("cuda")
    assert device.pick_memory_format("auto", gpu, torch.bfloat16) == torch.channels_last
    assert device.pick_memory_format("auto", gpu, torch.float32) == torch.contiguous_format


def test_unknown_names_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(InputError, match="no precision 'half'; give one of: auto, float32, bfloat16"):
        device.pick_precision("half", CPU)
    with pytest.raises(InputError, match="no memory format 'nhwc'; give one of: auto, channels_last, contiguous"):
        device.pick_memory_format("nhwc", CPU, torch.float32)


def test_the_description_names_the_machine_in_plain_values() -> None:
    said = device.describe()
    assert {"cpu", "cores", "threads", "torch", "bfloat16", "gpus", "system"} <= said.keys()
    assert all(isinstance(value, str | int) for value in said.values())
    assert said["threads"] == torch.get_num_threads()
    assert said["cpu"]


FAULTS = """
import resource, torch
from zerosum.runtime import device as machine
machine.keep_freed_memory()
for _ in range(30):
    torch.ones(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults(keep: str) -> int:
    """Page faults of writing ten tensors of 40 MB after thirty of the same, in a process of its own."""
    environment = os.environ | {"ZEROSUM_KEEP_MEMORY": keep}
    done = subprocess.run([sys.executable, "-c", FAULTS], env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux" or not os.confstr("CS_GNU_LIBC_VERSION"), reason="needs glibc")
def test_kept_memory_is_written_again_without_page_faults_unless_turned_off() -> None:
    assert _faults("1") < 0.2 * _faults("0")


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="torch < 2.9 has the older flag alone")
def test_tf32_is_turned_off_where_someone_has_set_the_newer_flag():
    convolutions = torch.backends.cudnn.conv
    before = convolutions.fp32_precision
    convolutions.fp32_precision = "none"
    try:
        with device.without_tf32():
            assert convolutions.fp32_precision == "ieee"
            assert torch.backends.cudnn.deterministic
        assert convolutions.fp32_precision == "none"
        assert not torch.backends.cudnn.deterministic
    finally:
        convolutions.fp32_precision = before


def test_a_gpu_sums_in_one_order_meanwhile_and_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.utils.deterministic.fill_uninitialized_memory
    with device.deterministic(torch.device("cuda")):
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert not torch.utils.deterministic.fill_uninitialized_memory
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory == before


def test_a_cpu_is_left_as_it_is() -> None:
    with device.deterministic(CPU):
        assert not torch.are_deterministic_algorithms_enabled()
