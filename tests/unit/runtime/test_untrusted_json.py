"""JSON that nests too deeply is refused like any other that cannot be decoded."""

from __future__ import annotations

from pathlib import Path

import pytest

from zerosum.errors import InputError
from zerosum.evaluation.result import Evaluation
from zerosum.runtime.untrusted_json import parse

DEEP = '{"a":' * 50_000


@pytest.mark.parametrize("text", [DEEP, "[" * 100_000, "{", "nul"])
def test_what_cannot_be_decoded_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"nested too deeply|Expecting"):
        parse(text)


def test_a_deep_evaluation_is_refused_in_a_sentence(tmp_path: Path) -> None:
    place = tmp_path / "evaluation.json"
    place.write_text(DEEP)
    with pytest.raises(InputError):
        Evaluation.read(place)
