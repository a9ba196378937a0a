import sys
from contextlib import suppress

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.errors import InputError, StorageError
from zerosum.media.image_grid import grid, save_images, scatter, side_by_side, write_png
from zerosum.media.video import animate
from zerosum.runtime.atomic_files import replacing


def constant(*levels: float, channels: int = 1, side: int = 64) -> torch.Tensor:
    return torch.stack([torch.full((channels, side, side), level) for level in levels])


def test_a_grid_holds_every_image_in_reading_order_with_white_between():
    sheet = grid(constant(-1.0, 0.0, 1.0), columns=2, gap=2)
    assert (sheet.mode, sheet.size) == ("L", (130, 130))
    assert [sheet.getpixel(place) for place in [(10, 10), (100, 10), (10, 100)]] == [0, 128, 255]
    assert sheet.getpixel((64, 10)) == 255
    assert sheet.getpixel((100, 100)) == 255


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_one_to_four_channels_are_gray_colour_and_their_transparent_kinds(channels, mode):
    assert grid(constant(0.0, channels=channels)).mode == mode


def test_transparency_is_kept_and_gaps_are_transparent():
    sheet = grid(torch.cat([constant(1.0, 1.0, channels=3), constant(-1.0, -1.0)], dim=1), columns=2)
    assert sheet.getpixel((10, 10)) == (255, 255, 255, 0)
    assert sheet.getpixel((65, 10))[3] == 0


def test_other_channel_counts_are_shown_side_by_side_in_gray():
    volume = torch.stack([torch.full((64, 64), -1 + level / 2.5) for level in range(6)])[None]
    sheet = grid(volume)
    assert (sheet.mode, sheet.size) == ("L", (6 * 64, 64))
    assert sheet.getpixel((1, 0)) == 0
    assert sheet.getpixel((6 * 64 - 1, 0)) == 255


def test_small_images_are_enlarged_by_a_whole_factor_without_new_colours():
    image = torch.rand(1, 1, 8, 8) * 2 - 1
    sheet = np.asarray(grid(image))
    assert sheet.shape == (64, 64)
    assert np.array_equal(sheet, sheet[::8, ::8].repeat(8, 0).repeat(8, 1))


@pytest.mark.parametrize(
    "images", [torch.zeros(0, 1, 4, 4), torch.zeros(3, 4, 4), torch.full((1, 1, 4, 4), float("nan"))]
)
def test_what_cannot_be_shown_is_refused(images):
    with pytest.raises(InputError):
        grid(images)


def test_neighbours_stand_to_the_right_of_their_sample():
    sheet = side_by_side(constant(-1.0), constant(0.0, 1.0)[None], gap=2)
    assert sheet.size == (64 + 8 + 64 + 2 + 64, 64)
    assert [sheet.getpixel((x, 5)) for x in (5, 80, 190)] == [0, 128, 255]


def test_many_rows_of_neighbours_are_laid_out_in_blocks_that_hold_all_of_them():
    levels = torch.linspace(-1, 0.9, 12)
    sheet = side_by_side(constant(*levels.tolist()), torch.ones(12, 5, 1, 64, 64))
    assert sheet.width > sheet.height
    shown = set(np.unique(np.asarray(sheet)).tolist()) - {255}
    assert len(shown) == 12


def test_neighbours_of_another_shape_are_refused():
    with pytest.raises(InputError, match="do not fit"):
        side_by_side(constant(0.0), torch.zeros(2, 3, 1, 64, 64))


def red(picture: Image.Image) -> np.ndarray:
    pixels = np.asarray(picture).astype(int)
    return pixels[:, :, 0] - pixels[:, :, 2] > 80


def test_a_scatter_plot_has_its_second_axis_pointing_up():
    reference = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    rows, columns = np.nonzero(red(scatter(torch.tensor([[-0.8, 0.8]]), reference=reference, size=200)))
    assert columns.mean() < 60
    assert rows.mean() < 60


def test_points_outside_of_the_reference_are_counted_in_the_corner():
    reference = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    inside = scatter(torch.zeros(1, 2), reference=reference, size=256)
    outside = scatter(torch.tensor([[0.0, 0.0], [9.0, 9.0]]), reference=reference, size=256)
    corner = (0, 0, 90, 20)
    assert np.asarray(inside.crop(corner)).min() == 255
    assert np.asarray(outside.crop(corner)).min() < 160


