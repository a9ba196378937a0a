import json
from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from zerosum.data.check import check, describe
from zerosum.errors import InputError
from zerosum.kinds import open_data


def test_a_report_counts_what_a_folder_holds(folder, options):
    root = folder({"cat/a.png": (40, 60, 3), "cat/b.jpg": (40, 60, 3), "dog/c.png": (80, 90), "dog/n.txt": b"x"})
    report = check(root, options())
    assert report.samples == 3
    assert report.sizes == {"40x60": 2, "80x90": 1}
    assert report.modes == {"RGB": 2, "L": 1}
    assert report.bits == {"8": 3}
    assert report.classes == {"cat": 2, "dog": 1}
    assert report.corrupt == {}
    assert report.shape == (3, 64, 64)
    assert any("1 file (.txt)" in note for note in report.notes)


def test_a_report_says_what_opening_would_do(folder, options):
    root = folder({"cat/a.png": (40, 60, 3), "dog/c.png": (80, 90)})
    for asked in (options(), options(size="32x16"), options(channels=1), options(labels="none")):
        report, data = check(root, asked), open_data(root, options=asked)
        assert report.shape == data.spec.shape
        assert report.notes == data.notes


def test_bad_files_are_reported_and_not_raised(folder, options):
    root = folder({"a.png": (16, 16), "fake.png": b"hello", "dot.png": Image.new("L", (1, 1)), "cut.jpg": (64, 64, 3)})
    content = (root / "cut.jpg").read_bytes()
    (root / "cut.jpg").write_bytes(content[: len(content) // 2])
    report = check(root, options())
    assert report.samples == 1
    assert set(report.corrupt) == {"fake.png", "dot.png", "cut.jpg"}
    assert report.corrupt["cut.jpg"] == "is cut short"
    assert any("--corrupt skip" in warning for warning in report.warnings)


def test_a_folder_of_nothing_but_bad_files_is_reported(folder, options):
    report = check(folder({"a.png": b"x", "b.jpg": b"y"}), options())
    assert (report.samples, report.shape, report.recommended_size) == (0, None, None)
    assert len(report.corrupt) == 2
    assert "a.png is no image" in "\n".join(describe(report))


def test_duplicates_are_told_by_their_pixels(folder, options, noise):
    image = noise(16, 16, 3)
    root = folder({"a.png": image, "b.bmp": image, "c.png": (16, 16, 3), "d.tif": image})
    report = check(root, options())
    assert report.duplicates == (("a.png", "b.bmp", "d.tif"),)
    assert "Exact repeats of another sample: 2, in 1 group." in report.warnings


def test_of_many_equal_images_a_few_names_are_listed(folder, options, noise):
    files = dict.fromkeys([f"{number:03}.png" for number in range(100)], noise(8, 8, 3))
    text = "\n".join(describe(check(folder(files), options())))
    assert "010.png = 011.png and 88 more" in text
    assert "012.png" not in text


def test_few_and_unbalanced_samples_are_warned_of(folder, options):
    files = {f"many/{number}.png": (8, 8) for number in range(11)} | {"few/1.png": (8, 8)}
    warnings = " ".join(check(folder(files), options()).warnings)
    assert "12 samples are few" in warnings
    assert "many has 11 samples, few has 1" in warnings


def test_a_balanced_set_of_many_distinct_images_brings_no_warning(options):
    assert check("digits", options()).warnings == ()


@pytest.mark.parametrize(
    ("sizes", "recommended"),
    [
        ([(28, 28)], "28"),
        ([(300, 310), (90, 100), (200, 200)], "128"),
        ([(480, 640), (500, 640)], "192x256"),
        ([(700, 300)], "256x112"),
        ([(8, 8)], "32"),
        ([(27, 35)], "28x36"),
        ([(100, 100)], "96"),
        ([(1080, 1920)], "160x256"),  # 144 halves to 9, which no network takes
    ],
)
def test_the_recommended_size_fits_the_data_and_can_be_used(folder, options, sizes, recommended):
    root = folder({f"{number}.png": size for number, size in enumerate(sizes)})
    report = check(root, options())
    assert report.recommended_size == recommended
    assert check(root, options(size=recommended)).shape is not None


def test_arrays_are_checked_too(tmp_path, options, noise):
    images = noise(6, 16, 16, 3)
    images[4] = images[1]
    np.savez(tmp_path / "a.npz", images=images, labels=np.array([0, 0, 0, 0, 0, 1]))
    report = check(tmp_path / "a.npz", options())
    assert report.kind == "array"
    assert report.duplicates == (("image 1", "image 4"),)
    assert report.classes == {"0": 5, "1": 1}
    assert report.shape == (3, 16, 16)


def test_points_are_checked_too(options):
    report = check("ring8", options())
    assert (report.kind, report.samples, report.shape) == ("points", 100_000, (2,))
    assert len(report.classes) == 8


def test_sixteen_bits_are_told(folder, options):
    report = check(folder({"a.png": np.full((16, 16), 4000, np.uint16)}), options())
    assert report.bits == {"16": 1}


@pytest.mark.parametrize("source", ["minst", "nowhere/at/all"])
def test_an_unusable_source_is_refused(options, source):
    with pytest.raises(InputError):
        check(source, options())


def test_a_report_can_be_written_as_json_and_read_as_text(folder, options):
    root = folder({f"{number}.png": (16 + number, 16) for number in range(30)} | {"bad.png": b"x"})
    report = check(root, options())
    assert json.loads(json.dumps(asdict(report)))["samples"] == 30
    text = "\n".join(describe(report))
    assert "30 usable samples" in text
    assert "others: 20" in text
    assert "recommended: --size 32" in text
    assert "bad.png is no image" in text


def test_checking_writes_nothing(folder, options, tmp_path):
    check(folder({"a.png": (16, 16)}), options())
    assert not (tmp_path / "cache").exists()
