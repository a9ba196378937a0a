"""Images with captions: from a table or .txt files, drawn by position alone, and what is refused."""

from __future__ import annotations

import json
import shutil
from typing import Any

import numpy as np
import pytest
import torch

from zerosum import kinds
from zerosum.data.jitter import Draw
from zerosum.data.sentences import unpacked
from zerosum.data.sources import shapes
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.kinds.captions import CaptionedImages

SIDE = (16, 16, 3)
TABLE = "file,caption\na.png,a red dog\nb.png,a cat\na.png,the dog is red\n"
LINES = [
    {"file_name": "a.png", "text": ["a red dog", "the dog is red"]},
    {"file_name": "b.png", "text": "a cat", "n": 1},
]
JSON_LINES = "\n\n".join(map(json.dumps, LINES))


def opened(source: Any, options: Any, **asked: Any) -> Any:
    return kinds.open_as((CaptionedImages,), source, options=options(**asked))


def said(dataset: Any) -> list[tuple[str, ...]]:
    return list(dataset.captions)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("captions.csv", TABLE),
        ("captions.tsv", TABLE.replace(",", "\t")),
        ("captions.csv", TABLE.replace("file,caption", "Image,Text")),
        ("captions.csv", TABLE.replace(",", ";").replace("\n", "\r\n") + "\r\n"),
        ("metadata.csv", TABLE.replace("file,caption", "file_name,text")),
        ("captions.csv", TABLE.replace("a.png", "./a.png") + "b.png,a cat\n"),
        ("metadata.jsonl", JSON_LINES),
    ],
)
def test_a_table_gives_each_image_its_captions_in_order(folder, options, name, content):
    root = folder({"a.png": SIDE, "b.png": SIDE, name: content.encode()})
    dataset = opened(root, options)
    assert said(dataset) == [("a red dog", "the dog is red"), ("a cat",)]
    assert dataset.spec == Spec(shape=(3, 16, 16), kind="captions")
    assert dataset.spec.vocabulary == ("a", "dog", "red", "cat", "is", "the")
    assert name in " ".join(dataset.notes)
    repeated = "repeat another" in " ".join(dataset.notes)
    assert repeated == (content.count("b.png") > 1)


def test_captions_in_chinese_share_their_characters(folder, options):
    root = folder({"a.png": SIDE, "b.png": SIDE, "a.txt": "红色的狗".encode(), "b.txt": "红色的 Ball".encode()})
    assert opened(root, options).spec.vocabulary == ("的", "红", "色", "ball", "狗")


def test_captions_without_words_are_refused(folder, options):
    root = folder({"a.png": SIDE, "a.txt": "🐶🐶".encode()})
    with pytest.raises(
        InputError, match=r"No caption of .* has a word \(such as '🐶🐶'\): write what each image shows"
    ):
        opened(root, options)


def test_names_in_metadata_count_from_the_folder_that_it_lies_in(folder, options):
    lines = {split: f'{{"file_name": "a.png", "text": "of {split}"}}'.encode() for split in ("train", "test")}
    root = folder({f"{split}/a.png": SIDE for split in lines})
    for split, content in lines.items():
        (root / split / "metadata.jsonl").write_bytes(content)
        assert said(opened(root, options, split=split)) == [(f"of {split}",)]


def test_metadata_without_captions_leaves_the_text_files_in_force(folder, options):
    root = folder({"a.png": SIDE, "a.txt": b"a cat", "metadata.csv": b"file_name,label\na.png,1\n"})
    assert said(opened(root, options)) == [("a cat",)]


def test_text_files_give_a_caption_a_line(folder, options):
    root = folder(
        {"x/a.png": SIDE, "b.png": SIDE, "x/a.txt": b"one dog\n\none  dog\na dog\n", "b.txt": b"\xef\xbb\xbfcat"}
    )
    (root / "README.txt").write_text("about the data")
    assert said(opened(root, options)) == [("cat",), ("one dog", "a dog")]


def test_a_zip_is_read_as_its_folder_is_and_a_table_elsewhere_by_its_name(folder, options, tmp_path):
    root = folder({"images/a.png": SIDE, "images/b.png": SIDE, "captions.csv": TABLE.encode()})
    archive = shutil.make_archive(str(tmp_path / "data"), "zip", root)
    whole = opened(archive, options)
    assert said(whole) == said(opened(root, options))
    other = tmp_path / "other.csv"
    other.write_text("path,caption,long\na.png,x,a long one\nb.png,y,another\n")
    assert said(opened(root, options, captions=str(other))) == [("x",), ("y",)]
    assert said(opened(root, options, captions=f"{other}:Long")) == [("a long one",), ("another",)]
    assert opened(root, options, captions=str(other)).fingerprint != whole.fingerprint


def test_splits_share_a_table(folder, options):
    rows = "file,caption\ntrain/a.png,one\ntest/a.png,two\n"
    root = folder({"train/a.png": SIDE, "test/a.png": SIDE, "captions.csv": rows.encode()})
    assert said(opened(root, options)) == [("one",)]
    assert said(opened(root, options, split="test")) == [("two",)]


