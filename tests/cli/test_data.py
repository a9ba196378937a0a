"""`zerosum data`: what is there, and packing it ahead of training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photos() -> Path:
    folder = Path("photos")
    for name in ("cat/1.png", "cat/2.png", "dog/1.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((24, 20), 60).save(folder / name)
    return folder


def test_check_reports_and_a_corrupt_file_does_not_stop_it(photos: Path, zerosum: Any) -> None:
    (photos / "dog" / "2.png").write_text("no picture")
    said = zerosum("data", "check", photos, "--size", 16)
    assert (said.code, said.err) == (0, "")
    for expected in (
        "3 usable samples",
        "20x24: 3",
        "cat: 2",
        "dog/2.png is no image",
        "Shape in training: 1 x 16 x 16",
    ):
        assert expected in said.out


def test_pack_decodes_into_the_cache_that_training_reads(photos: Path, zerosum: Any) -> None:
    said = zerosum("data", "pack", photos, "--size", 16, "--cache", "packs")
    assert said.code == 0
    assert said.out.splitlines()[-1] == f"3 samples of 1x16x16, packed in {Path('packs').absolute()}."
    before = sorted((path, path.stat().st_mtime_ns) for path in Path("packs").rglob("samples.npy"))
    settings = ("--recipe", "gan", "--generator-hidden", 4, "--discriminator-hidden", 4, "--rounds", 1, "--batch", 2)
    assert zerosum("train", photos, "--size", 16, "--cache", "packs", "--run", "run", *settings).code == 0
    assert before == sorted((path, path.stat().st_mtime_ns) for path in Path("packs").rglob("samples.npy"))


def test_check_says_the_size_that_training_takes(tmp_path: Path, zerosum: Any) -> None:
    folder = Path("scans")
    folder.mkdir()
    for number in range(3):
        Image.effect_noise((35, 27), 60).save(folder / f"{number}.png")
    said = zerosum("data", "check", folder)
    assert "Shape in training: 1 x 28 x 36; recommended: --size 28x36" in said.out
    assert "Images of 27x35 are scaled to 28x36, the nearest size that projection can make" in said.out
    assert "keep their size" not in said.out
    assert zerosum("train", folder, "--size", "28x36", "--explain").out.startswith("3 images of 1x28x36")
    said = zerosum("data", "check", folder, "--size", "27x35")
    assert "projection cannot be trained on them: Images of 27x35 cannot be halved" in said.out
    assert "cannot be trained" not in zerosum("data", "check", folder, "--size", "16").out


def test_where_samples_lie_is_said_as_it_is(photos: Path, zerosum: Any) -> None:
    Path("real").mkdir()
    Path("packs").symlink_to("real")
    said = zerosum("data", "pack", photos, "--size", 16, "--cache", "packs")
    assert said.out.endswith(f", packed in {Path('packs').absolute()}.\n")
    said = zerosum("data", "pack", photos, "--size", 16, "--cache", "packs", "--pack", "files")
    assert said.out.endswith(f", packed in {Path('packs').absolute()}.\n")
    np.save("mine.npy", np.zeros((3, 16, 16), np.uint8))
    said = zerosum("data", "pack", "mine.npy", "--cache", "packs")
    assert said.out.endswith(f", read from {Path('mine.npy').absolute()} as they are drawn: nothing needs packing.\n")


def test_what_needs_no_packing_is_said_to_need_none(zerosum: Any) -> None:
    assert "nothing needs packing" in zerosum("data", "pack", "ring8").out


def test_check_looks_over_the_targets_too(photos: Path, zerosum: Any) -> None:
    shutil.copytree(photos, "drawings")
    said = zerosum("data", "check", photos, "--target", "drawings", "--size", 16)
    assert (said.code, said.err) == (0, "")
    assert [f"{Path(place).absolute()}: 3 usable samples" in said.out for place in (photos, "drawings")] == [True, True]
    assert said.out.splitlines()[-1].startswith(
        f"3 pairs: an image of {photos.absolute()} and the one of the same name"
    )
    (Path("drawings") / "cat" / "2.png").rename(Path("drawings") / "cat" / "3.png")
    (Path("drawings") / "dog" / "1.png").write_text("no picture")
    said = zerosum("data", "check", photos, "--target", "drawings")
    assert "dog/1.png is no image" in said.out
    assert "The images do not pair up: 1 image of " in said.out.splitlines()[-1]
    assert said.out.splitlines()[-1].endswith("--recipe cyclegan learns from two sets without pairs.")
    said = zerosum("data", "check", photos, "--target", "nowhere")
    assert (said.code, "nowhere" in said.err) == (2, True)


@pytest.mark.parametrize(
    "given", [("ring8", "--target", "photos"), ("photos", "--degrade", "gray"), ("tones", "--size", 8)]
)
def test_check_refuses_what_the_data_have_no_use_for(given: tuple[Any, ...], photos: Path, zerosum: Any) -> None:
    for action in ("check", "pack"):
        said = zerosum("data", action, *given)
        assert said.code == 2
        assert f"leave out {given[1]} {given[2]}, which is of no use to them" in said.err
