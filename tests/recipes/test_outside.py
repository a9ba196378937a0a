"""Recipes from outside the package: by path, by module, as entry points and as classes; and the page on them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

import zerosum
from tests.recipes.conftest import SMALL, shape_of, sides
from zerosum import objectives, recipes
from zerosum.cli import main
from zerosum.errors import InputError
from zerosum.networks.mlp import Dense
from zerosum.run.directory import Run
from zerosum.runtime.progress import Silent
from zerosum.testing import check_recipe

PAGE = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
EXAMPLE = BLOCKS[0]
QUICK = {"rounds": 2, "batch": 8, "width": 4}
FLAGS = ["--rounds", "2", "--batch", "8", "--width", "4"]


class Plain(zerosum.Recipe):
    """A small GAN without settings of its own."""

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        self.generator = Dense(4, (8,), spec.shape, bound="tanh")
        self.discriminator = Dense(spec.shape[0] * spec.shape[1] * spec.shape[2], (8,))

    def players(self) -> dict[str, zerosum.Player]:
        adam = {"lr": 1e-3, "betas": (0.5, 0.9)}
        return {
            "discriminator": zerosum.Player.adam(self.discriminator, **adam),
            "generator": zerosum.Player.adam(self.generator, **adam, ema_decay=0.9),
        }

    def round(self, game: Any) -> None:
        batch = game.draw()
        game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Any) -> zerosum.Loss:
        real, fake = self.discriminator(batch.real), self.discriminator(self.sample(len(batch)))
        return zerosum.Loss(adversarial=objectives.hinge_discriminator(real, fake))

    def generator_loss(self, batch: Any) -> zerosum.Loss:
        return zerosum.Loss(adversarial=objectives.hinge_generator(self.discriminator(self.sample(len(batch)))))

    def latent(self, n: int) -> Tensor:
        from zerosum.runtime import rng

        return rng.normal(n, 4, device=self.device)

    def sample(self, n: int) -> Tensor:
        return self.generator(self.latent(n))


class Tied(Plain):
    """Two layers of one weight, and a buffer that no checkpoint keeps."""

    def __init__(self, config: Any, spec: Any) -> None:
        super().__init__(config, spec)
        first, second = nn.Linear(4, 4), nn.Linear(4, 4)
        second.weight = first.weight
        first.register_buffer("grid", torch.zeros(1), persistent=False)
        self.generator = nn.Sequential(first, nn.Tanh(), second, Dense(4, (8,), spec.shape, bound="tanh"))


@pytest.fixture
def mine() -> Path:
    """The page's example, as a file in the working folder."""
    path = Path("my_gan.py")
    path.write_text(EXAMPLE)
    return path


@pytest.fixture
def run(mine: Path) -> Path:
    assert main(["train", "digits", "--recipe", str(mine), "--run", "runs/mine", *FLAGS]) == 0
    return Path("runs/mine")


def test_the_pages_commands_run_in_their_order(mine, capsys):
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines():
        words = shlex.split(line)[2:]
        fresh = words[0] == "train" and "--resume" not in words
        rounds = {"300": "2", "400": "3"}
        words = [rounds.get(word, word) for word in words] + (["--width", "4", "--batch", "8"] if fresh else [])
        few = ["--count", "40", "--features", "random", "--metrics", "fid"] if words[0] == "evaluate" else []
        assert main([*words, *few]) == 0, f"{line}: {capsys.readouterr().err}"
    description = Run(Path("runs/mine")).description
    assert (Path("runs/mine") / "recipe.py").read_text() == EXAMPLE
    assert description["recipe"] == "MyGAN"
    assert description["recipe_origin"]["place"] == str(mine.absolute())
    assert "fid" in {
        figure["metric"] for figure in json.loads(Path("runs/mine/evaluation.json").read_text())["figures"]
    }
    report = Path("runs/mine/report.html").read_text()
    assert f"zerosum sample runs/mine --recipe {mine.absolute()}" in report
    pd = pytest.importorskip("pandas")
    assert pd is not None
    exec(BLOCKS[-1], {})


