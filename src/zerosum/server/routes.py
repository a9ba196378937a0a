"""Routes of a model, with bodies made from the signature of its recipe's method at use."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import zipfile
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.seeded import Seeded
from zerosum.server.ageing import aged, ages_model
from zerosum.server.answers import Answer
from zerosum.server.fast_path import Shortcut
from zerosum.server.pictures import sent_pictures
from zerosum.server.schema import Form, chosen_in, samples_model, seeds_model, texts_model, transform_model
from zerosum.server.service import Served, Service
from zerosum.tasks import AGE, INPAINT

FEW = 128**2
"""Pixels that are encoded within a millisecond or two."""

LONGEST_HEADER = 1000
"""Characters of a header's value: proxies take 4 or 8 kB of headers."""

BINARY = {"schema": {"type": "string", "format": "binary"}}
SENTENCE = {"application/json": {"schema": {"type": "object", "properties": {"detail": {"type": "string"}}}}}
MADE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The samples.",
        "content": {"image/png": BINARY, "application/zip": BINARY, "application/json": {}},
    }
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    422: {"description": "Something given cannot be used; a sentence says what.", "content": SENTENCE},
    503: {"description": "Too many requests, or no checkpoint that can be loaded yet: ask again.", "content": SENTENCE},
}


def model_routes(service: Service, run: Served) -> APIRouter:
    """Return the routes of a run's model."""
    router = APIRouter(responses=REFUSALS)

    @router.get("/model")
    async def model() -> Response:
        """Return what the model is: recipe, task, shape, controls, figures with floors."""
        return Response((await service.alone(run.model.describe)).to_json(), media_type="application/json")

    given = run.model.kind.task.given
    if run.model.kind.task is AGE:
        _ageing(router, service, run)
    if given == "nothing":
        _generating(router, service, run)
    elif given == "images":
        _transforming(router, service, run)
    elif given == "text":
        _painting(router, service, run)
    return router


def pixels_of(spec: Spec) -> int:
    """Return how many pixels a sample counts as: those of an image, and of what is drawn of points."""
    return spec.shape[-1] * spec.shape[-2] if len(spec.shape) > 1 else 2**18


def samples_of(service: Service, run: Served) -> Callable[[Any], Awaitable[Response]]:
    """Return the function of the route of samples, which takes what `samples_model` describes."""
    pixels = pixels_of(run.model.spec)

    async def samples(asked: Any) -> Response:
        """Generate samples: the same seed and controls make the same picture, whatever else is asked for."""
        wanted = _wanted(asked.seeds, asked.latents)
        form = _form(asked.format, len(wanted), pixels, service)
        return await _encoded(form, await service.samples(run, wanted, chosen_in(asked.controls)))

    return samples


def shortcuts(service: Service) -> dict[str, Shortcut]:
    """Map the path of each sampling route to its request model and handler."""
    found = {}
    for run in service.runs:
        if run.model.kind.task.given == "nothing":
            one = Shortcut(samples_model(run.model.kind), samples_of(service, run))
            found |= {f"{prefix}/samples": one for prefix in prefixes(run)}
    return found


def prefixes(run: Served) -> tuple[str, ...]:
    """Return where the routes of a run lie."""
    own = f"/v1/runs/{run.number}"
    return ("/v1", own) if run.number == 0 else (own,)


def _generating(router: APIRouter, service: Service, run: Served) -> None:
    kind, samples = run.model.kind, samples_of(service, run)

    async def latents(asked: Any) -> JSONResponse:
        """Return the latents (N, Z) of seeds, to walk among and to give to /samples."""
        chosen = chosen_in(asked.controls)
        return JSONResponse({"latents": await service.alone(lambda: run.model.latents(asked.seeds, chosen))})

    samples.__annotations__["asked"], latents.__annotations__["asked"] = samples_model(kind), seeds_model(kind)
    router.post("/samples", responses=MADE, response_class=Response)(samples)
    router.post("/latents")(latents)


def _painting(router: APIRouter, service: Service, run: Served) -> None:
    pixels = pixels_of(run.model.spec)

    async def paint(asked: Any) -> Response:
        """Paint a text: the same text and seed make the same pictures, and each names the words that are unknown."""
        form = _form(asked.format, asked.n, pixels, service)
        return await _encoded(form, await service.alone(lambda: run.model.paint(asked.text, asked.n, seed=asked.seed)))

    paint.__annotations__["asked"] = texts_model(run.model.kind)
    router.post("/paint", responses=MADE, response_class=Response)(paint)