def test_pictures_are_packed_once_in_the_order_of_their_captions(folder, options, noise):
    pixels = {f"{number}.png": np.full(SIDE, 20 * number, np.uint8) for number in range(10)}
    rows = "".join(f"{number}.png,number {number}\n" for number in reversed(range(10)))
    root = folder({**pixels, "captions.csv": f"file,caption\n{rows}".encode()})
    for _ in range(2):
        dataset = opened(root, options)
        batch = dataset.batch(np.array([3, 7]))
        assert unpacked(batch.caption) == ["number 3", "number 7"]
        assert batch.image[:, 0, 0, 0].tolist() == [60, 140]
        assert dataset.first_captions(np.array([7])) == ["number 7"]
    (root / "3.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"3\.png"):
        opened(root, options)
    left = opened(root, options, corrupt="skip")
    assert left.captions[3] == ("number 4",)
    assert left.batch(np.array([3])).image[0, 0, 0, 0] == 80


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"a.png": SIDE, "captions.csv": b"file,caption\na.png,one\nc.png,two\n"}, "captions of 1 file not in"),
        (
            {"a.png": SIDE, "b.png": SIDE, "captions.csv": b"file,caption\na.png,one\n"},
            "1 image of 2 .* lacks a caption",
        ),
        ({"a.png": SIDE, "captions.csv": b"file,caption\na.png,\n"}, "Line 2 of captions.csv has no caption"),
        ({"a.png": SIDE, "captions.csv": b"file,title\na.png,one\n"}, "no column caption, but the columns file, title"),
        ({"a.png": SIDE, "captions.csv": b""}, r"but the columns \(none\)"),
        ({"a.png": SIDE, "captions.csv": b"file,caption\na.png,\xff\xff\n"}, "no CSV file in UTF-8"),
        (
            {"a.png": SIDE, "captions.csv": b"file,text,text\na.png,one,two\n"},
            "has several columns called text",
        ),
        (
            {"a.png": SIDE, "metadata.jsonl": b'{"file_name": "a.png", "text": ""}'},
            "Line 1 of metadata.jsonl has no",
        ),
        ({"a.png": SIDE, "metadata.jsonl": b"[1]\n"}, "Line 1 of metadata.jsonl is no object of JSON"),
        ({"a.png": SIDE, "metadata.jsonl": b"\xff"}, "metadata.jsonl is no text in UTF-8"),
        ({"a.png": SIDE, "a.txt": b" \n"}, "a.txt in .* is empty"),
        ({"a.png": SIDE, "a.txt": b"one", "c.txt": b"two"}, r"1 caption without an image of the same name \(c.txt\)"),
        ({"a.png": SIDE, "b.png": SIDE, "a.txt": b"one"}, r"lacks a caption in the .txt files \(b.png\)"),
        ({"a.png": SIDE}, "has no captions: expected a table captions.csv"),
    ],
)
def test_what_does_not_belong_together_is_refused_in_a_sentence(folder, options, files, sentence):
    with pytest.raises(InputError, match=sentence) as refused:
        opened(folder(files), options)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)


def test_settings_of_no_use_are_refused(folder, options):
    root = folder({"a.png": SIDE, "a.txt": b"one"})
    with pytest.raises(InputError, match="--fit tiles"):
        opened(root, options, fit="tiles")
    with pytest.raises(InputError, match="leave out --labels"):
        opened(root, options, labels="folders")
    with pytest.raises(InputError, match="leave out --captions"):
        kinds.open_data(root, options=options(captions="a.csv"))
    with pytest.raises(InputError, match="captions of its own"):
        opened("captioned-shapes", options, captions="a.csv")
    with pytest.raises(InputError, match=r"--captions none\.csv cannot be read"):
        opened(root, options, captions="none.csv")
    with pytest.raises(InputError, match=r"no folder and no \.zip"):
        opened("digits", options)


def test_a_caption_is_drawn_by_position_alone():
    dataset: Any = kinds.find("captions").example(Spec(shape=(3, 16, 16)), 6)
    streams = [Stream(dataset, seed=1, position=start) for start in (0, 0, 4)]
    try:
        whole, again, late = streams[0].draw(8), [streams[1].draw(4) for _ in range(2)][1], streams[2].draw(4)
    finally:
        for stream in streams:
            stream.close()
    assert torch.equal(again.caption, late.caption)
    assert torch.equal(whole.caption[4:], late.caption)
    drawn = {unpacked(dataset.batch(np.array([0]), draw=Draw(seed=0, position=at)).caption)[0] for at in range(40)}
    assert drawn == set(dataset.captions[0])
    assert unpacked(dataset.batch(np.array([0])).caption) == [dataset.captions[0][0]]


def test_the_shapes_are_the_same_every_time_and_hold_combinations_out(options):
    train, test = (opened("captioned-shapes", options, split=split) for split in ("train", "test"))
    assert train.spec == test.spec == Spec(shape=(3, 32, 32), kind="captions")
    assert train.fingerprint == opened("captioned-shapes", options).fingerprint != test.fingerprint
    shown = {split: shapes.combinations_of(split) for split in shapes.COUNTS}
    held_out = shapes.is_held_out(shown["test"])
    assert not shapes.is_held_out(shown["train"]).any()
    assert held_out[1::2].all()
    assert not held_out[::2].any()
    for pair in ([0, 1], [0, 2], [1, 2], [1, 3], [2, 3]):
        assert len(np.unique(shown["train"][:, pair], axis=0)) == len(np.unique(shapes.ALL[:, pair], axis=0))
    assert test.captions[0][0] in shapes.sentences(shown["test"][0])
    right = shapes.recognise(test.samples) == shown["test"]
    assert right.all(1).mean() > 0.99
    with pytest.raises(InputError, match="captioned-shapes has no split val"):
        opened("captioned-shapes", options, split="val")


def test_the_shapes_are_images_to_every_other_recipe(options):
    assert kinds.open_data("captioned-shapes", options=options()).spec == Spec(shape=(3, 32, 32))