def test_the_pages_python_runs(mine, monkeypatch):
    session = ModuleType("session")  # without a file, as that of a notebook
    monkeypatch.setitem(sys.modules, "session", session)
    names = vars(session)
    exec(compile(EXAMPLE, "<cell>", "exec", dont_inherit=True), names)
    exec(BLOCKS[1].replace("rounds=300", "rounds=2, width=4, batch=8, run='runs/python'"), names)
    assert names["images"].shape == (16, 1, 32, 32)
    assert not Path("runs/python/recipe.py").exists()
    assert Run(Path("runs/python")).description["recipe_origin"] == {"place": None, "sha256": None}
    with pytest.raises(InputError, match=r"a class without a file.*recipe=MyGAN"):
        zerosum.load("runs/python")
    zerosum.resume("runs/python", recipe=names["MyGAN"], rounds=3)
    zerosum.load("runs/python", recipe=mine)


def test_the_pages_test_passes(mine):
    names: dict[str, Any] = {}
    exec(next(block for block in BLOCKS if "check_recipe" in block), names)
    names["test_my_gan"]()


@pytest.mark.parametrize(
    "words",
    [
        ["sample", "runs/mine", "-n", "2"],
        ["train", "--resume", "runs/mine"],
        ["evaluate", "runs/mine"],
        ["compare", "runs/mine", "--against", "digits"],
        ["translate", "runs/mine", "x.png"],
        ["inpaint", "runs/mine", "x.png", "--mask", "m.png"],
        ["upscale", "runs/mine", "x.png"],
    ],
    ids=lambda words: words[0],
)
def test_no_command_runs_code_that_a_run_names(run, mine, words, capsys):
    mine.write_text(f"open('was-run', 'w')\n{EXAMPLE}")
    (run / "recipe.py").write_text("open('was-run', 'w')")
    capsys.readouterr()
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "runs only where you name it" in said
    assert f"--recipe {mine.absolute()}" in said
    assert not Path("was-run").exists()


@pytest.mark.parametrize("name", ["my_gan.py", "my_gan:MyGAN", "/tmp/my_gan.py", "MyGAN"])
def test_a_path_in_the_place_of_a_name_in_run_json_is_refused(run, name):
    description = json.loads((run / "run.json").read_text())
    for origin in ({}, {"recipe_origin": {"place": name, "sha256": None}}):
        kept = {key: value for key, value in description.items() if key != "recipe_origin"}
        (run / "run.json").write_text(json.dumps(kept | {"recipe": name} | origin))
        with pytest.raises(InputError, match=r"run\.json was edited"):
            zerosum.load(run)


def test_a_changed_file_is_noted_and_no_error(run, mine, capsys, logged):
    zerosum.load(run, recipe=mine)
    assert logged.getvalue() == ""
    mine.write_text(EXAMPLE + "\n# changed\n")
    model: Any = zerosum.load(run, recipe=mine)
    assert "The file of the recipe MyGAN has changed since runs/mine began" in logged.getvalue()
    assert model.sample(2, label=1).shape == (2, 1, 32, 32)
    assert main(["train", "--resume", str(run), "--recipe", str(mine), "--rounds", "3"]) == 0
    assert "has changed since" in capsys.readouterr().err


def test_a_control_is_validated_by_the_recipe(run, mine, capsys):
    capsys.readouterr()
    assert main(["sample", str(run), "--recipe", str(mine), "--label", "30"]) == 2
    assert capsys.readouterr().err == "--label is 30, and the classes go from 0 to 9.\n"


def test_another_recipe_than_the_runs_is_refused(run):
    with pytest.raises(InputError, match="was trained by MyGAN, and the recipe that is given is gan"):
        zerosum.load(run, recipe="gan")
    with pytest.raises(InputError, match="was trained by MyGAN, and the recipe that is given is Plain"):
        zerosum.resume(run, recipe=Plain)


