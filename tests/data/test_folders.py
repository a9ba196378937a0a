import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from zerosum.data.sources.archive import list_zip
from zerosum.errors import InputError
from zerosum.kinds import open_as, open_data
from zerosum.kinds.captions import CaptionedImages


def notes_of(data):
    return " ".join(data.notes)


def test_images_of_one_small_size_keep_it_pixel_for_pixel(folder, options, noise):
    image = noise(20, 24, 3)
    data = open_data(folder({"a.png": image, "deep/er/b.png": (20, 24, 3)}), options=options())
    assert data.spec.shape == (3, 20, 24)
    assert len(data) == 2
    assert np.array_equal(data.samples[0], image)
    assert "keep their size" in notes_of(data)


def test_every_format_is_read(folder, options):
    smooth = np.add.outer(np.arange(32), np.arange(32)).astype(np.uint8)[..., None] * np.array([1, 2, 3], np.uint8)
    names = ("a.jpg", "b.png", "c.webp", "d.tif", "e.bmp", "f.JPEG")
    data = open_data(folder(dict.fromkeys(names, smooth)), options=options())
    assert len(data) == len(names)
    assert np.abs(data.samples.astype(int) - smooth).max() < 16


def test_images_of_several_sizes_become_64_by_default(folder, options):
    data = open_data(folder({"a.png": (80, 100, 3), "b.png": (70, 70, 3), "c.png": (30, 200, 3)}), options=options())
    assert data.spec.shape == (3, 64, 64)
    assert "3 sizes from 30x200 to 80x100" in notes_of(data)
    assert "another shape: 2 images" in notes_of(data)
    assert "smaller than 64x64: 1 image." in notes_of(data)


def test_one_size_above_128_becomes_64_by_default(folder, options):
    assert open_data(folder({"a.png": (129, 129)}), options=options()).spec.shape == (1, 64, 64)


@pytest.mark.parametrize(("size", "shape"), [("16", (1, 16, 16)), ("12x20", (1, 12, 20)), ("40X16", (1, 40, 16))])
def test_a_size_can_be_asked_for(folder, options, size, shape):
    assert open_data(folder({"a.png": (50, 30)}), options=options(size=size)).spec.shape == shape


def test_an_image_is_scaled_to_cover_and_cut_to_its_centre(folder, options):
    wide = np.zeros((40, 120), np.uint8)
    wide[:, 40:80] = 200
    tall = wide.T.copy()
    data = open_data(folder({"a.png": wide, "b.png": tall}), options=options(size="20"))
    assert np.abs(data.samples[:, 2:-2, 2:-2].astype(int) - 200).max() <= 2


