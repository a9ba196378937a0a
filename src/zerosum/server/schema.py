"""Bodies of requests, made from the signature of a recipe's method at use."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal

import docstring_parser
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from zerosum.config import Seed
from zerosum.inference.controls import controls
from zerosum.recipe import Recipe

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


class Confirmed(BaseModel):
    """A request for what cannot be undone."""

    model_config = STRICT
    confirm: Literal[True]


MOST_SAMPLES = 64
"""Samples that one request may ask for."""

LONGEST_TEXT = 1000
"""Characters of a text that is painted."""

LONGEST_LABEL = 2**15
"""Characters of a control that is text, as the names of several hundred attributes are."""

Form = Literal["png", "zip", "json"]
FORMS = "png holds one sample; several come as zip or json. By default png for one and zip for several."


def _short(value: Any) -> Any:
    """Return the value of a control, unless it is text that would take long to look up."""
    if isinstance(value, str) and len(value) > LONGEST_LABEL:
        raise ValueError(f"text has at most {LONGEST_LABEL:,} characters, and {len(value):,} were given")
    return value


def controls_model(recipe: type[Recipe], *, name: str, **more: Any) -> type[BaseModel]:
    """Return a model with a field for each control of a recipe, described by the docstring of its method.

    Args:
        recipe: whose controls.
        name: of the model.
        more: further fields, as `create_model` takes them.
    """
    method = getattr(recipe, recipe.task.method)
    texts = {p.arg_name: p.description for p in docstring_parser.parse(method.__doc__ or "").params}
    fields: dict[str, Any] = {
        name: (Annotated[p.annotation, AfterValidator(_short)], Field(default=p.default, description=texts.get(name)))
        for name, p in controls(recipe).items()
    }
    return create_model(name, __config__=STRICT, **fields, **more)


def samples_model(recipe: type[Recipe]) -> type[BaseModel]:
    """Return the model of a request for samples."""
    chosen = controls_model(recipe, name=f"{recipe.__name__}Controls")
    seeds = Annotated[list[Seed], Field(min_length=1, max_length=MOST_SAMPLES)]
    described = {
        "seeds": "A sample each: the first that `zerosum sample --seed` makes.",
        "latents": "Latents (N, Z) in place of those of the seeds, of which one, or as many, may be given beside.",
        "format": FORMS,
    }
    return create_model(
        f"{recipe.__name__}Samples",
        __config__=STRICT,
        seeds=(seeds, Field(default=[0], description=described["seeds"])),
        latents=(
            list[list[float]] | None,
            Field(default=None, description=described["latents"], min_length=1, max_length=MOST_SAMPLES),
        ),
        controls=(chosen, Field(default_factory=chosen)),
        format=(Form | None, Field(default=None, description=described["format"])),
    )


def transform_model(recipe: type[Recipe]) -> type[BaseModel]:
    """Return the model of the query of a request that sends an image."""
    seed = (Seed, Field(default=0, description="Start of the randomness, if the recipe has any."))
    return controls_model(recipe, name=f"{recipe.__name__}Query", seed=seed)


def texts_model(recipe: type[Recipe]) -> type[BaseModel]:
    """Return the model of a request for images of a text, from the parameters of the recipe's method."""
    method = getattr(recipe, recipe.task.method)
    texts = {p.arg_name: p.description for p in docstring_parser.parse(method.__doc__ or "").params}
    several = inspect.signature(method).parameters["n"].default
    return create_model(
        f"{recipe.__name__}Texts",
        __config__=STRICT,
        text=(str, Field(description=texts.get("text"), min_length=1, max_length=LONGEST_TEXT)),
        n=(int, Field(default=several, description=texts.get("n"), ge=1, le=MOST_SAMPLES)),
        seed=(Seed, Field(default=0, description="The images are those of `zerosum paint --seed`.")),
        format=(Form | None, Field(default=None, description=FORMS)),
    )


def seeds_model(recipe: type[Recipe]) -> type[BaseModel]:
    """Return the model of a request for latents."""
    chosen = controls_model(recipe, name=f"{recipe.__name__}Controls")
    return create_model(
        f"{recipe.__name__}Seeds",
        __config__=STRICT,
        seeds=(Annotated[list[Seed], Field(min_length=1, max_length=MOST_SAMPLES)], ...),
        controls=(chosen, Field(default_factory=chosen)),
    )


def chosen_in(model: BaseModel) -> dict[str, Any]:
    """Return the controls that a request sets, by name."""
    return {name: value for name, value in model.model_dump().items() if value is not None and name != "seed"}
