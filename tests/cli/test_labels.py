"""Labels from the data to the samples: classes and attributes, in a grid, in a table, in a run that goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli.conftest import assert_same_checkpoint
from tests.recipes.conftest import SMALL as SMALL_RECIPES
from zerosum import api, recipes
from zerosum.data.check import check
from zerosum.data.options import DataConfig
from zerosum.data.sources import label_table
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.class_grid import class_grid
from zerosum.inference.generate import draw_labels, generate, stream
from zerosum.kinds import open_data
from zerosum.recipes import acgan
from zerosum.run.config import read_spec
from zerosum.runtime.progress import Silent
from zerosum.tasks import class_number
from zerosum.training import open_data as opening

SMALL = {"rounds": 4, "batch": 8, "latent_dim": 4, "width": 4, "size": "16", "save_every": 2, "preview_every": 4}
NAMES = ("T-shirt/top", "Bag\x1b[31m", "Été", "bag")


def pictures(folder: Path, count: int) -> list[str]:
    """Write gray images, and return their names."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 16, 16), dtype=np.uint8)
    folder.mkdir(parents=True)
    for number, image in enumerate(noise):
        Image.fromarray(image).save(folder / f"{number:02}.png")
    return [f"{number:02}.png" for number in range(count)]


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four classes whose names hold what no folder or terminal should get."""
    place = tmp_path_factory.mktemp("classes")
    rows = [f'{name},"{NAMES[min(number % 8, 3)]}"' for number, name in enumerate(pictures(place / "data", 40))]
    (place / "labels.csv").write_text("\n".join(["file,label", *rows]), encoding="utf-8")
    labels = str(place / "labels.csv")
    return api.train(place / "data", recipe="cgan", run=place / "run", labels=labels, progress=Silent(), **SMALL).path


@pytest.fixture(scope="module")
def attributes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three attributes, of which the first two exclude each other; half of the table says -1 in place of 0."""
    place = tmp_path_factory.mktemp("attributes")
    rows = ["image,Smiling,no_beard,glasses,note"]
    for number, name in enumerate(pictures(place / "data", 40)):
        zero = "-1" if number % 2 else "0"
        bits = [number % 4 == 0, number % 4 == 1, number % 5 == 0]
        rows.append(",".join([name, *("1" if bit else zero for bit in bits), "x"]))
    (place / "table.csv").write_text("\n".join(rows))
    labels = f"{place / 'table.csv'}:smiling,no_beard, glasses"
    return api.train(place / "data", recipe="cgan", run=place / "run", labels=labels, progress=Silent(), **SMALL).path


def test_a_label_is_a_name_or_a_number_and_is_escaped_in_places_and_files(classes: Path, zerosum: Any) -> None:
    spec = read_spec(api.Run.open(classes))
    assert set(spec.classes) == set(NAMES)
    said = zerosum("sample", classes, "-n", 2, "--label", "t-SHIRT/top")
    assert said.code == 0
    assert Path(said.out.strip()).name == "seed-0-label-t-SHIRT_top"
    number = spec.classes.index(NAMES[1])
    assert zerosum("sample", classes, "-n", 2, "--label", NAMES[1], "--out", "named").code == 0
    assert zerosum("sample", classes, "-n", 2, "--label", number, "--out", "numbered").code == 0
    named, numbered = (Image.open(Path(out) / "sample-0001.png") for out in ("named", "numbered"))
    assert np.array_equal(np.asarray(named), np.asarray(numbered))
    assert named.text["label"] == r"Bag\x1b[31m"  # type: ignore[attr-defined]
    recipe = api.load(classes)
    with torch.no_grad():
        assert recipe.sample(4, label="Été").shape == (4, 1, 16, 16)
    wrong = zerosum("sample", classes, "--label", "shoe")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "--label is shoe, and this model has no such class: give one of" in wrong.err
    said = zerosum("sample", classes, "--label", "t-shirt").err
    assert f"did you mean {NAMES[0]}? Or give one of " in said
    assert all(name in said.replace("\\x1b", "\x1b") for name in NAMES)


def test_few_classes_are_listed_where_one_may_be_meant_and_many_are_not() -> None:
    few, many = ("ant", "bee"), ("ant", *(f"class {number}" for number in range(12)))
    with pytest.raises(InputError) as found:
        class_number(Spec(shape=(2,), classes=few), "cat")
    assert str(found.value) == (
        "--label is cat, and this model has no such class: did you mean ant? Or give one of ant, bee, or a number from "
        "0 to 1."
    )
    with pytest.raises(InputError, match=r"no such class: did you mean ant\?$"):
        class_number(Spec(shape=(2,), classes=many), "cat")
    with pytest.raises(InputError, match=r"give one of ant, class 0, .*, class 6, \.\.\., or a number from 0 to 12\.$"):
        class_number(Spec(shape=(2,), classes=many), "xyz")
    with pytest.raises(InputError, match="give one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, or a number from 0 to 9"):
        class_number(Spec(shape=(2,), classes=tuple("0123456789")), "cat")


