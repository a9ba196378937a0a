"""What a page knows of a model: its recipe, run, data, controls and figures, as plain values."""

from __future__ import annotations

import dataclasses
import inspect
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import docstring_parser
from PIL import Image

import zerosum
from zerosum.inference.controls import controls
from zerosum.inference.latents import has_normal_prior
from zerosum.recipe import Recipe
from zerosum.run.directory import Run
from zerosum.runtime.regular_files import open_regular, read_regular
from zerosum.tasks import AGE, GENERATE, PAINT, GenerativeRecipe, has_latents, require_latents
from zerosum.text import number, shown

EXAMPLES = 6
"""Captions that a page offers."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """A keyword of the recipe's method at use that a visitor can set."""

    name: str
    type: Literal["label", "number", "integer", "choice", "numbers", "flag"]
    help: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    count: int | None = None
    """Of numbers: how many."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A mask of dropout that a network takes beside its source, because it also drops values at use."""

    name: str
    shape: tuple[int, ...]
    """Without the batch."""

    kept: float
    """Probability of 1 / kept; else 0."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the run's evaluation, as it is read."""

    title: str
    value: str
    floor: str
    """What real samples get."""


@dataclass(frozen=True, kw_only=True)
class PageModel:
    """What a page knows of a model."""

    title: str
    recipe: str
    task: str
    """generate, translate, upscale, inpaint or paint; recipes that age generate."""

    kind: str
    """The kind of sample: images, points, pairs, domains."""

    shape: tuple[int, ...]
    source_shape: tuple[int, ...] | None
    factor: int
    size_multiple: int | None
    """What sides of a source are multiples of; None where their size is fixed."""

    classes: tuple[str, ...]
    class_counts: tuple[int, ...]
    attributes: tuple[str, ...]
    attribute_rows: tuple[tuple[str, int], ...]
    attribute_shares: tuple[float, ...]
    takes_labels: bool
    controls: tuple[Control, ...]
    latent_dim: int | None
    prior: dict[str, Any]
    """How latents are drawn: {"law": "normal"}, or InfoGAN's {"law": "codes", "noise": 62, "categories": 10, ...}."""

    layers: int | None
    """Layers that take styles, where there are styles."""

    figures: tuple[Figure, ...]
    data: str
    round: int
    run: str
    """Name of the run's folder: where it lies is nobody's business who gets the file."""

    fingerprint: str
    version: str
    examples: tuple[str, ...] = ()
    """Captions that the run's newest preview was painted from."""

    ages: bool = False
    """Whether pictures are made in other classes, which a server's page offers."""

    text: dict[str, Any] = field(default_factory=dict)
    """Of an exported graph of words: their vocabulary, how a sentence is read, and the noise beside them."""

    choices: tuple[str, ...] = ("",)
    """Names of the networks that a page holds, one for each value of the controls of the type choice."""

    noise: tuple[Noise, ...] = ()
    folder: bool = False
    """Whether the page's parts are files beside it."""

    licence: str = "Weights: as the training data allow. Code of the page: Apache-2.0 (zerosum)."

    def to_json(self) -> str:
        """Return the fields as JSON."""
        return json.dumps(dataclasses.asdict(self))


def describe(recipe: Recipe, run: Run, *, round_: int) -> PageModel:
    """Describe a model of a run.

    Args:
        recipe: loaded from the run.
        run: its directory.
        round_: of the checkpoint that it was loaded from.
    """
    spec, about = recipe.spec, run.description
    generative = has_latents(recipe)
    data = about.get("data")
    return PageModel(
        title=run.path.resolve().name,
        recipe=str(about.get("recipe")),
        task=GENERATE.name if recipe.task.given == "nothing" else recipe.task.name,
        kind=spec.kind,
        shape=spec.shape,
        source_shape=spec.source_shape,
        factor=spec.factor,
        size_multiple=getattr(recipe, "size_multiple", None),
        classes=tuple(map(shown, spec.classes)),
        class_counts=spec.class_counts,
        attributes=tuple(map(shown, spec.attributes)),
        attribute_rows=spec.attribute_rows,
        attribute_shares=spec.attribute_shares,
        takes_labels=recipe.takes_labels,
        controls=_controls(recipe),
        latent_dim=require_latents(recipe).prior(1).shape[1] if generative else None,
        prior=_prior(require_latents(recipe)) if generative else {},
        layers=_layers(recipe),
        figures=_figures(run),
        data=shown(Path(str(data.get("source", ""))).name) if isinstance(data, dict) else "",
        round=round_,
        run=shown(run.path.resolve().name),
        fingerprint=str(about.get("id") or ""),
        version=zerosum.__version__,
        examples=_examples(run) if recipe.task is PAINT else (),
        ages=recipe.task is AGE,
    )


