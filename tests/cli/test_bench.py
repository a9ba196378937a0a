"""`zerosum bench modes`: variants are written as flags of training, and what cannot be is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

BENCH = ("bench", "modes", "--protocol", "quick", "--seeds", 1, "--rounds", 2, "--out", "out", "--device", "cpu")


def test_variants_take_the_flags_of_training_and_stand_in_one_table(zerosum: Any) -> None:
    tiny = "--generator-hidden 8 --discriminator-hidden 8 4"
    other = tiny.replace("r-h", "r_h")  # the parser takes both ways of writing
    said = zerosum(*BENCH, "--data", "ring", "--recipe", f"gan {tiny}", f"unrolled --steps 1 --rounds 1 {other}")
    assert said.code == 0, said.err
    assert said.out.endswith("out/modes.md\n")
    assert "a perfect" in said.out
    assert "ring, protocol quick, 2,500 samples" in said.out
    (table,) = json.loads(Path("out/modes.json").read_text())["tables"]
    assert [row[5] for row in table["rows"][1:3]] == ["here, 2 rounds", "here, 1 round"]
    config = json.loads((Path("out") / table["runs"][1]["run"] / "run.json").read_text())["config"]
    assert (config["steps"], config["discriminator_hidden"], config["batch"]) == (1, [8, 4], 128)


def test_a_variant_is_stabilised_as_training_is(zerosum: Any) -> None:
    tiny = "gan --generator-hidden 8 --discriminator-hidden 8"
    said = zerosum(*BENCH, "--data", "ring", "--recipe", tiny, f"{tiny} --stabilise pac:2")
    assert said.code == 0, said.err
    (table,) = json.loads(Path("out/modes.json").read_text())["tables"]
    told = [json.loads((Path("out") / run["run"] / "run.json").read_text())["training"] for run in table["runs"]]
    assert [training["stabilise"] for training in told] == [None, "pac:2"]
    assert table["rows"][2][0].endswith("stabilise=pac:2")
    assert "--stabilise pac:2" in table["remarks"][-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--recipe", "pix2pix"), "pix2pix makes images from images"),
        (("--recipe", "unroled"), "did you mean 'unrolled'?"),
        (("--recipe", 'gan "'), "cannot be read"),
        (("--recipe", "gan --stabilise pacc"), "did you mean 'pac'?"),
        (("--recipe", ""), "--recipe is empty"),
        (("--data",), "--data is empty"),
        (("--data", "grid25"), "did you mean grid?"),
        (("--rounds", 0), "--rounds is 0, but should be greater than 0."),
        (("--seeds", 0), "--seeds is 0, but should be"),
        (("--data", "grid", "--protocol", "unrolled"), "choose --protocol pacgan or quick"),
        (("--size", "32"), "ring8 is made of points: leave out --size"),
        (("--recipe", "progan"), "progan does not train on what the ring is made of"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(arguments: Any, sentence: str, zerosum: Any) -> None:
    said = zerosum(*BENCH, *arguments)
    assert said.code == 2
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out == ""


def test_a_flag_that_a_recipe_does_not_have_is_explained(zerosum: Any) -> None:
    said = zerosum(*BENCH, "--recipe", "gan --steps 3")
    assert said.code == 2
    assert "--steps" in said.err
