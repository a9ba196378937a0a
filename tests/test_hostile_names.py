"""Names from outside that hold markup: no page has an element or an attribute more than with harmless ones."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.test_report import ABOUT, make, row, write_evaluation
from zerosum import report
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.result import Evaluation, MetricResult
from zerosum.hub.card import Card, write
from zerosum.media.image_grid import grid, write_png
from zerosum.page.model import Control, Figure, Noise, PageModel
from zerosum.page.render import render
from zerosum.report.augment import augment_page
from zerosum.report.live import live
from zerosum.report.run_data import read
from zerosum.runtime.hub_names import Repository

HOSTILE = ('"><img src=x onerror=alert(1)>', "</script><script>alert(1)</script>")
FOLDERS = tuple(text.replace("/", "") for text in HOSTILE)
"""The same as names of files, which hold no slash."""

NAMES = tuple(zip(HOSTILE, FOLDERS, strict=True))

SPEC = {"shape": [1, 8, 8], "kind": "images"}


class Skeleton(HTMLParser):
    """The elements of a page with the names of their attributes, and its text and the values of attributes apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.words = ""
        self.data: list[str] = []
        """Text of each script that holds data."""

        self._in_data = False
        self.feed(str(page))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *(name for name, _ in attrs)))
        self.words += "".join(f" {value}" for _, value in attrs)
        self._in_data = tag == "script" and ("type", "application/json") in attrs

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._in_data:
            self.data.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_data = False


def harmless(text: str) -> str:
    """Replace what could be markup, so that the length stays."""
    return re.sub(r"[^\w/]", "x", text)


def assert_inert(make_page: Callable[[str], str], evil: str) -> None:
    """Compare the page of a hostile name with that of a harmless one."""
    found, expected = Skeleton(make_page(evil)), Skeleton(make_page(harmless(evil)))
    assert evil in found.words or evil in "".join(map(str, map(json.loads, found.data)))
    assert sorted(found.elements) == sorted(expected.elements)  # curves are in the order of their names
    assert not [one for one in found.elements if any(name.startswith("on") for name in one[1:])]
    assert not [text for text in found.data if "<" in text]


def page_model(text: str, task: str = "generate") -> PageModel:
    """A page's model of which every text is `text`."""
    types = ("label", "number", "integer", "choice", "numbers", "flag")
    given: dict[str, Any] = {
        one.name: text if one.type == "str" else (text,) if one.type == "tuple[str, ...]" else None
        for one in dataclasses.fields(PageModel)
    }
    given |= {"task": task, "kind": "images", "shape": (1, 8, 8), "factor": 2, "class_counts": (5,), "round": 3}
    given |= {"attribute_rows": ((text, 1),), "attribute_shares": (0.5,), "takes_labels": True, "prior": {"law": text}}
    given |= {"controls": tuple(Control(name=text, type=one, help=text, choices=(text,)) for one in types)}  # type: ignore[arg-type]
    given |= {"figures": (Figure(title=text, value=text, floor=text),), "folder": False}
    return PageModel(**given | {"noise": (Noise(name=text, shape=(1,), kept=0.5),)})


def hostile_run(place: Path, text: str) -> Path:
    """A run of which every name is `text`, the captions of its previews among them."""
    about = {**ABOUT, "recipe": text, "command": text, "config": {text: text}, "recipe_origin": {"place": text}}
    about |= {"data": {"source": text, "notes": [text], "name": text}, "spec": {**SPEC, "classes": [text]}}
    about |= {"versions": {"zerosum": text}, "machine": {text: text}, "training": {text: [text]}}
    about |= {"rescues": [{"round": 1, "finding": text, "skipped": [text], "changes": {text: [text, text]}}]}
    rows = [row(at, **{f"{text}/loss": 1.0, f"{text}/x": 1.0, f"evaluation/{text}": 1.0}) for at in (20, 40)]
    made = make(place, about=about, rows=rows, previews=(0,))
    write_png(grid(torch.zeros(4, 1, 8, 8)), made / "samples" / "00000040.png", {"captions": text})
    (made / "samples" / f"newest{text.replace('/', '')}.gif").touch()
    write_evaluation(made, title=text, settings=text, notes=(text,), extractor=text)
    return made


@pytest.mark.parametrize("evil", HOSTILE)
@pytest.mark.parametrize("task", ["generate", "translate", "upscale", "inpaint", "paint"])
@pytest.mark.parametrize("engine", ["onnx", "server"])
def test_the_exported_page(evil: str, task: str, engine: Any) -> None:
    assert_inert(lambda text: render(page_model(text, task), engine=engine, parts={text: b"x"}), evil)


@pytest.mark.parametrize(("evil", "folder"), NAMES)
def test_the_report_and_the_piece_of_it_that_is_served(evil: str, folder: str, tmp_path: Path) -> None:
    def run(text: str) -> Path:
        place = tmp_path / (folder if text == evil else harmless(folder))
        return place if place.exists() else hostile_run(place, text)

    assert_inert(lambda text: report.write(run(text)).read_text(encoding="utf-8"), evil)
    assert_inert(lambda text: str(live(read(run(text)))), evil)


@pytest.mark.parametrize("evil", HOSTILE)
def test_the_page_beside_generated_images(evil: str) -> None:
    def page(text: str) -> str:
        classes = {text: {"real": text, "generated": text, "seed": 1}}
        gain = {"accuracies": {text: text}, "gain": [text]}
        return augment_page(Path(text), data=text, run=Path(text), classes=classes, **gain)

    assert_inert(page, evil)


@pytest.mark.parametrize("evil", HOSTILE)
def test_the_model_card(evil: str) -> None:
    reader = pytest.importorskip("markdown_it", reason="comes with rich").MarkdownIt("commonmark")
    assert_inert(lambda text: reader.render(card(text)), evil)


def card(text: str) -> str:
    """A card of which every text is `text`."""
    words = dict.fromkeys(("extractor", "identity", "sees", "data", "split", "fingerprint", "against"), text)
    protocol = Protocol(real=10, fake=10, size=text, resizer=text, seed=0, **words)
    figure = MetricResult(metric=text, title=text, value=1.0, better="lower", settings=text, notes=(text,))
    told = {"subject": text, "round": 3, "notes": (text,), "verdict": (text,), "made": text}
    evaluation = Evaluation(protocol=protocol, figures=(figure,), **told)
    about = {"recipe": text, "data": {"source": text, "fingerprint": text, "count": 3}, "task": "generate"}
    about["spec"] = {"shape": (1, 8, 8), "kind": text, "classes": [text]}
    texts = {"licence": text, "memorised": [text], "nearest": text, "drawn": text}
    return write(
        Card(
            repository=Repository("ada", "mine", None),
            about=about,
            round=3,
            pictures=True,
            evaluation=evaluation,
            **texts,
        )
    )
