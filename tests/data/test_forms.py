"""Forms of image file that cameras, phones, scanners and programs write."""

import io
import struct
import threading
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from zerosum.data.batch import Pairs
from zerosum.data.packing.decode import PixelFormat
from zerosum.data.packing.open_image import decoding, no_bombs
from zerosum.data.packing.wide_png import png
from zerosum.errors import InputError
from zerosum.inference.opacity import without_opacity, without_wide_opacity
from zerosum.inference.pictures import load_picture
from zerosum.kinds import open_as
from zerosum.kinds.images import open as open_data
from zerosum.runtime.byte_budget import ByteBudget, spendable


def said(data):
    return " ".join(data.notes)


def tiff(array, *, photometric=1, order="<", extra=None):
    """An uncompressed TIFF of one strip, (H, W) or (H, W, C), of 8 or 16 bits."""
    bands = 1 if array.ndim == 2 else array.shape[2]
    data = array.astype(array.dtype.newbyteorder(order)).tobytes()
    where = 8 + len(data)
    bits = struct.pack(order + f"{bands}H", *[array.dtype.itemsize * 8] * bands)
    tags = [(256, 4, array.shape[1]), (257, 4, array.shape[0])]
    tags += [
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, bands),
        (278, 4, array.shape[0]),
        (279, 4, len(data)),
    ]
    tags += [(284, 3, 1)] + ([] if extra is None else [(338, 3, extra)])
    entries = [
        struct.pack(order + "HHI", t, k, 1)
        + (struct.pack(order + "HH", v, 0) if k == 3 else struct.pack(order + "I", v))
        for t, k, v in tags
    ]
    first = struct.pack(order + "HHI", 258, 3, bands)
    entries.insert(2, first + (struct.pack(order + "I", where) if bands > 2 else bits.ljust(4, b"\0")))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", where + len(bits))
    return head + data + bits + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)


def with_chunk(image, kind, body):
    """A PNG with one more chunk after its header."""
    stored = io.BytesIO()
    image.save(stored, "PNG")
    content = stored.getvalue()
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return content[:33] + chunk + content[33:]


@pytest.mark.parametrize(("dtype", "order"), [(np.uint8, "<"), (np.uint8, ">"), (np.uint16, "<")])
def test_a_tiff_that_counts_from_white_is_no_negative(folder, options, dtype, order):
    array = np.zeros((8, 8), dtype)
    array[4:] = np.iinfo(dtype).max
    data = open_data(folder({"a.tif": tiff(array, photometric=0, order=order)}), options=options())
    assert (data.samples[0, 0, 0, 0], data.samples[0, 7, 0, 0]) == (255, 0)


@pytest.mark.parametrize(("order", "photometric"), [("<", 0), ("<", 1), (">", 1)])
def test_halves_of_sixteen_bits_are_read_in_either_order_of_bytes(folder, options, order, photometric):
    array = np.zeros((8, 16), np.uint16)
    array[:, 8:] = 65535
    root = folder({"a.tif": tiff(array, photometric=photometric, order=order), "b.tif": tiff(array, order="<")})
    data = open_as((Pairs,), root, options=options())
    left = int(data.sources[0].max())
    assert (left, int(data.samples[0].max())) == ((0, 255) if photometric else (255, 0))


@pytest.mark.parametrize("mode", ["RGB", "RGBX"])
def test_a_band_that_is_no_opacity_is_dropped_and_told(folder, options, noise, monkeypatch, mode):
    form = (TiffImagePlugin.II, 2, (1,), 1, (8, 8, 8, 8), (0,))
    monkeypatch.setitem(TiffImagePlugin.OPEN_INFO, form, (mode, "RGBX"))  # versions of Pillow differ in the mode
    array = noise(8, 8, 4)
    data = open_data(folder({"a.tif": tiff(array, photometric=2, extra=0)}), options=options())
    assert np.array_equal(data.samples[0], array[..., :3])
    assert "no colour and no opacity were dropped: 1 image" in said(data)
    with pytest.raises(InputError, match="TIFF of a kind that is not read, such as one of many bands"):
        open_data(folder({"b.tif": tiff(noise(8, 8, 7), photometric=1)}), options=options())


def test_colours_of_another_space_are_converted_and_what_cannot_be_is_told(folder, options, noise):
    image, lab = Image.fromarray(noise(8, 8, 3)), ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    same = bytes(swapped)
    red, green = swapped.index(b"rXYZ"), swapped.index(b"gXYZ")  # entries of the table: signature, offset, size
    swapped[red + 4 : red + 12], swapped[green + 4 : green + 12] = (
        swapped[green + 4 : green + 12],
        swapped[red + 4 : red + 12],
    )
    other = bytes(swapped).replace(b"s\0R\0G\0B", b"o\0t\0h\0r").replace(b"sRGB", b"othr")
    stored = {}
    for name, profile in (("a", same), ("b", other), ("c", lab), ("d", b"no profile")):
        file = io.BytesIO()
        image.save(file, "PNG", icc_profile=profile)
        stored[f"{name}.png"] = file.getvalue()
    data = open_data(folder(stored), options=options())
    plain = np.asarray(image)
    assert all(np.array_equal(data.samples[row], plain) for row in (0, 2, 3))
    assert np.abs(data.samples[1].astype(int) - plain[..., [1, 0, 2]]).max() <= 4
    assert "converted to sRGB from an embedded profile: 1 image" in said(data)
    assert "does not fit the colours was left aside: 2 images" in said(data)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"tEXt", b"iCCP"])