def test_a_class_of_a_module_and_one_of_several_in_a_file(mine):
    Path("pack").mkdir()
    Path("pack/__init__.py").touch()
    Path("pack/models.py").write_text(EXAMPLE)
    kind = recipes.find("pack.models:MyGAN")
    found = recipes.origin(kind)
    assert (recipes.name_of(kind), found and found.place) == ("MyGAN", "pack.models:MyGAN")
    mine.write_text(EXAMPLE + "\n\nclass Other(MyGAN):\n    pass\n")
    with pytest.raises(InputError, match=r"several recipes \(MyGAN, Other\): name one of them, as in my_gan.py:MyGAN"):
        recipes.find("my_gan.py")
    other = recipes.origin(recipes.find("my_gan.py:Other"))
    assert other is not None
    assert other.place == f"{mine.absolute()}:Other"
    for name in ("pack", "pack.models"):
        del sys.modules[name]


def test_a_file_finds_its_neighbours_and_is_run_once(mine):
    Path("neighbour_of_mine.py").write_text("WIDTH = 8")
    mine.write_text(f"import neighbour_of_mine\n{EXAMPLE}")
    assert recipes.find(mine) is recipes.find(str(mine.absolute()))
    assert str(Path.cwd()) not in sys.path


def test_an_installed_recipe_is_known_by_its_name(mine, monkeypatch, capsys):
    Path("their_package.py").write_text(EXAMPLE)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    point = EntryPoint(name="theirs", value="their_package:MyGAN", group=recipes.GROUP)
    monkeypatch.setattr(recipes, "entry_points", lambda group: [point])
    assert main(["train", "digits", "--recipe", "theirs", "--run", "runs/theirs", *FLAGS]) == 0
    assert zerosum.load("runs/theirs").sample(2).shape == (2, 1, 32, 32)
    assert Run(Path("runs/theirs")).description["recipe"] == "theirs"
    capsys.readouterr()
    assert main(["recipes"]) == 0
    assert re.search(r"^theirs +their_package:MyGAN", capsys.readouterr().out, re.MULTILINE)
    assert main(["recipes", "thiers"]) == 2
    assert "did you mean 'theirs'?" in capsys.readouterr().err
    del sys.modules["their_package"]


