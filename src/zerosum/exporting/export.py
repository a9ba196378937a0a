"""Export of a run: its graphs, checked against the recipe, in one form or another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import torch

from zerosum.errors import InputError
from zerosum.exporting.files import Exported, Part, parts
from zerosum.exporting.onnx_file import Precision, require_onnx
from zerosum.exporting.sentences import text_rules
from zerosum.exporting.web import write_page
from zerosum.page import describe
from zerosum.recipe import Recipe
from zerosum.recipes import RecipeLike
from zerosum.run.config import read_config
from zerosum.run.directory import Run, Which
from zerosum.run.load import load_with_round
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.paths import expanded, require_writable
from zerosum.runtime.surroundings import own_settings
from zerosum.tasks import AGE, PAINT

Form = Literal["onnx", "pt2", "web"]
ENDINGS: dict[Form, str] = {"onnx": ".onnx", "pt2": ".pt2", "web": ".html"}


@own_settings()
def export(
    run: str | Path,
    *,
    to: Form = "onnx",
    out: str | Path | None = None,
    recipe: RecipeLike | None = None,
    checkpoint: Which = "newest",
    precision: Precision | None = None,
    folder: bool = False,
    title: str | None = None,
    runtime: str | Path | None = None,
) -> list[Exported]:
    """Export a run's generator, by its averaged weights.

    Args:
        run: the run directory.
        to: onnx: a file for ONNX runtimes; pt2: one that torch.export.load reads; web: a page that generates in a
            browser.
        out: the file, or the folder of a page; by default in the run's exports/.
        recipe: for a run of a recipe of your own: its file, package.module:Class or class.
        checkpoint: which of them.
        precision: in which weights are stored; by default float16 for the web, unless that moves a pixel by more than a
            level of 255, and float32 for all else.
        folder: of the web: a folder to put on a server, for large models, in place of one file.
        title: of the page.
        runtime: onnxruntime-web's archive or folder, where it is not to be downloaded.

    Returns:
        The files, more than one where a recipe has several networks at use.

    Raises:
        InputError: something given cannot be used, or the recipe cannot be exported.
        StorageError: the disk refuses.
    """
    _require_fit(to, precision, folder, runtime)
    directory = Run.open(run)
    place = _place(out, directory, to, folder=folder)
    plan, cpu = read_config(directory, recipe), torch.device("cpu")
    model, round_ = load_with_round(directory, plan, device=cpu, checkpoint=checkpoint)
    about = describe(model, directory, round_=round_)
    if model.task is PAINT:
        about = replace(about, text=text_rules(model))
    if title is not None:
        about = replace(about, title=title)
    if to == "web":
        made = write_page(model, about, place, precision=precision, folder=folder, runtime=runtime)
    else:
        made = [_write(part, place) for part in parts(model, about, to=to, precision=precision or "float32")]
    return [replace(one, notes=(*one.notes, *_task_notes(model, directory))) for one in made]


def _task_notes(model: Recipe, directory: Run) -> tuple[str, ...]:
    """Return what a recipe's task does beyond what an exported file does."""
    if model.task is not AGE:
        return ()
    return (f"It generates for any class. {AGE.invitation}: {AGE.typed(directory.path)}",)


def _place(out: str | Path | None, directory: Run, to: Form, *, folder: bool) -> Path:
    """Return where to write, by default in the run's exports/, once that is known to be possible.

    Raises:
        InputError: the name has another ending, is that of a folder or of a file where the other is needed, or lies
            where nothing can be written.
    """
    ending = "" if folder else ENDINGS[to]
    place = directory.path / "exports" / f"{directory.path.resolve().name}{ending}" if out is None else expanded(out)
    if ending and place.suffix.lower() != ending:
        raise InputError(f"--out is {place.name}, and --to {to} writes {ending}: end the name in that.")
    if place.exists() and place.is_dir() != folder:
        is_, needed = ("folder", "file") if place.is_dir() else ("file", "folder")
        raise InputError(f"--out is {place}, which is a {is_}: give the name of a {needed}.")
    require_writable(place)
    return place


def _require_fit(to: Form, precision: Precision | None, folder: bool, runtime: str | Path | None) -> None:
    """Check that what is asked for goes together, and that the packages are there.

    Raises:
        InputError: it does not, or one is not.
    """
    if to not in ENDINGS:
        raise InputError(f"--to is {to!r}: give one of {', '.join(ENDINGS)}.")
    if precision not in (None, *get_args(Precision)):
        raise InputError(f"--precision is {precision!r}: give one of {', '.join(get_args(Precision))}.")
    if to != "pt2":
        require_onnx()
    elif precision == "float16":
        raise InputError("--precision float16 is of ONNX and the web: leave it out with --to pt2.")
    for flag, given in (("--folder", folder), ("--runtime", runtime is not None)):
        if given and to != "web":
            raise InputError(f"{flag} is of --to web, and --to is {to}: leave out one of the two.")


def _write(part: Part, place: Path) -> Exported:
    """Write a file, named after its network where there are several."""
    path = place.with_name(f"{place.stem}-{part.graph.name}{place.suffix}") if part.graph.name else place
    with replacing(path) as partial:
        partial.write_bytes(part.content)
    fixed = any(one.name == "source" and one.multiple is None for one in part.graph.inputs)
    notes = ("Height and width are fixed; the batch size is free.",) if fixed else ()
    return Exported(path=path, parity=part.parity, notes=notes)
