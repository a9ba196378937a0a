"""The files of a run that is pushed, made from its directory."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from PIL import Image

import zerosum
from zerosum import kinds
from zerosum.errors import InputError
from zerosum.evaluation.result import FILE, FORMAT, Evaluation
from zerosum.hub import card, index, memorised
from zerosum.inference.generate import generate
from zerosum.recipe import Recipe
from zerosum.report import run_data
from zerosum.run import checkpoint, portable_state
from zerosum.run.checkpoint_files import Checkpoint, read_chosen
from zerosum.run.config import read_config
from zerosum.run.directory import Run, Which
from zerosum.run.load import load_recipe
from zerosum.run.public import name_of, places_of, public, without_paths
from zerosum.run.weights_file import packed
from zerosum.runtime.device import pick_device
from zerosum.runtime.hub_names import Repository
from zerosum.text import is_whole

SMALL, MANY, FEW = 64, 64, 16
"""Side in pixels up to which many samples are shown, and how many; else few."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """What goes up."""

    files: dict[str, bytes]
    """By name, the index among them."""

    memorised: list[str]
    """Sentences that say that samples are copies of training samples."""

    evaluated: bool


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a pushed run is to hold."""

    repository: Repository
    licence: str | None = None
    checkpoint: Which = "newest"
    recipe: str | None = None
    device: str = "auto"
    with_state: bool = False
    """Whether training can go on from it."""

    preview: bool = False
    """Whether a picture is shown that holds images of the data, where there is no other."""


def pack(run: Run, asked: Asked) -> Package:
    """Make the files of a run that is pushed; the run stays as it is.

    Raises:
        InputError: there is no checkpoint, or it is damaged or of another model.
    """
    found = read_chosen(run, asked.checkpoint)
    model = load_recipe(run, read_config(run, asked.recipe), device=pick_device(asked.device), checkpoint=found)
    about, known = public(run.description), places_of(run.path, run.description)
    evidence, evaluation = run_data.read(run.path), _evaluation(run, asked.repository, known)
    signs = list(memorised.signs(evidence, evaluation))
    picture, drawn = _picture(run, model, preview=asked.preview)
    text = card.write(
        card.Card(
            repository=asked.repository,
            about=about,
            round=found.round,
            pictures=kinds.find(model.spec.kind).pictures,
            licence=asked.licence,
            evaluation=evaluation,
            memorised=signs,
            nearest=memorised.sheet(evidence),
            drawn=drawn,
        )
    )
    files = {index.RUN: _json(about), index.CARD: text.encode(), index.WEIGHTS: _weights(model, about)}
    if picture is not None:
        files[index.PICTURE] = picture
    if evaluation is not None:
        files[index.EVALUATION] = _json({"format": FORMAT, **asdict(evaluation)})
    if asked.with_state:
        files |= _state(found, run)
    files[index.INDEX] = index.Index.of(found.round, files).text().encode()
    return Package(files=files, memorised=signs, evaluated=evaluation is not None)


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=2).encode() + b"\n"


def _weights(model: Recipe, about: dict[str, Any]) -> bytes:
    """Write averaged weights, and live ones where no average was kept, with what they are of in the header."""
    said = {"version": zerosum.__version__, **{name: about.get(name) for name in ("recipe", "id", "spec")}}
    return packed(model.state_dict(), {"zerosum": json.dumps(said)})  # one entry: their order is random


def _state(found: Checkpoint, run: Run) -> dict[str, bytes]:
    weights, averages, state = checkpoint.parts(found)
    if state is None:
        raise InputError(f"{run.path} has no state to resume from, because it was pulled: leave --with-state out.")
    return {index.LIVE: weights, index.AVERAGES: averages, index.STATE: portable_state.pack(state)}


def _evaluation(run: Run, repository: Repository, known: dict[str, str]) -> Evaluation | None:
    """Return the run's evaluation without its owner's paths."""
    if not (run.path / FILE).exists():
        return None
    found = Evaluation.read(run.path / FILE)
    protocol = replace(found.protocol, data=name_of(found.protocol.data) or "data")
    own = {found.protocol.data: protocol.data} if "/" in found.protocol.data or "\\" in found.protocol.data else {}
    content = without_paths(asdict(replace(found, subject=repository.id, protocol=protocol)), known | own)
    from pydantic import TypeAdapter

    return TypeAdapter(Evaluation).validate_python(content | {"subject": repository.id})


def _picture(run: Run, model: Recipe, *, preview: bool) -> tuple[bytes | None, str | None]:
    """Draw samples as a PNG without metadata, and say what they are; no picture shows images of the data unasked."""
    if model.task.given == "nothing":
        n = MANY if max(model.spec.shape[-2:]) <= SMALL else FEW
        samples = generate(model, n, seed=0)
        picture = kinds.find(model.spec.kind).draw(samples, samples)
        return _png(picture), f"{n} samples of seed 0, not chosen among others."
    shown = sorted(path for path in (run.path / "samples").glob("*.png") if is_whole(path.stem))
    if not preview or not shown:
        return None, None
    with Image.open(shown[-1]) as found:
        return _png(found), f"The preview of round {int(shown[-1].stem):,}: results beside images of the data."


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.copy().convert(picture.mode).save(buffer, "PNG", pnginfo=None)
    return buffer.getvalue()
