"""Pictures in other classes of their order, such as faces at other ages, without a network trained for a request."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, Field, create_model

from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.identity import kept_families
from zerosum.inference.invert import read_target
from zerosum.recipe import Recipe
from zerosum.server.answers import Answer
from zerosum.server.model import Model
from zerosum.server.pictures import require_small
from zerosum.server.schema import STRICT
from zerosum.tasks import AgeingRecipe

MOST_ITERATIONS = 20
"""Of the fit of a latent, at most, because others wait for the model meanwhile."""


def ages_model(recipe: type[Recipe], spec: Spec) -> type[BaseModel]:
    """Return the model of the query of a request that ages a picture."""
    groups: Any = Literal[spec.classes]  # type: ignore[valid-type]
    steps = (
        "Of the fit of the latent in the class of the picture, which `from` then names. It compares identities by the "
        "network that `zerosum age` has trained for the run; without one, the encoder's estimate is taken."
    )
    fields: dict[str, Any] = {
        "to": (groups, Field(description="Class of the result.")),
        "of": (groups | None, Field(default=None, alias="from", description="Class of the picture.")),
        "iterations": (Annotated[int, Field(ge=0, le=MOST_ITERATIONS)], Field(default=0, description=steps)),
    }
    return create_model(f"{recipe.__name__}Ages", __config__=STRICT, **fields)


def aged(model: Model, image: bytes, *, to: str, of: str | None, iterations: int, most_pixels: int) -> Answer:
    """Make a picture in another class.

    Args:
        model: of a run that ages.
        image: a PNG, JPEG or WebP.
        to: class of the result.
        of: class of the picture.
        iterations: of the fit of the latent, at most; 0 takes the encoder's estimate.
        most_pixels: of the picture.

    Raises:
        InputError: it is no image that is read, it has too many pixels, a fit without its class, or no checkpoint.
    """
    if iterations and of is None:
        raise InputError("A latent is fitted in the class of the picture: name it by from, or leave out iterations.")
    recipe = cast(AgeingRecipe, model.refresh())
    require_small(image, most_pixels, 1)
    embedding = kept_families(model.path, recipe) if iterations else None
    with tempfile.TemporaryDirectory(prefix="zerosum-") as folder:
        source = Path(folder, "image")
        source.write_bytes(image)
        try:
            target = read_target(source, recipe)
        except InputError as error:
            raise InputError(str(error).replace(str(source), "The picture")) from None
    steps = iterations if embedding is not None else 0
    fit = f"{steps} iterations at most" if steps else "encoder alone"
    if iterations and embedding is None:
        fit += ": no network of identities is kept in the run, and zerosum age trains one"
    with model.arithmetic():
        made = recipe.age(target, of=of or to, to=to, embedding=embedding, iterations=steps)
    (picture,) = model.drawn(made.float().clamp(-1, 1).cpu())
    chosen = {"to": to, "from": of, "iterations": iterations}
    return model.answer(picture, seed=0, chosen=chosen, fit=fit)
