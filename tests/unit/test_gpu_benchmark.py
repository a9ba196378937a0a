"""The benchmark of a GPU, rehearsed on the CPU."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import pytest
import torch

from bench import gpu, gpu_beside, gpu_cases, gpu_equal
from zerosum import recipes
from zerosum.data.spec import Spec

CPU = torch.device("cpu")


@pytest.mark.slow
def test_the_benchmark_runs_through(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bench.gpu", "--device", "cpu", "--quick", "--only", "dcgan,pix2pix"])
    gpu.main()
    said = capsys.readouterr().out
    for part in ("equal", "beside", "cases"):
        assert f"{part}: {gpu.PARTS[part]} s at most" in said
    assert "| dcgan | 0.0e+00 | yes |" in said
    assert "| pix2pix | 0.0e+00 | yes |" in said
    assert said.count("| dcgan, batch 8 | 3x16x16 |") == 3
    assert said.count("| pix2pix, batch 8 | 3x16x16 |") == 2
    assert "left out" not in said


def test_another_round_than_that_of_the_cpu_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def compared(*others: gpu_equal.Move) -> float:
        both = iter([[("generator", [torch.tensor([2.0, 0.0]), torch.tensor([0.0])])], list(others)])
        monkeypatch.setattr(gpu_equal, "played", lambda name, place: next(both))
        return gpu_equal.apart("gan", CPU)

    assert compared(("generator", [torch.tensor([2.0, 0.0]), torch.tensor([0.5])])) == pytest.approx(0.25)
    assert compared(("discriminator", [torch.tensor([2.0, 0.0]), torch.tensor([0.0])])) == math.inf
    assert compared() == math.inf


def test_rounding_does_not_make_a_round_another(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = gpu_equal.played("dcgan", CPU)
    monkeypatch.setattr(torch.nn.Module, "to", lambda module, place: nudged(module))
    rounded = gpu_equal.played("dcgan", CPU)
    assert not torch.equal(exact[0][1][0], rounded[0][1][0])
    both = iter([exact, rounded])
    monkeypatch.setattr(gpu_equal, "played", lambda name, place: next(both))
    assert gpu_equal.apart("dcgan", CPU) < gpu_equal.TOLERANCE


def nudged(module: torch.nn.Module) -> torch.nn.Module:
    """Return a module whose weights are another device's rounding away."""
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(1 + 3e-7 * torch.randn(weight.shape))
    return module


def test_a_part_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(gpu.PARTS, "equal", -1)
    two = [lambda: ["a"], lambda: ["b"]]
    assert gpu.within("equal", two, ["a", "b"]) == gpu.Part([], [], "equal: 0 s of -1; left out: a, b.")
    monkeypatch.setitem(gpu.PARTS, "equal", 60)
    assert gpu.within("equal", two, ["a", "b"]) == gpu.Part([["a"], ["b"]], [], "equal: 0 s of 60.")


def test_a_recipe_that_fails_is_named_and_the_others_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    failing: list[Callable[[], list[str]]] = [lambda: [str(1 // 0)], lambda: ["b"]]
    found = gpu.within("equal", failing, ["a", "b"])
    assert found.rows == [["b"]]
    assert found.said == "equal: 0 s of 120; failed: a (ZeroDivisionError)."
    monkeypatch.setattr(gpu, "equality", lambda name, place: [str(1 // 0)])
    monkeypatch.setattr(sys, "argv", ["bench.gpu", "--device", "cpu", "--quick", "--only", "gan", "--parts", "equal"])
    with pytest.raises(SystemExit, match=r"failed: gan \(ZeroDivisionError\)"):
        gpu.main()


@pytest.mark.parametrize("name", gpu_beside.BESIDE)
def test_a_plain_loop_has_the_recipes_weights_at_the_size_that_is_measured(name: str) -> None:
    shape, settings = gpu_beside.BESIDE[name]
    gpu_beside.plain_step(name, recipes.find(name).Config.for_kind("images", settings), Spec(shape=shape), CPU)


def test_every_recipe_of_the_registry_is_measured() -> None:
    assert {case.recipe for case in gpu_cases.CASES} == set(recipes.names())
    assert {case.recipe for case in gpu_cases.small_cases()} == set(recipes.names())
    assert sum(gpu.PARTS.values()) <= 600
