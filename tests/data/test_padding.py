"""`--fit pad`: images lie whole within the size, and their reflection fills what is left."""

import numpy as np
import pytest

from zerosum.kinds.images import open as open_data


def smooth(height, width):
    """A gradient down and across, brighter to the right."""
    return (np.add.outer(np.arange(height), 2 * np.arange(width)) * 40).astype(np.uint16)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("form", ["png", "npy"])
def test_an_image_of_another_shape_keeps_all_of_itself(folder, tmp_path, options, depth, form):
    wide = smooth(16, 32)
    source = folder({"a.png": wide}) if form == "png" else tmp_path / "a.npy"
    if form == "npy":
        np.save(source, wide[None])
    data = open_data(source, options=options(fit="pad", size="32", depth=depth))
    image = data.samples[0, ..., 0].astype(int)
    assert image.shape == (32, 32)
    assert np.abs(image[8:24] / (2**depth - 1) - wide / 4095).max() < 0.003
    assert np.array_equal(image[:8], image[8:16][::-1])
    assert np.array_equal(image[24:], image[16:24][::-1])
    assert any("reflection" in note for note in data.notes)


def test_images_are_shrunk_and_enlarged_until_they_fit(folder, options):
    root = folder({"a.png": (64, 16, 3), "b.png": (8, 8, 3)})
    data = open_data(root, options=options(fit="pad", size="32"))
    assert data.samples.shape == (2, 32, 32, 3)
    assert "Padded with their reflection because of another shape: 1 image." in data.notes
    assert "Enlarged because smaller than 32x32: 1 image." in data.notes
    tall = data.samples[0]
    assert np.array_equal(tall[:, 4:12], tall[:, 12:20][:, ::-1])  # 8 columns in the middle, mirrored outwards


def test_images_that_fit_stay_as_they_are_and_are_packed_apart_from_cut_ones(folder, options, noise):
    pixels = noise(16, 16, 3)
    root = folder({"a.png": pixels})
    assert np.array_equal(open_data(root, options=options(fit="pad")).samples[0], pixels)
    long = folder({"a.png": noise(16, 32, 3)}, name="long")
    cut, padded = (open_data(long, options=options(fit=fit, size="16")).samples for fit in ("cover", "pad"))
    assert not np.array_equal(cut, padded)
