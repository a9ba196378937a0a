"""What is wrong with captions, ages, meshes, clips and sounds is one sentence and exit code 2, or a note."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from zerosum.cli import main

TETRAHEDRON = "OFF\n4 {faces} 0\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"


def image(path: Path, width: int = 16, height: int = 16) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(len(path.name)).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def captioned(table: str) -> Callable[[Path], None]:
    def write(place: Path) -> None:
        for name in ("a.png", "b.png"):
            image(place / name)
        (place / "captions.csv").write_text(f"file,caption\n{table}", encoding="utf-8")

    return write


def aged(age: str) -> Callable[[Path], None]:
    def write(place: Path) -> None:
        for name in ("a.png", "b.png"):
            image(place / name)
        (place.parent / "ages.csv").write_text(f"file,age\na.png,20\nb.png,{age}\n", encoding="utf-8")

    return write


def mesh(text: str) -> Callable[[Path], None]:
    return lambda place: (place / "a.off").write_text(text, encoding="utf-8") and None


def strips(*frames: int) -> Callable[[Path], None]:
    return lambda place: [image(place / f"{count}.png", 16 * count) for count in frames] and None


def sound(values: np.ndarray, rate: int = 16_000) -> Callable[[Path], None]:
    return lambda place: wavfile.write(place / "a.wav", rate, values)


def content(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda place: (place / name).write_bytes(data) and None


SINE = (0.5 * np.sin(np.arange(8192) / 10)).astype(np.float32)
STACKGAN = ("train", "data", "--recipe", "stackgan", "--explain")
AGES = ("train", "data", "--recipe", "age_cgan", "--ages", "ages.csv", "--explain")
PACK = ("data", "pack", "data")
REFUSED = {
    "an image without a caption": (captioned("a.png,one\n"), STACKGAN, "1 image of 2 in * lacks a caption"),
    "a caption without its image": (captioned("a.png,x\nb.png,y\nc.png,z\n"), STACKGAN, "captions of 1 file not in"),
    "a row without a caption": (captioned("a.png,x\nb.png,\n"), STACKGAN, "Line 3 of captions.csv has no caption"),
    "an age that is no number": (aged("old"), AGES, "The age of b.png is 'old', which is no number"),
    "an age in no group": (aged("-3"), AGES, "ages are not negative"),
    "a mesh of no size": (mesh("OFF\n3 1 0\n1 1 1\n1 1 1\n1 1 1\n3 0 1 2\n"), PACK, "has no size"),
    "a mesh without triangles": (mesh("OFF\n3 0 0\n0 0 0\n1 0 0\n0 1 0\n"), PACK, "No volume in * can be used: a.off"),
    "a video without frames": (content("a.mp4", b""), PACK, "No clip in * can be used: a.mp4"),
    "a clip that is too short": (strips(5, 6), (*PACK, "--frames", "8"), "has 5 frames, and 8 are asked for"),
    "silence": (sound(np.zeros(8192, np.float32)), PACK, "all are silent"),
    "a sound with NaN": (sound(np.where(np.arange(8192) == 9, np.nan, SINE)), PACK, "not finite"),
    "a WAV that is none": (content("a.wav", b"RIFF"), PACK, "a.wav is no sound that can be read"),
}
SAID = {
    "a mesh with a hole": (mesh(TETRAHEDRON.format(faces=3)), PACK, "1 of the meshes are not watertight"),
    "a sound of another rate": (sound(SINE, 44_100), PACK, "Resampled to 16,000 Hz: 1 from 44,100 Hz"),
    "a stereo sound": (sound(np.stack([SINE, SINE], 1)), PACK, "Mixed to one channel: 1 file"),
}
EXTRAS = {
    "videos": (content("a.mp4", b"x"), "av", "pip install zerosum[video]"),
    "meshes": (mesh(TETRAHEDRON.format(faces=4)), "trimesh", "pip install zerosum[volumes]"),
    "sounds": (content("a.flac", b"fLaC" + bytes(64)), "soundfile", "pip install zerosum[audio]"),
}


def run(tmp_path: Path, write: Callable[[Path], None], words: tuple[str, ...]) -> int:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data")
    return main(list(words))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_one_sentence_and_exit_code_2(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, words, sentence = REFUSED[name]
    assert run(tmp_path, write, words) == 2
    _, said = capsys.readouterr()
    assert len(said.strip().splitlines()) == 1, said
    assert all(part in said for part in sentence.split("*")), said


@pytest.mark.parametrize("name", SAID)
def test_what_is_mended_is_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write, words, sentence = SAID[name]
    assert run(tmp_path, write, words) == 0
    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize("name", EXTRAS)
def test_an_extra_that_is_missing_is_one_sentence_that_says_what_to_install(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write, module, sentence = EXTRAS[name]
    monkeypatch.setitem(sys.modules, module, None)
    assert run(tmp_path, write, PACK) == 2
    _, said = capsys.readouterr()
    assert len(said.strip().splitlines()) == 1, said
    assert sentence in said
