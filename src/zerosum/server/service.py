"""The state of a server: its runs, their models, and the one thread that computes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from zerosum.errors import ZerosumError
from zerosum.inference.seeded import Seeded
from zerosum.server.answers import Answer
from zerosum.server.batcher import Batcher
from zerosum.server.limits import Doors, Limits, Metrics
from zerosum.server.live import LiveRun, Look
from zerosum.server.model import Model
from zerosum.text import one_line, shown


@dataclass(frozen=True)
class Served:
    """A run with its number, its model and what is shown while it is trained."""

    number: int
    model: Model
    live: LiveRun


@dataclass(kw_only=True)
class Service:
    """All that routes need."""

    runs: Sequence[Served]
    limits: Limits = field(default_factory=Limits)
    doors: Doors = field(default_factory=Doors)
    metrics: Metrics = field(default_factory=Metrics)
    most_at_once: int = 32
    draining: bool = False

    ready: bool = field(default=False, init=False)
    """Whether every model is loaded and has made a sample."""

    _logged: str = field(default="", init=False)
    """The last sentence that went to the log."""

    _looking: dict[int, asyncio.Task[Look]] = field(default_factory=dict, init=False)
    """Runs whose directories are read at present, by their numbers."""

    def __post_init__(self) -> None:
        self.batcher = Batcher(self.most_at_once, self.metrics.batch.observe)
        self.metrics.queued.set_function(lambda: self.batcher.queued)

    def without_places(self, sentence: str) -> str:
        """Return a sentence with runs' names where it says where they lie, which whoever asks need not know.

        The log of the server has it whole.
        """
        known = {}
        for path in (run.model.path for run in self.runs):
            places = (str(path), str(path.absolute()), str(path.resolve()))
            known |= {place: path.resolve().name for place in places if re.search(r"[/\\]\w", place)}
        told = sentence
        for place, name in sorted(known.items(), key=lambda pair: -len(pair[0])):
            told = told.replace(place, name)
        if told != sentence != self._logged:
            self._logged = sentence
            logging.getLogger("zerosum").warning(sentence)
        return told

    async def look(self, run: Served) -> Look:
        """Return the stamp and the state of a run's directory, which is read once for all who ask meanwhile."""
        if run.number not in self._looking:
            self._looking[run.number] = asyncio.create_task(self._look(run))
            self._looking[run.number].add_done_callback(lambda _: self._looking.pop(run.number))
        return await asyncio.shield(self._looking[run.number])  # who has waited too long does not end it for others

    async def _look(self, run: Served) -> Look:
        try:
            return await asyncio.to_thread(run.live.look)
        except ZerosumError as error:
            return run.live.unread(one_line(shown(self.without_places(str(error)))))

    async def samples(self, run: Served, wanted: Sequence[Seeded], chosen: dict[str, Any]) -> list[Answer]:
        """Generate samples, together with those of other requests with the same controls and without latents."""
        alone = any(one.latent is not None for one in wanted)  # which may make what is not finite
        key = run.number, json.dumps(chosen, sort_keys=True), object() if alone else None
        return await self.batcher.submit(key, partial(run.model.sample, chosen=chosen), wanted)

    async def alone(self, work: Callable[[], Any]) -> Any:
        """Do some work in the model's thread."""
        return (await self.batcher.submit(object(), lambda items: [work()], [None]))[0]

    async def warm_up(self) -> None:
        """Load the models, and again while a run has no checkpoint yet, until each has made a sample."""
        for run in self.runs:
            while True:
                with contextlib.suppress(ZerosumError):
                    if run.model.kind.task.given == "nothing":
                        await self.samples(run, [Seeded(0)], {})
                    else:
                        await self.alone(run.model.refresh)
                    break
                await asyncio.sleep(1)
        self.ready = True
        logging.getLogger("zerosum").info("ready")
