"""`zerosum paint`, and the life of a run that paints: training, resuming, previews, report, evaluation, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zerosum as python
from tests.cli.conftest import assert_same_checkpoint
from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.batch import to_uint8
from zerosum.data.sources import shapes
from zerosum.inference.paint import paint
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent

SETTINGS = {"batch": 4, "latent_dim": 4, "progress": Silent(), **SMALL["stackgan"]}
ROUNDS = 8


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96 captioned pictures of 16x16 in two splits."""
    root = tmp_path_factory.mktemp("captioned")
    rows = ["file,caption"]
    for split, chosen in (("train", shapes.ALL[:72]), ("test", shapes.ALL[72:96])):
        (root / split).mkdir()
        for number, (pixels, what) in enumerate(zip(shapes.render(chosen, None), chosen, strict=True)):
            Image.fromarray(pixels[::2, ::2]).save(root / split / f"{number}.png")
            rows += [f'{split}/{number}.png,"{said}"' for said in shapes.sentences(what)[:2]]
    (root / "captions.csv").write_text("\n".join(rows))
    return root


@pytest.fixture(scope="module")
def run(data: Path) -> Path:
    """A run that has played all three phases."""
    return api.train(data, recipe="stackgan", run=data / "run", rounds=ROUNDS, log_every=1, **SETTINGS).path


def test_a_text_is_painted_as_python_paints_it(run: Path, zerosum: Any) -> None:
    said = zerosum("paint", run, "a small red circle", "-n", 3, "--seed", 5, "--out", "made")
    assert (said.code, said.out) == (0, "made\n")
    assert "3 images in 3 files" in said.err
    model = python.load(run)
    images = paint(model, "a small red circle", 3, 5)
    files = sorted(Path("made").iterdir())
    shown = np.stack([np.asarray(Image.open(file)) for file in files])
    assert np.array_equal(shown, to_uint8(images).permute(0, 2, 3, 1).numpy())
    assert torch.equal(paint(model, "a small red circle", 20, 5)[:3], images)
    assert not torch.equal(paint(model, "a small red circle", 3, 6), images)
    assert Image.open(files[0]).text["text"] == "a small red circle"
    assert model.paint("a small red circle", n=2).shape == (2, 3, 16, 16)


def test_by_default_it_is_a_picture_in_the_run_named_after_the_text(run: Path, zerosum: Any) -> None:
    said = zerosum("paint", run, "A Red/circle!", "-n", 2)
    assert said.out.strip() == str(run / "painted" / "a-red-circle-2-seed-0.png")
    assert Image.open(said.out.strip()).size[0] > 16


def test_texts_that_begin_alike_are_pictures_of_their_own(run: Path, zerosum: Any) -> None:
    begin = "a red circle beside a blue square above a green circle below"
    texts = [f"{begin} a red square", f"{begin} a blue circle", "\u25cf", "\u25a0"]
    made = [Path(zerosum("paint", run, text, "-n", 1).out.strip()) for text in texts]
    assert len(set(made)) == 4
    assert [Image.open(path).info["text"] for path in made] == texts
    assert zerosum("paint", run, texts[0], "-n", 1).out.strip() == str(made[0])


def test_unknown_words_are_named_and_painted_without(run: Path, zerosum: Any) -> None:
    said = zerosum("paint", run, "a red giraffe on the MOON", "-n", 1, "--out", "one.png")
    assert said.code == 0
    assert "No caption that the run was trained on has giraffe, moon: painted from the rest of the text." in said.err
    plain = zerosum("paint", run, "a red on the", "-n", 1, "--out", "other.png")
    assert "No caption" not in plain.err
    assert np.array_equal(np.asarray(Image.open("one.png")), np.asarray(Image.open("other.png")))


@pytest.mark.parametrize("text", ["", "  \t"])
def test_an_empty_text_is_refused(run: Path, zerosum: Any, text: str) -> None:
    said = zerosum("paint", run, text)
    assert said.code == 2
    assert said.err.strip() == f'The text is empty: say what to paint, as in zerosum paint {run} "a red circle".'


def test_other_commands_name_this_one(run: Path, zerosum: Any) -> None:
    said = zerosum("sample", run)
    assert said.code == 2
    assert f"{run} makes images from text" in said.err
    assert f'Type: zerosum paint {run} "TEXT" -n 8' in said.err


def test_a_run_says_its_captions_and_keeps_them_in_its_previews(run: Path) -> None:
    directory = Run(run)
    first = Image.open(directory.sample(ROUNDS)).text["captions"].split(" | ")
    assert len(first) == 8
    assert first[0] == shapes.sentences(shapes.ALL[72])[0]
    page = (run / "report.html").read_text()
    assert f"row by row: {first[0]}; {first[1]}" in page
    assert "made from the same captions" in page
    spec = json.loads((run / "run.json").read_text())["spec"]
    assert spec["kind"] == "captions"
    assert {"red", "circle"} <= set(spec["vocabulary"])


def test_a_run_paints_without_its_data(run: Path, zerosum: Any, data: Path) -> None:
    (data / "captions.csv").rename(data / "away")
    try:
        assert zerosum("paint", run, "a red circle", "-n", 1, "--out", "one.png").code == 0
    finally:
        (data / "away").rename(data / "captions.csv")


def test_a_run_from_before_captions_is_still_read(run: Path) -> None:
    description = json.loads((run / "run.json").read_text())
    del description["data_options"]["captions"]
    (run / "run.json").write_text(json.dumps(description))
    assert python.load(run).stage == 2


@pytest.mark.slow
@pytest.mark.parametrize("stop", [1, 3, 6])
def test_a_run_resumes_to_the_last_bit_in_every_phase(data: Path, tmp_path: Path, stop: int) -> None:
    settings = {**SETTINGS, "encoder_rounds": 2, "save_every": 1, "keep": 9}
    straight = api.train(data, recipe="stackgan", run=tmp_path / "a", rounds=ROUNDS, **settings)
    api.train(data, recipe="stackgan", run=tmp_path / "b", rounds=ROUNDS, **settings)
    folder = tmp_path / "b" / "checkpoints"
    for place in folder.iterdir():
        if int("".join(filter(str.isdigit, place.name))) > stop:
            for file in place.iterdir():
                file.unlink()
            place.rmdir()
    resumed = api.resume(tmp_path / "b", progress=Silent())
    newest = [sorted((path / "checkpoints").iterdir())[-1] for path in (straight.path, resumed.path)]
    assert newest[0].name == newest[1].name
    assert_same_checkpoint(*newest)


@pytest.mark.slow
def test_an_evaluation_ranks_the_captions(run: Path, zerosum: Any) -> None:
    said = zerosum("evaluate", run, "--count", 24, "--metrics", "caption-rank,r-precision,fid,precision")
    assert said.code == 0, said.err
    figures = {f["metric"]: f for f in json.loads((run / "evaluation.json").read_text())["figures"]}
    assert figures["caption-rank"]["floor"] < figures["caption-rank"]["value"]
    assert figures["caption-rank"]["interval"]["low"] <= figures["caption-rank"]["value"]
    (note, *_) = figures["r-precision"]["notes"]
    assert "Captions shuffled" in note
    assert "by chance they are 12.5" in note
    refused = zerosum("evaluate", run, "--count", 24, "--features", "random", "--metrics", "caption-rank")
    assert refused.code == 2
    assert "use --features matching" in refused.err
    refused = zerosum("evaluate", run, "--count", 24, "--features", "random", "--metrics", "attributes")
    assert "it is for runs on captioned-shapes of 32x32" in refused.err
