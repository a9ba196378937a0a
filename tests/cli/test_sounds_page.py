"""The commands of docs/sounds.md run as they stand, on fewer rounds and samples; runs of sounds keep their rate."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from scipy.io import wavfile

PAGE = (Path(__file__).parents[2] / "docs" / "sounds.md").read_text(encoding="utf-8")
QUICK = {
    "train": ("--rounds", 2, "--batch", 4, "--width", 2, "--length", 256),
    "evaluate": ("--features", "mel", "--count", 60),
}


def commands() -> list[str]:
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    return [line.removeprefix("$ ") for line in block.splitlines()]


@pytest.mark.slow
def test_the_commands_of_the_page_run(zerosum, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in commands():
        program, verb, *words = shlex.split(command)
        assert program == "zerosum"
        done = zerosum(verb, *words, *QUICK.get(verb, ()))
        assert done.code == 0, done.err
        if verb == "evaluate":
            assert "pitch (semitones)" in done.out
            assert "loudness (dB)" in done.out
    assert wavfile.read("tones.wav")[0] == 16_000
    assert Path("tones.png").exists()
    assert len(list(Path("tones").glob("*.wav"))) == 8
    assert "data:audio/wav" in Path("runs/tones/report.html").read_text()


def test_a_run_of_sounds_is_resumed_and_sampled_at_its_rate(zerosum, tmp_path):
    run = tmp_path / "run"
    started = zerosum("train", "tones", "--rate", 8000, "--run", run, *QUICK["train"])
    assert started.code == 0, started.err
    assert zerosum("train", "--resume", run, "--rounds", 3).code == 0
    assert zerosum("sample", run, "-n", 2, "--out", tmp_path / "two.wav").code == 0
    rate, wave = wavfile.read(tmp_path / "two.wav")
    assert (rate, len(wave)) == (8_000, 2 * 256 + 2_000)
    each = zerosum("sample", run, "-n", 2, "--out", tmp_path / "each")
    assert each.err == "2 samples in 2 files; --out NAME.wav puts all into one file\n"
    refused = zerosum("sample", run, "--out", tmp_path / "two.flac")
    assert (refused.code, (tmp_path / "two.flac").exists()) == (2, False)
    refused = zerosum("train", "tones", "--recipe", "dcgan")
    assert refused.code == 2
    assert "tones is made of sounds, and this recipe trains on images" in refused.err
