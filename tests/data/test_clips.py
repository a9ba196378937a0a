"""Clips of videos, animations, strips and folders of frames; clips made by rule; refusals in one sentence."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum import kinds
from zerosum.data.check import check
from zerosum.data.jitter import Draw, Jitter
from zerosum.data.packing.frame_rate import rate_of_animation
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds.clips import KIND, open_clips
from zerosum.media.clips import save

SIDE = 16


def frames(count: int, start: int = 0) -> list[np.ndarray]:
    """Frames of one level each, 10 apart."""
    return [np.full((SIDE, SIDE, 3), 10 * (start + index), np.uint8) for index in range(count)]


def strip(count: int, start: int = 0) -> np.ndarray:
    return np.concatenate(frames(count, start), axis=1)


def video(path: Path, count: int, rate: int = 10) -> Path:
    av: Any = pytest.importorskip("av", reason="needs the extra video")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=rate, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        for pixels in frames(count):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(stream.encode())
    return path


def levels(dataset: Any) -> list[list[int]]:
    """The level of each frame of each clip."""
    return dataset.samples.mean((2, 3, 4)).round().astype(int).tolist()


def test_strips_are_cut_into_pieces_and_labelled_by_their_folders(folder: Any, options: Any) -> None:
    root = folder({"a/0.png": strip(5), "b/0.png": strip(4, 10)})
    dataset = open_clips(root, options=options(frames=2))
    assert dataset.spec == Spec(shape=(2, 3, SIDE, SIDE), kind="clips", classes=("a", "b"))
    assert levels(dataset) == [[0, 10], [20, 30], [100, 110], [120, 130]]
    assert dataset.labels.tolist() == [0, 0, 1, 1]
    assert "4 pieces of 2 frames that do not overlap" in " ".join(dataset.notes)
    assert levels(open_clips(root, options=options(frames=2, frame_step=2))) == [[0, 20], [100, 120]]


def test_folders_of_frames_are_clips_in_natural_order_under_their_class(folder: Any, options: Any) -> None:
    files = {f"{kind}/{clip}/{n}.png": pixels for kind in "xy" for clip in "pq" for n, pixels in enumerate(frames(12))}
    dataset = open_clips(folder(files), options=options(frames=12))
    assert levels(dataset)[0] == [10 * index for index in range(12)]
    assert (dataset.spec.classes, dataset.labels.tolist()) == (("x", "y"), [0, 0, 1, 1])


def test_one_folder_of_frames_is_one_clip_without_labels(folder: Any, options: Any) -> None:
    dataset = open_clips(folder({f"clip/{n}.png": f for n, f in enumerate(frames(4))}), options=options(frames=2))
    assert (levels(dataset), dataset.labels) == ([[0, 10], [20, 30]], None)


@pytest.mark.parametrize(("own", "size", "side"), [(32, None, 32), (48, None, 32), (48, "48", 48)])
def test_frames_keep_their_size_up_to_the_largest_that_is_learned(
    folder: Any, options: Any, own: int, size: str | None, side: int
) -> None:
    root = folder({f"clip/{n}.png": np.full((own, own, 3), 10 * n, np.uint8) for n in range(4)})
    dataset = open_clips(root, options=options(frames=4, size=size))
    assert dataset.spec.shape == (4, 3, side, side)
    assert (f"Frames of {own}x{own} come to {side}x{side}" in " ".join(dataset.notes)) == (own != side)


def test_videos_are_read_and_brought_to_the_most_common_rate(tmp_path: Path, options: Any) -> None:
    for name, count, rate in (("a", 6, 10), ("b", 6, 10), ("c", 12, 20)):
        video(tmp_path / "films" / f"{name}.mp4", count, rate)
    dataset = open_clips(tmp_path / "films", options=options(frames=6))
    assert np.abs(np.array(levels(dataset)[0]) - [0, 10, 20, 30, 40, 50]).max() <= 3
    assert np.abs(np.array(levels(dataset)[2]) - [0, 20, 40, 60, 80, 100]).max() <= 3
    assert "1 clip of another frame rate than 10 a second" in " ".join(dataset.notes)


def test_wide_images_that_are_no_rows_of_squares_are_images(folder: Any, options: Any) -> None:
    root = folder({f"{index}.png": (16, 70, 3) for index in range(3)})
    assert kinds.open_data(root, options=options()).spec.shape == (3, 16, 70)
    root = folder({"3.png": (16, 64, 3)})
    assert kinds.kind_of(root).name == "clips"


@pytest.mark.parametrize("name", ["a.png", "a.apng", "a.webp"])
def test_images_of_several_frames_are_animations(name: str, tmp_path: Path, options: Any) -> None:
    (tmp_path / "films").mkdir()
    first, *others = map(Image.fromarray, frames(4))
    how: dict[str, Any] = {"lossless": True} if name.endswith("webp") else {"format": "PNG"}
    for stem in ("a", "b"):
        place = tmp_path / "films" / name.replace("a", stem, 1)
        first.save(place, save_all=True, append_images=others, duration=100, **how)
    Image.fromarray(frames(1)[0]).save(tmp_path / "films" / "still.png")
    dataset = open_clips(tmp_path / "films", options=options(frames=4))
    assert levels(dataset) == [[0, 10, 20, 30]] * 2
    assert "A clip is a video: 2 clips." in dataset.notes
    assert "Left out because no images: 1 file (.png)." in dataset.notes
    assert levels(open_clips(tmp_path / "films" / name, options=options(frames=4))) == [[0, 10, 20, 30]]
    assert rate_of(tmp_path / "films" / name) == 10
    with pytest.raises(InputError, match=r"still\.png is an image that does not move"):
        open_clips(tmp_path / "films" / "still.png", options=options(frames=4))


def rate_of(path: Path) -> float | None:
    with Image.open(path) as image:
        return rate_of_animation(image)


def test_a_gif_is_read_without_an_extra(tmp_path: Path, options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    first, *others = [Image.fromarray(pixels) for pixels in frames(4)]
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
    assert levels(open_clips(tmp_path / "a.gif", options=options(frames=4))) == [[0, 10, 20, 30]]


def animation(path: Path, pictures: list[Image.Image], durations: list[int], **more: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, **more)


def test_a_frame_that_an_animation_holds_sets_no_rate(tmp_path: Path, options: Any) -> None:
    pictures = [Image.fromarray(pixels) for pixels in frames(6)]
    for name, durations in (("a", [1000] + [40] * 5), ("b", [40] * 6), ("c", [40] * 5 + [2000])):
        animation(tmp_path / "films" / f"{name}.gif", pictures, durations)
    dataset = open_clips(tmp_path / "films", options=options(frames=6))
    assert levels(dataset) == [[0, 10, 20, 30, 40, 50]] * 3
    assert "another frame rate" not in " ".join(dataset.notes)


def test_what_is_transparent_in_an_animation_is_white_in_every_frame(tmp_path: Path, options: Any) -> None:
    pictures = []
    for index in range(4):
        pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
        pixels[:4, 2 * index : 2 * index + 4] = (200, 60, 60, 255)
        pictures.append(Image.fromarray(pixels))
    animation(tmp_path / "a.gif", pictures, [40] * 4, disposal=2)
    (clip,) = open_clips(tmp_path / "a.gif", options=options(frames=4)).samples
    assert (clip[:, 4:] == 255).all()
    assert [(frame[0, :, 1] < 100).nonzero()[0].tolist()[0] for frame in clip] == [0, 2, 4, 6]


def test_a_video_of_frames_that_last_unequally_long_moves_at_one_pace(tmp_path: Path, options: Any) -> None:
    av: Any = pytest.importorskip("av", reason="needs the extra video")
    path = tmp_path / "films" / "a.mp4"
    video(path.with_name("b.mp4"), 8)
    video(path.with_name("c.mp4"), 8)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=10, options={"crf": "1", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = SIDE, SIDE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for stamp, pixels in zip((0, 100, 200, 300, 600, 700), frames(6), strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    one = levels(open_clips(path.parent, options=options(frames=8)))[0]
    assert np.abs(np.array(one) - [0, 10, 20, 30, 30, 30, 40, 50]).max() <= 3


def test_a_missing_extra_is_one_sentence(tmp_path: Path, options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    video(tmp_path / "a.mp4", 4)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"needs the video extra: type `pip install zerosum\[video\]`"):
        open_clips(tmp_path / "a.mp4", options=options(frames=2))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.png": strip(3), "b.png": strip(8)}, "a.png has 3 frames, and 8 are asked for: --frames 3"),
        ({"a.png": strip(8)[:, :-3], "b.png": strip(8)}, "a.png is 16x125 pixels, and the width of a strip"),
        ({"p/0.png": (16, 16), "p/1.png": (32, 32)}, r"p has frames of different sizes \(16x16 and 32x32\)"),
        ({"a.mp4": b"no video", "b.mp4": b""}, "No clip in .* can be used: a.mp4 is no video that can be read"),
        ({"a.gif": b"GIF89a", "b.png": strip(8)}, "a.gif"),
        ({"notes.txt": b"nothing"}, "has no clips: expected videos"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(folder: Any, options: Any, files: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_clips(folder(files), options=options(frames=8))


def test_what_cannot_be_used_is_skipped_when_asked(folder: Any, options: Any) -> None:
    root = folder({"a.png": strip(4), "b.png": strip(8)})
    dataset = open_clips(root, options=options(frames=8, corrupt="skip"))
    assert len(dataset) == 1
    assert "Skipped: 1 clip (a.png has 4 frames" in " ".join(dataset.notes)
    assert check(root, options(frames=8)).corrupt.keys() == {"a.png"}


@pytest.mark.parametrize(("asked", "said"), [({"fit": "tiles"}, "--fit tiles"), ({"channels": 4}, "give 1 or 3")])
def test_options_of_no_use_to_clips_are_refused(options: Any, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_clips("moving-shapes", options=options(**asked))


def test_frames_are_of_no_use_to_other_kinds(options: Any) -> None:
    with pytest.raises(InputError, match="leave out --frames 4"):
        kinds.open_data("ring8", options=options(frames=4))


def test_moving_shapes_are_the_same_every_time_and_move_as_their_class_says(options: Any) -> None:
    small = options(frames=3, size="16")
    one, again = (open_clips("moving-shapes", options=small) for _ in range(2))
    assert np.array_equal(one.samples, again.samples)
    assert one.fingerprint == again.fingerprint
    assert np.bincount(one.labels).tolist() == [250] * 4
    light = one.samples.sum(-1).astype(float)
    places = np.arange(16)
    moved = [
        ((sums := light[:, time].sum(axis)) @ places / sums.sum(1)) for axis in (1, 2) for time in (0, 2)
    ]  # centres: x before, x after, y before, y after
    x, y = moved[1] - moved[0], moved[3] - moved[2]
    for label, (way, sign) in enumerate(((x, 1), (x, -1), (y, -1), (y, 1))):
        assert (sign * way[one.labels == label] > 6).all()
    assert len(open_clips("moving-shapes", options=options(frames=2, size="16", split="test"))) == 250


def test_moving_digits_need_no_file_and_have_no_labels(options: Any) -> None:
    dataset = open_clips("moving-digits", options=options(frames=2, size="16"))
    assert (dataset.spec.shape, dataset.labels) == ((2, 1, 16, 16), None)
    assert 0.02 < dataset.samples.mean() / 255 < 0.4


def test_all_frames_of_a_clip_get_one_mirror(options: Any) -> None:
    dataset = open_clips("moving-shapes", options=options(frames=3, size="16"))
    rows = np.arange(32)
    varied = dataset.batch(rows, draw=Draw(seed=0, position=0, jitter=Jitter(mirror=0.5))).clip
    plain = dataset.batch(rows).clip
    same = [torch.equal(a, b) for a, b in zip(varied, plain, strict=True)]
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(varied, plain, strict=True)]
    assert all(a or b for a, b in zip(same, mirrored, strict=True))
    assert 0 < sum(mirrored) < 32


def test_samples_are_written_as_films_rows_arrays_and_strips_that_are_read_again(tmp_path: Path, options: Any) -> None:
    spec = Spec(shape=(4, 3, SIDE, SIDE), kind="clips")
    samples = KIND.example(spec, 3).batch(np.arange(3)).to(torch.device("cpu")).real
    for name in ("a.gif", "a.png", "a.npy", "folder"):
        assert all(path.exists() for path in save(samples, tmp_path / name, {}, spec))
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 4  # type: ignore[attr-defined]
    again = open_clips(tmp_path / "folder", options=options(frames=4))
    assert np.array_equal(again.samples, KIND.example(spec, 3).samples)
    assert np.array_equal(np.load(tmp_path / "a.npy"), again.samples)
    with pytest.raises(InputError, match=r"not written as a\.tif"):
        save(samples, tmp_path / "a.tif", {}, spec)


def test_strips_and_videos_are_clips_where_nobody_says_so_and_images_are_not(folder: Any, tmp_path: Path) -> None:
    assert kinds.default_recipe(folder({"0.png": strip(8)}, "strips")) == "dvdgan"
    assert kinds.default_recipe("moving-shapes") == "dvdgan"
    assert kinds.default_recipe(folder({"0.png": (16, 16)}, "photos")) != "dvdgan"
    with pytest.raises(InputError, match="digits is made of images, and this recipe trains on clips"):
        kinds.open_as((KIND.batch,), "digits")
    with pytest.raises(InputError, match="moving-shapes is made of clips, and this recipe trains on images"):
        kinds.open_as((kinds.find("images").batch,), "moving-shapes")