def test_capitals_decide_only_where_names_differ_in_nothing_else() -> None:
    spec = Spec(shape=(2,), classes=("Bag", "bag", "Shirt", "3"))
    assert [class_number(spec, label) for label in ("Bag", "bag", "shirt", "3", 3, "0")] == [0, 1, 2, 3, 3, 0]
    with pytest.raises(InputError, match="no such class"):
        class_number(spec, "BAG")


def test_a_grid_has_a_row_a_class_and_the_same_latents_in_each(classes: Path, zerosum: Any) -> None:
    recipe = api.load(classes)
    grid = class_grid(recipe, n=3, seed=5, chosen={})
    samples = grid.samples
    assert grid.names == recipe.spec.classes
    assert samples.shape == (12, 1, 16, 16)
    for number in range(4):
        row = samples[3 * number : 3 * number + 3]
        assert torch.equal(row, generate(recipe, 3, 5, controls={"label": number}))
    assert not torch.equal(samples[:3], samples[3:6])
    said = zerosum("sample", classes, "--grid", "classes", "-n", 3, "--seed", 5, "--out", "grid.png")
    assert (said.code, said.out) == (0, "grid.png\n")
    assert said.err.startswith("4 rows of 3, from the top: ")
    picture = Image.open("grid.png")
    assert picture.size == (3 * 66 - 2, 4 * 66 - 2)
    assert picture.text["rows"].count(", ") == 3  # type: ignore[attr-defined]
    default = zerosum("sample", classes, "--grid", "classes", "-n", 2)
    assert default.out.strip() == str(classes / "samples" / "classes-0.png")


@pytest.mark.parametrize(("name", "kind"), [("cgan", "classes"), ("cgan", "attributes"), ("stylegan2", "classes")])
def test_a_grid_of_many_labels_has_few_samples_of_each_and_is_about_square(
    name: str, kind: str, tmp_path: Path
) -> None:
    spec = Spec(shape=(1, 16, 16), **{kind: tuple(f"bird {number}" for number in range(90))})
    recipe_class = recipes.find(name)
    recipe = recipe_class(recipe_class.Config.read(SMALL_RECIPES[name]), spec).eval()
    made: list[int] = []
    recipe.generator.register_forward_hook(lambda _, inputs, output: made.append(len(output)))  # type: ignore[operator]
    grid = class_grid(recipe, n=None, seed=5, chosen={})
    assert (grid.each, len(grid.samples), grid.rows) == (2, 180, 13)
    if name == "cgan":
        assert sum(made) == 180 + 16
    for number in (0, 8, 89):
        expected = generate(recipe, 2, 5, controls={"label": number})
        torch.testing.assert_close(grid.samples[2 * number :][:2], expected, rtol=0, atol=1e-5)
    assert grid.described().startswith(
        "90 rows of 2, from the top of each of 7 blocks of 13 rows, and blocks from the left: bird 0, bird 1, "
    )
    width, height = Image.open(grid.write(tmp_path / "grid.png", {})).size
    assert (width, height) == (7 * (2 * 66 - 2) + 6 * 8, 13 * 66 - 2)
    assert class_grid(recipe, n=1, seed=5, chosen={}).rows == 10


def test_a_grid_is_refused_where_there_are_no_rows(classes: Path, zerosum: Any, tmp_path: Path) -> None:
    plain = api.train("digits", recipe="gan", run="plain", rounds=1, size="8", batch=8, progress=Silent()).path
    for run, *flags in (
        (plain, "--grid", "classes"),
        (classes, "--grid", "classes", "--label", "bag"),
        (classes, "--grid", "classes", "--interpolate"),
        (classes, "--grid", "classes", "--out", "folder"),
    ):
        said = zerosum("sample", run, *flags)
        assert (said.code, said.err.count("\n")) == (2, 1), flags
    assert "needs a model that generates for labels" in zerosum("sample", plain, "--grid", "classes").err


