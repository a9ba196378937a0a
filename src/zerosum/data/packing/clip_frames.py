"""The frames of one clip: of a video by PyAV, of an animation, a strip or a folder of images by Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image

from zerosum.data.packing.decode import PixelFormat, fit, to_plain, with_channels
from zerosum.data.packing.frame_rate import by_number, by_time, is_even, rate_of_animation
from zerosum.data.packing.open_image import Unusable, open_image, upright
from zerosum.data.sources.clip_files import VIDEOS, ClipFiles
from zerosum.errors import InputError
from zerosum.text import counted

if TYPE_CHECKING:
    import av.container


@dataclass(frozen=True, kw_only=True)
class ClipHeader:
    """What a clip is, before it is decoded."""

    height: int
    """Of a frame, in pixels, once upright."""

    width: int
    colour: bool
    rate: float | None
    """Frames a second; None where nothing says so."""

    frames: int | None
    """Their number; None where only decoding tells."""


def inspect(clips: ClipFiles, name: str) -> ClipHeader:
    """Look at the first frame of a clip, and count its frames where that is cheap.

    Raises:
        Unusable: it cannot be used.
        InputError: it is a video, and PyAV is not installed.
    """
    members = clips.members[name]
    if clips.form == "frames":
        sizes, colour = [], False
        for member in members:
            with clips.stored.open(member) as file, open_image(file, header=True) as image:
                _require_narrow(image)
                sizes.append(image.size)
                colour = colour or _colour(image)
        if len(set(sizes)) > 1:
            known = " and ".join(f"{height}x{width}" for width, height in sorted(set(sizes))[:2])
            raise Unusable(f"has frames of different sizes ({known}): give all frames of a clip one size")
        return ClipHeader(height=sizes[0][1], width=sizes[0][0], colour=colour, rate=None, frames=len(members))
    with clips.stored.open(name) as file:
        if name.lower().endswith(VIDEOS):
            return _inspect_video(file)
        with open_image(file, header=True) as image:
            _require_narrow(image)
            width, height = image.size
            if clips.form == "strips":
                count = strip_frames(width, height)
                return ClipHeader(height=height, width=height, colour=_colour(image), rate=None, frames=count)
            colour, rate = _colour(image), rate_of_animation(image)
            count = getattr(image, "n_frames", 1)
            return ClipHeader(height=height, width=width, colour=colour, rate=rate, frames=count)


def strip_frames(width: int, height: int) -> int:
    """Return how many square frames a strip holds.

    Raises:
        Unusable: its width is no multiple of its height.

    >>> strip_frames(2048, 64)
    32
    """
    if width % height:
        raise Unusable(
            f"is {height}x{width} pixels, and the width of a strip of square frames is a multiple of its height"
        )
    return width // height


def read_clip(
    clips: ClipFiles, name: str, plan: PixelFormat, *, length: int, step: int, rates: tuple[float | None, float | None]
) -> np.ndarray:
    """Decode a clip and cut it into windows of `length` frames, one after another: (W, T, H, W, C) uint8.

    Args:
        clips: to which it belongs.
        name: of the clip.
        plan: size and channels of a frame.
        length: frames of a window; what is left at the end is left out.
        step: every which frame is taken.
        rates: frames a second that the clip has, and that it is brought to before `step` counts; None where unknown. A
            video whose frames do not come evenly is brought to the second, or to the first, by the times of its frames.

    Raises:
        Unusable: it cannot be decoded, or is shorter than a window.
    """
    taken, count = [], 0
    for frame in _at_one_pace(clips, name, *rates):
        if count % step == 0:
            plain = with_channels(to_plain(frame, plan), plan.channels)
            taken.append(fit(plain, plan))
        count += 1
    if not count:
        raise Unusable("holds no frames")
    windows = len(taken) // length
    if not windows:
        raise Unusable(too_short(count, length, step))
    return np.stack(taken[: windows * length]).reshape(windows, length, plan.height, plan.width, plan.channels)


def too_short(frames: int, length: int, step: int) -> str:
    """Say that a clip has too few frames for a window; "" where it has enough."""
    taken = -(-frames // step)
    if taken >= length:
        return ""
    of_them = "" if step == 1 else f", of which every {step}th is taken"
    return f"has {counted(frames, 'frame')}{of_them}, and {length} are asked for: --frames {taken} would fit"


def _at_one_pace(clips: ClipFiles, name: str, own: float | None, rate: float | None) -> Iterator[Image.Image]:
    if clips.form == "videos" and name.lower().endswith(VIDEOS) and (wanted := rate or own) is not None:
        with clips.stored.open(name) as file:
            times = _times(file)
        if not is_even(times):
            with clips.stored.open(name) as file:
                yield from by_time(_video_frames(file), wanted)
            return
    yield from by_number(_frames(clips, name), own, rate)


def _times(file: BinaryIO) -> list[float]:
    """Return when the frames of a video begin, in units of its own; it is not decoded."""
    with _opened(file) as container:
        return sorted(packet.pts for packet in container.demux(video=0) if packet.pts is not None)


def _frames(clips: ClipFiles, name: str) -> Iterator[Image.Image]:
    """Yield the frames of a clip, upright."""
    if clips.form == "frames":
        for member in clips.members[name]:
            with clips.stored.open(member) as file, open_image(file) as image:
                image.load()
                yield upright(image)
        return
    with clips.stored.open(name) as file:
        if name.lower().endswith(VIDEOS):
            yield from (frame for _, frame in _video_frames(file))
            return
        with open_image(file) as image:
            if clips.form == "strips":
                image.load()
                side = image.height
                for index in range(strip_frames(image.width, side)):
                    yield image.crop((index * side, 0, (index + 1) * side, side))
                return
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                yield image.copy()  # with what is transparent in it


def _video_frames(file: BinaryIO) -> Iterator[tuple[float, Image.Image]]:
    """Yield the frames of a video, upright, and when they begin, in seconds."""
    with _opened(file) as container:
        for frame in container.decode(video=0):
            turn = round(getattr(frame, "rotation", 0) or 0)  # degrees counterclockwise, as a phone notes
            image = frame.to_image()
            yield frame.time or 0.0, image.rotate(turn, expand=True) if turn % 90 == 0 and turn else image


def _inspect_video(file: BinaryIO) -> ClipHeader:
    with _opened(file) as container:
        stream = container.streams.video[0]
        rate = None if stream.average_rate is None else float(stream.average_rate)
        count = stream.frames or None
    file.seek(0)
    first = next((frame for _, frame in _video_frames(file)), None)
    if first is None:
        raise Unusable("holds no frames")
    return ClipHeader(height=first.height, width=first.width, colour=True, rate=rate, frames=count)


def _opened(file: BinaryIO) -> av.container.InputContainer:
    try:
        import av
        from av.error import FFmpegError
    except ImportError:
        raise InputError(
            "Reading videos needs the video extra: type `pip install zerosum[video]`, or give GIFs, strips of frames, "
            "or folders of frames."
        ) from None
    try:
        container: Any = av.open(file)
    except FFmpegError as error:
        raise Unusable(f"is no video that can be read ({error.strerror})") from error
    if not container.streams.video:
        container.close()
        raise Unusable("has no pictures, only sound or text")
    return container


def _colour(image: Image.Image) -> bool:
    return image.mode not in ("1", "L", "LA", "La")


def _require_narrow(image: Image.Image) -> None:
    if image.mode == "F" or image.mode.startswith("I"):
        raise Unusable("has more than 8 bits a channel: store its frames with 8")
