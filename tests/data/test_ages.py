"""Ages as ordered classes: from a table, from file names, in the paper's groups, others, and groups of equal size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum.data.options import DataConfig
from zerosum.data.sources import aged_digits
from zerosum.errors import InputError
from zerosum.kinds import open_data

PAPER = ("0-18", "19-29", "30-39", "40-49", "50-59", "60+")


def pictures(folder: Path, names: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (len(names), 16, 16), dtype=np.uint8)
    for name, image in zip(names, noise, strict=True):
        Image.fromarray(image).save(folder / name)
    return folder


def groups_of(folder: Path, cache: Path, **options: str) -> list[str]:
    """Return the group of each image, in the order of the names."""
    dataset = open_data(folder, options=DataConfig(cache=str(cache), **options))
    assert dataset.labels is not None
    return [dataset.spec.classes[label] for label in dataset.labels]


def test_ages_in_names_become_the_papers_groups(tmp_path: Path) -> None:
    ages = ["00", "18", "19", "29", "30", "59", "60", "116"]
    folder = pictures(tmp_path / "faces", [f"{age}_0_1.png" for age in ages])
    found = dict(zip(sorted(ages), groups_of(folder, tmp_path, ages="name"), strict=True))
    assert [found[age] for age in ages] == [PAPER[at] for at in (0, 0, 1, 1, 2, 4, 5, 5)]
    spec = open_data(folder, options=DataConfig(cache=str(tmp_path), ages="name")).spec
    assert spec.classes == PAPER


def test_a_table_has_a_column_of_any_number_and_groups_of_ones_own(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "bricks", ["a.png", "b.png", "c.png", "d.png"])
    table = tmp_path / "views.csv"
    table.write_text("file,age,view\na.png,18.9,-0.5\nb.png,19,0.25\nc.png,61,0.5\nd.png,40,1\n")
    assert groups_of(folder, tmp_path, ages=str(table)) == ["0-18", "19-29", "60+", "40-49"]
    views = {"ages": f"{table}:view", "groups": "-1-0, 0.1-0.4,0.5+"}
    assert groups_of(folder, tmp_path, **views) == ["-1-0", "0.1-0.4", "0.5+", "0.5+"]
    assert groups_of(folder, tmp_path, ages=f"{table}:view", groups="2") == ["-0.5-0.25", "-0.5-0.25", "0.5+", "0.5+"]


def test_a_column_that_is_missing_is_asked_for_by_the_flag_of_ages(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "faces", ["a.png", "b.png"])
    table = tmp_path / "ages.csv"
    table.write_text("file,label\na.png,18\nb.png,40\n")
    with pytest.raises(InputError, match=r"expected file and age in its first line; --ages .*ages\.csv:COLUMN"):
        groups_of(folder, tmp_path, ages=str(table))
    assert groups_of(folder, tmp_path, ages=f"{table}:label") == ["0-18", "40-49"]


def test_groups_of_equal_size_are_the_same_in_every_split(tmp_path: Path) -> None:
    for split, ages in (("train", range(8)), ("test", range(8, 12))):
        pictures(tmp_path / "data" / split, [f"{age}_x.png" for age in ages])
    options = {"ages": "name", "groups": "3"}
    assert set(groups_of(tmp_path / "data", tmp_path, **options)) == {"0-3", "4-7"}
    assert set(groups_of(tmp_path / "data", tmp_path, split="test", **options)) == {"8+"}


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        ("a.png,-3", {}, "The age of a.png is -3, and ages are not negative"),
        ("a.png,old", {}, "The age of a.png is 'old', which is no number"),
        ("a.png,nan", {}, "which is no number"),
        ("a.png,", {}, "lacks a file or a label"),
        ("b.png,3", {}, "1 of 1 image lack a label"),
        ("a.png,30", {"groups": "0-9,10-19"}, "The age of a.png is 30, which lies in none of the groups 0-9, 10-19"),
        ("a.png,30", {"groups": "0-9,5-19"}, "each range has to begin above"),
        ("a.png,30", {"groups": "young,old"}, "'young' is no range"),
        ("a.png,30", {"groups": "0+"}, "1 group"),
        ("a.png,30", {"groups": "4"}, "--groups 4 cannot be used with 1 different number"),
    ],
)
def test_what_is_no_age_is_refused_in_a_sentence(tmp_path: Path, rows: str, options: dict[str, str], said: str) -> None:
    folder = pictures(tmp_path / "faces", ["a.png"])
    table = tmp_path / "ages.csv"
    table.write_text(f"file,age\n{rows}\n")
    with pytest.raises(InputError, match=said):
        open_data(folder, options=DataConfig(cache=str(tmp_path), ages=str(table), **options))


def test_other_refusals(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "faces", ["face.png"])
    cache = str(tmp_path)
    for options, said in (
        (DataConfig(ages="name", cache=cache), "face.png does not begin with an age"),
        (DataConfig(ages="none.csv", cache=cache), "--ages none.csv is neither a file"),
        (DataConfig(groups="0-1,2+", cache=cache), "give --ages"),
        (DataConfig(ages="name", labels="folders", cache=cache), "both name the classes"),
    ):
        with pytest.raises(InputError, match=said):
            open_data(folder, options=options)
    with pytest.raises(InputError, match="an array brings its own labels"):
        open_data("aged-digits", options=DataConfig(ages="name"))


def test_letters_in_names_are_labels(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "people", ["53_Ada_Lovelace_0001.png", "54_Ada_Lovelace_0002.png", "7_Bo_1.png"])
    assert groups_of(folder, tmp_path, labels="name") == ["Ada_Lovelace", "Ada_Lovelace", "Bo"]
    pictures(folder, ["12.png"])
    with pytest.raises(InputError, match=r"12\.png has no letters"):
        groups_of(folder, tmp_path, labels="name")


def test_aged_digits_are_made_by_rule() -> None:
    one, other = (open_data("aged-digits", options=DataConfig(split="test")) for _ in range(2))
    assert one.fingerprint == other.fingerprint
    assert one.spec.shape == (1, 32, 32)
    assert one.spec.classes == PAPER
    assert one.labels is not None
    ink = [one.samples[one.labels == group].mean() for group in range(6)]
    assert ink == sorted(ink)
    assert len(aged_digits.identities("test")) == len(one)
    with pytest.raises(InputError, match="aged-digits has no split val"):
        open_data("aged-digits", options=DataConfig(split="val"))
