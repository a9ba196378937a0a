"""Whatever is given that cannot be used: one sentence on stderr, exit code 2, no traceback, and nothing written."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from zerosum import api
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent

TRAIN = ("train", "photos", "--run", "run")


def photo(name: str = "photos/a.png", size: tuple[int, int] = (16, 16)) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 60).save(path)
    return path


def an_empty_folder() -> None:
    Path("photos").mkdir()


def a_text_named_png() -> None:
    photo()
    Path("photos/b.png").write_text("not a picture")


def a_truncated_jpeg() -> None:
    photo()
    whole = photo("photos/b.jpg", (64, 64)).read_bytes()
    Path("photos/b.jpg").write_bytes(whole[: len(whole) // 2])


def a_single_pixel() -> None:
    photo(size=(1, 1))


def a_decompression_bomb() -> None:
    photo()

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    Path("photos/b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def a_dangling_link() -> None:
    photo()
    Path("photos/b.png").symlink_to("nowhere.png")


def sixteen_pixels() -> None:
    photo()


def a_used_folder() -> None:
    photo()
    Path("run").mkdir()
    Path("run/thesis.txt").write_text("all of it")


def a_file_in_the_way() -> None:
    photo()
    Path("run").write_text("all of it")


DATA: list[tuple[Callable[[], None], tuple[object, ...], str]] = [
    (an_empty_folder, TRAIN, "photos has no images"),
    (an_empty_folder, ("data", "check", "photos"), "photos has no images"),
    (an_empty_folder, ("train", "", "--run", "run"), "An empty text is given where a path or a name is needed"),
    (an_empty_folder, ("train", "phots", "--run", "run"), "did you mean"),
    (an_empty_folder, ("data", "pack", "phots"), "did you mean"),
    (an_empty_folder, ("train", "minst", "--run", "run"), "did you mean mnist?"),
    (a_text_named_png, TRAIN, "b.png is no image that can be read"),
    (a_truncated_jpeg, TRAIN, "b.jpg is cut short"),
    (a_single_pixel, TRAIN, "a.png is only 1x1 pixels"),
    (a_decompression_bomb, TRAIN, "b.png claims 60000x60000 pixels"),
    (a_dangling_link, TRAIN, "b.png"),
    (sixteen_pixels, (*TRAIN, "--size", 17), "17x17 cannot be halved"),
    (sixteen_pixels, (*TRAIN, "--size", "big"), "--size big is no image size"),
    (sixteen_pixels, (*TRAIN, "--labels", "names.csv"), "names.csv"),
    (sixteen_pixels, (*TRAIN, "--channels", 9), "--channels 9 is not possible"),
    (sixteen_pixels, (*TRAIN, "--recipe", "dgcan"), "did you mean 'dcgan'?"),
    (sixteen_pixels, (*TRAIN, "--batch", 0), "--batch is 0"),
    (sixteen_pixels, (*TRAIN, "--device", "abacus"), "There is no device 'abacus'"),
    (sixteen_pixels, (*TRAIN, "--batch", 16, "--micro-batches", 3), "--batch 16 does not divide"),
    (sixteen_pixels, (*TRAIN, "--recipe", "unrolled", "--micro-batches", 2), "needs each batch whole"),
    (sixteen_pixels, (*TRAIN, "--recipe", "infogan", "--categories", 0, "--codes", 0), "needs a code"),
    (sixteen_pixels, ("train", "ring8", "--size", 32, "--run", "run"), "ring8 is made of points"),
    (sixteen_pixels, ("train", "ring8", "--recipe", "gan", "--mirror", 0.5, "--run", "run"), "these data are points"),
    (sixteen_pixels, (*TRAIN, "--stabilise", "instance-nois:1"), "did you mean 'instance-noise'?"),
    (sixteen_pixels, ("train", "photos", "--width", 4, "--run", "/proc/run"), "/proc/run cannot be made"),
    (sixteen_pixels, ("train", "photos", "--width", 4, "--run", "photos/a.png/run"), "cannot be made"),
    (a_used_folder, TRAIN, "run exists and is not an empty folder"),
    (a_file_in_the_way, TRAIN, "run exists and is not an empty folder"),
]


@pytest.mark.parametrize(("prepare", "command", "expected"), DATA, ids=lambda value: getattr(value, "__name__", None))
def test_data_and_settings_that_cannot_be_used(prepare: Any, command: Any, expected: str, zerosum: Any) -> None:
    prepare()
    assert_one_sentence(zerosum(*command), expected)
    assert not Path("run/run.json").exists()


def no_run(run: Path) -> None:
    shutil.rmtree(run)


def a_folder_that_is_no_run(run: Path) -> None:
    (run / "run.json").unlink()


def another_format(run: Path) -> None:
    describe(run, format=99)


def no_json(run: Path) -> None:
    (run / "run.json").write_bytes(b"\xff\xfe{")


def an_edited_setting(run: Path) -> None:
    describe(run, config={"batch": "many"})


def an_unknown_recipe(run: Path) -> None:
    describe(run, recipe="stylegan9")


def a_lost_entry(run: Path) -> None:
    description = Run(run).description
    del description["spec"], description["config"]
    Run(run).describe(description)


def an_impossible_shape(run: Path) -> None:
    describe(run, spec={"shape": [2, -2], "classes": []})


def a_rescue_that_never_was(run: Path) -> None:
    describe(run, rolling_back=True, config=Run(run).description["config"] | {"width": 5})


def another_model(run: Path) -> None:
    config = Run(run).description["config"]
    describe(run, config=config | {"width": 5})


def random_bytes(run: Path) -> None:
    replace(run, "weights.safetensors", bytes(range(256)) * 9)


def random_bytes_of_the_right_sum(run: Path) -> None:
    replace(run, "weights.safetensors", bytes(range(256)) * 9, forged=True)
    replace(run, "averages.safetensors", bytes(range(256)) * 9, forged=True)


def a_truncated_file(run: Path) -> None:
    content = (checkpoint(run) / "weights.safetensors").read_bytes()
    replace(run, "weights.safetensors", content[:-100])


def a_truncated_file_of_the_right_sum(run: Path) -> None:
    content = (checkpoint(run) / "weights.safetensors").read_bytes()
    replace(run, "weights.safetensors", content[:-100], forged=True)


def a_lost_file(run: Path) -> None:
    (checkpoint(run) / "averages.safetensors").unlink()


def an_index_of_something_else(run: Path) -> None:
    (checkpoint(run) / "checkpoint.json").write_text("[1, 2]")


def a_checkpoint_of_another_format(run: Path) -> None:
    path = checkpoint(run) / "checkpoint.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))


RUNS: list[tuple[Callable[[Path], None], str]] = [
    (no_run, "There is no run at"),
    (a_folder_that_is_no_run, "is not a zerosum run"),
    (another_format, "has format 99"),
    (no_json, "is not a zerosum run"),
    (an_edited_setting, "--batch is 'many'"),
    (an_unknown_recipe, "There is no recipe 'stylegan9'"),
    (a_lost_entry, "lacks entries that every run has"),
    (an_impossible_shape, ""),
    (another_model, "is of another model"),
    (a_rescue_that_never_was, ""),
    (random_bytes, "weights.safetensors is damaged"),
    (random_bytes_of_the_right_sum, "is not a checkpoint of this run"),
    (a_truncated_file, "weights.safetensors is damaged"),
    (a_truncated_file_of_the_right_sum, "is not a checkpoint of this run"),
    (a_lost_file, "is not a zerosum checkpoint"),
    (an_index_of_something_else, "is not a zerosum checkpoint"),
    (a_checkpoint_of_another_format, "has format 99"),
]


@pytest.mark.parametrize("command", [("sample",), ("train", "--resume")], ids=" ".join)
@pytest.mark.parametrize(("spoil", "expected"), RUNS, ids=lambda value: getattr(value, "__name__", None))
def test_runs_that_cannot_be_used(spoil: Any, expected: str, command: Any, run: Path, zerosum: Any) -> None:
    spoil(run)
    assert_one_sentence(zerosum(*command, run), expected)


def test_a_machine_that_is_no_table_is_no_error(run: Path, zerosum: Any) -> None:
    describe(run, machine=[], versions=3)
    assert zerosum("train", "--resume", run).code == 0


def test_a_pickle_is_never_trusted(run: Path, zerosum: Any) -> None:
    replace(run, "state.pt", pickle.dumps(Trap(), protocol=2), forged=True)
    assert_one_sentence(zerosum("train", "--resume", run), "is not a checkpoint of this run")
    assert not Path("sprung").exists()


def test_a_pickle_of_something_else_is_refused(run: Path, zerosum: Any) -> None:
    replace(run, "state.pt", pickle.dumps({"players": {}}, protocol=2), forged=True)
    assert_one_sentence(zerosum("train", "--resume", run), "is not a checkpoint of this run")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("train", "--resume", "RUN", "--seed", 4), "--seed is 0 in the run and 4 was asked"),
        (("train", "--resume", "RUN", "--batch", 16), "--batch is 8 in the run and 16 was asked"),
        (("train", "--resume", "RUN", "--labels", "none"), "--labels is None in the run and none was asked"),
        (("train", "ring8", "--run", "RUN"), "already holds a run: go on with it by `zerosum train --resume"),
        (("sample", "RUN", "--category", 3), "this model's categories go from 0 to 2"),
        (("sample", "RUN", "--codes", 1), "--codes has 1 values, and this model has 2"),
        (("train", "--resume", "RUN", "--minutes", 1), "cannot be given with --resume: --rounds N makes more."),
        (("train", "--resume", "RUN", "--explain"), "--explain cannot be given with --resume"),
        (("train", "ring8", "--resume", "RUN", "--run", "other"), "--run cannot be given with --resume"),
        (("train", "--resume", "RUN", "--go-on"), "--go-on cannot be given with --resume"),
        (("train", "--resume", "RUN", "--preset", "small"), "infogan has no presets: leave out --preset."),
        (("train", "--resume", "RUN", "--n_critic", 2), "and the recipe here is infogan: leave it out."),
        (("train", "ring8", "--recipe", "gan", "--no-attention"), "--no-attention is of biggan, and the recipe"),
        (("train", "ring8", "--recipe", "dcgan", "--preset=a"), "dcgan has no presets: leave out --preset."),
        (("train", "ring8", "--recipe", "gan", "--truncation", 1), "There is no flag --truncation of zerosum train"),
        (("tune", "ring8", "--recipe", "gan", "--n-critic", 2), "as in --recipe projection."),
        (("bench", "modes", "--recipe", "gan --steps 3"), "--steps is of unrolled, and the recipe here is gan"),
        (("sample", "RUN", "--mix", 4), "--mix is of runs of stylegan2, and "),
        (("sample", "RUN", "-n", 0), "--n is 0"),
        (("sample", "RUN", "--out", "points.jpeg"), "can be written as .png or .npy or a folder"),
        (("sample", "RUN", "--out", "points.mp3"), "can be written as .png or .npy or a folder"),
        (("sample", "RUN", "--out", "points.PLY"), "can be written as .png or .npy or a folder"),
        (("sample", "RUN", "--out", "points.csv"), "can be written as .png or .npy or a folder"),
        (("sample", "RUN", "--interpolate", "-n", 1), "give 2 or more of each"),
        (("sample", "RUN", "--interpolate", "--out", "walk.avi"), "can be written as .gif or .mp4 or .png"),
        (("sample", "RUN", "--device", "abacus"), "There is no device 'abacus'"),
        (("report", "nowhere"), "There is no run at nowhere"),
        (("recipes", "dgcan"), "did you mean 'dcgan'?"),
        (("recipes", "dcgan", "--shape", 3, 7, 7), "7x7 cannot be halved"),
        (("fly",), "There is no command 'fly'"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_commands_that_make_no_sense(arguments: Any, expected: str, run: Path, zerosum: Any) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in run.rglob("*"))
    assert_one_sentence(zerosum(*(run if word == "RUN" else word for word in arguments)), expected)
    assert before == sorted((path, path.stat().st_mtime_ns) for path in run.rglob("*"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("train",),
        ("train", "ring8", "--bogus", 3),
        ("train", "ring8", "--batch", "many"),
        ("train", "ring8", "--precision", "float8"),
        ("train", "--resume"),
        ("sample",),
        ("data", "eat", "ring8"),
    ],
    ids=lambda arguments: " ".join(map(str, arguments)),
)
def test_flags_that_are_wrong_are_explained_and_exit_with_2(arguments: Any, zerosum: Any) -> None:
    outcome = zerosum(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "--help" in outcome.err
    assert "Traceback" not in outcome.err


def test_other_data_than_the_run_began_with_are_refused(zerosum: Any) -> None:
    photo()
    photo("photos/b.png")
    settings = {"recipe": "gan", "generator_hidden": [4], "discriminator_hidden": [4], "batch": 2, "rounds": 1}
    run = api.train("photos", run="run", progress=Silent(), **settings).path
    Path("photos/b.png").unlink()
    assert_one_sentence(zerosum("train", "--resume", run), "are no longer those of the run: 1 sample of")


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("sprung"),)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "run"
    settings = {"recipe": "infogan", "width": 4, "categories": 3, "batch": 8, "rounds": 1, "noise": 4}
    return api.train("ring8", run=path, progress=Silent(), **settings).path


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A run of one's own, to spoil."""
    return Path(shutil.copytree(trained, tmp_path / "spoilt"))


def describe(run: Path, **entries: Any) -> None:
    path = run / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def checkpoint(run: Path) -> Path:
    return Run(run).checkpoint(1)


def replace(run: Path, name: str, content: bytes, *, forged: bool = False) -> None:
    (checkpoint(run) / name).write_bytes(content)
    if forged:
        path = checkpoint(run) / "checkpoint.json"
        index = json.loads(path.read_text())
        index["sha256"].pop("checkpoint.json")
        index["sha256"][name] = hashlib.sha256(content).hexdigest()
        whole = json.dumps(index, sort_keys=True).encode()
        index["sha256"]["checkpoint.json"] = hashlib.sha256(whole).hexdigest()
        path.write_text(json.dumps(index))


def assert_one_sentence(outcome: Any, expected: str) -> None:
    assert outcome.code == 2, outcome
    assert expected in outcome.err
    assert "Traceback" not in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert outcome.err.rstrip()[-1] in ".?"
    assert outcome.out == ""
