"""The protocol that metrics are measured by: numbers of different ones are not compared."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import Any, Self

from pydantic import ConfigDict, TypeAdapter

RAW = "coordinates"
"""Name of the features of samples that are their own, such as points."""

OWN = {"inception-own": "inception:PATH"}
"""How features are asked for whose name is not what is typed."""

OF_PIECES = "as the features were extracted"
"""Resizer of features that were extracted in pieces, without the images."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """All that a number depends on but the samples themselves."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    extractor: str
    """Name of what sees the samples."""

    identity: str
    """Digest of the extractor, weights included."""

    sees: str
    """Which network, which layer, which resizer, in a sentence."""

    data: str
    """What the samples are compared with: a name or a path."""

    split: str
    """Which part of the data."""

    fingerprint: str
    """Digest of the part of the data that samples are compared with."""

    against: str
    """The other real samples that the floor is taken with, in words."""

    real: int
    """Real samples."""

    fake: int
    """Samples compared with them: generated ones."""

    size: str
    """Shape of a sample: CxHxW for images."""

    resizer: str
    """How the images of the data came to that size, before the extractor saw them."""

    seed: int
    """Of the choice of samples, of generation, subsets and resampling."""

    floor: int | None = None
    """Real samples in the place of the generated ones; as many as those, where it is None."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)

    @classmethod
    def read(cls, values: Any) -> Self:
        """Build from plain values.

        Raises:
            ValidationError: They are of something else.
        """
        return TypeAdapter(cls).validate_python(values)

    def differences(self, other: Protocol) -> list[str]:
        """Say in what two protocols differ so that their numbers cannot be compared: nothing where they can.

        The seed may differ: it changes which samples were drawn, not what is measured.
        """
        said = []
        for name, text in _COMPARED.items():
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                said.append(f"{text} ({_short(ours)} and {_short(theirs)})")
        if not said and self.sees != other.sees:  # else it follows from what was said
            said.append(f"what the extractor does ({self.sees} and {other.sees})")
        if not said and self.identity != other.identity:
            said.append(f"the weights of the extractor {self.extractor}, which was trained twice with different ends")
        if not said and self.fingerprint != other.fingerprint:
            said.append(f"the content of {self.data}, which has changed in between")
        return said

    def command(self, subject: str, *, size: str | None = None) -> str:
        """Spell the command that evaluates a subject, a run or a folder that is brought to a size, by this protocol.

        Weights of one's own are asked for by their file, which a protocol does not know: PATH stands for it.
        """
        words = ["zerosum", "evaluate", subject, "--against"]
        if self.resizer == OF_PIECES:  # which know their split and their features, and are compared whole
            return shlex.join(
                [*words, self.data.replace(", ", ","), "--count", str(self.fake), "--seed", str(self.seed)]
            )
        words += [self.data, "--split", self.split, "--count", str(self.real), "--seed", str(self.seed)]
        words += [] if self.fake == self.real else ["--fake-count", str(self.fake)]
        words += [] if size is None else ["--size", size]
        words += [] if self.extractor == RAW else ["--features", OWN.get(self.extractor, self.extractor)]
        return shlex.join(words)


_COMPARED = {
    "extractor": "the features",
    "data": "the data they are compared with",
    "split": "the split",
    "against": "the samples of the floor",
    "real": "the number of real samples",
    "fake": "the number of generated samples",
    "size": "the size",
    "resizer": "the resizer",
}
"""What must be equal, and what it is called."""


def _short(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