def test_large_texts_and_profiles_of_a_png_do_no_harm(folder, options, noise, kind):
    packed = zlib.compress(b"x" * 70_000_000, 1)
    body = {
        b"zTXt": b"a\0\0" + packed,
        b"iTXt": b"a\0\1\0\0\0" + packed,
        b"tEXt": b"a\0" + b"x" * 70_000_000,
        b"iCCP": b"a\0\0" + packed,
    }[kind]
    pixels = noise(8, 8, 3)
    data = open_data(folder({"a.png": with_chunk(Image.fromarray(pixels), kind, body)}), options=options())
    assert np.array_equal(data.samples[0], pixels)


def test_a_small_text_and_the_transparency_beside_it_stay(folder, options):
    info = PngImagePlugin.PngInfo()
    info.add_text("a", "b" * 100, zip=True)
    stored = io.BytesIO()
    key = np.zeros((8, 8, 3), np.uint8)
    key[4:] = 9
    Image.fromarray(key).save(stored, "PNG", pnginfo=info, transparency=(0, 0, 0))
    assert open_data(folder({"a.png": stored.getvalue()}), options=options()).spec.shape == (4, 8, 8)


def test_images_beyond_pillows_limit_are_read(folder, options, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    data = open_data(folder({"a.png": (100, 100), "b.tif": (90, 90, 3)}), options=options(size="16"))
    assert len(data) == 2
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_images_beyond_the_budget_are_refused_and_the_others_take_turns(folder, options, monkeypatch):
    budget = ByteBudget(4 * 50 * 50)
    monkeypatch.setattr("zerosum.data.packing.open_image.decoding", lambda: budget)
    assert len(open_data(folder({f"{i}.png": (50, 50) for i in range(20)}), options=options())) == 20
    with pytest.raises(InputError, match=r"big\.png claims 60x60 pixels, .* a decompression bomb, or"):
        open_data(folder({"big.png": (60, 60)}), options=options())


def test_a_budget_is_never_exceeded():
    budget, held, most = ByteBudget(10), [], []

    def work():
        for _ in range(50):
            with budget.share(4):
                held.append(4)
                most.append(sum(held))
                held.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= 8
    assert (1 << 26) <= spendable() <= (4 << 30)
    assert decoding().total > 0


@pytest.mark.parametrize(
    "value", [(3, struct.pack("<HH", 6, 0)), (11, struct.pack("<f", 6)), (4, struct.pack("<I", 6))]
)
@pytest.mark.parametrize("damage", ["none", "cut", "wild", "type"])
def test_metadata_that_are_damaged_do_no_harm(folder, options, value, damage):
    kind, content = value
    entry = struct.pack("<HHI", 274, kind, 1) + content
    more = {
        "none": [],
        "cut": [],
        "wild": [struct.pack("<HHII", 34665, 4, 1, 0x7FFFFFFF)],
        "type": [struct.pack("<HHII", 282, 77, 1, 0)],
    }[damage]
    count = 9 if damage == "cut" else 1 + len(more)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", count) + entry + b"".join(more) + bytes(4)
    stored = io.BytesIO()
    Image.fromarray(np.zeros((8, 12, 3), np.uint8)).save(stored, "JPEG")
    jpeg = stored.getvalue()
    jpeg = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]
    assert open_data(folder({"a.jpg": jpeg}), options=options()).spec.shape == (3, 12, 8)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x20ftypavif", "AVIF"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    ],
)
def test_forms_that_are_not_read_are_named(folder, options, start, kind):
    with pytest.raises(InputError, match=f"a.jpg is {kind}, a form that is not read: convert it to JPEG or PNG"):
        open_data(folder({"a.jpg": start + bytes(64)}), options=options())


def test_one_image_with_transparency_among_many_is_warned_of(folder, options, noise):
    see_through = noise(8, 8, 4)
    root = folder({f"{i}.png": (8, 8, 3) for i in range(20)} | {"logo.png": see_through})
    assert "though only 1 image of 21 have transparency: --channels 3" in said(open_data(root, options=options()))


def test_faint_pixels_keep_their_colour_and_the_ground_does_not_shine_through():
    sprite = np.zeros((40, 40, 4), np.uint8)
    sprite[15:25, 15:25] = (10, 20, 30, 255)
    sprite[15, 15:25, 3] = 1
    sprite[:5, :, :3] = 200  # what an editor left in the invisible
    shown = np.asarray(without_opacity(Image.fromarray(sprite)))
    assert (shown[12:28, 12:28] == (10, 20, 30)).all()
    assert (shown[:4] == 255).all()
    opaque = Image.fromarray(np.full((8, 8, 3), 9, np.uint8))
    assert without_opacity(opaque) is opaque


def test_no_filter_mixes_the_ground_into_colours_of_16_bits():
    sprite = np.zeros((32, 32, 4), np.uint16)
    sprite[8:24, 8:24] = (9000, 20000, 300, 65535)
    assert np.array_equal(without_wide_opacity(sprite)[0, 0], (9000, 20000, 300))
    far = np.zeros((32, 32, 4), np.uint16)
    far[0, 0] = (9000, 20000, 300, 1)
    assert (without_wide_opacity(far)[9:, 9:] == 65535).all()
    plan = PixelFormat(height=16, width=16, channels=3, scales={}, bits=16)
    shown = load_picture("a.png", io.BytesIO(png(sprite, {})), plan=plan, size="trained").pixels
    assert (shown.permute(1, 2, 0).numpy() == (9000, 20000, 300)).all()


def test_pillows_limit_comes_back_when_the_last_of_several_is_done():
    before = Image.MAX_IMAGE_PIXELS
    with no_bombs(), no_bombs():
        assert Image.MAX_IMAGE_PIXELS is None
    assert before == Image.MAX_IMAGE_PIXELS
