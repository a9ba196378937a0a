"""What is public of a run, and the state that travels."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from zerosum.errors import InputError
from zerosum.run import portable_state
from zerosum.run.public import places_of, public, without_paths

PRIVATE = "/home/ada/my photos"
ABOUT: dict[str, Any] = {
    "format": 2,
    "id": "0a",
    "recipe": "MyGAN",
    "recipe_origin": {"place": f"{PRIVATE}/my_gan.py:MyGAN", "sha256": "1"},
    "config": {"encoder": "/srv/models/bert", "betas": [0.5, 0.9]},
    "training": {"evaluate_features": "/srv/net/x.safetensors"},
    "data_options": {
        "labels": f"{PRIVATE}/labels.csv:age",
        "cache": "/srv/cache",
        "range": "0,1/0,255",
        "split": "train",
    },
    "spec": {"shape": [3, 8, 8], "classes": ["a/b/c"], "range": "-1,1/0,255"},
    "data": {"source": f"{PRIVATE}/faces/", "fingerprint": "f", "count": 3, "notes": [PRIVATE]},
    "machine": {"device": "cpu", "cpu": "x", "system": "host-of-ada"},
    "command": f"zerosum train '{PRIVATE}'",
    "unknown": PRIVATE,
}


def test_places_and_machines_are_dropped_and_settings_kept() -> None:
    found = public(ABOUT)
    assert "/home" not in json.dumps(found)
    assert "/srv" not in json.dumps(found)
    assert "host-of-ada" not in json.dumps(found)
    assert found["recipe_origin"] == {"place": "my_gan.py:MyGAN", "sha256": "1"}
    assert found["config"] == {"encoder": "bert", "betas": [0.5, 0.9]}
    assert found["data_options"] == {"labels": "labels.csv:age", "range": "0,1/0,255", "split": "train", "cache": None}
    assert found["spec"] == ABOUT["spec"]
    assert found["data"] == {"source": "faces", "fingerprint": "f", "count": 3, "notes": []}
    assert public(found) == found


@pytest.mark.parametrize("broken", [{}, {"data": 3, "data_options": None, "recipe_origin": "x", "machine": []}])
def test_a_damaged_description_is_no_error_here(broken: dict[str, Any]) -> None:
    assert public(broken)["data"]["source"] == "unknown"


def test_known_places_go_from_sentences_whatever_they_hold(tmp_path: Path) -> None:
    known = places_of(tmp_path / "run", ABOUT)
    said = without_paths(f"of {PRIVATE}/faces/x and {tmp_path}/run and {os.path.expanduser('~')}/y, 3/4", known)
    assert PRIVATE not in said
    assert str(tmp_path) not in said
    assert said.endswith(", 3/4")


def test_a_state_comes_back_with_its_types() -> None:
    state = {"a": [1, (2.5, None, True)], 3: {"rng": torch.arange(4, dtype=torch.uint8)}, "x": torch.tensor(1.5)}
    found = portable_state.unpack(portable_state.pack(state))
    assert torch.equal(found[3].pop("rng"), state[3].pop("rng"))  # type: ignore[attr-defined]
    assert found == state


@pytest.mark.parametrize("content", [b"", b"\x80\x04.", portable_state.pack(1).replace(b'"1"', b'"{"')])
def test_what_is_no_state_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        portable_state.unpack(content)
