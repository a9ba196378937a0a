"""The model of a run: loaded from its checkpoint, and replaced between requests when the run writes a newer one."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor

from zerosum import kinds
from zerosum.errors import InputError
from zerosum.inference.image_files import ProcessedFiles, inputs_at
from zerosum.inference.inpaint import complete_files
from zerosum.inference.paint import paint
from zerosum.inference.seeded import Sampler, Seeded
from zerosum.inference.translate import translate_files
from zerosum.inference.upscale import upscale_files
from zerosum.layers.at_use import drop_weights, narrow_weights, order_weights
from zerosum.media import image_grid
from zerosum.page.model import PageModel, describe
from zerosum.recipe import Recipe
from zerosum.run.checkpoint_files import read_chosen
from zerosum.run.checkpoint_index import INDEX
from zerosum.run.config import read_config, read_spec
from zerosum.run.directory import Run, Which
from zerosum.run.load import load_recipe, recipe_of
from zerosum.runtime.device import pick_device
from zerosum.server.answers import Answer
from zerosum.server.pictures import require_small
from zerosum.tasks import AGE, INPAINT, UPSCALE, painter
from zerosum.text import shown

Precision = Literal["float32", "bfloat16"]


class UnavailableError(InputError):
    """The run that is served cannot be loaded."""


class ReplacedError(UnavailableError):
    """The folder of a run that is served holds another run."""


def _identity(run: Run) -> tuple[Any, ...]:
    """Return what a server knows of a run for good: its recipe, and of its data all that requests and pages name."""
    spec = read_spec(run)
    return run.description.get("recipe"), spec.kind, spec.shape, spec.source_shape, spec.classes, spec.attributes


class Model:
    """A run that is served. But for `kind` and `spec`, one thread at a time may use it.

    Args:
        path: of the run.
        recipe: for a run of a recipe from outside, its file or package.module:Class.
        device: where to compute.
        which: the checkpoint.
        precision: the arithmetic of the networks; bfloat16 moves pixels from those of `zerosum sample`.

    Raises:
        InputError: no run there, or of a recipe that this version does not have.
    """

    def __init__(
        self,
        path: Path,
        *,
        recipe: str | None = None,
        device: str = "auto",
        which: Which = "newest",
        precision: Precision = "float32",
    ) -> None:
        self.path, self._source, self._device = path, recipe, device
        self._which: Which = which
        self._narrow = precision == "bfloat16"
        self.kind: type[Recipe] = recipe_of(path, recipe)
        run = Run.open(path)
        self.spec, self._identity = read_spec(run), _identity(run)
        self.name = shown(path.resolve().name)
        self._drawing = kinds.find(self.spec.kind)
        self.fingerprint, self.round = "", 0
        self._sampler: Sampler | None = None
        self._stamp: tuple[Path, int] | None = None

    def refresh(self) -> Recipe:
        """Return the recipe with the weights of the present checkpoint; loading a newer one if there is one.

        Raises:
            UnavailableError: there is none yet, or the first is damaged; a later one leaves the one before in use.
            ReplacedError: the folder holds another run.
        """
        try:
            while (stamp := self._present()) != self._stamp:
                self._load(stamp)
        except ReplacedError:
            raise
        except InputError as error:  # the run removes old checkpoints while they are read
            if self._sampler is None:
                raise UnavailableError(str(error)) from None
        except OSError:
            if self._sampler is None:
                raise
        assert self._sampler is not None
        return self._sampler.recipe

    def _present(self) -> tuple[Path, int]:
        """Return the checkpoint to serve, and when it was written."""
        found = Run(self.path).chosen(self._which)
        return found, (found / INDEX).stat().st_mtime_ns

    def _load(self, stamp: tuple[Path, int]) -> None:
        """Load the checkpoint that is there, or one that has replaced it since, which `refresh` then loads again."""
        directory = Run.open(self.path)
        if _identity(directory) != self._identity:
            raise ReplacedError(
                f"{self.path} holds a run of another recipe or of other data than is served: start the server again."
            )
        found = read_chosen(directory, self._which)
        plan, device = read_config(directory, self._source), pick_device(self._device)
        recipe = load_recipe(directory, plan, device=device, checkpoint=found)
        if self._narrow and recipe.task is not AGE:  # whose latents are fitted through the weights
            narrow_weights(recipe)
        order_weights(recipe)
        if self._source is None:  # one from outside may share layers with what is used
            drop_weights(recipe.discriminators())
        self._sampler, self._stamp = Sampler(recipe), stamp
        self.fingerprint, self.round = found.fingerprint, found.round

    def describe(self) -> PageModel:
        """Return what a page knows of the model, without where its run and its data lie.

        Raises:
            InputError: there is no checkpoint.
        """
        recipe = self.refresh()
        about = describe(recipe, Run.open(self.path), round_=self.round)
        return replace(about, fingerprint=self.fingerprint, data=Path(about.data).name)

    def sample(self, wanted: Sequence[Seeded], chosen: Mapping[str, Any]) -> list[Answer]:
        """Generate a picture for each of some seeds.

        Raises:
            InputError: a control that the recipe does not have, a value that it refuses, or no checkpoint.
        """
        self.refresh()
        assert self._sampler is not None
        if any(one.latent is not None for one in wanted):
            width = self._sampler.latents([0], {}).shape[1]
            if any(one.latent is not None and one.latent.shape != (width,) for one in wanted):
                raise InputError(f"Latents of this model have {width} values each: give lists of as many.")
        with self.arithmetic():
            samples = self._sampler.sample(wanted, chosen)
        return [
            self.answer(picture, seed=one.seed, chosen=chosen)
            for one, picture in zip(wanted, self.drawn(samples), strict=True)
        ]

    def latents(self, seeds: Sequence[int], chosen: Mapping[str, Any]) -> list[list[float]]:
        """Return the latents (Z,) of the first samples of seeds, as controls have them drawn.

        Raises:
            InputError: the recipe has none, or there is no checkpoint.
        """
        self.refresh()
        assert self._sampler is not None
        return self._sampler.latents(seeds, chosen).tolist()

    def paint(self, text: str, n: int, *, seed: int) -> list[Answer]:
        """Paint a text: the n images that `zerosum paint --seed` makes; each says which words are unknown.

        Raises:
            InputError: there is no text, or no checkpoint.
        """
        recipe = self.refresh()
        with self.arithmetic():
            images = paint(recipe, text, n, seed)
        more = {"unknown": json.dumps(words)} if (words := painter(recipe).unknown_words(text)) else {}
        return [
            self.answer(picture, seed=seed, chosen={"text": text}, place=str(place), **more)
            for place, picture in enumerate(self.drawn(images))
        ]

    def transform(
        self, image: bytes, mask: bytes | None, *, seed: int, chosen: Mapping[str, Any], most_pixels: int
    ) -> Answer:
        """Translate, enlarge or fill an image, as the command of the task does to a file.

        Raises:
            InputError: it is no image that is read, it or the result has more than `most_pixels`, a mask is missing or
                of another size, or no checkpoint.
        """
        recipe = self.refresh()
        factor = getattr(recipe, "factor", 1)
        require_small(image, most_pixels, factor)
        if mask is not None:
            require_small(mask, most_pixels, factor, name="mask")
        with tempfile.TemporaryDirectory(prefix="zerosum-") as folder:
            source, hole, out = Path(folder, "image"), Path(folder, "mask"), Path(folder, "result.png")
            source.write_bytes(image)
            if mask is not None:
                hole.write_bytes(mask)
            with self.arithmetic():
                done = self._processed(recipe, source, None if mask is None else hole, out, seed=seed, chosen=chosen)
            if done.problems:
                raise InputError(f"The picture {'; '.join(done.problems.values())}.")
            with Image.open(out) as made:
                made.load()
                return self.answer(made, seed=seed, chosen=chosen)

    def _processed(
        self, recipe: Any, source: Path, mask: Path | None, out: Path, *, seed: int, chosen: Mapping[str, Any]
    ) -> ProcessedFiles:
        files = inputs_at(source)
        targets = {files.names[0]: out}
        if self.kind.task is UPSCALE:
            return upscale_files(recipe, files, targets)
        if self.kind.task is not INPAINT:
            return translate_files(recipe, files, targets, seed=seed, chosen=chosen)
        if mask is None:
            raise InputError("This model fills holes, and no mask was given: send image and mask as multipart parts.")
        return complete_files(recipe, files, mask, targets)

    def arithmetic(self) -> torch.autocast:
        """Return the context in which the networks compute."""
        assert self._sampler is not None
        return torch.autocast(self._sampler.recipe.device.type, torch.bfloat16, enabled=self._narrow)

    def drawn(self, samples: Tensor) -> list[Image.Image]:
        """Draw samples (N, *shape): images pixel by pixel, other kinds as in their previews."""
        if self._drawing.pictures and samples.shape[1] in image_grid.MODES:
            return image_grid.pictures(samples)
        return [self._drawing.draw(one[None]) for one in samples]

    def answer(self, picture: Image.Image, *, seed: int, chosen: Mapping[str, Any], **more: str) -> Answer:
        """Return a picture with what it was made by."""
        about = {
            "seed": str(seed),
            "controls": json.dumps(dict(chosen), sort_keys=True),
            "run": self.fingerprint,
            "round": str(self.round),
            **({"precision": "bfloat16"} if self._narrow else {}),
            **more,
        }
        return Answer(picture=picture, about=about)
