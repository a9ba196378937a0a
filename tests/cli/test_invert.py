"""Inversion: an image that the model made is found again; what cannot be inverted is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import SMALL
from zerosum import api
from zerosum.data.batch import to_float
from zerosum.evaluation.measures.perceptual import load_backbone
from zerosum.inference.generate import generate
from zerosum.inference.invert import invert, read_target, squared_error
from zerosum.inference.latents import latent_of_seed, read_latents
from zerosum.kinds import open_data
from zerosum.metrics.lpips import FeatureStack
from zerosum.runtime.progress import Silent

SETTINGS: dict[str, Any] = {"rounds": 60, "batch": 32, "latent_dim": 4, "size": "16", "progress": Silent()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("inverted") / "run"
    return api.train("digits", recipe="cgan", run=place, **SMALL["cgan"] | SETTINGS).path


def test_a_sample_is_found_again(run: Path) -> None:
    recipe = api.load(run)
    target = generate(recipe, 1, 11, controls={"label": 4})
    seen: list[tuple[str, int, int]] = []
    found = invert(recipe, target, steps=200, label="4", progress=lambda *said: seen.append(said))
    assert found.label == "4"
    assert found.distance < found.start / 4
    assert found.psnr > 20
    assert seen[-1] == ("invert", 200, 200)
    assert float(squared_error(found.sample, target)) == pytest.approx(found.distance, rel=1e-4)
    with torch.no_grad():
        again = recipe.sample(1, latent=found.latent, label=4)
    torch.testing.assert_close(again, found.sample)
    assert torch.equal(
        invert(recipe, target, steps=20, label=4, seed=3).latent,
        invert(recipe, target, steps=20, label=4, seed=3).latent,
    )
    none = invert(recipe, target, steps=0, label=4)
    assert none.distance == pytest.approx(none.start, rel=1e-5)
    other = invert(recipe, target, steps=0)
    assert other.label in recipe.spec.classes


def test_the_random_state_and_the_weights_stay_as_they_are(run: Path) -> None:
    recipe = api.load(run)
    state, weights = torch.get_rng_state(), {name: value.clone() for name, value in recipe.state_dict().items()}
    invert(recipe, torch.zeros(1, 1, 16, 16), steps=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, weights[name]) for name, value in recipe.state_dict().items())


def test_images_are_read_as_training_data_are(run: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    (tmp_path / "one").mkdir()
    Image.fromarray(noise).save(tmp_path / "one" / "a.png")
    packed = open_data(tmp_path / "one", options=api.RunConfig.read("x", "gan", {"size": "16", "channels": 1}).options)
    assert torch.equal(read_target(tmp_path / "one" / "a.png", api.load(run)), to_float(packed.real(np.arange(1))))


def test_images_of_16_bits_are_read_with_all_of_them(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 4096, (6, 16, 16)).astype(np.uint16)
    np.save(tmp_path / "scans.npy", levels)
    settings = SMALL["lsgan"] | {"rounds": 1, "batch": 4, "progress": Silent()}
    recipe = api.load(api.train(tmp_path / "scans.npy", recipe="lsgan", run=tmp_path / "run", **settings))
    Image.fromarray(levels[0]).save(tmp_path / "one.png")
    target = read_target(tmp_path / "one.png", recipe)
    packed = torch.from_numpy(np.array(open_data(tmp_path / "scans.npy").samples[:1]))
    assert torch.equal(target, to_float(packed.permute(0, 3, 1, 2)))
    assert len(target.unique()) > 200, "8 bits would leave 16 levels in this range, and 256 in all"


def test_the_command_writes_both_images_and_the_latent(run: Path, zerosum: Any) -> None:
    recipe = api.load(run)
    digit = generate(recipe, 1, 5, controls={"label": 2})[0, 0].add(1).mul(127.5).round().byte().numpy()
    Image.fromarray(digit).save("digit.png")
    said = zerosum("invert", run, "digit.png", "--steps", 30, "--label", 2)
    assert (said.code, said.out) == (0, f"{run}/inverted/digit.png\n")
    assert said.err.splitlines()[-2].startswith("PSNR ")
    assert "label 2. The latent's norm is" in said.err
    assert "of draws about 2." in said.err
    picture = np.asarray(Image.open(run / "inverted" / "digit.png"))
    assert picture.shape == (64, 130)
    assert np.array_equal(picture[::4, :64:4], digit)
    command = said.err.splitlines()[-1].removeprefix("The latent: zerosum ").split()
    assert command == ["sample", str(run), "--latent-file", str(run / "inverted" / "digit.npy"), "--label", "2"]
    assert read_latents(run / "inverted" / "digit.npy", recipe).shape == (1, 4)
    assert zerosum(*command, "--out", "again.png").code == 0
    assert np.array_equal(np.asarray(Image.open("again.png")), picture[::4, 66::4])


def test_results_of_images_of_the_same_name_are_all_kept(run: Path, zerosum: Any) -> None:
    for name, shade in (("ant", 0), ("bee", 255)):
        Path(name).mkdir()
        Image.new("L", (16, 16), shade).save(f"{name}/same.png")
    first = zerosum("invert", run, "ant/same.png", "--steps", 2)
    assert first.out == f"{run}/inverted/same.png\n"
    kept = {path: path.read_bytes() for path in (run / "inverted").glob("same*")}
    assert len(kept) == 2
    second = zerosum("invert", run, "bee/same.png", "--steps", 2)
    assert (second.code, second.out) == (0, f"{run}/inverted/same-2.png\n")
    assert f"--latent-file {run}/inverted/same-2.npy" in second.err
    assert all(path.read_bytes() == content for path, content in kept.items())
    (run / "inverted" / "same-2.png").unlink()  # of which the latent is left
    assert zerosum("invert", run, "bee/same.png", "--steps", 2).out == f"{run}/inverted/same-3.png\n"


def test_a_perceptual_loss_has_a_gradient(run: Path, zerosum: Any) -> None:
    torch.manual_seed(0)
    stack = FeatureStack("vgg")
    torch.save(dict(stack.state_dict()), "vgg.pth")
    heads = {
        f"lin{stage}.model.1.weight": torch.rand(1, width, 1, 1) for stage, width in enumerate((64, 128, 256, 512, 512))
    }
    torch.save(heads, "heads.pth")
    distance = load_backbone("vgg:vgg.pth", "heads.pth", torch.device("cpu"))
    recipe = api.load(run)
    target = generate(recipe, 1, 11, controls={"label": 4})
    other = generate(recipe, 1, 12, controls={"label": 4})
    torch.testing.assert_close(distance.with_gradient(target, other), distance(target, other))
    latent = latent_of_seed(recipe, 12).requires_grad_()
    far = distance.with_gradient(recipe.sample(1, latent=latent, label=4), target).sum()
    assert float(torch.autograd.grad(far, latent)[0].abs().max()) > 0
    found = invert(recipe, target, steps=2, label=4, distance=distance.with_gradient)
    assert found.distance <= found.start


@pytest.mark.parametrize(
    ("image", "flags", "sentence"),
    [
        ("nowhere.png", (), "There is no image, folder or .zip"),
        ("text.png", (), "text.png "),
        ("folder", (), "folder is no single image: give the path of one."),
        ("a.png", ("--loss", "lpips"), "--loss lpips needs a backbone: give a backbone, --perceptual alex:WEIGHTS"),
        ("a.png", ("--perceptual", "alex:x.pth"), "is of use to --loss lpips alone"),
        ("a.png", ("--perceptual-heads", "x.pth"), "--perceptual-heads x.pth is of use to --loss lpips alone"),
        ("a.png", ("--out", "a.png"), "--out a.png would be written over the image that is read"),
        ("a.png", ("--label", "cat"), "--label is cat, and this model has no such class"),
        ("a.png", ("--out", "text.png/b.png"), "text.png cannot be written to: give another place."),
        ("a.png", ("--out", "folder"), "--out is folder, and the image beside its sample is written as .png"),
    ],
)
def test_what_cannot_be_inverted_is_refused(
    run: Path, image: str, flags: tuple[str, ...], sentence: str, zerosum: Any
) -> None:
    Path("folder").mkdir()
    Image.new("L", (16, 16)).save("a.png")
    Image.new("L", (16, 16)).save("folder/a.png")
    Path("text.png").write_text("no image")
    said = zerosum("invert", run, image, *flags)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert sentence in said.err


def test_models_of_points_and_models_without_labels(zerosum: Any) -> None:
    Image.new("L", (8, 8)).save("a.png")
    points = api.train("ring8", recipe="gan", run="points", rounds=1, progress=Silent()).path
    assert "this model makes points" in zerosum("invert", points, "a.png").err
    plain = api.train("digits", recipe="gan", run="plain", rounds=1, size="8", batch=8, progress=Silent()).path
    assert zerosum("invert", plain, "a.png", "--steps", 2, "--out", "out.png").code == 0
    assert "generates without labels" in zerosum("invert", plain, "a.png", "--label", 1).err


@pytest.mark.parametrize("recipe", ["progan", "biggan", "infogan"])
def test_other_generators_are_inverted_too(recipe: str) -> None:
    settings = SMALL[recipe] | {"rounds": 1, "batch": 8, "size": "16", "progress": Silent()}
    model = api.load(api.train("digits", recipe=recipe, run="run", **settings).path)
    found = invert(model, generate(model, 1, 7), steps=10)
    assert found.distance < found.start