def _controls(recipe: Recipe) -> tuple[Control, ...]:
    """Return the controls that a page can offer."""
    method = getattr(recipe, recipe.task.method)
    texts = {p.arg_name: p.description or "" for p in docstring_parser.parse(method.__doc__ or "").params}
    found = controls(recipe)
    offered = (_control(recipe, name, p, " ".join(texts.get(name, "").split())) for name, p in found.items())
    return tuple(one for one in offered if one is not None)


def _control(recipe: Recipe, name: str, parameter: inspect.Parameter, text: str) -> Control | None:
    layers = _layers(recipe)
    choices = get_args(parameter.annotation) if getattr(parameter.annotation, "__origin__", None) is Literal else ()
    if name == "label":
        return Control(name=name, type="label", help=text) if recipe.takes_labels else None
    if name == "truncation":
        if "standing" in controls(recipe):  # whose statistics of batch norm truncation computes anew
            return None
        return Control(name=name, type="number", help=text, low=0.05, high=1.0 if layers else 2.0)
    if name == "mix" and layers:
        return Control(name=name, type="integer", help=text, low=1, high=layers - 1)
    if choices:
        return Control(name=name, type="choice", help=text, choices=tuple(map(str, choices)))
    law = _prior(require_latents(recipe)) if has_latents(recipe) else {}
    if name == "category" and law.get("categories"):
        return Control(name=name, type="integer", help=text, low=0, high=law["categories"] - 1)
    if name == "codes" and law.get("codes"):
        return Control(name=name, type="numbers", help=text, low=-1.5, high=1.5, count=law["codes"])
    return None


def _prior(recipe: GenerativeRecipe) -> dict[str, Any]:
    """Return how latents are drawn, for whoever draws them without torch."""
    if has_normal_prior(recipe):
        return {"law": "normal"}
    config = recipe.config.to_json()
    if {"noise", "categories", "codes"} <= config.keys():
        return {"law": "codes", **{name: config[name] for name in ("noise", "categories", "codes")}}
    return {"law": "unknown"}


def _layers(recipe: Recipe) -> int | None:
    """Return how many layers take styles."""
    return int(recipe.generator.synthesis.layers) if hasattr(recipe, "synthesis") else None  # type: ignore[union-attr]


def _figures(run: Run) -> tuple[Figure, ...]:
    """Return the figures of the run's evaluation, none where there is none or it was edited."""
    try:
        found = json.loads(read_regular(run.path / "evaluation.json"))["figures"]
        return tuple(
            Figure(title=shown(str(one["title"])), value=_said(one["value"]), floor=_said(one["floor"]))
            for one in found
        )
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ()


def _examples(run: Run) -> tuple[str, ...]:
    """Return the captions of the newest preview, each once; none where there is none or it was edited."""
    newest = max((run.path / "samples").glob("0*.png"), default=None)
    if newest is None:
        return ()
    try:
        with open_regular(newest) as file, Image.open(file) as preview:
            captions = str(preview.info.get("captions", "")).split(" | ")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ()
    return tuple(dict.fromkeys(one for one in map(shown, captions) if one.strip()))[:EXAMPLES]


def _said(value: float | None) -> str:
    return "-" if value is None else number(float(value))
