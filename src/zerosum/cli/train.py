"""`zerosum train`: every setting of the recipe, of training and of the data is a flag, with its docstring as help."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, make_dataclass, replace
from typing import Annotated, Any

import tyro

from zerosum import kinds
from zerosum.cli import flags
from zerosum.cli.elsewhere import resumed_elsewhere, setting_elsewhere
from zerosum.config import Minutes, flag
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.hub import local
from zerosum.run.config import RunConfig, read_config
from zerosum.run.directory import Run
from zerosum.runtime import distributed
from zerosum.runtime.terminal import say
from zerosum.training import launch
from zerosum.training.go_on import begun, go_on
from zerosum.training.prepare import explanation


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a recipe on your data."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of images, a .zip of one, .tar or .parquet shards (also s3://bucket/train-{000..099}.tar, or
    hf:owner/name of the Hub), a .npy, .npz or idx .gz file, or a name: digits, aged-digits, mnist, fashion-mnist,
    cifar10, stacked-mnist, captioned-shapes, ring8, grid25, tones, moving-shapes, moving-mnist, moving-digits,
    shapes3d."""

    recipe: str | None = None
    """The recipe to train; `zerosum recipes` lists them. One of your own: path/to/my_gan.py, path/to/my_gan.py:MyGAN or
    package.module:MyGAN. Each has flags of its own below. By default one is chosen by the data."""

    run: str | None = None
    """Folder to write; by default a new one under runs/. With torchrun, whose --run-path is like it, put -- first:
    torchrun --nproc-per-node 2 -m zerosum -- train ..."""

    resume: str | None = None
    """Go on with this run instead of starting one."""

    go_on: bool = False
    """Go on with --run where it has begun, else start it: so the same command, typed again after whatever has ended it,
    ends at once when all rounds are played. Settings that are typed have to be those of the run."""

    minutes: Minutes | None = None
    """Time to train: size, preset and number of rounds are chosen for it, after a trial of seconds on this machine."""

    explain: bool = False
    """Say what would be trained, with which settings and why, and train nothing."""


@dataclass(frozen=True, kw_only=True)
class Resume:
    """Go on with a run, to the last bit as if it had never stopped."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")] = ""
    """Where the run's data lie now, if they were moved; --target and --labels say the same of theirs."""

    resume: str
    """The run to go on with."""

    recipe: str | None = None
    """For a run of a recipe of your own, its file or package.module:Class: it runs only where you name it."""


def run(arguments: list[str]) -> int:
    """Train, or resume a run where --resume is given; return 0, or 128 + N where signal N has stopped it.

    Raises:
        InputError: something given cannot be used.
    """
    resumed = flags.value_of(arguments, "--resume")
    with distributed.together():
        done = _start(arguments) if resumed is None else _resume(resumed, arguments)
    return 0 if done is None or done.stopped_by is None else 128 + done.stopped_by


def _start(arguments: list[str]) -> Run | None:
    given, plan = parsed(Train, arguments, prog="zerosum train")
    if given.explain:
        say(*explanation(plan, given.minutes))
        return None
    if given.go_on and (directory := begun(given.run, plan.training.copy_to)) is not None:
        return _go_on(directory, arguments)
    command = shlex.join(["zerosum", "train", *arguments])
    return launch.start(plan, run=given.run, minutes=given.minutes, command=command)


def parsed(base: type, arguments: list[str], *, prog: str) -> tuple[Any, RunConfig]:
    """Read flags of a command and of what it trains; return what was given, and the plan that it makes.

    Args:
        base: dataclass of the command's own flags: data, recipe, and others.
        arguments: as they were typed.
        prog: how the command is called.

    Raises:
        InputError: a flag that is not there, or data that cannot be used.
    """
    word, named = flags.first_word(arguments), flags.value_of(arguments, "--recipe")
    recipe = named or _guess(word, arguments)
    given = _parse(base, arguments, RunConfig.read(word, recipe, {}), prog=prog)
    data = given.data
    if data != word:  # whose kind of sample may have another recipe and other defaults
        recipe = named or _default(data, arguments)
        given = _parse(base, arguments, RunConfig.read(data, recipe, {}), prog=prog)
    settings = given.settings.to_json() | given.training.to_json() | given.options.to_json()
    default = RunConfig.read(data, recipe, {}).settings()
    asked = {
        name: value for name, value in settings.items() if value != default[name] or flags.is_typed(arguments, name)
    }
    return given, replace(RunConfig.read(data, recipe, asked), recipe_is_default=named is None)


def _guess(word: str, arguments: list[str]) -> str:
    """Choose the recipe for what may be the data, or may be the value of a flag."""
    try:
        return _default(word, arguments)
    except InputError:
        return kinds.default_recipe("")


def _default(data: str, arguments: list[str]) -> str:
    """Choose the recipe for data by their size and labels, as the arguments ask for them."""
    words = {name: flags.value_of(arguments, flag(name)) for name in DataConfig.names()}
    typed = {name: word for name, word in words.items() if word is not None}
    return kinds.default_recipe(data, DataConfig.read(flags.as_choices(DataConfig, typed)), typed=list(typed))


def _resume(run_: str, arguments: list[str]) -> Run:
    directory = Run.open(local(run_))
    recipe = flags.value_of(arguments, "--recipe")
    plan = read_config(directory, recipe)
    given = _parse(Resume, arguments, plan)
    asked = given.settings.to_json() | given.training.to_json() | given.options.to_json()
    changes = {name: value for name, value in asked.items() if value != plan.settings()[name]}
    return launch.resume(directory.path, recipe=recipe, data=given.data or None, **changes)


def _go_on(directory: Run, arguments: list[str]) -> Run:
    """Go on with a run by the command that began it: settings that are not typed are those of the run."""
    recipe = flags.value_of(arguments, "--recipe")
    plan = read_config(directory, recipe)
    given = _parse(Train, arguments, plan)
    asked = given.settings.to_json() | given.training.to_json() | given.options.to_json()
    return go_on(directory, asked, data=given.data, recipe=recipe)


def _parse(base: type, arguments: list[str], plan: RunConfig, *, prog: str = "zerosum train") -> Any:
    """Read the flags of a command and those of a plan's recipe, with the plan's values as defaults."""
    elsewhere = resumed_elsewhere(plan.recipe, Train, Resume) if base is Resume else setting_elsewhere(plan.recipe)
    return flags.parse(_arguments(base, plan), arguments, prog=prog, elsewhere=elsewhere)


def _arguments(base: type, plan: RunConfig) -> type:
    """Add the flags of a plan's recipe to those of a command, with the plan's values as defaults."""
    parts = plan.config, plan.training, plan.options
    names = {"settings": plan.recipe, "training": "training", "options": "data"}
    fields = [
        (name, Annotated[type(part), tyro.conf.arg(name=title)], field(default=part))
        for (name, title), part in zip(names.items(), parts, strict=True)
    ]
    return make_dataclass("Arguments", fields, bases=(base,), frozen=True, kw_only=True)
