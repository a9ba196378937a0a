"""`zerosum train`: every setting of the recipe, of training and of the data is a flag, with its docstring as help."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, make_dataclass
from typing import Annotated, Any

import tyro

from zerosum import recipes
from zerosum.cli import flags
from zerosum.data.options import DataConfig
from zerosum.run.config import RunConfig, TrainingConfig, read_config
from zerosum.run.directory import Run
from zerosum.runtime import distributed
from zerosum.training import launch


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a recipe on your data."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """A folder of images, a .zip of one, a .npy, .npz or idx .gz file, or a name: digits, mnist, fashion-mnist,
    cifar10, stacked-mnist, ring8, grid25."""

    recipe: str = "dcgan"
    """The recipe to train; `zerosum recipes` lists them. Each has flags of its own below."""

    run: str | None = None
    """Folder to write; by default a new one under runs/. With torchrun, whose --run-path is like it, put -- first:
    torchrun --nproc-per-node 2 -m zerosum -- train ..."""

    resume: str | None = None
    """Go on with this run instead of starting one."""


@dataclass(frozen=True, kw_only=True)
class Resume:
    """Go on with a run, to the last bit as if it had never stopped."""

    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")] = ""
    """Where the run's data lie now, if they were moved."""

    resume: str
    """The run to go on with."""


def run(arguments: list[str]) -> None:
    """Train, or go on with a run where --resume is given."""
    resumed = _value(arguments, "--resume")
    try:
        if resumed is None:
            _start(arguments)
        else:
            _resume(resumed, arguments)
    finally:
        distributed.leave()


def _start(arguments: list[str]) -> None:
    recipe = _value(arguments, "--recipe") or "dcgan"
    given: Any = flags.parse(_arguments(recipe), arguments, prog="zerosum train")
    plan = RunConfig(given.data, recipe, given.settings.checked(), given.training.checked(), given.options.checked())
    launch.start(plan, run=given.run, command=shlex.join(["zerosum", "train", *arguments]))


def _resume(run_: str, arguments: list[str]) -> None:
    directory = Run.open(run_)
    plan = read_config(directory)
    parser = _arguments(plan.recipe, plan)
    given: Any = flags.parse(parser, arguments, prog="zerosum train")
    asked = given.settings.to_json() | given.training.to_json() | given.options.to_json()
    changes = {name: value for name, value in asked.items() if value != plan.settings()[name]}
    launch.resume(run_, data=given.data or None, **changes)


def _arguments(recipe: str, plan: RunConfig | None = None) -> type:
    """Add the flags of `recipe` to those of starting a run, or, with the values of `plan`, to those of going on."""
    parts = (
        [plan.config, plan.training, plan.options]
        if plan
        else [recipes.find(recipe).Config(), TrainingConfig(), DataConfig()]
    )
    names = {"settings": plan.recipe if plan else recipe, "training": "training", "options": "data"}
    fields = [
        (name, Annotated[type(part), tyro.conf.arg(name=title)], field(default=part))
        for (name, title), part in zip(names.items(), parts, strict=True)
    ]
    return make_dataclass("Arguments", fields, bases=(Resume if plan else Train,), frozen=True, kw_only=True)


def _value(arguments: list[str], name: str) -> str | None:
    """Return what follows the flag `name`, for it decides which other flags there are."""
    for index, argument in enumerate(arguments):
        if argument == name and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return None