WRONG = {
    "nothing here": ("x = 1\n", "my_gan.py defines no recipe"),
    "syntax": ("x = 1\ndef f(:\n", "my_gan.py, line 2, is not valid Python: "),
    "raises": ("\n\nx = 1 / 0\n", "it raises ZeroDivisionError in my_gan.py, line 3: division by zero."),
    "exits": ("import sys\nsys.exit(4)\n", "it raises SystemExit in my_gan.py, line 2: 4."),
    "imports": ("import nothing_of_that_name\n", "it raises ModuleNotFoundError in my_gan.py, line 1: No module named"),
    "no dataclass": (EXAMPLE.replace("@dataclass(frozen=True, kw_only=True)", ""), "MyGAN.Config needs @dataclass"),
    "abstract": (EXAMPLE.replace("def players", "def teams"), "MyGAN lacks players()"),
    "taken": (EXAMPLE.replace("width:", "seed:"), "MyGAN.Config has a setting 'seed', and so has every run"),
    "nulls": ("x = '\0'\n", "my_gan.py"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_file_that_cannot_be_used_gets_one_sentence(text, said, mine, capsys):
    mine.write_text(text)
    assert main(["train", "digits", "--recipe", str(mine), *FLAGS]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nothing.py", "The recipe's file nothing.py is not there"),
        ("no_package.module:MyGAN", "There is no module 'no_package'"),
        ("json:dumps", "json:dumps is no recipe"),
        ("json:Nothing", "json has no class Nothing: it defines no recipe."),
        ("folder/my_gan", "one of your own is given as path/to/my_gan.py"),
        (3, "give a name, a path to a file, or a class"),
        (nn.Linear, "Linear is no recipe: a recipe is a class made from zerosum.Recipe."),
    ],
)
def test_what_names_no_recipe_is_refused(given, said):
    with pytest.raises(InputError, match=re.escape(said)):
        recipes.find(given)


@pytest.mark.parametrize(
    ("control", "said"),
    [
        ("seed: int | None = None", "has a control 'seed', and --seed means"),
        ("label=None", "needs a type and a default"),
    ],
)
def test_a_control_that_cannot_be_a_flag_is_refused(run, mine, control, said, capsys):
    mine.write_text(EXAMPLE.replace("label: int | None = None", control))
    capsys.readouterr()
    assert main(["sample", str(run), "--recipe", str(mine)]) == 2
    assert said in capsys.readouterr().err


def test_an_error_in_the_recipe_shows_its_own_traceback(mine, capsys):
    mine.write_text(EXAMPLE.replace("batch = game.draw()", "batch = game.draw() + 1"))
    line = EXAMPLE[: EXAMPLE.index("batch = game.draw()")].count("\n") + 1
    assert main(["train", "digits", "--recipe", str(mine), *FLAGS]) == 1
    first, traceback, place, *_ = capsys.readouterr().err.partition("The recipe raised")[2].splitlines()
    assert f"TypeError in round, line {line} of {mine.absolute()}" in first
    assert traceback.startswith("Traceback")
    assert place == f'  File "{mine.absolute()}", line {line}, in round'


def test_tied_weights_are_averaged_saved_and_resumed_from():
    small = {"batch": 8, "watch_every": 0, "progress": Silent()}
    run = zerosum.train("digits", recipe=Tied, run="tied", rounds=2, **small)
    zerosum.resume(run, recipe=Tied, rounds=3, progress=Silent())
    straight = zerosum.train("digits", recipe=Tied, run="straight", rounds=3, **small)
    for name in ("weights", "averages"):
        kept, other = (each.latest() / f"{name}.safetensors" for each in (run, straight))
        assert kept.read_bytes() == other.read_bytes()
    first, _, second, _ = zerosum.load(run, recipe=Tied).generator
    assert first.weight is second.weight
    averages = safetensors.torch.load_file(run.latest() / "averages.safetensors")
    assert torch.equal(first.weight, averages["generator.0.weight"])
    assert torch.equal(first.weight, averages["generator.2.weight"])


def test_torch_is_not_waited_for_where_a_recipe_is_mistyped_or_listed():
    code = "import sys; from zerosum.cli import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    for words in (["recipes"], ["recipes", "typo"], ["train", "digits", "--recipe", "typo"], ["report", "nothing"]):
        said = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=os.environ)
        assert said.stdout.splitlines()[-1] == "False", words


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=() if n in ("cgan", "dcgan", "pix2pix") else pytest.mark.slow) for n in recipes.names()],
)
def test_every_recipe_of_ours_passes_the_check(name):
    shape = shape_of(name)
    latent = {"latent_dim": 6} if "latent_dim" in recipes.find(name).Config.names() else {}
    check_recipe(name, data=sides(name, shape), **{"rounds": 16, **latent, **SMALL[name]})


class Still(Plain):
    def round(self, game: Any) -> None:
        game.move("discriminator", self.discriminator_loss, game.draw())


class Forgetful(Plain):
    """Keeps what changes in training where no checkpoint finds it."""

    played = 0

    def generator_loss(self, batch: Any) -> zerosum.Loss:
        self.played += 1
        return zerosum.Loss(adversarial=self.played * super().generator_loss(batch).total())


class Unshared(Plain):
    def latent(self, n: int) -> Tensor:
        return torch.randn(n, 4)


class Summed(Plain):
    def generator_loss(self, batch: Any) -> zerosum.Loss:
        return zerosum.Loss(adversarial=super().generator_loss(batch).total() * len(batch))


class Unseeded(Plain):
    def latent(self, n: int) -> Tensor:
        return torch.randn(n, 4, generator=GENERATOR)


GENERATOR = torch.Generator()


class Misshapen(Plain):
    def fake_and_real(self, batch: Any) -> tuple[Tensor, Tensor]:
        return self.sample(3), batch.real


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Still, "a round leaves generator where it was"),
        (Forgetful, "a resumed run does not go on as it would have"),
        (Unshared, "micro-batches change the gradient of discriminator"),
        (Summed, "micro-batches change the gradient of generator"),
        (Unseeded, "the same seed plays another game"),
        (Misshapen, "fake_and_real"),
    ],
)
def test_the_check_finds_what_is_wrong(kind, said):
    with pytest.raises(AssertionError, match=re.escape(said)):
        check_recipe(kind, data=sides("gan", (1, 16, 16)))


def test_the_check_passes_what_is_right():
    check_recipe(Plain, data=sides("gan", (1, 16, 16)))