def test_attributes_come_from_columns_of_a_table(attributes: Path) -> None:
    spec = read_spec(api.Run.open(attributes))
    assert (spec.classes, spec.attributes, spec.label_width) == ((), ("Smiling", "no_beard", "glasses"), 3)
    assert dict(spec.attribute_rows) == {"000": 16, "001": 4, "010": 8, "011": 2, "100": 8, "101": 2}
    assert spec.attribute_shares == (0.25, 0.25, 0.2)
    place = attributes.parent
    data = open_data(place / "data", options=DataConfig(labels=f"{place / 'table.csv'}:glasses,smiling"))
    assert data.labels.shape == (40, 2)
    assert data.labels[:6].tolist() == [[1, 1], [0, 0], [0, 0], [0, 0], [0, 1], [1, 0]]
    assert data.batch(np.arange(3)).label.tolist() == [[1, 1], [0, 0], [0, 0]]
    assert any(note.endswith("images with each: glasses 8, Smiling 10.") for note in data.notes)
    one = open_data(place / "data", options=DataConfig(labels=f"{place / 'table.csv'}:note"))
    assert one.spec.attributes == ()
    assert one.fingerprint != data.fingerprint


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("smiling,beard", "expected file and beard in its first line"),
        ("smiling,note", "Attribute note is x in line 2 of"),
        ("smiling,Smiling", "names an attribute twice"),
    ],
)
def test_columns_that_are_no_attributes_are_refused(attributes: Path, column: str, sentence: str) -> None:
    table = attributes.parent / "table.csv"
    with pytest.raises(InputError, match=sentence):
        open_data(attributes.parent / "data", options=DataConfig(labels=f"{table}:{column}"))


def test_a_column_whose_name_has_a_comma_is_one_column() -> None:
    read = label_table.read_table(b'file,"breed, colour"\na.png,x\n', "t.csv:Breed, colour")
    assert (read.of, read.attributes) == ({"a.png": "x"}, ())


def test_recipes_without_attributes_refuse_them_and_name_those_that_take_them(attributes: Path, zerosum: Any) -> None:
    labels = f"{attributes.parent / 'table.csv'}:smiling,glasses"
    for recipe in ("dcgan", "projection"):
        said = zerosum("train", attributes.parent / "data", "--recipe", recipe, "--labels", labels, "--size", 16)
        assert (said.code, said.err.count("takes no labels of several attributes")) == (2, 1)
        assert "--recipe cgan" in said.err


def test_samples_have_the_attributes_that_are_named(attributes: Path, zerosum: Any) -> None:
    recipe = api.load(attributes)
    wanted = generate(recipe, 4, 2, controls={"label": "glasses, smiling"})
    torch.manual_seed(0)
    latent = recipe.prior(4)
    with torch.no_grad():
        chosen = recipe.sample(4, latent=latent, label="glasses,0")
        given = recipe.sample(4, latent=latent, labels=torch.tensor([[1, 0, 1]]).expand(4, 3))
        none = recipe.sample(4, latent=latent, label="none")
    assert torch.equal(chosen, given)
    assert not torch.equal(chosen, none)
    said = zerosum("sample", attributes, "-n", 4, "--seed", 2, "--label", "glasses,smiling", "--out", "out")
    assert said.code == 0
    first = np.asarray(Image.open("out/sample-0000.png"))
    assert np.array_equal(first, wanted[0, 0].add(1).mul(127.5).round().clamp(0, 255).byte().numpy())
    wrong = zerosum("sample", attributes, "--label", "glases")
    assert (wrong.code, wrong.err) == (
        2,
        "--label has glases, and this model has no such attribute: did you mean glasses? Or give one of Smiling, "
        "no_beard, glasses, none, or a number from 0 to 2.\n",
    )
    alone = zerosum("sample", attributes, "--label", "glasses,none").err
    assert alone == "--label is glasses,none, and none stands alone: leave it out, or give --label none.\n"
    assert zerosum("sample", attributes, "--grid", "classes", "-n", 2, "--out", "rows.png").err == (
        "3 rows of 2, from the top: Smiling, no_beard, glasses\n"
    )


