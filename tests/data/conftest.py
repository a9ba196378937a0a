"""Images made on the fly, and options that keep everything below the test's own folder."""

import numpy as np
import pytest
from PIL import Image

from zerosum.data.options import DataConfig


@pytest.fixture
def options(tmp_path, monkeypatch):
    """A maker of options whose cache is the test's own; built-in data sets are looked for nowhere else."""
    monkeypatch.delenv("ZEROSUM_DATA", raising=False)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "environment-cache"))

    def make(**asked):
        return DataConfig(**{"cache": str(tmp_path / "cache"), **asked})

    return make


@pytest.fixture
def noise():
    """A maker of random images: (height, width, *channels) uint8."""
    generator = np.random.default_rng(0)

    def make(*shape):
        return generator.integers(0, 256, shape, dtype=np.uint8)

    return make


@pytest.fixture
def folder(tmp_path, noise):
    """A maker of folders: names to arrays, or to (height, width, channels...) of noise, saved by their suffix."""

    def make(files, name="photos"):
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for file, content in files.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Image.Image):
                content.save(path)
            elif isinstance(content, bytes):
                path.write_bytes(content)
            else:
                array = noise(*content) if isinstance(content, tuple) else content
                Image.fromarray(array).save(path)
        return root

    return make
