"""Video files: an animation, or a strip of its frames."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from PIL import Image

from zerosum.errors import InputError
from zerosum.media.image_grid import PAPER, beside
from zerosum.runtime.atomic_files import replacing

SHORTEST, LONGEST = 0.001, 655.35
"""Seconds that a frame of a film can stay: a GIF holds hundredths of a second in 16 bits."""


def animate(frames: Sequence[Image.Image], path: Path, *, seconds_per_frame: float) -> None:
    """Write frames as a film: a repeating .gif, an .mp4, or a .png strip with the frames from left to right.

    Args:
        frames: Pictures of one size.
        path: Its ending chooses the format.
        seconds_per_frame: How long each frame stays; GIF rounds it to hundredths of a second.

    Raises:
        InputError: No frames, different sizes, an unknown ending, a pace that no film has, or .mp4 without the `video`
            extra.
        StorageError: The disk refused the write.
    """
    if not frames or len({frame.size for frame in frames}) != 1:
        raise InputError(
            f"A film got {len(frames)} frames of {len({f.size for f in frames})} sizes; give frames of one size."
        )
    writers = {".gif": _write_gif, ".mp4": _write_mp4, ".png": _write_strip}
    if path.suffix.lower() not in writers:
        raise InputError(f"A film cannot be written as {path.name}; give a name that ends in .gif, .mp4 or .png.")
    require_pace(path, seconds_per_frame)
    with replacing(path) as partial:
        writers[path.suffix.lower()](frames, partial, seconds_per_frame)


def require_pace(path: Path, seconds_per_frame: float) -> None:
    """Check that a film can show each of its frames for so long; a strip has no pace.

    Raises:
        InputError: it cannot.
    """
    if not seconds_per_frame > 0:
        raise InputError(f"A film got {seconds_per_frame} seconds a frame; give a number above 0, for example 0.1.")
    if path.suffix.lower() != ".png" and not SHORTEST <= seconds_per_frame <= LONGEST:
        raise InputError(
            f"A film of {seconds_per_frame:.3g} seconds a frame cannot be written: give --seconds, or --frames, by "
            f"which each stays from {SHORTEST} to {LONGEST} seconds."
        )


def _write_gif(frames: Sequence[Image.Image], path: Path, seconds_per_frame: float) -> None:
    first, *others = [_on_paper(frame) for frame in frames]
    duration = max(10, round(seconds_per_frame * 100) * 10)
    first.save(path, format="GIF", save_all=True, append_images=others, duration=duration, loop=0)


def _write_strip(frames: Sequence[Image.Image], path: Path, seconds_per_frame: float) -> None:
    beside(frames, gap=2).save(path, format="PNG")


def _write_mp4(frames: Sequence[Image.Image], path: Path, seconds_per_frame: float) -> None:
    try:
        import av
    except ImportError:
        raise InputError(
            "Writing .mp4 needs the video extra: type `pip install zerosum[video]`, or give a name that ends in .gif."
        ) from None
    width, height = (side + side % 2 for side in frames[0].size)  # 4:2:0 colour needs even sides
    with av.open(str(path), mode="w", format="mp4") as film:
        rate = Fraction(1 / seconds_per_frame).limit_denominator(1000)
        stream = film.add_stream("libx264", rate=rate, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            padded = Image.new("RGB", (width, height), PAPER)
            padded.paste(_on_paper(frame), (0, 0))
            film.mux(stream.encode(av.VideoFrame.from_image(padded)))
        film.mux(stream.encode())


def _on_paper(picture: Image.Image) -> Image.Image:
    """Flatten onto white: films have no transparency."""
    if picture.mode not in ("LA", "RGBA"):
        return picture.convert("RGB")
    sheet = Image.new("RGBA", picture.size, (*PAPER, 255))
    return Image.alpha_composite(sheet, picture.convert("RGBA")).convert("RGB")
