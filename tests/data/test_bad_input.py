import os
import re
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from zerosum.data.packing.decode import reason
from zerosum.errors import InputError
from zerosum.kinds import open_data


def refusal(source, options):
    with pytest.raises(InputError) as caught:
        open_data(source, options=options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "?"))
    return sentence


def png_claiming(width, height):
    """A PNG whose header promises far more than its body holds."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    )


@pytest.fixture
def truncated(folder):
    root = folder({"whole.jpg": (64, 64, 3), "cut.jpg": (64, 64, 3)})
    content = (root / "cut.jpg").read_bytes()
    (root / "cut.jpg").write_bytes(content[: len(content) // 2])
    return root


def test_a_path_that_is_not_there_is_refused_with_the_nearest_name(options, tmp_path, folder):
    assert "did you mean fashion-mnist?" in refusal("fashion-minst", options())
    assert "did you mean mnist?" in refusal("minst", options())
    folder({"a.png": (8, 8)})
    assert f"did you mean {tmp_path / 'photos'}?" in refusal(tmp_path / "photo", options())
    assert "grid25" in refusal(tmp_path / "xyz" / "q", options())


def test_a_folder_without_images_is_refused(options, folder):
    assert "has no images" in refusal(folder({}), options())
    assert "it holds .csv, .txt files" in refusal(folder({"a.txt": b"x", "b.csv": b"x"}, "texts"), options())


def test_a_file_of_another_kind_is_refused(options, folder):
    root = folder({"a.png": (8, 8), "text.doc": b"x"})
    assert "give a folder" in refusal(root / "a.png", options())
    assert "give a folder" in refusal(root / "text.doc", options())


def test_a_text_file_called_png_is_refused_by_name(options, folder):
    sentence = refusal(folder({"a.png": (8, 8), "fake.png": b"hello"}), options())
    assert "1 of 2 images" in sentence
    assert "fake.png is no image that can be read" in sentence
    assert "zerosum data check" in sentence
    assert "--corrupt skip" in sentence


def test_a_truncated_jpeg_is_refused_by_name(options, truncated):
    assert "cut.jpg is cut short" in refusal(truncated, options())


def test_corrupt_images_can_be_skipped_and_are_named(options, truncated):
    (truncated / "fake.png").write_bytes(b"hello")
    data = open_data(truncated, options=options(corrupt="skip"))
    assert len(data) == 1
    (note,) = [note for note in data.notes if "corrupt" in note]
    assert "2 images" in note
    assert "cut.jpg is cut short" in note
    assert "fake.png is no image" in note


def test_labels_stay_with_their_images_when_some_are_skipped(options, folder):
    root = folder({"a/1.png": b"x", "a/2.png": np.full((8, 8), 10, np.uint8), "b/1.png": np.full((8, 8), 20, np.uint8)})
    data = open_data(root, options=options(corrupt="skip"))
    assert data.samples[:, 0, 0, 0].tolist() == [10, 20]
    assert [data.spec.classes[label] for label in data.labels] == ["a", "b"]


def test_nothing_left_after_skipping_is_refused(options, folder, truncated):
    assert "No image in" in refusal(folder({"a.png": b"x", "b.png": b"y"}, "bad"), options(corrupt="skip"))
    (truncated / "whole.jpg").unlink()
    assert "No image in" in refusal(truncated, options(corrupt="skip"))


def test_of_many_bad_files_the_count_and_the_first_few_are_told(options, folder):
    sentence = refusal(folder({f"{number}.png": b"x" for number in range(9)} | {"a.png": (8, 8)}), options())
    assert "9 of 10 images" in sentence
    assert "(likewise 1.png, 2.png and 6 more)" in sentence
    assert sentence.count("is no image") == 1


def test_a_refusal_by_headers_alone_says_so_and_one_of_whole_files_does_not(options, folder, truncated):
    by_headers = refusal(folder({"a.png": (8, 8), "fake.png": b"x"}, "more"), options())
    assert re.search(r"headers alone were read, and `zerosum data check .*` reads all of every file", by_headers)
    assert "headers alone" not in refusal(truncated, options())


def test_skipping_is_not_offered_where_nothing_would_be_left(options, folder):
    sentence = refusal(folder({"a.png": b"x", "b.png": b"y"}), options())
    assert "No image in" in sentence
    assert "--corrupt" not in sentence


def test_an_image_too_small_to_train_on_is_refused_by_name(options, folder):
    sentence = refusal(folder({"a.png": (8, 8), "dot.png": Image.new("L", (1, 1))}), options())
    assert "dot.png is only 1x1 pixels" in sentence


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (40_000, 40_000)])
def test_a_decompression_bomb_is_refused(options, folder, width, height):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whatever the caller does about warnings, the image is refused
        sentence = refusal(folder({"a.png": (8, 8), "bomb.png": png_claiming(width, height)}), options())
    assert "bomb.png claims" in sentence
    assert "decompression bomb" in sentence


def test_a_wide_claim_below_the_limit_is_refused_because_the_pixels_are_missing(options, folder):
    assert "wide.png is cut short" in refusal(folder({"a.png": (8, 8), "wide.png": png_claiming(60_000, 4)}), options())


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_that_may_not_be_read_is_refused_by_name(options, folder):
    root = folder({"a.png": (8, 8), "secret.png": (8, 8)})
    (root / "secret.png").chmod(0)
    assert "secret.png may not be read (permission denied)" in refusal(root, options())


def test_a_refusal_of_the_system_is_told_in_plain_words():
    assert reason(PermissionError(13, "Permission denied")) == "may not be read (permission denied)"
    assert reason(FileNotFoundError(2, "No such file")) == "has vanished"


def test_numbers_that_are_not_finite_are_refused_by_name(options, folder):
    holes = np.ones((8, 8), np.float32)
    holes[2, 2] = np.nan
    assert "b.tif holds numbers that are not finite" in refusal(folder({"a.png": (8, 8), "b.tif": holes}), options())


@pytest.mark.parametrize("size", ["0", "-4", "big", "64x", "3", "64x64x64", "5000", "", "1e2", "64.5"])
def test_a_size_that_is_none_is_refused(options, folder, size):
    assert "is no image size" in refusal(folder({"a.png": (8, 8)}), options(size=size))


@pytest.mark.parametrize("channels", [0, 5, -1])
def test_a_number_of_channels_that_is_none_is_refused(options, folder, channels):
    assert "is not possible" in refusal(folder({"a.png": (8, 8)}), options(channels=channels))


def test_a_failure_leaves_nothing_behind(options, truncated, tmp_path):
    refusal(truncated, options())
    assert list((tmp_path / "cache" / "packed").iterdir()) == []
