"""The guides' commands, run as they stand: what they print goes into the pages, what they draw into docs/pictures.

python -m pages.guides photos colour        runs two guides in a temporary folder; all of them without a name

Pages of docs/ whose pictures are made in the same way, such as captions, are named alike.

Beside each picture, docs/pictures/guides/made.json has the commands it came from, the date, the commit and the machine.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from pages import pictures, stand_ins
from zerosum.runtime import device

ROOT = Path(__file__).parents[1]
GUIDES, PICTURES = ROOT / "docs" / "guides", ROOT / "docs" / "pictures" / "guides"
MADE = PICTURES / "made.json"
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(
    r"(^```console\n\$ ([^\n]+)\n```\n\n<!-- output -->\n```text\n)(.*?)(^```$)", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Guide:
    """A page of docs/guides with commands."""

    data: Callable[[int], None] | None = None
    """Writes stand-ins for the reader's data into the working folder, as many as given."""

    count: int = 600
    pictures: Mapping[str, str] = field(default_factory=dict)
    """Name of each picture in docs/pictures/guides, and the pattern whose last match it is."""

    progress: Mapping[str, str] = field(default_factory=dict)
    """Pictures made of a run's previews, the first, a middle and the last, beside each other."""

    sheets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Pictures of small pictures: a row for each pattern, of some of its matches, which seed 0 draws."""

    opened: Mapping[str, str] = field(default_factory=dict)
    """Pictures of an HTML file as Chromium shows it."""


def _photos(count: int) -> None:
    stand_ins.photos(Path("photos"), count)
    stand_ins.hole(Path("hole.png"))


def _animals(count: int) -> None:
    stand_ins.horse2zebra(Path("horse2zebra"), count // 2)


def _hours(count: int) -> None:
    stand_ins.hours(Path("photos"), count)
    stand_ins.hours(Path("others"), count // 2, seed=3, splits=False)


def _two_domains(count: int) -> None:
    stand_ins.digits(Path("renderings"), count, plain=True)
    stand_ins.digits(Path("photographs"), count, plain=False, seed=1, labelled=False)
    stand_ins.digits(Path("photographs-test"), count // 2, plain=False, seed=2, labelled=False)


GUIDES_WITH_COMMANDS: dict[str, Guide] = {
    "photos": Guide(_photos, pictures={"photos-samples": "samples.png"}, progress={"photos-progress": "runs/photos"}),
    "colour": Guide(_photos, pictures={"colour": "runs/colour/samples/0*.png"}),
    "zebras": Guide(_animals, pictures={"zebras": "runs/zebras/samples/0*.png"}),
    "larger": Guide(_photos, pictures={"larger": "runs/larger/samples/0*.png"}),
    "holes": Guide(_photos, pictures={"holes": "runs/filler/samples/0*.png"}),
    "two-gans": Guide(pictures={"two-gans": "curves.svg"}),
    "many-machines": Guide(pictures={"many-machines": "runs/two/samples/0*.png"}),
    "page": Guide(opened={"page": "digits.html"}),
}

OTHER_PAGES: dict[str, Guide] = {
    "captions": Guide(sheets={"captions": ["circles/*.png"]}),
    "augment": Guide(_hours, sheets={"augment": ["photos/train/night/*.png", "more/night/*.png"]}),
    "domain-transfer": Guide(
        _two_domains,
        sheets={"domain-transfer": ["renderings/*/*.png", "adapted/*/*.png", "photographs-test/*.png"]},
    ),
}
"""Pages of docs/ with pictures of their own commands; tests beside those of what they are about run them."""


def commands(page: str) -> list[str]:
    """Return the commands of a page, in their order."""
    text = _path(page).read_text(encoding="utf-8")
    return [line[2:] for block in CONSOLE.findall(text) for line in block.splitlines() if line.startswith("$ ")]


def run(command: str, folder: Path) -> str:
    """Run a command in a folder and return what it prints; the doctor may end with 3."""
    words = shlex.split(command)
    program = {"zerosum": ["-m", "zerosum"], "torchrun": ["-m", "torch.distributed.run"]}[words[0]]
    done = subprocess.run(
        [sys.executable, *program, *words[1:]], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode not in ((0, 3) if words[:2] == ["zerosum", "doctor"] else (0,)):
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def play(
    page: str, folder: Path, *, shorten: Callable[[list[str]], list[str]] = list, count: int | None = None
) -> dict[str, str]:
    """Run a guide from its data to its last command in an empty folder; return what each command printed."""
    guide, before = _guide(page), Path.cwd()
    os.chdir(folder)
    try:
        if guide.data is not None:
            guide.data(guide.count if count is None else count)
    finally:
        os.chdir(before)
    return {command: run(shlex.join(shorten(shlex.split(command))), folder) for command in commands(page)}


def keep(page: str, folder: Path) -> None:
    """Copy the pictures of a guide that was played, and record where they come from."""
    guide = _guide(page)
    PICTURES.mkdir(parents=True, exist_ok=True)
    made = json.loads(MADE.read_text(encoding="utf-8")) if MADE.exists() else {}
    for name, pattern in guide.pictures.items():
        _copy(sorted(folder.glob(pattern))[-1], name)
    for name, patterns in guide.sheets.items():
        pictures.sheet([sorted(folder.glob(pattern)) for pattern in patterns]).save(
            PICTURES / f"{name}.png", optimize=True
        )
    for name, page_of in guide.opened.items():
        pictures.screenshot(folder / page_of, PICTURES / f"{name}.png")
    for name, place in guide.progress.items():
        found = sorted((folder / place / "samples").glob("0*.png"))
        chosen = [found[0], found[len(found) // 2], found[-1]]
        pictures.beside([Image.open(path) for path in chosen]).save(PICTURES / f"{name}.png", optimize=True)
    for name in (*guide.pictures, *guide.progress, *guide.sheets, *guide.opened):
        kind = "svg" if guide.pictures.get(name, "").endswith(".svg") else "png"
        made[f"{name}.{kind}"] = {"commands": commands(page), **origin()}
    MADE.write_text(json.dumps(dict(sorted(made.items())), indent=1) + "\n", encoding="utf-8")


def origin() -> dict[str, str]:
    """Return date, commit and machine."""
    here = device.describe()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    machine = f"{here['cpu']}, {here['threads']} threads, torch {here['torch']}"
    return {"date": datetime.date.today().isoformat(), "commit": commit.strip(), "machine": machine}


def with_outputs(page: str, printed: Mapping[str, str]) -> None:
    """Put what commands printed below those that have a place for it."""
    path = _path(page)

    def fill(match: re.Match[str]) -> str:
        return match[1] + printed[match[2]].strip() + "\n" + match[4]

    path.write_text(OUTPUT.sub(fill, path.read_text(encoding="utf-8")), encoding="utf-8")


def _guide(page: str) -> Guide:
    return (GUIDES_WITH_COMMANDS | OTHER_PAGES)[page]


def _path(page: str) -> Path:
    return (GUIDES if page in GUIDES_WITH_COMMANDS else GUIDES.parent) / f"{page}.md"


def _copy(path: Path, name: str) -> None:
    if path.suffix == ".svg":
        shutil.copyfile(path, PICTURES / f"{name}.svg")
    else:
        pictures.fitted(Image.open(path)).save(PICTURES / f"{name}.png", optimize=True)


def main(pages: Sequence[str]) -> None:
    """Play guides in temporary folders, and keep what they make."""
    for page in pages or GUIDES_WITH_COMMANDS | OTHER_PAGES:
        folder = Path(tempfile.mkdtemp(prefix=f"guide-{page}-"))
        printed = play(page, folder)
        keep(page, folder)
        with_outputs(page, printed)
        shutil.rmtree(folder)
        print(f"{page}: {len(printed)} commands", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