def test_points_that_all_coincide_are_drawn_in_the_middle():
    rows, columns = np.nonzero(red(scatter(torch.ones(5, 2), size=200)))
    assert abs(rows.mean() - 99.5) < 1
    assert abs(columns.mean() - 99.5) < 1


@pytest.mark.parametrize("points", [torch.zeros(0, 2), torch.zeros(4, 3), torch.full((2, 2), float("inf"))])
def test_what_are_not_points_of_the_plane_are_refused(points):
    with pytest.raises(InputError, match="points of the plane"):
        scatter(points)


def test_saved_images_come_back_exactly_and_carry_their_metadata(tmp_path):
    levels = torch.arange(192, dtype=torch.uint8).view(1, 3, 8, 8)
    images = levels.float() / 127.5 - 1
    (path,) = save_images(images, tmp_path / "new", prefix="face", metadata={"seed": "7", "run": "läufe/größe ∞"})
    with Image.open(path) as saved:
        assert np.array_equal(np.asarray(saved), levels[0].permute(1, 2, 0).numpy())
        assert saved.text == {"seed": "7", "run": "läufe/größe ∞"}
    assert path.name == "face-0000.png"


def test_images_that_no_png_holds_are_refused(tmp_path):
    with pytest.raises(InputError, match="No PNG holds images of 6 channels"):
        save_images(torch.zeros(2, 6, 4, 4), tmp_path / "new", prefix="sample", metadata={})
    assert not (tmp_path / "new").exists()


def test_a_refused_write_says_so_and_leaves_what_was_there(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StorageError, match="could not be written"):
        write_png(Image.new("L", (2, 2)), tmp_path / "file" / "a.png", {})
    assert (tmp_path / "file").read_text() == "mine"


def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path):
    write_png(Image.new("L", (2, 2)), tmp_path / "a.png")
    with suppress(ZeroDivisionError), replacing(tmp_path / "a.png") as partial:
        partial.write_text("half")
        _ = 1 / 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert Image.open(tmp_path / "a.png").size == (2, 2)


def test_nothing_but_the_finished_file_is_left_in_the_folder(tmp_path):
    write_png(Image.new("L", (2, 2)), tmp_path / "a.png")
    write_png(Image.new("L", (3, 3)), tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert Image.open(tmp_path / "a.png").size == (3, 3)


FRAMES = [Image.new("RGB", (31, 17), (level, 0, 0)) for level in (0, 120, 240)]


def test_a_gif_has_all_frames_with_their_duration_and_repeats(tmp_path):
    animate(FRAMES, tmp_path / "a.gif", seconds_per_frame=0.2)
    with Image.open(tmp_path / "a.gif") as film:
        assert (film.n_frames, film.info["duration"], film.info["loop"]) == (3, 200, 0)


def test_an_mp4_has_all_frames_at_their_rate_and_even_sides(tmp_path):
    av = pytest.importorskip("av")
    animate(FRAMES, tmp_path / "a.mp4", seconds_per_frame=0.1)
    with av.open(str(tmp_path / "a.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (32, 18, 10)
        assert len(list(film.decode(video=0))) == 3


def test_a_png_film_is_a_strip_of_its_frames(tmp_path):
    animate(FRAMES, tmp_path / "a.png", seconds_per_frame=0.1)
    strip = Image.open(tmp_path / "a.png")
    assert strip.size == (31 * 3 + 4, 17)
    assert [strip.getpixel((x, 5))[0] for x in (5, 40, 80)] == [0, 120, 240]


def test_a_film_of_transparent_frames_is_flattened_onto_white(tmp_path):
    animate([Image.new("RGBA", (16, 16), (0, 0, 0, 0))] * 2, tmp_path / "a.gif", seconds_per_frame=0.1)
    assert Image.open(tmp_path / "a.gif").convert("RGB").getpixel((3, 3)) == (255, 255, 255)


def test_without_the_video_extra_an_mp4_is_refused_with_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"pip install zerosum\[video\]"):
        animate(FRAMES, tmp_path / "a.mp4", seconds_per_frame=0.1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("frames", "name", "seconds"),
    [
        (FRAMES, "a.webm", 0.1),
        ([], "a.gif", 0.1),
        (FRAMES, "a.gif", 0.0),
        ([FRAMES[0], Image.new("L", (2, 2))], "a.gif", 0.1),
    ],
)
def test_a_film_that_cannot_be_made_is_refused(tmp_path, frames, name, seconds):
    with pytest.raises(InputError):
        animate(frames, tmp_path / name, seconds_per_frame=seconds)
