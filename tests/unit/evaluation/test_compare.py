"""No value is called the best among unlike ones, and every metric has its own better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unit.evaluation.conftest import PROTOCOL
from zerosum.evaluation import table
from zerosum.evaluation.file_forms import made_of
from zerosum.evaluation.result import Better, Evaluation, MetricResult


def evaluation(subject: str, value: float, *, better: Better = "lower", settings: str = "") -> Evaluation:
    figure = MetricResult(metric="some", title="some", value=value, better=better, settings=settings)
    return Evaluation(subject=subject, round=None, protocol=PROTOCOL, figures=(figure,), notes=())


@pytest.mark.parametrize(
    ("better", "values", "best"),
    [
        ("lower", (1.0, 2.0), 0),
        ("higher", (1.0, 2.0), 1),
        ("near 0.5", (0.491, 0.52), 0),
        ("near 0.5", (0.3, 0.504), 1),
    ],
)
def test_the_star_goes_to_what_is_better(better: Better, values: tuple[float, float], best: int) -> None:
    (row,) = table.body([evaluation(name, value, better=better) for name, value in zip("ab", values, strict=True)])
    assert [cell.endswith("*") for cell in row[3:]] == [index == best for index in range(2)]


def test_jpegs_and_resized_images_beside_originals_have_no_best() -> None:
    one = evaluation("a", 1.0)
    for made in ("JPEG", "brought from 64x64"):
        pair = [one, replace(evaluation("b", 2.0), made=made)]
        assert "*" not in "".join(table.body(pair)[0])
        assert f"b: {made}" in "\n".join(table.comparison_lines(pair))


def test_a_run_that_was_trained_on_since_has_no_best(tmp_path: Path) -> None:
    for round_ in (2, 5):
        (tmp_path / "run" / "checkpoints" / f"{round_:08d}").mkdir(parents=True)
    stale = replace(evaluation(str(tmp_path / "run"), 1.0), round=2)
    assert "trained to round 5 since: zerosum evaluate" in "\n".join(
        table.comparison_lines([stale, evaluation("b", 2.0)])
    )
    assert "*" not in "".join(table.body([stale, evaluation("b", 2.0)])[0])
    fresh = replace(stale, round=5)
    assert "*" in "".join(table.body([fresh, evaluation("b", 2.0)])[0])


def test_gaps_of_different_recipes_stand_in_no_row() -> None:
    pair = [evaluation("a", 1.0), evaluation("b", 2.0)]
    pair = [
        replace(
            one, figures=(*one.figures, replace(one.figures[0], metric="duality-gap", title="gap", settings=recipe))
        )
        for one, recipe in zip(pair, ("of GAN", "of DCGAN"), strict=True)
    ]
    assert [row[0] for row in table.body(pair)] == ["some"]
    assert "left out: gap." in "\n".join(table.comparison_lines(pair))


def test_files_tell_how_they_were_made(tmp_path: Path) -> None:
    pixels = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    for form in ("png", "jpg"):
        (tmp_path / form).mkdir()
        pixels.save(tmp_path / form / f"0.{form}")
    assert made_of(tmp_path / "png", "3x8x8") == ""
    assert made_of(tmp_path / "jpg", "3x8x8") == "JPEG"
    assert made_of(tmp_path / "jpg", "3x4x4") == "JPEG, brought from 8x8"
    assert made_of(tmp_path / "nowhere", "3x8x8") == ""
