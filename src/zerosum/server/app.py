"""The ASGI application: a page, the routes of each run's model, and of what its directory holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

import zerosum
from zerosum.errors import ZerosumError
from zerosum.server.fast_path import FastPath
from zerosum.server.guard import SHOWN_TO_SITES, Guard, refusal
from zerosum.server.model import UnavailableError
from zerosum.server.page import documentation, page, together, training
from zerosum.server.routes import REFUSALS, model_routes, prefixes, shortcuts
from zerosum.server.schema import Confirmed
from zerosum.server.service import Served, Service
from zerosum.text import one_line, shown

STATIC = {
    "studio.js": ("zerosum.server", "static/studio.js", "text/javascript"),
    "studio.css": ("zerosum.server", "static/studio.css", "text/css"),
    "report.css": ("zerosum.report", "templates/style.css", "text/css"),
}
"""Files of the page: package, place in it, type."""


UNTRAINED = "No process on this machine trains this run: nothing to {}."

SILENT: Any = {"tracing": False, "metrics": False, "logs": False}


def build(service: Service) -> Guard:
    """Return the application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(service.warm_up())
        yield
        service.draining = True
        warming.cancel()
        service.batcher.close()

    app = FastAPI(
        title="zerosum", version=zerosum.__version__, docs_url=None, redoc_url=None, lifespan=lifespan, telemetry=SILENT
    )
    app.add_exception_handler(ZerosumError, partial(_refused, service))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _missing)
    app.add_exception_handler(Exception, _failed)
    app.include_router(_process_routes(app, service))
    app.include_router(_page_routes(service))
    for run in service.runs:
        routes = model_routes(service, run)
        for prefix in prefixes(run):
            app.include_router(routes, prefix=prefix)
        app.include_router(_run_routes(service, run), prefix=f"/v1/runs/{run.number}")
    if service.doors.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(service.doors.origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=SHOWN_TO_SITES,
        )
    return Guard(_shortened(app, service), doors=service.doors, limits=service.limits, metrics=service.metrics)


def _shortened(app: FastAPI, service: Service) -> ASGIApp:
    """Return the application with the fast path before it, unless other sites ask, whose answers CORS completes."""
    return app if service.doors.origins else FastPath(app, shortcuts(service), partial(_refused, service))


def _process_routes(app: FastAPI, service: Service) -> APIRouter:
    """Return the routes of the process: the page, its files, documentation, health and metrics."""
    router = APIRouter()

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        """Say that the process answers."""
        return JSONResponse({"status": "ok"})

    @router.get("/readyz", responses=REFUSALS)
    async def readyz() -> JSONResponse:
        """Say whether the models are loaded and have made a sample."""
        if service.draining or not service.ready:
            return refusal(503, "draining" if service.draining else "loading", Retry_After="1")
        return JSONResponse({"status": "ready"})

    @router.get("/metrics")
    async def metrics() -> Response:
        """Return figures in Prometheus' text format."""
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return documentation(app.openapi())

    @router.get("/v1/runs")
    async def runs() -> JSONResponse:
        """List the runs that are served."""
        found = [(await service.look(run))[1] for run in service.runs]
        keys = ("title", "training", "played", "checkpoints")
        listed = [{"run": run.number, **{k: s[k] for k in keys}} for run, s in zip(service.runs, found, strict=True)]
        return JSONResponse({"runs": listed})

    return router


def _page_routes(service: Service) -> APIRouter:
    """Return the routes of pages and their files."""
    router = APIRouter(include_in_schema=False)

    def paged(make: Callable[[Service, Served], Awaitable[Response]], run: Served) -> Callable[[], Awaitable[Response]]:
        async def made() -> Response:
            return await make(service, run)

        return made

    async def beside() -> Response:
        return await together(service)

    def stored(package: str, place: str, kind: str) -> Callable[[], Awaitable[Response]]:
        content = (files(package) / place).read_bytes()

        async def file() -> Response:
            return Response(content, media_type=kind, headers={"Cache-Control": "max-age=300"})

        return file

    router.get("/")(paged(page, service.runs[0]))
    router.get("/training")(beside)
    for run in service.runs:
        router.get(f"/runs/{run.number}")(paged(page, run))
        router.get(f"/runs/{run.number}/training")(paged(training, run))
    for name, found in STATIC.items():
        router.get(f"/static/{name}")(stored(*found))
    return router


def _run_routes(service: Service, run: Served) -> APIRouter:
    """Return the routes of what a run's directory holds."""
    router = APIRouter(responses={422: REFUSALS[422]})

    @router.get("/live")
    async def live(request: Request) -> Response:
        """Return how far the run is and the changing part of its report; 304 where the ETag sent is still right."""
        stamp = await asyncio.to_thread(run.live.stamp)
        if request.headers.get("if-none-match") == stamp:
            return Response(status_code=304, headers={"ETag": stamp, "Cache-Control": "no-cache"})
        stamp, state = await service.look(run)
        return JSONResponse(state, headers={"ETag": stamp, "Cache-Control": "no-cache"})

    @router.get("/previews/{at}", response_class=Response)
    async def preview(at: Annotated[int, Path(ge=0, lt=2**63)]) -> Response:
        """Return the preview picture of a round."""
        content = await asyncio.to_thread(run.live.preview, at)
        if content is None:
            return refusal(404, f"There is no preview of round {at}.")
        return Response(content, media_type="image/png", headers={"Cache-Control": "max-age=60"})

    @router.post("/save")
    async def save() -> JSONResponse:
        """Ask the process that trains the run, on this machine, to save a checkpoint and go on."""
        if not await asyncio.to_thread(run.live.save):
            return refusal(409, UNTRAINED.format("save"))
        return JSONResponse({"status": "saving"})

    @router.post("/stop")
    async def stop(asked: Confirmed) -> JSONResponse:
        """Ask the process that trains the run, on this machine, to save and stop."""
        if not await asyncio.to_thread(run.live.stop):
            return refusal(409, UNTRAINED.format("stop"))
        return JSONResponse({"status": "stopping"})

    return router


async def _refused(service: Service, request: Request, error: Exception) -> JSONResponse:
    """Answer with the sentence of an error; a missing checkpoint of a run in progress may come."""
    sentence = one_line(shown(service.without_places(str(error))))
    if "holds no checkpoint" in sentence:
        return refusal(503, "This run has no checkpoint yet: ask again when it has saved one.", Retry_After="5")
    if isinstance(error, UnavailableError):
        return refusal(503, sentence)
    return refusal(422 if isinstance(error, ZerosumError) and error.exit_code == 2 else 500, sentence)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request without repeating what it holds."""
    assert isinstance(error, RequestValidationError)
    said = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:3]]
    return refusal(422, one_line(shown("; ".join(said)))[:500])


async def _failed(request: Request, error: Exception) -> JSONResponse:
    return refusal(500, "The server failed on this request, and its log says why.")


async def _missing(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return refusal(error.status_code, one_line(shown(str(error.detail))), **dict(error.headers or {}))