def test_shrinking_a_jpeg_by_its_own_means_changes_little(folder, options, noise):
    small = Image.fromarray(noise(12, 12, 3)).resize((600, 600), Image.Resampling.BICUBIC)
    root = folder({"a.jpg": small})
    small.save(root / "a.jpg", quality=95)
    data = open_data(root, options=options(size="24"))
    exact = np.asarray(small.resize((24, 24), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(data.samples[0] - exact).mean() < 2


def test_a_large_jpeg_is_decoded_at_twice_the_size_asked_for(folder, options):
    root = folder({"a.jpg": (256, 256, 3)})
    with Image.open(root / "a.jpg") as image:
        image.draft(None, (128, 128))
        assert image.size == (128, 128)
        expected = np.asarray(image.resize((64, 64), Image.Resampling.LANCZOS))
    assert np.array_equal(open_data(root, options=options(size="64")).samples[0], expected)


def test_images_are_turned_upright(folder, options):
    upright = np.zeros((24, 16, 3), np.uint8)
    upright[:12] = 255
    stored = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[274] = 6
    root = folder({"plain.png": upright})
    for suffix in ("png", "tif", "jpg"):
        stored.save(root / f"turned.{suffix}", exif=exif)
    ahead = (root / "turned.png").read_bytes()
    chunk, pixels = ahead.index(b"eXIf") - 4, ahead.index(b"IDAT") - 4
    (root / "behind.png").write_bytes(ahead[:chunk] + ahead[pixels:-12] + ahead[chunk:pixels] + ahead[-12:])
    data = open_data(root, options=options())
    assert data.spec.shape == (3, 24, 16)
    assert (np.abs(data.samples.astype(int) - upright) < 3).all()
    assert "Turned upright as the orientation tag says: 4 images." in data.notes


def test_gray_stays_gray(folder, options):
    data = open_data(folder({"a.png": (16, 16), "b.png": Image.new("1", (16, 16), 1)}), options=options())
    assert data.spec.shape == (1, 16, 16)
    assert (data.samples[1] == 255).all()


def test_gray_among_colour_becomes_rgb(folder, options, noise):
    gray = noise(16, 16)
    data = open_data(folder({"a.png": gray, "b.png": (16, 16, 3)}), options=options())
    assert data.spec.shape == (3, 16, 16)
    assert (data.samples[0] == gray[..., None]).all()
    assert "Gray made RGB with equal channels: 1 image." in data.notes


def test_colour_files_with_equal_channels_count_as_colour(folder, options):
    gray = np.full((16, 16, 3), 90, np.uint8)
    assert open_data(folder({"a.png": gray}), options=options()).spec.shape == (3, 16, 16)


def test_opaque_alpha_is_dropped_and_said(folder, options, noise):
    image = noise(16, 16, 4)
    image[..., 3] = 255
    data = open_data(folder({"a.png": image}), options=options())
    assert np.array_equal(data.samples[0], image[..., :3])
    assert "Alpha channel dropped because opaque throughout: 1 image." in data.notes


def test_alpha_is_kept_if_a_single_pixel_of_a_single_image_is_not_opaque(folder, options, noise):
    clear, opaque = noise(16, 16, 4), noise(16, 16, 4)
    clear[..., 3] = opaque[..., 3] = 255
    clear[3, 4, 3] = 254
    data = open_data(folder({"a.png": opaque, "b.png": clear, "c.png": (16, 16, 3)}), options=options())
    assert data.spec.shape == (4, 16, 16)
    assert np.array_equal(data.samples[1], clear)
    assert (data.samples[2, ..., 3] == 255).all()
    assert "Made opaque for lack of an alpha channel: 1 image." in data.notes


def test_gray_with_alpha_has_two_channels(folder, options):
    root = folder({"a.png": Image.merge("LA", (Image.new("L", (16, 16), 50), Image.new("L", (16, 16), 100)))})
    data = open_data(root, options=options())
    assert data.spec.shape == (2, 16, 16)
    assert (data.samples == (50, 100)).all()


def test_three_channels_of_real_alpha_are_composited_on_white(folder, options):
    image = np.zeros((16, 16, 4), np.uint8)
    image[:, :8] = (200, 0, 0, 255)
    data = open_data(folder({"a.png": image}), options=options(channels=3))
    assert (data.samples[0, :, :8] == (200, 0, 0)).all()
    assert (data.samples[0, :, 8:] == 255).all()
    assert "Composited on white because of an alpha channel: 1 image." in data.notes


def test_one_channel_of_colour_is_luma(folder, options):
    image = np.zeros((16, 16, 3), np.uint8)
    image[:] = (100, 50, 200)
    data = open_data(folder({"a.png": image}), options=options(channels=1))
    assert (data.samples == round(0.299 * 100 + 0.587 * 50 + 0.114 * 200)).all()
    assert "Colour made gray (ITU-R BT.601 luma): 1 image." in data.notes


def test_palettes_and_print_colours_become_rgb(folder, options):
    red = Image.new("RGB", (16, 16), (250, 10, 10))
    see_through = Image.new("P", (16, 16), 0)
    see_through.putpalette([250, 10, 10])
    root = folder({"a.png": red.quantize(4), "b.gif": red.quantize(4), "c.tif": red.convert("CMYK")})
    data = open_data(root, options=options())
    assert data.spec.shape == (3, 16, 16)
    assert (np.abs(data.samples.astype(int) - (250, 10, 10)) <= 1).all()
    assert "Converted from CMYK to RGB: 1 image." in data.notes
    see_through.save(root / "d.png", transparency=0)
    assert open_data(root, options=options()).spec.shape == (4, 16, 16)


def test_twelve_bits_in_sixteen_are_not_almost_black(folder, options):
    ramp = np.linspace(0, 4003, 256).reshape(16, 16).astype(np.uint16)
    data = open_data(folder({"a.png": ramp, "b.tif": ramp}), options=options())
    assert data.spec.shape == (1, 16, 16)
    assert np.array_equal(data.samples[0, ..., 0], np.rint(ramp * (255 / 4095)).astype(np.uint8))
    assert np.array_equal(data.samples[0], data.samples[1])
    assert any("0..4095 becomes 0..255" in note for note in data.notes)


def test_floating_point_tiffs_are_scaled_over_the_whole_data_set(folder, options):
    low, high = np.full((8, 8), -3, np.float32), np.full((8, 8), 7, np.float32)
    data = open_data(folder({"a.tif": low, "b.tif": high}), options=options())
    assert (data.samples[0] == 0).all()
    assert (data.samples[1] == 255).all()
    assert any("from -3 to 7" in note for note in data.notes)


def test_of_several_frames_or_pages_the_first_is_used(folder, options):
    frames = [Image.new("L", (16, 16), shade) for shade in (10, 100, 200)]
    root = folder({})
    frames[0].save(root / "a.tif", save_all=True, append_images=frames[1:])
    frames[0].save(root / "b.gif", save_all=True, append_images=frames[1:])
    data = open_data(root, options=options())
    assert (np.abs(data.samples.astype(int) - 10) <= 1).all()
    assert "Several frames or pages, of which the first is used: 2 files." in data.notes


def test_other_files_are_left_out_and_said(folder, options):
    root = folder({"a.png": (16, 16), "read.me": b"x", "notes.txt": b"x", ".DS_Store": b"x", "__MACOSX/._a.png": b"x"})
    data = open_data(root, options=options())
    assert len(data) == 1
    assert "Left out because no images: 2 files (.me, .txt)." in data.notes
    assert not any("captions" in note for note in data.notes)


@pytest.mark.parametrize(
    "captions", [{"captions.csv": b"file,caption\na.png,a red circle\n"}, {"a.txt": b"a red circle\n"}]
)
def test_captions_are_no_secret_where_images_alone_are_trained_on(folder, options, captions):
    root = folder({"a.png": (16, 16), **captions})
    said = "What may be captions is left aside: --recipe stackgan makes images from sentences."
    assert said in open_data(root, options=options()).notes
    assert said not in open_as([CaptionedImages], root, options=options()).notes


def test_splits_are_folders_on_top(folder, options):
    names = ("train/cat/a.png", "train/dog/a.png", "val/cat/a.png", "val/dog/b.png", "val/dog/c.png")
    root = folder(dict.fromkeys(names, (16, 16)))
    train, val = open_data(root, options=options()), open_data(root, options=options(split="val"))
    assert (len(train), len(val)) == (2, 3)
    assert train.spec.classes == val.spec.classes == ("cat", "dog")
    with pytest.raises(InputError, match="no split test: choose --split train or val"):
        open_data(root, options=options(split="test"))


def test_data_without_splits_have_no_test_split(folder, options):
    with pytest.raises(InputError, match="no split test"):
        open_data(folder({"a.png": (16, 16)}), options=options(split="test"))


def test_a_zip_is_read_as_the_folder_it_holds(folder, options, tmp_path):
    names = ("train/cat/a.png", "train/dog/b.png", "train/dog/c.png", "test/dog/d.png")
    root = folder(dict.fromkeys(names, (16, 16, 3)))
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for name in names:
            archive.write(root / name, f"photos/{name}")
        archive.writestr("__MACOSX/photos/train/cat/._a.png", "litter")
        archive.writestr("../../outside.txt", "a name that would climb out of the folder")
    from_zip, from_folder = open_data(tmp_path / "photos.zip", options=options()), open_data(root, options=options())
    assert np.array_equal(from_zip.samples, from_folder.samples)
    assert from_zip.spec == from_folder.spec
    assert from_zip.fingerprint == from_folder.fingerprint
    assert not (tmp_path.parent.parent / "outside.txt").exists()


def test_names_in_a_zip_are_utf8_whether_or_not_its_writer_says_so(folder, tmp_path):
    root = folder({"été.png": (8, 8, 3)})
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(root / "été.png", "été.png")
    data = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + flags + 1] &= ~0x08
    (tmp_path / "bare.zip").write_bytes(data)
    assert zipfile.ZipFile(tmp_path / "bare.zip").namelist() != ["été.png"]
    for files in (list_zip(path), list_zip(tmp_path / "bare.zip")):
        assert files.names == ("été.png",)
        assert files.open("été.png").read() == (root / "été.png").read_bytes()


def test_what_is_no_zip_or_encrypted_is_refused(options, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(InputError, match="no zip archive"):
        open_data(tmp_path / "a.zip", options=options())
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("a.png", b"x")
    content = bytearray((tmp_path / "b.zip").read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.zip").write_bytes(content)
    with pytest.raises(InputError, match="encrypted"):
        open_data(tmp_path / "b.zip", options=options())


def test_a_link_that_leads_back_up_is_followed_once(folder, options):
    root = folder({"cat/a.png": (16, 16), "dog/b.png": (16, 16)})
    os.symlink(root, root / "dog" / "up")
    assert len(open_data(root, options=options())) == 2
