"""The benchmark: what is done is kept, what was stopped goes on to the last bit, what diverges is counted as such."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.cli.conftest import assert_same_checkpoint
from zerosum.benchmarks.mode_collapse import benchmark, experiment, protocols
from zerosum.benchmarks.mode_collapse.experiment import Experiment, Variant, trial
from zerosum.benchmarks.mode_collapse.mode_counter import read_digits, weathered
from zerosum.benchmarks.mode_collapse.table import Results, markdown, mean
from zerosum.errors import InputError
from zerosum.features.extractor import Features
from zerosum.run.config import read_config
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent, Status

SMALL = {"generator_hidden": (8,), "discriminator_hidden": (8,)}
GAN = Variant(recipe="gan", settings=SMALL)
UNROLLED = Variant(recipe="unrolled", settings={**SMALL, "steps": 1})


class Told(Silent):
    """Remembers what it is told, and asks for a stop once, in a round of the second run."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop, self.statuses, self.notes = stop, list[Status](), list[str]()

    def update(self, status: Status) -> None:
        self.statuses.append(status)
        if status.round == self.stop and "run 2 of" in status.phase:
            signal.raise_signal(signal.SIGTERM)

    def note(self, text: str) -> None:
        self.notes.append(text)


def play(out: Path, told: Told, **asked: Any) -> Results:
    given = {"data": ["ring"], "protocol": "quick", "variants": [GAN, UNROLLED], "seeds": 2, "rounds": 20}
    return benchmark.run(out, progress=told, device="cpu", **given | asked)


def test_a_stopped_benchmark_goes_on_to_what_an_unbroken_one_comes_to(tmp_path: Path) -> None:
    straight = play(tmp_path / "straight", Told())
    told = Told(stop=10)
    stopped = play(tmp_path / "stopped", told)
    assert not stopped.finished
    assert [run["variant"] for run in stopped.tables[0].runs] == [GAN.name]
    assert told.notes[-1].startswith("Stopped and saved; the same command goes on")
    assert told.statuses[-1].phase == f"ring, {UNROLLED.name}, seed 0, run 2 of 4"

    told = Told()
    gone_on = play(tmp_path / "stopped", told)
    assert gone_on.finished
    assert "1 of 4 runs are done already." in told.notes
    assert [row[:4] for row in gone_on.tables[0].rows] == [row[:4] for row in straight.tables[0].rows]
    folder = f"ring-quick/{UNROLLED.folder}/seed-0"
    one, other = (Run(tmp_path / which / folder) for which in ("straight", "stopped"))
    assert_same_checkpoint(one.checkpoint(20), other.checkpoint(20))

    told = Told()
    assert play(tmp_path / "stopped", told) == gone_on
    assert told.statuses == []


def test_results_are_written_beside_a_perfect_sampler_and_published_rows(tmp_path: Path) -> None:
    results = play(tmp_path, Told(), data=["ring", "grid"], variants=[GAN], rounds=2, seeds=1)
    kept = json.loads((tmp_path / "modes.json").read_text())
    assert [one["data"] for one in kept["tables"]] == ["ring", "grid"]
    assert (tmp_path / "modes.md").read_text() == markdown(results)
    rows = {row[0] + row[5]: row for row in kept["tables"][0]["rows"]}
    assert rows["a perfect samplercomputed"][1:4] == ["8.0", "98.9", "0.0014"]
    assert rows["PacGAN2PacGAN, table 1"][1:4] == ["7.9 ± 0.1", "95.6 ± 2.0", "0.07 ± 0.03"]
    assert rows["GANVEEGAN *"][1:4] == ["1.0", "99.3", ""]
    assert rows[f"{GAN.name}here, 2 rounds"][4] == "1"
    remarks = " ".join(kept["tables"][0]["remarks"])
    assert "Rounds: 2 here; published: 400 epochs, 400,000 rounds." in remarks
    assert "--generator-hidden 8" in remarks
    (run,) = kept["tables"][0]["runs"]
    assert sum(run["histogram"]) == round(2500 * run["high_quality"])
    assert (tmp_path / run["run"] / "run.json").exists()