def test_rows_of_attributes_are_drawn_by_their_counts(attributes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = read_spec(api.Run.open(attributes))
    drawn = draw_labels(spec, 20_000, seed=1)
    assert drawn.dtype == torch.int64
    assert torch.equal(draw_labels(spec, 20, seed=1), drawn[:20])
    rows = {"".join(map(str, row)) for row in drawn.tolist()}
    assert rows == {row for row, _ in spec.attribute_rows}
    shares = torch.tensor(spec.attribute_shares)
    torch.testing.assert_close(drawn.float().mean(0), shares, atol=0.015, rtol=0)
    monkeypatch.setattr(opening, "MOST_ROWS", 5)
    labels = np.array([[int(bit) for bit in row] for row, count in spec.attribute_rows for _ in range(count)])
    many = opening._with_attribute_counts(Spec(shape=(1, 16, 16), attributes=spec.attributes), labels)
    assert many.attribute_rows == ()
    alone = draw_labels(many, 20_000, seed=1)
    assert len({tuple(row) for row in alone.tolist()}) == 8  # independent ones meet in all combinations
    torch.testing.assert_close(alone.float().mean(0), shares, atol=0.015, rtol=0)


def test_attributes_for_samples_do_not_move_the_latents(attributes: Path) -> None:
    recipe = api.load(attributes)
    samples = generate(recipe, 40, 3)
    halves = [list(stream(recipe, 40, 3, rank=rank, world=2)) for rank in range(2)]
    assert torch.equal(torch.cat([halves[0][0], halves[1][0], halves[0][1]])[:40], samples)
    labels = draw_labels(recipe.spec, 48, 3)
    first = generate(recipe, 40, 3, controls={"label": "none"})
    same = (labels[:40] == 0).all(1)
    torch.testing.assert_close(samples[same], first[same])


def test_a_run_with_attributes_goes_on_to_the_last_bit(attributes: Path) -> None:
    place = attributes.parent
    settings: dict[str, Any] = SMALL | {"labels": f"{place / 'table.csv'}:smiling,no_beard, glasses"}
    part = api.train(place / "data", recipe="cgan", run="part", progress=Silent(), **settings | {"rounds": 2})
    assert json.loads((part.path / "run.json").read_text())["spec"]["attributes"] == ["Smiling", "no_beard", "glasses"]
    api.resume("part", rounds=4, progress=Silent())
    latest = [api.Run.open(path).latest() for path in (part.path, attributes)]
    assert_same_checkpoint(*latest)


def test_acgan_infers_attributes_one_by_one(attributes: Path) -> None:
    place = attributes.parent
    labels = f"{place / 'table.csv'}:smiling,glasses"
    run = api.train(place / "data", recipe="acgan", run="acgan", labels=labels, progress=Silent(), **SMALL)
    recipe = api.load(run.path)
    assert recipe.discriminator(torch.zeros(2, 1, 16, 16))[1].shape == (2, 2)
    logits, given = torch.tensor([[2.0, -1.0], [0.5, 3.0]]), torch.tensor([[1, 0], [0, 1]])
    right = torch.where(given == 1, logits, -logits).sigmoid()  # P(C_a = c_a | x)
    torch.testing.assert_close(acgan._class_loss(logits, given), -right.log().sum(1).mean())
    made = generate(recipe, 2, 0, controls={"label": "glasses"})
    assert not torch.equal(made, generate(recipe, 2, 0, controls={"label": "none"}))


def test_data_without_attributes_do_not_mention_them(classes: Path) -> None:
    spec = json.loads((classes / "run.json").read_text())["spec"]
    assert not [name for name in spec if name.startswith("attribute")]


def test_evaluation_takes_attributes_for_no_labels(attributes: Path, zerosum: Callable[..., Any]) -> None:
    found = api.evaluate(attributes, count=20, progress=Silent())
    assert found.protocol.extractor == "random"
    assert found["fid"].value is not None
    for metrics in ("cas", "linear-probe"):
        said = zerosum("evaluate", attributes, "--metrics", metrics, "--count", 20)
        assert (said.code, said.err.count("\n")) == (2, 1)
    said = zerosum("evaluate", attributes, "--per-class", "--count", 20)
    assert said.err == (
        "--per-class needs a model that generates for classes, and this one was trained on attributes: leave it out.\n"
    )
    said = zerosum("evaluate", attributes, "--features", "classifier", "--count", 20)
    assert (said.code, said.err.count("\n")) == (2, 1)


def test_what_plays_the_game_again_has_the_attributes(tmp_path: Path) -> None:
    rows = ["file,a,b"]
    for split in ("train", "test"):
        names = pictures(tmp_path / "data" / split, 60)
        rows += [f"{split}/{name},{number % 2},{int(number % 3 == 0)}" for number, name in enumerate(names)]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    labels, settings = f"{tmp_path / 't.csv'}:a,b", SMALL | {"evaluate_every": 2}
    run = api.train(tmp_path / "data", recipe="cgan", run="run", labels=labels, progress=Silent(), **settings)
    metrics = "fid,precision,discriminator-auc,duality-gap"
    found = api.evaluate(run.path, metrics=metrics, count=50, progress=Silent())
    assert all(found[metric].value is not None for metric in metrics.split(","))
    with pytest.raises(InputError, match="linear-probe is unavailable here: it needs images with labels"):
        api.evaluate(run.path, metrics="linear-probe", count=50, progress=Silent())


def test_a_check_of_the_data_says_how_many_have_each(attributes: Path) -> None:
    labels = f"{attributes.parent / 'table.csv'}:smiling,glasses"
    report = check(attributes.parent / "data", DataConfig(labels=labels))
    assert report.classes == {}
    assert any(note.endswith("images with each: Smiling 10, glasses 8.") for note in report.notes)
