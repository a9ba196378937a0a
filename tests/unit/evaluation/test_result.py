"""Results: what is written and read, which protocols compare, and the command that repeats one."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.evaluation.conftest import PROTOCOL
from zerosum.errors import InputError
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.result import Evaluation, MetricResult, drop_invalid_interval, finite
from zerosum.evaluation.table import warnings
from zerosum.metrics.bootstrap import Interval

INTERVAL = Interval(low=1.0, high=2.0, level=0.95, method="bootstrap", standard_error=0.25)
FIGURE = MetricResult(
    metric="fid", title="FID", value=1.5, better="lower", floor=0.5, interval=INTERVAL, notes=("few",)
)
WHOLE = Evaluation(subject="runs/a", round=7, protocol=PROTOCOL, figures=(FIGURE,), notes=("a", "b"))


def test_an_evaluation_with_figures_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = WHOLE.write(tmp_path / "evaluation.json")
    assert Evaluation.read(path) == WHOLE
    assert json.loads(path.read_text())["format"] == 1
    assert path.read_text().endswith("}\n")
    assert WHOLE["fid"] is FIGURE
    with pytest.raises(InputError, match=r"kid was not evaluated for runs/a: there are fid\."):
        WHOLE["kid"]
    absent = replace(WHOLE, figures=(replace(FIGURE, value=None, floor=None, interval=None),))
    assert Evaluation.read(absent.write(path)).figures[0] == absent.figures[0]


@pytest.mark.parametrize("change", [{"format": 2}, {"round": "x"}, {"extra": 1}, {"protocol": None}])
def test_what_was_not_written_by_this_version_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = WHOLE.write(tmp_path / "evaluation.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match="make it again with zerosum evaluate"):
        Evaluation.read(path)


def test_numbers_that_json_cannot_hold_are_left_out() -> None:
    assert [finite(value) for value in (0.0, -2.5, math.nan, math.inf)] == [0.0, -2.5, None, None]
    assert drop_invalid_interval(FIGURE) is FIGURE
    assert drop_invalid_interval(replace(FIGURE, interval=None)).interval is None
    for broken in ({"low": -math.inf}, {"high": math.nan}, {"standard_error": math.inf}):
        assert drop_invalid_interval(replace(FIGURE, interval=replace(INTERVAL, **broken))) == replace(
            FIGURE, interval=None
        )


def test_a_note_is_said_once_under_all_its_titles() -> None:
    other = replace(FIGURE, title="KID", notes=("few", "slow"))
    assert warnings([FIGURE, other]) == ["FID, KID: few", "KID: slow"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": "other"}, ["the data they are compared with (digits and other)"]),
        ({"against": "test"}, ["the samples of the floor (other samples of train and test)"]),
        ({"real": 5000, "fake": 20}, None),
        ({"sees": "Other."}, ["what the extractor does (The means of 4x4 pixels. and Other.)"]),
        ({"extractor": "pixels", "identity": "b", "fingerprint": "c"}, ["the features (means and pixels)"]),
        ({"sees": "Other.", "identity": "b", "fingerprint": "c"}, ["what the extractor does"]),
        ({"identity": "b", "fingerprint": "c"}, ["the weights of the extractor means, which was trained twice"]),
        ({"fingerprint": "c"}, ["the content of digits, which has changed in between"]),
    ],
)
def test_every_difference_that_matters_is_said_and_none_that_follows(change: dict, said: list[str] | None) -> None:
    found = PROTOCOL.differences(replace(PROTOCOL, **change))
    said = said or ["the number of real samples (240 and 5,000)", "the number of generated samples (240 and 20)"]
    assert len(found) == len(said)
    assert all(one.startswith(other) for one, other in zip(found, said, strict=True))


def test_a_protocol_is_repeated_by_its_command() -> None:
    assert Protocol.read(PROTOCOL.to_json()) == PROTOCOL
    asked = replace(PROTOCOL, data="my photos", fake=100, real=99, seed=3, split="test")
    words = "zerosum evaluate runs/a --against 'my photos' --split test --count 99 --seed 3 --fake-count 100"
    assert asked.command("runs/a") == f"{words} --features means"
    assert asked.command("runs/a", size="32x32") == f"{words} --size 32x32 --features means"
    assert replace(asked, extractor="coordinates").command("runs/a") == words
    assert replace(asked, extractor="inception-own").command("runs/a").endswith(" --features inception:PATH")
    resizer = "as the features were extracted"
    pieces = replace(asked, data="2.npz, my 1.npz", split="parts 1,2 of 2", resizer=resizer)
    assert pieces.command("runs/a") == "zerosum evaluate runs/a --against '2.npz,my 1.npz' --count 100 --seed 3"