def test_runs_that_diverge_are_counted_apart_and_not_repeated(tmp_path: Path) -> None:
    wild = Variant(recipe="gan", settings={**SMALL, "generator_lr": 1e30, "activation": "relu"})
    for told in (Told(), Told()):
        results = play(tmp_path, told, variants=[wild, GAN], seeds=1)
    assert results.finished
    assert results.tables[0].rows[1][1:5] == ["", "", "", "1, 1 diverged"]
    assert "is nan" in results.tables[0].runs[0]["diverged"]
    assert told.statuses == []


def test_a_run_stopped_before_its_first_checkpoint_begins_anew(tmp_path: Path) -> None:
    play(tmp_path, Told(), variants=[GAN], seeds=1)
    (run,) = tmp_path.glob("ring-quick/*/seed-0")
    (run / "modes.json").unlink()
    for path in (run / "checkpoints" / "00000020").iterdir():
        path.unlink()
    (run / "checkpoints" / "00000020").rmdir()
    assert play(tmp_path, Told(), variants=[GAN], seeds=1).finished
    assert Run(run).latest().name == "00000020"


def test_what_cannot_be_one_benchmark_is_refused(tmp_path: Path) -> None:
    play(tmp_path, Told(), variants=[GAN], seeds=1, rounds=2)
    with pytest.raises(InputError, match=r"other settings \(--rounds 2 there, 3 now\): name another folder with --out"):
        play(tmp_path, Told(), variants=[GAN], seeds=1, rounds=3)
    with pytest.raises(InputError, match="was given twice"):
        play(tmp_path / "other", Told(), variants=[GAN, GAN])


def test_a_recipe_with_presets_goes_on_too(tmp_path: Path) -> None:
    tiny = {"widths": (8,), "group": 8, "batch": 4}

    def laid_out(**changes: Any) -> Experiment:
        variant = Variant(recipe="r3gan", settings=tiny | changes)
        protocol = protocols.find("quick", "stacked-mnist")
        return trial(protocol, variant, 0, out=tmp_path, rounds=1, size="32", device="cpu")

    first = laid_out()
    of_digits = replace(first, plan=replace(first.plan, data="digits"))  # MNIST need not be here
    assert experiment.play(of_digits, Silent())
    assert read_config(Run(first.path)).config.to_json()["preset"] == "small"
    assert laid_out().path == first.path
    other = laid_out(blocks=2).path
    other.parent.mkdir()
    first.path.rename(other)
    with pytest.raises(InputError, match=r"\(--blocks 1 there, 2 now\)"):
        laid_out(blocks=2)


def test_a_mean_has_its_standard_error_where_it_has_one() -> None:
    assert mean([6, 8, 10], 2) == "8.00 ± 1.15"
    assert mean([7.25], 1) == "7.2"


class Reader:
    """Reads a digit off the brightness of its image."""

    def __call__(self, images: Tensor) -> Features:
        digits = images.float().mean((1, 2, 3)).div(25).round().long()
        return Features(features=images.flatten(1).float(), logits=torch.eye(10)[digits])


def test_the_digits_of_each_channel_are_read_in_order() -> None:
    wanted = torch.randint(10, (700, 3))
    images = (wanted * 25).to(torch.uint8)[:, :, None, None].expand(-1, -1, 4, 4)
    assert torch.equal(read_digits(images, Reader()), wanted)  # type: ignore[arg-type]


def test_every_other_digit_is_weathered_and_keeps_its_ink() -> None:
    digits = torch.zeros(20, 1, 8, 8, dtype=torch.uint8)
    digits[:, :, 4:] = 255
    seen = weathered(digits, seed=0)
    assert torch.equal(seen, weathered(digits, seed=0))
    assert torch.equal(seen[1::2], digits[1::2])
    ground, ink = seen[::2, :, :4].float().mean((1, 2, 3)), seen[::2, :, 4:].float().mean((1, 2, 3))
    assert ground.min() < 30 < 60 < ground.max() < 110
    assert ink.min() > 240


def test_time_left_is_that_of_all_runs(tmp_path: Path) -> None:
    told = Told()
    play(tmp_path, told, variants=[GAN], seeds=3)
    first = [status.seconds_left for status in told.statuses if "run 1 of 3" in status.phase]
    last = [status.seconds_left for status in told.statuses if "run 3 of 3" in status.phase]
    assert first[-1] > last[-1] == 0
    assert protocols.find("quick", "ring").data in told.statuses[0].phase