def _transforming(router: APIRouter, service: Service, run: Served) -> None:
    async def translate(request: Request, asked: Any) -> Response:
        """Make an image from an image, sent as the body or as the part `image`; the part `mask` marks holes."""
        image, mask = await sent_pictures(request)
        chosen, most = chosen_in(asked), service.limits.pixels
        made = await service.alone(
            lambda: run.model.transform(image, mask, seed=asked.seed, chosen=chosen, most_pixels=most)
        )
        return await _encoded(_png, [made])

    translate.__annotations__["asked"] = Annotated[transform_model(run.model.kind), Query()]
    required = ["image", "mask"] if run.model.kind.task is INPAINT else ["image"]
    router.post("/translate", **_taking(required))(translate)


def _ageing(router: APIRouter, service: Service, run: Served) -> None:
    async def age(request: Request, asked: Any) -> Response:
        """Make an image in another class, from the encoder's latent or one fitted to it for a few iterations."""
        image, _ = await sent_pictures(request)
        most = service.limits.pixels
        made = await service.alone(
            lambda: aged(run.model, image, to=asked.to, of=asked.of, iterations=asked.iterations, most_pixels=most)
        )
        return await _encoded(_png, [made])

    age.__annotations__["asked"] = Annotated[ages_model(run.model.kind, run.model.spec), Query()]
    router.post("/age", **_taking(["image"]))(age)


def _taking(parts: list[str]) -> dict[str, Any]:
    """Return what a route's description says that takes pictures: as parts of a form, one also as the body."""
    form = {"type": "object", "required": parts, "properties": dict.fromkeys(parts, BINARY["schema"])}
    sent = {"multipart/form-data": {"schema": form}}
    if len(parts) == 1:
        sent |= {"image/png": BINARY, "image/jpeg": BINARY, "image/webp": BINARY}
    ok = {200: {"description": "The image.", "content": {"image/png": BINARY}}}
    extra = {"requestBody": {"required": True, "content": sent}}
    return {"responses": ok, "response_class": Response, "openapi_extra": extra}


def _wanted(seeds: Sequence[int], latents: Sequence[Sequence[float]] | None) -> list[Seeded]:
    """Return what is asked for: a sample a seed, or a latent.

    Raises:
        InputError: the two are not as many.
    """
    if latents is None:
        return [Seeded(seed) for seed in seeds]
    if len(seeds) not in (1, len(latents)):
        raise InputError(f"{len(latents)} latents and {len(seeds)} seeds were given: give one seed, or as many.")
    every = list(seeds) * (len(latents) if len(seeds) == 1 else 1)
    return [Seeded(seed, torch.tensor(latent)) for seed, latent in zip(every, latents, strict=True)]


def _form(asked: Form | None, count: int, pixels: int, service: Service) -> Callable[[Sequence[Answer]], Response]:
    """Return what makes an answer of `count` pictures of `pixels` each in the form that is asked for.

    Raises:
        InputError: one cannot hold so many, or there are too many pixels.
    """
    form = asked or ("png" if count == 1 else "zip")
    if form == "png" and count > 1:
        raise InputError("A png holds one sample, and several were asked for: give format zip or json.")
    if count * pixels > service.limits.pixels:
        raise InputError(f"At most {service.limits.pixels:,} pixels are made for a request: ask for fewer samples.")
    return {"png": _png, "zip": _zip, "json": _json}[form]


def _headers(made: Answer) -> dict[str, str]:
    """Return what a sample was made by as headers; those too long are named by one, and stand in the PNG's text."""
    long = [name for name, value in made.about.items() if len(value) > LONGEST_HEADER]
    said = {name: value for name, value in made.about.items() if name not in long}
    if long:
        said["left-out"] = ", ".join(long)
    return {f"X-Zerosum-{name.title()}": value for name, value in said.items()}


async def _encoded(form: Callable[[Sequence[Answer]], Response], made: Sequence[Answer]) -> Response:
    """Return pictures in a form, which is made on a thread where it takes longer than going there."""
    pixels = sum(one.picture.width * one.picture.height for one in made)
    return form(made) if pixels <= FEW else await asyncio.to_thread(form, made)


def _png(made: Sequence[Answer]) -> Response:
    return Response(made[0].png(), media_type="image/png", headers=_headers(made[0]))


def _zip(made: Sequence[Answer]) -> Response:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for place, one in enumerate(made):
            archive.writestr(f"{place:04d}-seed-{one.about['seed']}.png", one.png())
    return Response(buffer.getvalue(), media_type="application/zip", headers=_headers(made[0]))


def _json(made: Sequence[Answer]) -> Response:
    images = [{**one.about, "png": base64.b64encode(one.png()).decode()} for one in made]
    return Response(json.dumps({"images": images}), media_type="application/json", headers=_headers(made[0]))
