"""Pictures that a server answers with, and what they were made by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image

from zerosum.inference.sample import escaped
from zerosum.server import png


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A picture, and what it was made by."""

    picture: Image.Image
    about: Mapping[str, str]
    """Seed, controls as JSON, and the checkpoint's fingerprint and round: in the PNG's text and in headers."""

    def png(self) -> bytes:
        """Return the picture as a file."""
        return png.encode(self.picture, {"Software": "zerosum"} | escaped(self.about))
