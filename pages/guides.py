"""The guides' commands, run as they stand: what they print goes into the pages, what they draw into docs/pictures.

python -m pages.guides photos colour        runs two guides in a temporary folder; all of them without a name

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

from pages import stand_ins
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


def _photos(count: int) -> None:
    stand_ins.photos(Path("photos"), count)
    stand_ins.hole(Path("hole.png"))


def _animals(count: int) -> None:
    stand_ins.horse2zebra(Path("horse2zebra"), count // 2)


GUIDES_WITH_COMMANDS: dict[str, Guide] = {
    "photos": Guide(_photos, pictures={"photos-samples": "samples.png"}, progress={"photos-progress": "runs/photos"}),
    "colour": Guide(_photos, pictures={"colour": "runs/colour/samples/0*.png"}),
    "zebras": Guide(_animals, pictures={"zebras": "runs/zebras/samples/0*.png"}),
    "larger": Guide(_photos),
    "holes": Guide(_photos, pictures={"holes": "runs/filler/samples/0*.png"}),
    "two-gans": Guide(),
    "many-machines": Guide(),
    "page": Guide(),
}


def commands(page: str) -> list[str]:
    """Return the commands of a page, in their order."""
    text = (GUIDES / f"{page}.md").read_text(encoding="utf-8")
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
    guide, before = GUIDES_WITH_COMMANDS[page], Path.cwd()
    os.chdir(folder)
    try:
        if guide.data is not None:
            guide.data(guide.count if count is None else count)
    finally:
        os.chdir(before)
    return {command: run(shlex.join(shorten(shlex.split(command))), folder) for command in commands(page)}


def keep(page: str, folder: Path) -> None:
    """Copy the pictures of a guide that was played, and record where they come from."""
    guide = GUIDES_WITH_COMMANDS[page]
    PICTURES.mkdir(parents=True, exist_ok=True)
    made = json.loads(MADE.read_text(encoding="utf-8")) if MADE.exists() else {}
    for name, pattern in guide.pictures.items():
        _small(Image.open(sorted(folder.glob(pattern))[-1])).save(PICTURES / f"{name}.png", optimize=True)
    for name, place in guide.progress.items():
        found = sorted((folder / place / "samples").glob("0*.png"))
        chosen = [found[0], found[len(found) // 2], found[-1]]
        beside([Image.open(path) for path in chosen]).save(PICTURES / f"{name}.png", optimize=True)
    for name in (*guide.pictures, *guide.progress):
        made[f"{name}.png"] = {"commands": commands(page), **origin()}
    MADE.write_text(json.dumps(dict(sorted(made.items())), indent=1) + "\n", encoding="utf-8")


def origin() -> dict[str, str]:
    """Return date, commit and machine."""
    here = device.describe()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    machine = f"{here['cpu']}, {here['threads']} threads, torch {here['torch']}"
    return {"date": datetime.date.today().isoformat(), "commit": commit.strip(), "machine": machine}


def beside(pictures: Sequence[Image.Image], gap: int = 12) -> Image.Image:
    """Set pictures of one size beside each other on white."""
    width, height = pictures[0].size
    sheet = Image.new("RGB", (len(pictures) * (width + gap) - gap, height), "white")
    for place, picture in enumerate(pictures):
        sheet.paste(picture.convert("RGB"), (place * (width + gap), 0))
    return _small(sheet)


def with_outputs(page: str, printed: Mapping[str, str]) -> None:
    """Put what commands printed below those that have a place for it."""
    path = GUIDES / f"{page}.md"

    def fill(match: re.Match[str]) -> str:
        return match[1] + printed[match[2]].strip() + "\n" + match[4]

    path.write_text(OUTPUT.sub(fill, path.read_text(encoding="utf-8")), encoding="utf-8")


def _small(picture: Image.Image, widest: int = 900) -> Image.Image:
    if picture.width <= widest:
        return picture
    return picture.convert("RGB").resize(
        (widest, round(picture.height * widest / picture.width)), Image.Resampling.LANCZOS
    )


def main(pages: Sequence[str]) -> None:
    """Play guides in temporary folders, and keep what they make."""
    for page in pages or GUIDES_WITH_COMMANDS:
        folder = Path(tempfile.mkdtemp(prefix=f"guide-{page}-"))
        printed = play(page, folder)
        keep(page, folder)
        with_outputs(page, printed)
        shutil.rmtree(folder)
        print(f"{page}: {len(printed)} commands", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
