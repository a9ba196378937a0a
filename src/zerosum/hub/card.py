"""The model card: README.md of a pushed run. Every name from outside is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zerosum import recipes
from zerosum.evaluation.result import Evaluation
from zerosum.evaluation.table import HEAD, rows, sentences, warnings
from zerosum.hub.escaping import markdown, plain, yaml
from zerosum.hub.index import PICTURE
from zerosum.runtime.hub_names import Repository
from zerosum.tasks import TASKS
from zerosum.text import counted

PIPELINES = {"translate": "image-to-image", "upscale": "image-to-image", "inpaint": "image-to-image"}
PIPELINES |= {"paint": "text-to-image", "generate": "unconditional-image-generation"}
PIPELINES |= {"age": "unconditional-image-generation"}
"""What the Hub calls tasks whose results are images."""

LISTED = 30
"""Class names that are listed."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a model card is written from."""

    repository: Repository
    about: Mapping[str, Any]
    """run.json as others get it."""

    round: int
    pictures: bool
    """Whether samples are images."""

    licence: str | None
    evaluation: Evaluation | None
    memorised: Sequence[str]
    """Sentences that say that samples are copies of training samples."""

    nearest: str | None
    """A sentence on the nearest training images."""

    drawn: str | None
    """What the picture shows; None without one."""


def write(card: Card) -> str:
    """Write a card as Markdown with YAML before it."""
    head = "\n".join(f"{name}: {yaml(value)}" for name, value in _metadata(card).items())
    parts = (_title(card), _use(card), _data(card), _figures(card), _memory(card), _limits(card))
    return f"---\n{head}\n---\n\n" + "\n\n".join("\n".join(part) for part in parts) + "\n"


def _metadata(card: Card) -> dict[str, Any]:
    task = str(card.about.get("task"))
    found: dict[str, Any] = {"library_name": "zerosum", "tags": ["gan", "zerosum", str(card.about.get("recipe"))]}
    if card.licence is not None:
        found["license"] = card.licence
    if card.pictures and task in PIPELINES:
        found["pipeline_tag"] = PIPELINES[task]
    if card.evaluation is not None:
        measured = [
            {"type": figure.metric, "name": f"{figure.title} ({_protocol(card.evaluation)})", "value": figure.value}
            for figure in card.evaluation.figures
            if figure.value is not None
        ]
        data = card.evaluation.protocol.data
        result = {
            "task": {"type": PIPELINES.get(task, "other")},
            "dataset": {"type": data, "name": data, "split": card.evaluation.protocol.split},
            "metrics": measured,
        }
        found["model-index"] = [{"name": card.repository.name, "results": [result]}]
    return found


def _protocol(evaluation: Evaluation) -> str:
    protocol = evaluation.protocol
    return f"{counted(protocol.fake, 'sample')} against {protocol.real:,}, features {protocol.extractor}"


def _title(card: Card) -> list[str]:
    recipe, task = str(card.about.get("recipe")), TASKS.get(str(card.about.get("task")))
    said = [f"# {markdown(card.repository.name)}", ""]
    does = f", which {task.does}" if task is not None else ""
    said += [
        f"A generative adversarial network of the recipe `{_code(recipe)}`{does}, after {counted(card.round, 'round')}."
    ]
    if recipe in recipes.names():
        text = recipes.about(recipe)
        papers = dict.fromkeys(re.findall(r"https://arxiv\.org/abs/[\d.]+\d", text))
        said.append(" ".join([markdown(text.partition("\n")[0]), *papers]))
    else:
        said.append("Its recipe is not one of zerosum's, and its code is not here: it has to be given with `--recipe`.")
    if card.drawn is not None:
        said += ["", f"![Samples]({PICTURE})", "", markdown(card.drawn)]
    return said


def _use(card: Card) -> list[str]:
    name, task = f"hf:{card.repository.id}", TASKS.get(str(card.about.get("task")))
    typed = task.typed(name) if task is not None else f"zerosum report {name}"
    shell = ["```sh", "pip install 'zerosum[hub]'", typed, "```"]
    python = ["```python", "import zerosum", "", f'model = zerosum.load("{name}")', "```"]
    return ["## Use", "", *shell, "", *python, "", "Nothing that is here is run as code: weights are safetensors."]


def _data(card: Card) -> list[str]:
    data, spec = (value if isinstance(value := card.about.get(n), Mapping) else {} for n in ("data", "spec"))
    shape = "x".join(map(str, spec.get("shape") or ()))
    count = data.get("count")
    said = counted(count, "sample") if isinstance(count, int) else "An unknown number of samples"
    names = list(spec.get("classes") or spec.get("attributes") or ())
    lines = [f"{said} of {shape} ({markdown(spec.get('kind', 'images'))}): {markdown(data.get('source'))}, "]
    lines[0] += f"fingerprint `{_code(data.get('fingerprint'))}`."
    if names:
        more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
        what = "classes" if spec.get("classes") else "attributes"
        lines += ["", f"{len(names):,} {what}: {', '.join(map(markdown, names[:LISTED]))}{more}."]
    return ["## Training data", "", *lines]


def _figures(card: Card) -> list[str]:
    if card.evaluation is None:
        return ["## Figures", "", "Not evaluated."]
    found = card.evaluation
    table = [HEAD, ("---",) * len(HEAD), *(tuple(map(markdown, row)) for row in rows(found.figures))]
    lines = [f"| {' | '.join(row)} |" for row in table]
    played = "" if found.round is None or found.round == card.round else f"After {counted(found.round, 'round')}."
    notes = [*found.verdict, played, *sentences(found.protocol), *warnings(found.figures), *found.notes]
    return ["## Figures", "", *lines, "", *(f"- {markdown(note)}" for note in notes if note)]


def _memory(card: Card) -> list[str]:
    said = [card.nearest] if card.nearest is not None else ["Distances to training images were not measured."]
    if card.memorised:
        said = [f"**Samples look like copies of training samples**: {markdown('; '.join(card.memorised))}.", "", *said]
    return ["## Memorisation", "", *(line if line.startswith("**") else markdown(line) for line in said)]


def _limits(card: Card) -> list[str]:
    licence = "No licence was given: ask the owner before using it." if card.licence is None else None
    said = [licence or f"`{_code(card.licence)}`, as the owner says."]
    what = "Samples are generated: they are no records of the data, and what is rare in the data is rarer in them."
    return ["## Licence and limits", "", *said, "", what]


def _code(text: object) -> str:
    """Return text between backticks of Markdown."""
    return plain(text).replace("`", "'")
